//! What one gradient tells: DLG, inverting gradients and GRNN on a sigmoid LeNet, for growing batches, with a picture
//! of originals beside reconstructions.
//!
//! `cargo run --release -p offbeat-examples --bin leakage -- [batches] [steps] [picture.png]`, such as
//! `-- 1,2,4 1000 leakage.png`. Steps are those of GRNN; DLG takes up to 300, inverting gradients as many as GRNN.

use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::data::digits;
use offbeat_learning::device::device;
use offbeat_learning::leakage::{
    Dlg, Grnn, Inverting, Reconstruction, Scene, Victim, compare, dlg, grnn, inverting_gradients,
    sheet,
};
use offbeat_learning::{Flat, LearnError};
use std::path::Path;
use std::time::Instant;

const SHAPE: [usize; 3] = [3, 32, 32];

/// A reconstruction whose pixels are off by less than this on average of squares is a success.
const SUCCESS: f64 = 1e-2;

/// Digits of 8 x 8, each enlarged to 32 x 32 and in three equal channels, with their labels; classes take turns.
fn originals(count: usize) -> (Vec<f32>, Vec<usize>) {
    let data = digits().train;
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for place in 0..count {
        let label = place % 10;
        let mut own = (0..data.labels.len()).filter(|row| data.labels[*row] as usize == label);
        let row = own.nth(place / 10).unwrap_or(0);
        let pixel = |y: usize, x: usize| data.features[row * 64 + y / 4 * 8 + x / 4];
        let plane = || (0..32).flat_map(|y| (0..32).map(move |x| (y, x)));
        for _ in 0..3 {
            images.extend(plane().map(|(y, x)| pixel(y, x)));
        }
        labels.push(label);
    }
    (images, labels)
}

fn attack(
    name: &str,
    scene: &Scene,
    labels: &[usize],
    steps: usize,
) -> Result<Reconstruction, LearnError> {
    let mut stream = SeedTree::new(1).stream(Purpose::Adversary, 0, 0);
    Ok(match name {
        "DLG" => dlg(scene, &Dlg::default(), &mut stream),
        "inverting" => {
            let settings = Inverting { steps, variation: 1e-3, ..Inverting::default() };
            inverting_gradients(scene, Some(labels), &settings, &mut stream)
        }
        _ => grnn(scene, &Grnn { steps, ..Grnn::default() }, &mut stream)?,
    })
}

fn main() -> Result<(), LearnError> {
    let mut arguments = std::env::args().skip(1);
    let batches = arguments.next().unwrap_or_else(|| "1,2".into());
    let steps = arguments.next().and_then(|steps| steps.parse().ok()).unwrap_or(300);
    let picture = arguments.next().unwrap_or_else(|| "leakage.png".into());
    let (victim, device) = (Victim::lenet(10), device("flex")?);
    let params: Flat = victim.init(0.5, &mut SeedTree::new(1).stream(Purpose::ModelInit, 0, 0));
    println!("a sigmoid LeNet of {} parameters, digits of 3 x 32 x 32", victim.params());
    println!(
        "{:<10} {:>5} {:>9} {:>8} {:>6} {:>7} {:>8} {:>7}",
        "attack", "batch", "mse", "psnr dB", "ssim", "labels", "success", "s"
    );
    let mut last = None;
    for batch in batches.split(',').filter_map(|batch| batch.parse::<usize>().ok()) {
        let (images, labels) = originals(batch);
        let gradient = Scene::gradient_on(&victim, &params, &images, &labels, &device);
        let scene = Scene::new(victim.clone(), &params, gradient, batch, &device)?;
        let mut rows = Vec::new();
        for name in ["DLG", "inverting", "GRNN"] {
            let begun = Instant::now();
            let found = attack(name, &scene, &labels, steps)?;
            let figures = compare(&images, &labels, &found, SHAPE);
            println!(
                "{name:<10} {batch:>5} {:>9.5} {:>8.1} {:>6.3} {:>6.0}% {:>8} {:>7.1}",
                figures.mse,
                figures.psnr,
                figures.ssim,
                100.0 * figures.labels,
                if figures.mse < SUCCESS { "yes" } else { "no" },
                begun.elapsed().as_secs_f64()
            );
            rows.push(found.images);
        }
        last = Some((images, rows));
    }
    if let Some((images, rows)) = last {
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        sheet(&images, &rows, SHAPE, 3).write(Path::new(&picture))?;
        println!(
            "{picture}: the originals of the last batch; below them DLG, inverting gradients, GRNN"
        );
    }
    Ok(())
}
