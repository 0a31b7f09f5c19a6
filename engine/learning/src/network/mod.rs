//! The network zoo: one description of each network, read by every trainer.

mod backbone;
mod built;
mod convnext;
mod init;
mod layer;
mod reid;
mod resnet;
mod shape;
mod tensors;
mod weights;
mod zoo;

pub use backbone::{Backbone, Normalisation};
pub use built::Network;
pub use layer::{
    BATCH_NORM_MOMENTUM, GRN_EPSILON, LAYER_NORM_EPSILON, Layer, NORM_EPSILON, ROOT_EPSILON, chain,
};
pub use reid::{Head, ReidSpec};
pub use shape::Shape;
pub use weights::{load_start, load_weights, save_weights};
pub use zoo::NetworkSpec;
