//! Whether a task is carried through: drop-outs and partial work.

use super::distribution::{open_unit, share, within};
use crate::seed::Stream;
use crate::time::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How completely the clients of one population group do their tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Completeness {
    /// Probability that a client drops out of a task, 0..=1 (Bonawitz et al. 2019 report 6 to 10 %).
    pub drop_out: f64,
    /// Work that is deliberately left undone.
    pub partial: PartialWork,
}

/// Some tasks are done only in part: with `probability`, a share of the steps that is uniform between
/// `low` and `high`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PartialWork {
    /// How often that happens, 0..=1.
    pub probability: f64,
    /// The smallest share of the steps, 0..=1.
    pub low: f64,
    /// The largest share of the steps, 0..=1.
    pub high: f64,
}

impl Default for PartialWork {
    /// Never; if only the probability is given, any share is as likely as any other.
    fn default() -> Self {
        Self { probability: 0.0, low: 0.0, high: 1.0 }
    }
}

/// What is decided about a task before it starts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFate {
    /// The client drops out when this part of the work is done, above 0 and below 1.
    pub drops_at: Option<f64>,
    /// The share of the planned steps that the client means to do, 0..=1.
    pub share: f64,
}

impl Completeness {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        share("completeness", "drop_out", self.drop_out)?;
        let PartialWork { probability, low, high } = self.partial;
        share("completeness: partial", "probability", probability)?;
        share("completeness: partial", "low", low)?;
        share("completeness: partial", "high", high)?;
        within(
            "completeness: partial",
            match low <= high {
                true => Ok(()),
                false => {
                    Err(format!("low is {low} and high is {high}, but low must not exceed high"))
                }
            },
        )
    }

    /// The fate of the task whose `stream` that is. Draws four numbers, or none where all tasks are done
    /// as planned.
    pub fn draw(&self, stream: &mut Stream) -> TaskFate {
        let PartialWork { probability, low, high } = self.partial;
        if self.drop_out <= 0.0 && probability <= 0.0 {
            return TaskFate { drops_at: None, share: 1.0 };
        }
        let [drops, moment, partial, much] = [(); 4].map(|()| open_unit(stream));
        TaskFate {
            drops_at: (drops < self.drop_out).then_some(moment),
            share: if partial < probability { low + much * (high - low) } else { 1.0 },
        }
    }
}

impl TaskFate {
    /// How many of `planned` steps the client means to do: at least one, if any is planned.
    pub fn steps(&self, planned: u64) -> u64 {
        let steps = (planned as f64 * self.share).round() as u64;
        steps.clamp(planned.min(1), planned)
    }

    /// When the client drops out of `work` that it took up at `start`, if it does: strictly later
    /// than `start`, and never later than the work's end.
    pub fn drop_time(&self, start: Time, work: Span) -> Option<Time> {
        self.drops_at.map(|part| start + Span::of_work(work.seconds() * part).min(work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, SeedTree};

    fn fates(spec: Completeness, n: u64) -> Vec<TaskFate> {
        let tree = SeedTree::new(8);
        (0..n).map(|task| spec.draw(&mut tree.stream(Purpose::Task, task, 0))).collect()
    }

    #[test]
    fn drop_outs_and_shares_have_their_frequencies() {
        let partial = PartialWork { probability: 0.3, low: 0.2, high: 0.6 };
        let spec = Completeness { drop_out: 0.08, partial };
        spec.validate().expect("possible");
        let n = 20_000;
        let fates = fates(spec, n);
        let moments: Vec<f64> = fates.iter().filter_map(|fate| fate.drops_at).collect();
        let dropped = moments.len() as f64 / n as f64;
        assert!((dropped - 0.08).abs() < 4.0 * (0.08f64 * 0.92 / n as f64).sqrt());
        let mean = moments.iter().sum::<f64>() / moments.len() as f64;
        assert!((mean - 0.5).abs() < 4.0 * (1.0 / 12.0 / moments.len() as f64).sqrt());
        let parts: Vec<f64> =
            fates.iter().map(|fate| fate.share).filter(|part| *part < 1.0).collect();
        let often = parts.len() as f64 / n as f64;
        assert!((often - 0.3).abs() < 4.0 * (0.21 / n as f64).sqrt());
        assert!(parts.iter().all(|part| (0.2..=0.6).contains(part)));
        let mean = parts.iter().sum::<f64>() / parts.len() as f64;
        assert!((mean - 0.4).abs() < 4.0 * (0.16 / 12.0 / parts.len() as f64).sqrt());
    }

    #[test]
    fn without_hardship_all_is_done() {
        let whole = TaskFate { drops_at: None, share: 1.0 };
        assert!(fates(Completeness::default(), 1000).iter().all(|fate| *fate == whole));
        assert_eq!(whole.steps(17), 17);
        assert_eq!(whole.drop_time(Time::ZERO, Span::TICK), None);
    }

    #[test]
    fn a_task_is_never_empty_and_a_drop_out_never_instant() {
        let little = TaskFate { drops_at: Some(1e-12), share: 0.01 };
        assert_eq!((little.steps(10), little.steps(1000), little.steps(0)), (1, 10, 0));
        let start = Time::from_micros(5);
        let at = little.drop_time(start, Span::from_micros(1000));
        assert_eq!(at, Some(Time::from_micros(6)));
        let late = TaskFate { drops_at: Some(0.25), share: 1.0 };
        assert_eq!(late.drop_time(start, Span::from_micros(1000)), Some(Time::from_micros(255)));
    }

    #[test]
    fn impossible_shares_are_refused() {
        let spec = Completeness { drop_out: 1.5, ..Completeness::default() };
        let message = "completeness: drop_out is 1.5, but must lie between 0 and 1";
        assert_eq!(spec.validate().expect_err("not a share"), message);
        let partial = PartialWork { probability: 0.5, low: 0.8, high: 0.2 };
        let spec = Completeness { partial, ..Completeness::default() };
        assert!(spec.validate().expect_err("reversed").contains("low must not exceed high"));
    }
}
