//! What a network may do to single messages: lose them, deliver them twice, or out of order.

use super::distribution::{open_unit, share};
use crate::seed::Stream;
use crate::time::Span;
use serde::{Deserialize, Serialize};

/// Mishaps of single messages, beyond the lost tries that a link repeats by itself. By default none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Delivery {
    /// Probability, 0..=1, that a message never arrives. Its sender learns of it when it should have
    /// arrived, and the task counts as lost.
    pub lost: f64,
    /// Probability, 0..=1, that a message arrives twice.
    pub duplicated: f64,
    /// Probability, 0..=1, that a message is late, so that later ones overtake it.
    pub reordered: f64,
    /// How late a message that is out of order, or a second copy, is at most, in seconds; all lengths
    /// up to it are equally likely.
    pub late_seconds: f64,
}

impl Default for Delivery {
    fn default() -> Self {
        Self { lost: 0.0, duplicated: 0.0, reordered: 0.0, late_seconds: 5.0 }
    }
}

/// What happens to one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mishap {
    /// It never arrives.
    pub lost: bool,
    /// How much later than usual it arrives.
    pub late: Span,
    /// A second copy arrives so much after the first.
    pub copy: Option<Span>,
}

impl Delivery {
    /// Whether nothing ever happens.
    pub fn is_perfect(&self) -> bool {
        self.lost <= 0.0 && self.duplicated <= 0.0 && self.reordered <= 0.0
    }

    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        share("delivery", "lost", self.lost)?;
        share("delivery", "duplicated", self.duplicated)?;
        share("delivery", "reordered", self.reordered)?;
        if !(self.late_seconds > 0.0 && self.late_seconds <= 1e9) {
            let late = self.late_seconds;
            return Err(format!(
                "delivery: late_seconds is {late}, but must be above 0, at most 1e9"
            ));
        }
        Ok(())
    }

    /// What happens to the message that `stream` belongs to.
    pub fn draw(&self, stream: &mut Stream) -> Mishap {
        if self.is_perfect() {
            return Mishap::default();
        }
        let [lost, twice, late, first, second] = std::array::from_fn(|_| open_unit(stream));
        let span = |unit: f64| Span::of_work(unit * self.late_seconds);
        Mishap {
            lost: lost < self.lost,
            late: if late < self.reordered { span(first) } else { Span::ZERO },
            copy: (twice < self.duplicated).then(|| span(second)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Purpose, SeedTree};

    #[test]
    fn mishaps_are_as_frequent_as_asked_for() {
        let spec = Delivery { lost: 0.1, duplicated: 0.2, reordered: 0.3, late_seconds: 4.0 };
        spec.validate().expect("valid");
        let tree = SeedTree::new(8);
        let drawn: Vec<Mishap> =
            (0..20_000).map(|id| spec.draw(&mut tree.stream(Purpose::Message, id, 16))).collect();
        let share = |is: fn(&Mishap) -> bool| {
            drawn.iter().filter(|mishap| is(mishap)).count() as f64 / drawn.len() as f64
        };
        // Four standard deviations of a share of 20,000 draws are below 0.014.
        assert!((share(|m| m.lost) - 0.1).abs() < 0.014);
        assert!((share(|m| m.copy.is_some()) - 0.2).abs() < 0.014);
        assert!((share(|m| m.late > Span::ZERO) - 0.3).abs() < 0.014);
        assert!(drawn.iter().all(|m| m.late.seconds() <= 4.0));
        let perfect = Delivery::default();
        assert_eq!(perfect.draw(&mut tree.stream(Purpose::Message, 0, 16)), Mishap::default());
    }

    #[test]
    fn impossible_shares_are_refused() {
        let wrong = Delivery { lost: 1.5, ..Delivery::default() };
        assert!(wrong.validate().expect_err("too large").contains("delivery: lost is 1.5"));
        let never = Delivery { late_seconds: 0.0, ..Delivery::default() };
        assert!(never.validate().expect_err("not above 0").contains("late_seconds is 0"));
    }
}
