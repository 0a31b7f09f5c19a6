//! What the server learns after merging: one file per rule.

pub mod distillation;

pub use distillation::{Distillation, DistillationSettings};
