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
