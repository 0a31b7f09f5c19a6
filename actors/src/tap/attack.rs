//! One attack: what travelled, what the attacker makes of it, and how near it comes.

use crate::work::{Output, TrainJob, Workbench};
use offbeat_kernel::Purpose;
use offbeat_learning::data::{Shard, turn_labels};
use offbeat_learning::device::device;
use offbeat_learning::leakage::{
    Figures, Scene, Victim, compare, gradient_of_update, match_images, recognised,
};
use offbeat_learning::train::Order;
use offbeat_learning::{Augment, LearnError};
use serde::{Deserialize, Serialize};

/// Samples that an attack looks for at most.
const MOST_SAMPLES: usize = 256;

/// Images that are kept of an attack.
const KEPT: usize = 16;

/// What an attack on one update found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Name of the attack.
    pub attack: String,
    /// How near the reconstructions come, over all samples.
    pub figures: Figures,
    /// Share of the reconstructions whose nearest picture among the test samples has the right label, of faces the
    /// right person; and the same share of the samples themselves. `None` without test samples.
    pub recognised: Option<[f64; 2]>,
    /// Distinct samples behind the update.
    pub samples: usize,
    /// Optimizer steps behind it.
    pub steps: u64,
    /// What the attack made small, at the end.
    pub loss: f64,
    /// Channels, height and width of an image.
    pub shape: [usize; 3],
    /// The first samples, `0..=255`.
    pub originals: Vec<u8>,
    /// The reconstruction of each of them.
    pub found: Vec<u8>,
}

impl Workbench {
    /// Attacks the update of a training as it reaches the server.
    ///
    /// # Errors
    /// In words: when the training fails, or the attack is not made for it.
    pub(crate) fn attack(&self, job: TrainJob) -> Result<Leak, String> {
        let rules = self.tap.as_ref().ok_or("nobody listens")?;
        let words = |error: LearnError| error.to_string();
        let victim = Victim::of(self.trainer.network()).map_err(words)?;
        let (images, labels) = self.seen(&job)?;
        let stream = (u64::from(job.client.0), job.draw);
        let (sent, rate) = (job.shared.clone(), self.plan.sgd.rate);
        let Output::Trained(trained) = self.work(job)? else {
            return Err("it is no training".into());
        };
        let (reply, _) = *trained;
        if reply.steps == 0 {
            return Err("nothing was trained".into());
        }
        let gradient = gradient_of_update(&sent, &reply.params, rate, reply.steps as usize);
        let device = device("flex").map_err(words)?;
        let (shape, pixels) = (victim.input(), victim.pixels());
        if !gradient.is_finite() {
            return Err("the update is not finite".into());
        }
        let scene = Scene::new(victim, &sent, gradient, labels.len(), &device).map_err(words)?;
        let mut stream = self.seeds.stream(Purpose::Tap, stream.0, stream.1);
        let found = rules.attack.run(&scene, &labels, &mut stream).map_err(words)?;
        let figures = compare(&images, &labels, &found, shape);
        let shown: Vec<f32> = found.images.iter().map(|pixel| pixel.clamp(0.0, 1.0)).collect();
        let order = match_images(&images, &shown, pixels);
        let recognised = self.recognised([&images, &shown], &order, &labels, pixels);
        let kept = order.iter().take(KEPT);
        let found_images: Vec<f32> =
            kept.flat_map(|at| shown[at * pixels..][..pixels].to_vec()).collect();
        Ok(Leak {
            attack: rules.attack.name().into(),
            figures,
            recognised,
            samples: labels.len(),
            steps: reply.steps,
            loss: found.loss,
            shape,
            originals: bytes(&images[..found_images.len()]),
            found: bytes(&found_images),
        })
    }

    /// Who recognises the reconstructions, and the samples themselves, in the gallery of the test samples.
    fn recognised(
        &self,
        [originals, found]: [&[f32]; 2],
        order: &[usize],
        labels: &[usize],
        pixels: usize,
    ) -> Option<[f64; 2]> {
        let rows = 0..self.test.len();
        let gallery: Vec<f32> =
            rows.clone().flat_map(|row| self.test.features(row)).copied().collect();
        let persons: Vec<u32> = rows.map(|row| self.test.label(row)).collect();
        let paired: Vec<f32> =
            order.iter().flat_map(|at| &found[at * pixels..][..pixels]).copied().collect();
        let share = |images: &[f32]| recognised(images, labels, &gallery, &persons, pixels);
        Some([share(&paired)?, share(originals)?])
    }

    /// The distinct samples that the training uses, in the order of their first use, with their labels.
    fn seen(&self, job: &TrainJob) -> Result<(Vec<f32>, Vec<usize>), String> {
        if self.adversaries.band(job.client, job.base).is_some() {
            return Err("the client is hostile and need not have trained".into());
        }
        if self.plan.augment != Augment::default() || self.plan.instances > 0 {
            return Err("images are changed or drawn anew for each batch".into());
        }
        let shard = self.shards.at(Some(job.client), self.shards.train(job.client), job.at);
        let shard = turn_labels(&shard, job.label_turn);
        let planned = match job.steps {
            Some(steps) => steps as usize,
            None => self.plan.steps(shard.len()),
        };
        let steps = planned.min(job.step_limit.unwrap_or(usize::MAX));
        let mut stream = self.seeds.stream(Purpose::Training, u64::from(job.client.0), job.draw);
        let (batch, last) = (self.plan.batch, self.plan.last_batch);
        let mut order = Order::new(Vec::new(), shard.len(), batch, last);
        let (mut used, mut rows) = (vec![false; shard.len()], Vec::new());
        for _ in 0..steps {
            for row in order.next(&mut stream) {
                let row = *row as usize;
                if !std::mem::replace(&mut used[row], true) {
                    rows.push(row);
                }
            }
            if rows.len() == used.len() {
                break;
            }
        }
        if rows.len() > MOST_SAMPLES {
            return Err(format!(
                "{} samples are behind it; attacks look for at most {MOST_SAMPLES}: \
                 lower `training.batch` or the local work",
                rows.len()
            ));
        }
        pictures(&shard, &rows)
    }
}

fn pictures(shard: &Shard, rows: &[usize]) -> Result<(Vec<f32>, Vec<usize>), String> {
    let images: Vec<f32> = rows.iter().flat_map(|row| shard.features(*row)).copied().collect();
    if !images.iter().all(|pixel| (0.0..=1.0).contains(pixel)) {
        return Err("attacks look for numbers from 0 to 1, and these samples have others".into());
    }
    Ok((images, rows.iter().map(|row| shard.label(*row) as usize).collect()))
}

fn bytes(pixels: &[f32]) -> Vec<u8> {
    pixels.iter().map(|pixel| (pixel.clamp(0.0, 1.0) * 255.0).round() as u8).collect()
}
