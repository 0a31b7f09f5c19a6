//! Checks of `[codec]`.

use super::Checks;
use crate::spec::CodecSection;
use offbeat_learning::codec::Codec;

pub(super) fn check(codec: &CodecSection, checks: &mut Checks<'_>) {
    for (path, codec) in [("codec.up", codec.up), ("codec.down", codec.down)] {
        if let Err(error) = codec.check() {
            checks.add(
                path,
                error.to_string(),
                "out of range",
                "`offbeat explain codec` has all ranges",
            );
        }
    }
    if codec.clip_norm.is_some_and(|norm| !(norm > 0.0 && norm.is_finite())) {
        let message = "`codec.clip_norm` must be a number above 0";
        checks.add("codec.clip_norm", message, "out of range", "leave it out for none");
    }
    if !(codec.noise_sigma >= 0.0 && codec.noise_sigma.is_finite()) {
        let message = "`codec.noise_sigma` must be a number from 0";
        checks.add("codec.noise_sigma", message, "out of range", "0 is no noise");
    }
    let reason = match codec.down {
        Codec::TopK(_) => "leaves most of the model out",
        Codec::Codebook(_) => "has a length that depends on the values",
        _ => return,
    };
    checks.add(
        "codec.down",
        format!("this codec {reason}, so models cannot be sent with it"),
        "not for models",
        "write `float32`, `float16` or `{ uniform = { bits = 8 } }` here; \
         `codec.up` takes any codec, since changes may be sparse",
    );
}
