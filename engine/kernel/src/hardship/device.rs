//! A client's device: how fast it computes and how much it can hold.

use super::distribution::{Distribution, above_zero, normal, not_negative, within};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree, Stream};
use crate::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The counters of [`Purpose::Device`] that belong to the device itself.
const SPEED: u64 = 0;
const MEMORY: u64 = 1;

/// The devices of one population group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceSpec {
    /// Floating-point operations per second that a device of speed 1 sustains.
    pub reference_flops_per_second: f64,
    /// Relative speed of the devices; above zero.
    pub speed: Distribution,
    /// Standard deviation of the logarithm of a task's own factor on its duration (median 1).
    pub jitter_sigma: f64,
    /// Bytes of memory; above zero. Who cannot hold the model, its gradient and an update declines every task.
    pub memory_bytes: Distribution,
    /// How speed goes with what else is known of the client.
    pub correlation: SpeedCorrelation,
}

/// Spearman's rank correlation of speed with other properties of the client, each in −1..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpeedCorrelation {
    /// With the number of the client's samples: above zero, those with much data are fast.
    pub data_volume: f64,
    /// With the client's label group: above zero, groups with a high score are fast.
    pub label_group: f64,
}

/// Where a client ranks in what its speed may be correlated with, as standard normal scores. The two
/// must be independent of each other; zero is the median, and right for what is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Rank of its number of samples.
    pub data_volume: f64,
    /// Rank of its label group.
    pub label_group: f64,
}

/// One client's device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// Relative speed; 1 is the reference.
    pub speed: f64,
    /// Bytes of memory.
    pub memory_bytes: u64,
}

impl Default for DeviceSpec {
    /// Alike devices of 10 GFLOP/s with 4 GiB and no jitter.
    fn default() -> Self {
        Self {
            reference_flops_per_second: 1e10,
            speed: Distribution::Constant(1.0),
            jitter_sigma: 0.0,
            memory_bytes: Distribution::Constant(4_294_967_296.0),
            correlation: SpeedCorrelation::default(),
        }
    }
}

impl DeviceSpec {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        let place = "device";
        above_zero(place, "reference_flops_per_second", self.reference_flops_per_second)?;
        within("device: speed", self.speed.validate_above_zero())?;
        not_negative(place, "jitter_sigma", self.jitter_sigma)?;
        within("device: memory_bytes", self.memory_bytes.validate_above_zero())?;
        within("device: correlation", self.correlation.validate())
    }

    /// The device of `client`, whose other properties rank at `scores`.
    pub fn draw(&self, tree: &SeedTree, client: ClientId, scores: Scores) -> Device {
        let id = u64::from(client.0);
        let own = match self.speed {
            Distribution::Constant(_) => 0.0,
            _ => normal(&mut tree.stream(Purpose::Device, id, SPEED)),
        };
        let speed = self.speed.at_score_for(client, self.correlation.combine(scores, own));
        let mut stream = tree.stream(Purpose::Device, id, MEMORY);
        let memory = self.memory_bytes.sample_for(client, &mut stream);
        Device { speed, memory_bytes: memory.round() as u64 }
    }

    /// How long `device` works on `samples` samples of `flops_per_sample` operations each (for
    /// training: forward and backward). Jitter, if there is any, is drawn from the task's `stream`. At least one tick.
    pub fn compute(
        &self,
        device: &Device,
        samples: u64,
        flops_per_sample: f64,
        stream: &mut Stream,
    ) -> Span {
        let seconds = self.seconds(device, samples, flops_per_sample);
        if self.jitter_sigma == 0.0 {
            return Span::of_work(seconds);
        }
        Span::of_work(seconds * (self.jitter_sigma * normal(stream)).exp())
    }

    /// The mean of [`DeviceSpec::compute`].
    pub fn expected(&self, device: &Device, samples: u64, flops_per_sample: f64) -> Span {
        let jitter = (0.5 * self.jitter_sigma * self.jitter_sigma).exp();
        Span::of_work(self.seconds(device, samples, flops_per_sample) * jitter)
    }

    fn seconds(&self, device: &Device, samples: u64, flops_per_sample: f64) -> f64 {
        samples as f64 * flops_per_sample / (self.reference_flops_per_second * device.speed)
    }
}

impl Device {
    /// Whether something of `bytes` bytes fits into the device's memory.
    pub fn holds(&self, bytes: u64) -> bool {
        bytes <= self.memory_bytes
    }
}

impl SpeedCorrelation {
    /// Whether a speed can be correlated so strongly with both at once.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        for (name, value) in [("data_volume", self.data_volume), ("label_group", self.label_group)]
        {
            if !(-1.0..=1.0).contains(&value) {
                return Err(format!("{name} is {value}, but must lie between -1 and 1"));
            }
        }
        let (volume, group) = (pearson(self.data_volume), pearson(self.label_group));
        if volume * volume + group * group > 1.0 + 1e-12 {
            return Err(format!(
                "data_volume is {} and label_group is {}, but speed cannot follow both so closely: \
                 lower one of them",
                self.data_volume, self.label_group
            ));
        }
        Ok(())
    }

    /// The score of a speed whose own, independent score is `own` (Gaussian copula).
    fn combine(&self, scores: Scores, own: f64) -> f64 {
        let (volume, group) = (pearson(self.data_volume), pearson(self.label_group));
        let rest = (1.0 - volume * volume - group * group).max(0.0).sqrt();
        volume * scores.data_volume + group * scores.label_group + rest * own
    }
}

