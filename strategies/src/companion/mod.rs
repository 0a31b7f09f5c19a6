//! The server's side of an objective: vectors that travel beside the model.

pub mod fedgc;
pub mod privacy_face;
pub mod scaffold;

pub use fedgc::{EMBEDDINGS, FedGc, FedGcSettings, FirstHeads};
pub use privacy_face::mechanism::Mechanism;
pub use privacy_face::{CLUSTERS, PrivacyFace, PrivacyFaceSettings, RELEASE};
pub use scaffold::Scaffold;

use serde::{Deserialize, Serialize};

/// What clients have released of their identities so far: what holds for the identity with the most releases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// `None` where no noise is added: nothing bounds what is revealed.
    pub epsilon: Option<f64>,
    /// The delta at which it holds.
    pub delta: f64,
    /// Releases of the client that was asked most often.
    pub releases: u32,
}
