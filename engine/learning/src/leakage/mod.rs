//! Leakage: what a gradient tells of the samples it was computed on.
//!
//! Whoever sees one update of a client (the server, or a tap on the channel) and knows the model can look for
//! samples that give the same gradient. The attacks need the derivative of a gradient, and Burn's autodiff is of
//! first order: so a [`Victim`] writes its own backward pass as ordinary tensor operations, and autodiff goes
//! through that.
//!
//! Pixels are `0..=1`, images are flat (`channels x height x width`), random numbers come from the caller's stream.

mod analytic;
mod attack;
mod cosine;
mod descent;
mod distance;
mod dlg;
mod generator;
mod grnn;
mod labels;
mod lbfgs;
mod matching;
mod metrics;
mod scene;
mod sheet;
mod ssim;
mod victim;

pub use analytic::{first_layer, linear_input};
pub use attack::Attack;
pub use cosine::{Inverting, inverting_gradients};
pub use dlg::{Dlg, dlg, idlg};
pub use grnn::{Grnn, grnn};
pub use labels::{by_row_sums, by_signs};
pub use lbfgs::{Lbfgs, Minimum};
pub use matching::match_images;
pub use metrics::{Figures, compare, label_accuracy, mse, psnr, recognised, reidentified};
pub use scene::{Reconstruction, Scene, gradient_of_update};
pub use sheet::sheet;
pub use ssim::ssim;
pub use victim::{Activation, Victim};

#[cfg(test)]
mod tests;
