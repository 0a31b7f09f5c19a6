//! When versions are evaluated, and what their figures mean for the end of the run.

use super::{EVALUATE, Server};
use crate::effect::Effect;
use crate::hooks::Told;
use crate::message::{Address, Message};
use offbeat_kernel::{Time, Version};
use offbeat_learning::evaluate::Evaluation;
use offbeat_strategies::signal::Signal;

impl Server {
    /// Has the present version evaluated, once.
    pub(super) fn evaluate(&mut self, now: Time) -> Option<Effect> {
        if self.evaluated == Some(self.version) || !self.evaluation.any() {
            return None;
        }
        self.evaluated = Some(self.version);
        let (version, model) = (self.version, self.model.clone());
        let message = Message::Evaluate { version, model, clusters: self.clusters.clone() };
        Some(Effect::now(now, Address::Evaluator, message))
    }

    pub(super) fn next_timed_evaluation(&self, now: Time) -> Option<Effect> {
        let at = now + self.evaluation.every?;
        let message = Message::Signal(Signal::Timer(EVALUATE));
        Some(Effect::Schedule { at, to: Address::Server, message })
    }

    /// The figures of a version that was published at `at` are known: those on the test samples, or
    /// rank-1 and mean average precision where people are found again.
    pub(super) fn evaluated(
        &mut self,
        (version, at): (Version, Time),
        test: Option<&Evaluation>,
        found: Option<(f64, f64)>,
        now: Time,
    ) -> Vec<Effect> {
        let mut effects = self.judged(version, test, found);
        if let Some(test) = test.filter(|_| self.wants.evaluations) {
            let told = Told::Evaluation { version, at, accuracy: test.accuracy, loss: test.loss };
            effects.push(Effect::now(now, Address::Director, Message::Told(told)));
        }
        effects
    }

    fn judged(
        &mut self,
        version: Version,
        test: Option<&Evaluation>,
        found: Option<(f64, f64)>,
    ) -> Vec<Effect> {
        if let Some(target) = self.stop.target.filter(|t| t.is_reached(test, found)) {
            return vec![Effect::Stop(format!("{target} was reached at {version}"))];
        }
        let figure = test.map(|test| test.accuracy).or(found.map(|(rank, _)| rank));
        let Some(figure) = figure else { return Vec::new() };
        if self.best.is_none_or(|best| figure > best) {
            (self.best, self.without_gain) = (Some(figure), 0);
        } else {
            self.without_gain += 1;
        }
        match self.stop.patience {
            Some(patience) if self.without_gain >= patience => {
                vec![Effect::Stop(format!("no better accuracy in {patience} evaluations"))]
            }
            _ => Vec::new(),
        }
    }
}
