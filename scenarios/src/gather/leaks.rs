//! What a tap found, as the report shows it.

use crate::report::leaks::LeakPoint;
use offbeat_actors::tap::Leak;
use offbeat_kernel::{ClientId, Version};

pub(super) fn point(version: Version, client: ClientId, leak: &Leak) -> LeakPoint {
    let Leak { attack, figures, recognised, samples, steps, loss: _, shape, originals, found } =
        leak;
    let [known, at_best] = recognised.unwrap_or([f64::NAN; 2]);
    LeakPoint {
        version: version.0,
        client: client.0,
        attack: attack.clone(),
        samples: *samples,
        steps: *steps,
        figures: vec![figures.mse, figures.psnr, figures.ssim, figures.labels, known, at_best],
        shape: *shape,
        originals: originals.clone(),
        found: found.clone(),
    }
}
