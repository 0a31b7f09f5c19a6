//! Faces: synthetic identities seen at sites of their own light and pose, the folder layout of the ORL faces, and
//! the figures of verification and open-set identification.
//!
//! Faces are pictures of persons ([`crate::reid`]): clients hold pictures, labels and heads of their own, and
//! models are tried on identities that nobody has learnt. As [`FaceClasses`] they are a classification set like any other.

pub mod classes;
pub mod figures;
pub mod orl;
pub mod spec;
pub mod synth;

pub use classes::{FaceClasses, FaceSource};
pub use figures::{FALSE_ACCEPTS, FALSE_ALARMS, FaceFigures};
pub use spec::{OrlFaces, SyntheticFaces};
