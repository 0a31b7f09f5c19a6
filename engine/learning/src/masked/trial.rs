//! How good a model is that was trained without labels: how well it paints what it does not see, and how much a linear
//! classifier reads from its features.

use super::Masked;
use super::linear::LinearProbe;
use crate::data::{Dataset, Shard};
use crate::error::LearnError;
use crate::evaluate::Evaluation;
use crate::flat::Flat;
use crate::train::Trainer;
use offbeat_kernel::{Purpose, SeedTree};
use std::ops::Range;
use std::sync::Arc;

/// Images that pass through the network at a time.
const BATCH: usize = 256;

/// Most samples that the linear classifier learns from.
const FIT: usize = 1000;

/// The id of the streams that say what is hidden in a trial: far from those of clients.
const HIDDEN: u64 = u64::MAX;

/// The mean loss of `params` on the images of `shard` at the places `rows`. What is hidden in an image follows from its
/// place and the seed alone: the same in every trial of a run.
///
/// # Errors
/// As [`crate::evaluate::evaluate_rows`], and when the objective does not fit the network.
pub fn painted(
    (trainer, params): (&dyn Trainer, &Flat),
    shard: &Shard,
    rows: Range<usize>,
    masked: Masked,
    seeds: &SeedTree,
) -> Result<Evaluation, LearnError> {
    let shape = masked.image(trainer.network().input())?;
    let pixels: usize = shape.iter().product();
    let (mut mask, mut scratch) = (Vec::new(), vec![0.0; pixels]);
    let mut found = Evaluation::default();
    let mut sum = 0.0;
    for start in rows.clone().step_by(BATCH) {
        let batch = start..(start + BATCH).min(rows.end);
        let (mut hidden, mut images) = (Vec::new(), Vec::new());
        for row in batch.clone() {
            let mut stream = seeds.stream(Purpose::Evaluation, HIDDEN, row as u64);
            masked.draw(1, shape, &mut stream, &mut mask);
            hidden.extend_from_slice(&mask);
            images.extend_from_slice(shard.features(row));
        }
        let outputs = answers(trainer, params, &images, &hidden, shard)?;
        let pairs = outputs.chunks_exact(pixels).zip(images.chunks_exact(pixels));
        for ((row, pair), mask) in batch.zip(pairs).zip(hidden.chunks_exact(pixels)) {
            let loss = masked.loss(pair, mask, 1.0, &mut scratch);
            if !loss.is_finite() {
                return Err(LearnError::NotFinite { what: "evaluation loss", step: row });
            }
            sum += loss;
            found.samples += 1;
        }
    }
    found.loss = sum / found.samples.max(1) as f64;
    Ok(found)
}

/// What the network paints of images with hidden numbers.
fn answers(
    trainer: &dyn Trainer,
    params: &Flat,
    images: &[f32],
    hidden: &[bool],
    shard: &Shard,
) -> Result<Vec<f32>, LearnError> {
    let mut seen = images.to_vec();
    Masked::hide(&mut seen, hidden);
    let data = Dataset {
        labels: vec![0; images.len() / shard.data.inputs().max(1)],
        features: seen,
        shape: shard.data.shape.clone(),
        classes: shard.data.classes,
        groups: None,
    };
    let seen = Shard::whole(Arc::new(data));
    trainer.logits(params, &seen, 0..seen.len())
}

/// As [`painted`], and what a linear classifier reads from the features of whole images, for each class: it learns from
/// every second sample of `shard`, at most 1000 of them, and is tried on the others among `rows`. `accuracy` is its share.
///
/// # Errors
/// As [`painted`].
pub fn painted_and_probed(
    (trainer, params): (&dyn Trainer, &Flat),
    shard: &Shard,
    rows: Range<usize>,
    masked: Masked,
    seeds: &SeedTree,
) -> Result<Evaluation, LearnError> {
    let mut found = painted((trainer, params), shard, rows.clone(), masked, seeds)?;
    let (width, classes) = (trainer.network().feature_width(), shard.data.classes);
    let features = |places: &[usize]| {
        let rows = places.iter().map(|place| shard.rows[*place]).collect();
        let some = Shard { data: shard.data.clone(), rows };
        trainer.features(params, &some, 0..some.len(), false)
    };
    let learnt: Vec<usize> = (0..shard.len()).step_by(2).take(FIT).collect();
    let labels: Vec<u32> = learnt.iter().map(|place| shard.label(*place)).collect();
    let probe = LinearProbe::fit(&features(&learnt)?, width, &labels, classes);
    found.correct_per_class = vec![(0, 0); classes];
    let tried: Vec<usize> = rows.filter(|row| row % 2 == 1).collect();
    for (place, row) in tried.iter().zip(features(&tried)?.chunks_exact(width)) {
        let label = shard.label(*place) as usize;
        let Some((right, all)) = found.correct_per_class.get_mut(label) else { continue };
        *right += u64::from(probe.class(row) == label);
        *all += 1;
    }
    Ok(found.with_accuracy())
}
