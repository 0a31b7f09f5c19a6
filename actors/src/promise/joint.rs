//! The promise of an edge server: kept by merging those of its clients, when somebody takes it.

use offbeat_kernel::{TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_strategies::composed::Reply;
use offbeat_strategies::{Arrival, Update};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One client's part of an edge server's update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What is known of it: its task, whose promise holds the values, and its samples, which are its weight.
    pub arrival: Arrival,
    /// Steps that it did.
    pub steps: u64,
}

/// Which merge it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// Which edge server merges.
    pub edge: u32,
    /// The edge server's own task.
    pub of: TaskId,
    /// The round of that task, from 0.
    pub round: u32,
    /// The server's version that the task started from.
    pub version: Version,
    /// When it merges.
    pub at: Time,
}

/// What an edge server's update is made of. Plain data: nothing is computed before it is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joint {
    /// Which merge it is.
    pub merge: Merge,
    /// The edge server's model that the parts started from.
    pub base: Flat,
    /// In the order of clients. None: the model itself is the answer.
    pub parts: Vec<Part>,
    /// Steps of the rounds before this one.
    pub steps_before: u64,
    /// Mean and mean squared loss of the round before this one; of no matter when this one has parts.
    pub loss_before: (f64, f64),
}

/// An update with its weight: what one part turned out to be.
struct Weighed {
    reply: Reply,
    samples: f64,
}

impl Joint {
    /// The mean of the parts, weighted by samples: `base + sum_i n_i (x_i - base) / sum_i n_i`, and in the same
    /// way losses and the scalars and vectors that all parts have; steps are those that the parts said they did.
    /// `take` gives the values of one part, as far as they are let in; parts are taken one after another, and those
    /// without values are left out. One part that has all the weight is passed on as it is.
    ///
    /// # Errors
    /// When there are parts and none of them has values: the first reason.
    pub fn merge(
        &self,
        mut take: impl FnMut(&Part) -> Result<Reply, String>,
    ) -> Result<Reply, String> {
        let expected: f64 = self.parts.iter().map(weight).sum();
        let mut first_reason = None;
        let mut present = 0.0;
        let mut sum: Option<Reply> = None;
        for part in &self.parts {
            let reply = match take(part) {
                Ok(reply) => reply,
                Err(reason) => {
                    first_reason.get_or_insert(reason);
                    continue;
                }
            };
            present += weight(part);
            let weighed = Weighed { reply, samples: weight(part) };
            sum = Some(match sum {
                None if self.parts.len() == 1 => weighed.reply,
                None => weighed.begin(&self.base, expected),
                Some(sum) => weighed.join(sum, &self.base, expected),
            });
        }
        match (sum, first_reason) {
            (Some(mut sum), _) => {
                if present < expected {
                    rescale(&mut sum, &self.base, expected / present);
                }
                sum.steps = self.steps_before.saturating_add(self.steps());
                Ok(sum)
            }
            (None, Some(reason)) => {
                let many = self.parts.len();
                Err(format!("nothing of the edge server's {many} clients can be merged: {reason}"))
            }
            (None, None) => Ok(self.as_it_is()),
        }
    }

    /// Steps of this round: the mean over its parts, weighted by samples and rounded.
    pub fn steps(&self) -> u64 {
        self.mean_over_parts(|part| part.steps as f64).round() as u64
    }

    /// The mean of a figure over the parts, weighted by samples; 0 when there are none.
    pub fn mean_over_parts(&self, figure: impl Fn(&Part) -> f64) -> f64 {
        let all: f64 = self.parts.iter().map(weight).sum();
        let sum: f64 = self.parts.iter().map(|part| weight(part) * figure(part)).sum();
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// The update of one part, with its values.
    pub(super) fn update(&self, part: &Part, reply: Reply) -> Update {
        let Reply { params, steps, loss, loss_squared, scalars, extras, payload: _ } = reply;
        let (arrival, base) = (part.arrival.clone(), self.base.clone());
        Update { arrival, base, params, steps, loss, loss_squared, scalars, extras }
    }

    fn as_it_is(&self) -> Reply {
        Reply {
            params: self.base.clone(),
            steps: self.steps_before,
            loss: self.loss_before.0,
            loss_squared: self.loss_before.1,
            scalars: BTreeMap::new(),
            extras: BTreeMap::new(),
            payload: None,
        }
    }
}

/// A client that says it holds nothing still counts a little, so that the sum is above zero.
pub(crate) fn weight(part: &Part) -> f64 {
    part.arrival.samples.max(1) as f64
}

/// What a part counts with, once its update was let in.
pub(super) fn let_in(update: Update) -> Reply {
    let Update { arrival: _, base: _, params, steps, loss, loss_squared, scalars, extras } = update;
    Reply { params, steps, loss, loss_squared, scalars, extras, payload: None }
}

impl Weighed {
    /// The first part of a sum.
    fn begin(self, base: &Flat, expected: f64) -> Reply {
        let share = self.samples / expected;
        let mut reply = self.reply;
        let mut params = base.clone();
        params.add_scaled_difference(share as f32, &reply.params, base);
        reply.params = params;
        reply.loss *= share;
        reply.loss_squared *= share;
        reply.scalars.values_mut().for_each(|value| *value *= share);
        reply.extras.values_mut().for_each(|vector| vector.scale(share as f32));
        reply
    }

