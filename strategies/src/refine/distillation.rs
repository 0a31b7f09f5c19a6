//! Knowledge distillation on public pictures (Zhuang et al., TOMM 2022, section 5.2 and algorithm 3).

use crate::resources::{Public, Resources};
use crate::seams::{Refine, View};
use crate::update::Update;
use offbeat_kernel::Purpose;
use offbeat_learning::objective::Loss;
use offbeat_learning::plan::Augment;
use offbeat_learning::reid::similarity::unit_rows;
use offbeat_learning::{
    Flat, LastBatch, LearnError, LocalPlan, Objective, Sgd, TrainRequest, Work,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The settings of [`Distillation`]; the defaults are the paper's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DistillationSettings {
    /// After every so many aggregations, at least 1. The authors' code runs it after every tenth.
    pub every: u64,
    /// Learning rate at the server, above 0.
    pub rate: f64,
    /// Momentum, at least 0 and below 1; Nesterov's form.
    pub momentum: f64,
    /// Weight decay.
    pub weight_decay: f64,
    /// Samples in a batch, at least 1.
    pub batch: usize,
    /// Whether each teacher's features are scaled to length 1 before they are averaged. The student's are not,
    /// so that it then also learns shorter features; the authors' command does this.
    pub normalise: bool,
}

impl Default for DistillationSettings {
    fn default() -> Self {
        let (every, rate, momentum, weight_decay) = (1, 5e-4, 0.9, 5e-4);
        Self { every, rate, momentum, weight_decay, batch: 32, normalise: false }
    }
}

/// After merging, the model of a group learns to give public pictures the features that the group's updates give
/// them on average: `l = (1/K) sum_k f_k(x)`, mean squared error, one pass. Teachers are the updates' models in
/// evaluation mode, each counting once; sums run in the order of client ids. Where there are several groups each
/// learns from its own members. Should a feature not be finite, the model stays as it was merged.
#[derive(Clone, Debug)]
pub struct Distillation {
    settings: DistillationSettings,
    public: Public,
}

impl Distillation {
    /// The part.
    ///
    /// # Errors
    /// When there are no public pictures.
    pub fn new(settings: DistillationSettings, resources: &Resources) -> Result<Self, String> {
        let public = resources.public("strategy.refine.distillation")?;
        Ok(Self { settings, public })
    }

    /// The mean features of the models, `[public samples, width]`.
    ///
    /// # Errors
    /// When features cannot be computed.
    pub fn targets(&self, models: &[&Flat]) -> Result<Vec<f32>, LearnError> {
        let width = self.public.trainer.network().feature_width();
        let mut mean = vec![0.0f32; self.public.shard.len() * width];
        let share = 1.0 / models.len() as f32;
        for features in self.public.features(models, &self.public.shard) {
            let features = features?;
            let features =
                if self.settings.normalise { unit_rows(&features, width) } else { features };
            mean.iter_mut().zip(features).for_each(|(mean, feature)| *mean += share * feature);
        }
        Ok(mean)
    }

    fn student(
        &self,
        model: &Flat,
        targets: Vec<f32>,
        view: &View<'_>,
    ) -> Result<Flat, LearnError> {
        let DistillationSettings { rate, momentum, weight_decay, batch, .. } = self.settings;
        let sgd = Sgd {
            rate: rate as f32,
            momentum: momentum as f32,
            nesterov: momentum > 0.0,
            weight_decay: weight_decay as f32,
            groups: Vec::new(),
        };
        let plan = LocalPlan {
            work: Work::Epochs(1),
            batch,
            last_batch: LastBatch::Keep,
            sgd,
            objective: Objective { loss: Loss::FeatureMse, proximal: 0.0 },
            augment: Augment::default(),
            instances: 0,
        };
        let total = self.public.trainer.network().layout().len();
        // The head has no part in it.
        let start = model.concat(&Flat::zeros(total - model.len()));
        let request = TrainRequest {
            start,
            received: model.len(),
            shard: self.public.shard.clone(),
            plan: Arc::new(plan),
            step_limit: None,
            correction: None,
            targets: Some(Arc::new(targets)),
            foreign: None,
            stream: view.stream(Purpose::Refinement, 0),
        };
        Ok(self.public.trainer.train(request)?.params.slice(0..model.len()))
    }
}

impl Refine for Distillation {
    fn refine(&mut self, model: Flat, updates: &[Update], view: &View<'_>) -> Flat {
        // The version counts aggregations, and grows after this one.
        if updates.is_empty() || !view.version.next().0.is_multiple_of(self.settings.every) {
            return model;
        }
        let teachers: Vec<&Flat> = updates.iter().map(|update| &update.params).collect();
        let learnt =
            self.targets(&teachers).and_then(|targets| self.student(&model, targets, view));
        learnt.ok().filter(Flat::is_finite).unwrap_or(model)
    }
}

#[cfg(test)]
#[path = "distillation_tests.rs"]
mod tests;
