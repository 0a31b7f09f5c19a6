//! Staleness discounts (FedAsync, Xie et al. 2019, section 5.2).

use crate::seams::{View, Weigh, state_in_bytes};
use crate::update::Arrival;
use crate::weigh::known_at_arrival;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A discount by the staleness `tau` of an update, in versions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Staleness {
    /// 1, whatever the staleness.
    Constant,
    /// `(tau + 1)^-a`.
    Polynomial {
        /// Exponent, at least 0; 0.5 in the paper.
        #[serde(default = "half")]
        a: f64,
    },
    /// 1 up to `tau = b`, then `1 / (a (tau - b) + 1)`.
    Hinge {
        /// Slope, at least 0; 10 in the paper.
        #[serde(default = "ten")]
        a: f64,
        /// Staleness without a discount, in versions; 4 in the paper.
        #[serde(default = "four")]
        b: f64,
    },
    /// `base^-tau`.
    Exponential {
        /// Base, at least 1; e / 2 in TWAFL (Chen et al. 2020).
        #[serde(default = "half_of_e")]
        base: f64,
    },
    /// 1 up to `tau = cutoff`, then `value` (FLSim).
    Threshold {
        /// Staleness without a discount, in versions.
        #[serde(default = "four")]
        cutoff: f64,
        /// The discount beyond it, in [0, 1].
        #[serde(default = "tenth")]
        value: f64,
    },
}

fn half() -> f64 {
    0.5
}

fn ten() -> f64 {
    10.0
}

fn four() -> f64 {
    4.0
}

fn half_of_e() -> f64 {
    std::f64::consts::E / 2.0
}

fn tenth() -> f64 {
    0.1
}

impl Staleness {
    /// The discount `s(tau)`, in [0, 1].
    pub fn discount(&self, staleness: u64) -> f64 {
        let tau = staleness as f64;
        match *self {
            Self::Constant => 1.0,
            Self::Polynomial { a } => (tau + 1.0).powf(-a),
            Self::Hinge { b, .. } if tau <= b => 1.0,
            Self::Hinge { a, b } => 1.0 / (a * (tau - b) + 1.0),
            Self::Exponential { base } => base.powf(-tau),
            Self::Threshold { cutoff, .. } if tau <= cutoff => 1.0,
            Self::Threshold { value, .. } => value,
        }
    }

    fn of(&self, arrival: &Arrival, view: &View<'_>) -> f64 {
        self.discount(view.version.since(arrival.base_version))
    }
}

impl Weigh for Staleness {
    known_at_arrival!();
    state_in_bytes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::{World, arrival};
    use offbeat_kernel::Version;

    #[test]
    fn the_polynomial_by_hand() {
        let rule = Staleness::Polynomial { a: 0.5 };
        assert_eq!([0, 3, 8].map(|tau| rule.discount(tau)), [1.0, 0.5, 1.0 / 3.0]);
        assert_eq!(Staleness::Polynomial { a: 2.0 }.discount(1), 0.25);
        assert_eq!(Staleness::Constant.discount(7), 1.0);
    }

    /// With a = 10 and b = 4 the paper's hinge gives 1/11 at tau = 5, without a jump to 1/10.
    #[test]
    fn the_hinge_by_hand() {
        let rule = Staleness::Hinge { a: 10.0, b: 4.0 };
        assert_eq!([0, 4, 5, 6].map(|tau| rule.discount(tau)), [1.0, 1.0, 1.0 / 11.0, 1.0 / 21.0]);
        assert_eq!(Staleness::Hinge { a: 0.5, b: 0.0 }.discount(2), 0.5);
    }

    #[test]
    fn exponential_and_threshold_by_hand() {
        let rule = Staleness::Exponential { base: 2.0 };
        assert_eq!([0, 1, 3].map(|tau| rule.discount(tau)), [1.0, 0.5, 0.125]);
        let rule = Staleness::Threshold { cutoff: 2.0, value: 0.25 };
        assert_eq!([0, 2, 3, 9].map(|tau| rule.discount(tau)), [1.0, 1.0, 0.25, 0.25]);
    }

    #[test]
    fn staleness_is_counted_from_the_version_that_was_downloaded() {
        let mut world = World::new(2);
        world.version = Version(8);
        let arrivals = [arrival(0, 1, 5), arrival(1, 1, 8)];
        let weights = Staleness::Polynomial { a: 0.5 }.weigh_arrivals(&arrivals, &world.view());
        assert_eq!(weights, Some(vec![0.5, 1.0]));
    }
}
