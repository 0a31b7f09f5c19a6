//! FLTrust (Cao et al. 2021): trust is how far a change points where the server's own samples point.

use crate::combine::By;
use crate::resources::{Resources, Root};
use crate::seams::{Batch, Combine, View};
use offbeat_kernel::Purpose;
use offbeat_learning::{Flat, TrainRequest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of [`FlTrust`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FlTrustSettings {
    /// Server learning rate, above 0.
    pub rate: f64,
    /// What the sum is divided by: the trust in all updates, as in the paper, or their number. Where updates
    /// are merged one by one (`immediate`), only the number lets little trust make a small step.
    pub by: By,
    /// Samples that the server holds, at least 1; drawn from those of all clients, as in the paper.
    pub samples: usize,
}

impl Default for FlTrustSettings {
    fn default() -> Self {
        Self { rate: 1.0, by: By::Sum, samples: 100 }
    }
}

/// The server trains on samples of its own as a client would, from the present model, with the change `g0`. A
/// client's change `g` has the trust `max(0, cos(g, g0))` and counts with the length of `g0`:
/// `x + rate * sum_i t_i |g0| g_i / |g_i| / sum_i t_i` (algorithm 2). Without any trust the model stays.
///
/// Asynchronous paces compare stale changes with what the server would do now; the discount for their staleness
/// multiplies the trust. Streams: holds one update at a time. One training at the server for each version.
#[derive(Clone, Debug)]
pub struct FlTrust {
    settings: FlTrustSettings,
    root: Root,
    /// Why the server's own training failed last.
    failure: Option<String>,
}

impl FlTrust {
    /// The part.
    ///
    /// # Errors
    /// When the server has no samples of its own.
    pub fn new(settings: FlTrustSettings, resources: &Resources) -> Result<Self, String> {
        let root = resources.root("strategy.combine.fltrust", settings.samples)?;
        Ok(Self { settings, root, failure: None })
    }

    /// The server's own change of the model.
    ///
    /// # Errors
    /// Why its training failed.
    fn own_change(&self, model: &Flat, group: u32, view: &View<'_>) -> Result<Flat, String> {
        let request = TrainRequest {
            start: model.clone(),
            received: model.len(),
            shard: self.root.shard.clone(),
            plan: self.root.plan.clone(),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: view.stream(Purpose::Refinement, u64::from(group)),
        };
        let trained = self.root.trainer.train(request).map_err(|error| error.to_string())?;
        Ok(trained.params.minus(model))
    }
}

/// A step along trusted changes.
#[derive(Debug)]
struct Trusted {
    own: Flat,
    length: f64,
    sum: Flat,
    trust: f64,
    count: f64,
}

impl Trusted {
    fn new(own: Flat) -> Self {
        let (length, sum) = (own.norm(), Flat::zeros(own.len()));
        Self { own, length, sum, trust: 0.0, count: 0.0 }
    }

    fn add(&mut self, change: &Flat, weight: f64) {
        self.count += 1.0;
        let trust = weight * change.cosine(&self.own).max(0.0);
        if trust > 0.0 {
            self.sum.add_scaled((trust * self.length / change.norm()) as f32, change);
            self.trust += trust;
        }
    }
}

impl Combine for FlTrust {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let mut model = batch.model.clone();
        let own = match self.own_change(batch.model, batch.group, view) {
            Ok(own) => own,
            Err(reason) => {
                self.failure =
                    Some(format!("the server's training on its own samples failed: {reason}"));
                return model;
            }
        };
        let mut trusted = Trusted::new(own);
        for (position, update) in &mut *batch.updates {
            let weight = batch.weights.get(position).copied().unwrap_or(0.0);
            trusted.add(&update.delta(), weight);
        }
        let divisor = match self.settings.by {
            By::Sum => trusted.trust,
            By::Count => trusted.count,
        };
        if trusted.trust > 0.0 {
            model.add_scaled((self.settings.rate / divisor) as f32, &trusted.sum);
        }
        model
    }

    fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::testing::{close, combine};
    use crate::resources::RootPool;
    use crate::select::testing::{World, update};
    use offbeat_kernel::SeedTree;
    use offbeat_learning::LocalPlan;
    use offbeat_learning::data::{Dataset, Shard};
    use offbeat_learning::network::{Network, NetworkSpec};
    use offbeat_learning::train::DirectTrainer;
    use std::sync::Arc;

    /// g0 = (3, 4) of length 5. (6, 8) has trust 1 and counts as (3, 4); (1, 0) has trust 0.6 and counts as
    /// (5, 0); (-3, -4) and (0, 0) have none.
    #[test]
    fn trust_by_hand() {
        let mut trusted = Trusted::new(Flat::new(vec![3.0, 4.0]));
        for change in [[6.0, 8.0], [1.0, 0.0], [-3.0, -4.0], [0.0, 0.0]] {
            trusted.add(&Flat::new(change.to_vec()), 1.0);
        }
        close(&trusted.sum.to_vec(), &[3.0 + 0.6 * 5.0, 4.0]);
        assert!((trusted.trust - 1.6).abs() < 1e-12 && trusted.count == 4.0);
        trusted.add(&Flat::new(vec![30.0, 40.0]), 0.5);
        close(&trusted.sum.to_vec(), &[7.5, 6.0]);
    }

    #[test]
    fn without_samples_of_the_server_there_is_no_trust() {
        let error = FlTrust::new(FlTrustSettings::default(), &Resources::default());
        let error = error.expect_err("nothing to train on");
        assert!(error.contains("strategy.combine.fltrust"), "{error}");
    }

    /// The server's only sample is not a number: nothing is merged, and the rule says why; once.
    #[test]
    fn a_training_that_fails_is_told() {
        let network = Network::new(&NetworkSpec::Softmax, &[2], 2).expect("a network");
        let network = Arc::new(network);
        let data = Dataset {
            features: vec![f32::NAN, 1.0],
            shape: vec![2],
            labels: vec![0],
            classes: 2,
            groups: None,
        };
        let seeds = SeedTree::new(1);
        let pool = RootPool {
            shard: Arc::new(Shard::whole(Arc::new(data))),
            plan: Arc::new(LocalPlan::default()),
            stream: seeds.stream(Purpose::Refinement, u64::MAX, 0),
        };
        let resources = Resources {
            trainer: Some(Arc::new(DirectTrainer::new(network.clone()))),
            root: Some(pool),
            ..Resources::default()
        };
        let mut part = FlTrust::new(FlTrustSettings::default(), &resources).expect("a sample");
        let model = vec![0.5; network.layout().len()];
        let updates = [update(0, &model, &vec![0.25; model.len()])];
        let world = World::new(1);
        assert_eq!(combine(&mut part, &model, &updates, &[1.0], &world), model);
        let reason = part.failure().expect("it failed");
        assert!(reason.contains("own samples failed") && reason.contains("not finite"), "{reason}");
        assert_eq!(part.failure(), None);
    }
}