/// The correlation of normal scores whose ranks have Spearman's correlation `rank` (Pearson 1907).
pub(crate) fn pearson(rank: f64) -> f64 {
    2.0 * (PI * rank / 6.0).sin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tree() -> SeedTree {
        SeedTree::new(3)
    }

    fn ranks(values: &[f64]) -> Vec<f64> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let mut ranks = vec![0.0; values.len()];
        for (rank, k) in order.into_iter().enumerate() {
            ranks[k] = rank as f64;
        }
        ranks
    }

    fn spearman(a: &[f64], b: &[f64]) -> f64 {
        let n = a.len() as f64;
        let apart: f64 = ranks(a).iter().zip(ranks(b)).map(|(x, y)| (x - y).powi(2)).sum();
        1.0 - 6.0 * apart / (n * (n * n - 1.0))
    }

    #[test]
    fn work_takes_operations_over_speed() {
        let spec = DeviceSpec { reference_flops_per_second: 2e9, ..DeviceSpec::default() };
        let device = Device { speed: 0.5, memory_bytes: 100 };
        // 300 samples of 10 MFLOP at 1 GFLOP/s.
        let mut stream = tree().stream(Purpose::Task, 0, 0);
        assert_eq!(spec.compute(&device, 300, 1e7, &mut stream), Span::from_seconds(3.0));
        assert_eq!(spec.compute(&device, 0, 1e7, &mut stream), Span::TICK);
        assert!(device.holds(100) && !device.holds(101));
    }

    #[test]
    fn jitter_has_median_one_and_the_expected_mean() {
        let spec = DeviceSpec { jitter_sigma: 0.4, ..DeviceSpec::default() };
        let device = Device { speed: 1.0, memory_bytes: 1 };
        let mut stream = tree().stream(Purpose::Task, 0, 1);
        let mut drawn: Vec<f64> =
            (0..20_000).map(|_| spec.compute(&device, 100, 1e8, &mut stream).seconds()).collect();
        let mean = drawn.iter().sum::<f64>() / drawn.len() as f64;
        drawn.sort_by(f64::total_cmp);
        // Standard error of the mean is about 0.0032, of the median 0.0035.
        assert!((drawn[10_000] - 1.0).abs() < 0.014);
        assert!((mean - spec.expected(&device, 100, 1e8).seconds()).abs() < 0.013);
    }

    #[test]
    fn speed_follows_what_it_is_correlated_with() {
        let correlation = SpeedCorrelation { data_volume: 0.6, label_group: -0.5 };
        let speed = Distribution::Phones;
        let spec = DeviceSpec { speed, correlation, ..DeviceSpec::default() };
        spec.validate().expect("possible");
        let mut others = tree().stream(Purpose::Custom, 0, 0);
        let (mut volumes, mut groups, mut speeds) = (vec![], vec![], vec![]);
        for client in 0..20_000 {
            let scores =
                Scores { data_volume: normal(&mut others), label_group: normal(&mut others) };
            volumes.push(scores.data_volume);
            groups.push(scores.label_group);
            speeds.push(spec.draw(&tree(), ClientId(client), scores).speed);
        }
        // Standard error about 0.007.
        assert!((spearman(&volumes, &speeds) - 0.6).abs() < 0.03);
        assert!((spearman(&groups, &speeds) + 0.5).abs() < 0.03);
        speeds.sort_by(f64::total_cmp);
        assert!((speeds[10_000].ln()).abs() < 0.1, "correlation must not move the median");
    }

    #[test]
    fn impossible_devices_are_refused() {
        let correlation = SpeedCorrelation { data_volume: 0.9, label_group: 0.9 };
        let spec = DeviceSpec { correlation, ..DeviceSpec::default() };
        assert!(spec.validate().expect_err("too much").contains("cannot follow both"));
        let spec = DeviceSpec { speed: Distribution::Constant(0.0), ..DeviceSpec::default() };
        let message = "device: speed: values go down to 0, but must be above zero";
        assert_eq!(spec.validate().expect_err("zero"), message);
        assert!(SpeedCorrelation { data_volume: 1.0, label_group: 0.0 }.validate().is_ok());
    }

    proptest! {
        #[test]
        fn work_is_never_free(samples in 0u64..1000, flops in 0.0f64..1e12, seed: u64) {
            let spec = DeviceSpec { speed: Distribution::Phones, jitter_sigma: 1.0, ..DeviceSpec::default() };
            let tree = SeedTree::new(seed);
            let device = spec.draw(&tree, ClientId(seed as u32), Scores::default());
            let span = spec.compute(&device, samples, flops, &mut tree.stream(Purpose::Task, 0, 0));
            prop_assert!(span >= Span::TICK && span < Span::FOREVER);
        }
    }
}