    /// A further part of a sum.
    fn join(self, mut sum: Reply, base: &Flat, expected: f64) -> Reply {
        let share = self.samples / expected;
        let other = self.reply;
        sum.params.add_scaled_difference(share as f32, &other.params, base);
        sum.loss += share * other.loss;
        sum.loss_squared += share * other.loss_squared;
        sum.scalars.retain(|name, _| other.scalars.contains_key(name));
        for (name, value) in &mut sum.scalars {
            *value += share * other.scalars[name];
        }
        sum.extras.retain(|name, vector| {
            other.extras.get(name).is_some_and(|own| own.len() == vector.len())
        });
        for (name, vector) in &mut sum.extras {
            vector.add_scaled(share as f32, &other.extras[name]);
        }
        sum
    }
}

/// Puts right a sum in which parts are missing.
fn rescale(sum: &mut Reply, base: &Flat, factor: f64) {
    let mut params = base.clone();
    params.add_scaled_difference(factor as f32, &sum.params, base);
    sum.params = params;
    sum.loss *= factor;
    sum.loss_squared *= factor;
    sum.scalars.values_mut().for_each(|value| *value *= factor);
    sum.extras.values_mut().for_each(|vector| vector.scale(factor as f32));
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::ClientId;

    fn reply(values: &[f32], loss: f64) -> Reply {
        Reply {
            params: Flat::new(values.to_vec()),
            steps: 4,
            loss,
            loss_squared: loss * loss,
            scalars: BTreeMap::from([("distance".to_string(), loss)]),
            extras: BTreeMap::from([("control".to_string(), Flat::new(vec![1.0, -1.0]))]),
            payload: None,
        }
    }

    fn joint(samples: &[u64]) -> Joint {
        let part = |(i, samples): (usize, &u64)| Part {
            arrival: Arrival {
                task: TaskId(i as u64),
                client: ClientId(i as u32),
                base_version: Version(0),
                samples: *samples,
                completeness: 1.0,
                invited: Time::ZERO,
                arrived: Time::ZERO,
                tag: 0,
            },
            steps: 4 * (i as u64 + 1),
        };
        let (edge, of, round, version) = (0, TaskId(0), 0, Version(0));
        Joint {
            merge: Merge { edge, of, round, version, at: Time::ZERO },
            base: Flat::new(vec![1.0, 1.0]),
            parts: samples.iter().enumerate().map(part).collect(),
            steps_before: 3,
            loss_before: (0.5, 0.25),
        }
    }

    #[test]
    fn parts_count_by_their_samples() {
        let replies = [reply(&[2.0, 0.0], 1.0), reply(&[4.0, 8.0], 2.0)];
        let merged = joint(&[3, 1])
            .merge(|part| Ok(replies[part.arrival.client.index()].clone()))
            .expect("both are there");
        assert_eq!(merged.params.to_vec(), [2.5, 2.0]);
        assert_eq!((merged.loss, merged.loss_squared), (1.25, 1.75));
        assert_eq!(merged.scalars["distance"], 1.25);
        assert_eq!(merged.extras["control"].to_vec(), [1.0, -1.0]);
        // Three before, and (3 * 4 + 1 * 8) / 4 = 5.
        assert_eq!(merged.steps, 8);
    }

    #[test]
    fn parts_that_failed_are_left_out() {
        let good = reply(&[4.0, 8.0], 2.0);
        let merged = joint(&[3, 1, 4]).merge(|part| match part.arrival.task.0 {
            1 => Ok(good.clone()),
            _ => Err("no".to_string()),
        });
        let merged = merged.expect("one is there");
        assert_eq!(merged.params.to_vec(), [4.0, 8.0]);
        assert!((merged.loss - 2.0).abs() < 1e-12);
        let none = joint(&[3, 1]).merge(|_| Err("broken".to_string()));
        let error = none.expect_err("all failed");
        assert_eq!(error, "nothing of the edge server's 2 clients can be merged: broken");
    }

    #[test]
    fn without_parts_the_model_is_the_answer() {
        let model = joint(&[]).merge(|_| unreachable!()).expect("nothing to fail");
        assert_eq!((model.params.to_vec(), model.steps, model.loss), (vec![1.0, 1.0], 3, 0.5));
    }
}
