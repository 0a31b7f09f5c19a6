//! Batteries: what work costs, and when a client declines because it runs low.

use super::availability::{Nightly, zone_hours};
use super::distribution::{Distribution, not_negative, share, within};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree};
use crate::time::{Span, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The counter of [`Purpose::Device`] that belongs to the battery.
const BATTERY: u64 = 2;

/// The batteries of one population group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EnergySpec {
    /// What a full battery holds, in joules; above zero.
    pub capacity_joules: Distribution,
    /// The share of it that is left at time zero; values above 1 count as 1.
    pub initial_level: Distribution,
    /// When the battery is charged. With the same hours and time zones as
    /// the availability `diurnal`, a client's nights are the same.
    pub charging: Nightly,
    /// Time zones are uniform over so many hours, as in the availability `diurnal`.
    pub timezone_spread_hours: f64,
    /// Power of the charger in watts.
    pub charging_watts: f64,
    /// What the device draws all the time for other things, in watts.
    pub idle_watts: f64,
    /// Joules for each sample, whatever the model.
    pub joules_per_sample: f64,
    /// Joules for 10^9 floating-point operations.
    pub joules_per_gflop: f64,
    /// Joules for each byte sent or received.
    pub joules_per_byte: f64,
    /// A client declines tasks while its level is below this share of its capacity, 0..=1.
    pub declines_below: f64,
}

impl Default for EnergySpec {
    /// A phone, by order of magnitude: 55 kJ (4000 mAh at 3.85 V), charged at night with 10 W, half
    /// empty after a day without tasks; 5 GFLOP and half a megabyte for a joule; no tasks below 30 %.
    fn default() -> Self {
        Self {
            capacity_joules: Distribution::Lognormal { median: 55_000.0, sigma: 0.2 },
            initial_level: Distribution::Uniform { low: 0.3, high: 1.0 },
            charging: Nightly::default(),
            timezone_spread_hours: 0.0,
            charging_watts: 10.0,
            idle_watts: 0.3,
            joules_per_sample: 0.0,
            joules_per_gflop: 0.2,
            joules_per_byte: 2e-6,
            declines_below: 0.3,
        }
    }
}

/// One client's battery. It is brought up to date only when someone asks
/// ([`EnergySpec::advance`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Battery {
    /// What it holds when full, in joules.
    pub capacity: f64,
    /// What it held at `at`, in joules.
    pub level: f64,
    /// When it was last brought up to date.
    pub at: Time,
}

impl EnergySpec {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        within("energy: capacity_joules", self.capacity_joules.validate_above_zero())?;
        within("energy: initial_level", self.initial_level.validate_not_negative())?;
        within("energy: charging", self.charging.validate())?;
        for (name, value) in [
            ("charging_watts", self.charging_watts),
            ("idle_watts", self.idle_watts),
            ("joules_per_sample", self.joules_per_sample),
            ("joules_per_gflop", self.joules_per_gflop),
            ("joules_per_byte", self.joules_per_byte),
        ] {
            not_negative("energy", name, value)?;
        }
        if !(0.0..=24.0).contains(&self.timezone_spread_hours) {
            let hours = self.timezone_spread_hours;
            return Err(format!(
                "energy: timezone_spread_hours is {hours}, but must lie between 0 and 24"
            ));
        }
        share("energy", "declines_below", self.declines_below)
    }

    /// The battery of `client` at time zero.
    pub fn battery(&self, tree: &SeedTree, client: ClientId) -> Battery {
        let mut stream = tree.stream(Purpose::Device, u64::from(client.0), BATTERY);
        let capacity = self.capacity_joules.sample_for(client, &mut stream);
        let level = self.initial_level.sample_for(client, &mut stream).clamp(0.0, 1.0) * capacity;
        Battery { capacity, level, at: Time::ZERO }
    }

    /// Brings the battery of `client` up to `to`: idle draw all the time, charging at night, never
    /// below empty nor above full. Does nothing when `to` is not later. Costs O(nights in between).
    pub fn advance(&self, battery: &mut Battery, tree: &SeedTree, client: ClientId, to: Time) {
        let zone = zone_hours(tree, client, self.timezone_spread_hours);
        let mut nights = self.charging.of(tree, client, zone);
        while battery.at < to {
            let charging = nights.holds(battery.at);
            let until = nights.next_change(battery.at).min(to);
            let watts = if charging { self.charging_watts } else { 0.0 } - self.idle_watts;
            let level = battery.level + watts * (until - battery.at).seconds();
            battery.level = level.clamp(0.0, battery.capacity);
            battery.at = until;
        }
    }

    /// What a task costs in joules: `samples` samples of `flops_per_sample` operations, and `bytes`
    /// bytes received and sent.
    pub fn cost(&self, samples: u64, flops_per_sample: f64, bytes: u64) -> f64 {
        let each = self.joules_per_sample + self.joules_per_gflop * flops_per_sample / 1e9;
        samples as f64 * each + bytes as f64 * self.joules_per_byte
    }

    /// Whether a client with such a `battery`, up to date, takes tasks.
    pub fn accepts(&self, battery: &Battery) -> bool {
        battery.level > 0.0 && battery.level >= self.declines_below * battery.capacity
    }
}

