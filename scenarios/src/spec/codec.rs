//! `[codec]`: how models and updates are written for the links.

use offbeat_actors::coded::{Blur, Coded};
use offbeat_learning::codec::Codec;
use offbeat_learning::layout::Layout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How models and updates are written for the links. What a codec loses is lost in training too, and its bytes
/// are those that the links carry. Running statistics and vectors beside the parameters travel as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CodecSection {
    /// Of the change that a client sends.
    pub up: Codec,
    /// Of the model that a client is sent: one whose length does not depend on the values, and that leaves
    /// nothing out.
    pub down: Codec,
    /// A change that is longer is scaled to this Euclidean length before it is encoded, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Standard deviation of the normal noise that a client adds to each number of its change before it is
    /// encoded; 0 for none. No privacy budget is kept of it.
    pub noise_sigma: f64,
}

impl CodecSection {
    /// The codecs for the first `shared` numbers of `layout`.
    pub fn coded(&self, layout: &Layout, shared: usize) -> Coded {
        let blur = Blur { clip_norm: self.clip_norm, noise_sigma: self.noise_sigma };
        Coded::new(self.up, self.down, layout, shared).blurred(blur)
    }

    /// Whether both ways are as they are.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