impl Battery {
    /// Takes `joules` out. False when it does not hold so much: then it is empty.
    pub fn spend(&mut self, joules: f64) -> bool {
        let enough = joules <= self.level;
        self.level = (self.level - joules).max(0.0);
        enough
    }

    /// How full it is, 0..=1.
    pub fn share(&self) -> f64 {
        self.level / self.capacity
    }

    /// How long it lasts at `watts`, not being charged; for ever when nothing is drawn.
    pub fn lasts(&self, watts: f64) -> Span {
        Span::from_seconds(self.level / watts.max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{decode, encode};
    use proptest::prelude::*;

    fn tree() -> SeedTree {
        SeedTree::new(21)
    }

    fn hour(hours: f64) -> Time {
        Time::ZERO + Span::from_seconds(hours * 3600.0)
    }

    fn exact() -> EnergySpec {
        EnergySpec {
            capacity_joules: Distribution::Constant(36_000.0),
            initial_level: Distribution::Constant(0.5),
            charging: Nightly { start_hour: 22.0, hours: 4.0, spread_hours: 0.0 },
            charging_watts: 3.0,
            idle_watts: 0.5,
            ..EnergySpec::default()
        }
    }

    #[test]
    fn the_level_follows_the_clock_and_stays_within_bounds() {
        let (spec, client) = (exact(), ClientId(4));
        spec.validate().expect("possible");
        let mut battery = spec.battery(&tree(), client);
        let mut level = |hours| {
            spec.advance(&mut battery, &tree(), client, hour(hours));
            battery.level
        };
        // On the charger until 2 h (+2.5 W), then idle (−0.5 W), on it again from 22 h to 26 h.
        assert!((level(1.0) - (18_000.0 + 9_000.0)).abs() < 1e-6);
        assert!((level(2.0) - 36_000.0).abs() < 1e-6);
        assert!((level(12.0) - 18_000.0).abs() < 1e-6);
        assert!((level(22.0) - 0.0).abs() < 1e-6);
        assert!((level(26.0) - 36_000.0).abs() < 1e-6);
        assert!((level(10.0) - 36_000.0).abs() < 1e-6, "time never goes back");
    }

    #[test]
    fn tasks_cost_what_they_compute_and_move() {
        let spec = EnergySpec {
            joules_per_sample: 0.1,
            joules_per_gflop: 2.0,
            joules_per_byte: 1e-6,
            ..exact()
        };
        let cost = spec.cost(100, 5e8, 3_000_000);
        assert!((cost - (10.0 + 100.0 + 3.0)).abs() < 1e-9);
        let mut battery = spec.battery(&tree(), ClientId(0));
        assert!(spec.accepts(&battery) && battery.spend(cost));
        assert!((battery.level - 17_887.0).abs() < 1e-9);
        assert_eq!(battery.lasts(0.5), Span::from_seconds(35_774.0));
        assert_eq!(battery.lasts(0.0), Span::FOREVER);
        assert!(battery.spend(8000.0) && !spec.accepts(&battery), "27 % is below 30 %");
        assert!(!battery.spend(1e9) && battery.share() == 0.0);
    }

    #[test]
    fn impossible_batteries_are_refused() {
        let spec = EnergySpec { joules_per_byte: -1.0, ..exact() };
        let message = "energy: joules_per_byte is -1, but must be zero or more";
        assert_eq!(spec.validate().expect_err("negative"), message);
        EnergySpec::default().validate().expect("the default is possible");
    }

    proptest! {
        #[test]
        fn asking_in_between_changes_nothing(
            client in 0u32..100, a in 0u64..400_000_000_000, b in 0u64..400_000_000_000,
        ) {
            let spec = EnergySpec { timezone_spread_hours: 8.0, ..EnergySpec::default() };
            let (first, last) = (Time::from_micros(a.min(b)), Time::from_micros(a.max(b)));
            let mut once = spec.battery(&tree(), ClientId(client));
            let mut twice = once;
            spec.advance(&mut once, &tree(), ClientId(client), last);
            spec.advance(&mut twice, &tree(), ClientId(client), first);
            twice = decode(&encode(&twice).expect("plain")).expect("encoded");
            spec.advance(&mut twice, &tree(), ClientId(client), last);
            prop_assert!((once.level - twice.level).abs() < 1e-6);
            prop_assert_eq!(once.at, twice.at);
            prop_assert!((0.0..=1.0).contains(&once.share()));
        }
    }
}
