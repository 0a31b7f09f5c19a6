//! A client's own link to the rest: bandwidth, latency and loss.

mod preset;

use super::device::pearson;
use super::distribution::{Distribution, above_zero, normal, not_negative, open_unit, within};
use crate::id::ClientId;
use crate::seed::{Purpose, SeedTree, Stream};
use crate::time::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The counters of [`Purpose::Link`].
const BANDWIDTH: u64 = 0;
const LATENCY: u64 = 1;

/// Bits per second in a Mbit/s: a million, never 2^20.
const MEGABIT: f64 = 1e6;

/// The links of one population group: a preset or parameters of one's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum LinkSpec {
    /// 500/200 Mbit/s down/up, 5 ms, hardly any jitter, no loss (fibre to the home, wired).
    #[default]
    Fibre,
    /// Medians 60/20 Mbit/s, 10 ms, sigma 0.6, 0.5 % loss (a home's WiFi).
    Wifi,
    /// One LN(6.1 Mbit/s, 1.10) for both directions, fitted to the bandwidths of FedScale's 500 000
    /// mobile devices (Lai et al. 2022: median 6.1 Mbit/s, 26 % below 3); 50 ms, 1 % loss.
    #[serde(rename = "mobile-4g")]
    Mobile4g,
    /// LN fits of the phones on WiFi in FLASH (Yang et al. 2021), its figures read as kilobytes per
    /// second, as its simulator applies them: down LN(8.551, 0.484), up LN(8.040, 0.701), that is,
    /// medians 41.4 and 24.8 Mbit/s; a variation of 37 % within a device; 20 ms, 0.5 % loss.
    Phones,
    /// Parameters of one's own.
    Custom(LinkParameters),
}

/// What a link is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkParameters {
    /// Bandwidth towards the server in Mbit/s (10^6 bit/s); above zero.
    pub up_mbps: Distribution,
    /// Bandwidth towards the client in Mbit/s (10^6 bit/s); above zero.
    pub down_mbps: Distribution,
    /// Spearman's rank correlation of the two over clients, −1..=1.
    #[serde(default)]
    pub up_down_correlation: f64,
    /// One-way delay of a message in milliseconds.
    pub latency_ms: Distribution,
    /// Standard deviation of the logarithm of a message's own factors on bandwidth and on latency
    /// (each with median 1).
    #[serde(default)]
    pub jitter_sigma: f64,
    /// Probability that a try is lost, 0 to below 1.
    #[serde(default)]
    pub loss: f64,
    /// What a lost try costs in milliseconds before the next one.
    #[serde(default = "one_second")]
    pub timeout_ms: f64,
}

fn one_second() -> f64 {
    1000.0
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// One client's link.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Mbit/s towards the server.
    pub up_mbps: f64,
    /// Mbit/s towards the client.
    pub down_mbps: f64,
    /// One-way delay in milliseconds.
    pub latency_ms: f64,
}

impl LinkParameters {
    /// Whether the parameters make sense.
    ///
    /// # Errors
    /// A sentence that names the parameter, its value and what is allowed.
    pub fn validate(&self) -> Result<(), String> {
        within("link: up_mbps", self.up_mbps.validate_above_zero())?;
        within("link: down_mbps", self.down_mbps.validate_above_zero())?;
        within("link: latency_ms", self.latency_ms.validate_not_negative())?;
        not_negative("link", "jitter_sigma", self.jitter_sigma)?;
        above_zero("link", "timeout_ms", self.timeout_ms)?;
        if !(0.0..1.0).contains(&self.loss) {
            let loss = self.loss;
            return Err(format!("link: loss is {loss}, but must be 0 or more and below 1"));
        }
        if !(-1.0..=1.0).contains(&self.up_down_correlation) {
            let rank = self.up_down_correlation;
            return Err(format!(
                "link: up_down_correlation is {rank}, but must lie between -1 and 1"
            ));
        }
        Ok(())
    }

    /// The link of `client`.
    pub fn draw(&self, tree: &SeedTree, client: ClientId) -> Link {
        let id = u64::from(client.0);
        let mut stream = tree.stream(Purpose::Link, id, BANDWIDTH);
        let (down, own) = (normal(&mut stream), normal(&mut stream));
        let rho = pearson(self.up_down_correlation);
        let up = rho * down + (1.0 - rho * rho).max(0.0).sqrt() * own;
        let mut stream = tree.stream(Purpose::Link, id, LATENCY);
        Link {
            up_mbps: self.up_mbps.at_score_for(client, up),
            down_mbps: self.down_mbps.at_score_for(client, down),
            latency_ms: self.latency_ms.sample_for(client, &mut stream),
        }
    }

    /// How long a message of `bytes` bytes is under way on a link that nothing else uses: latency,
    /// lost tries, and size over bandwidth. Everything random comes from the message's `stream`. At
    /// least one tick.
    pub fn transfer(&self, link: &Link, bytes: u64, way: Direction, stream: &mut Stream) -> Span {
        let delay = self.delay_seconds(link, stream);
        let rate = self.rate(link, way, stream);
        Span::of_work(delay + 8.0 * bytes as f64 / rate as f64)
    }

    /// The part of [`LinkParameters::transfer`] that does not depend on the size: latency and lost
    /// tries. With a [`FairLink`](super::FairLink), wait for this first, then start the transfer there.
    pub fn delay(&self, link: &Link, stream: &mut Stream) -> Span {
        Span::of_work(self.delay_seconds(link, stream))
    }

    /// The client's own bandwidth for one message in bits per second; at least 1.
    pub fn rate(&self, link: &Link, way: Direction, stream: &mut Stream) -> u64 {
        // Without jitter there is nothing to draw, here and below.
        let factor = match self.jitter_sigma {
            0.0 => 1.0,
            sigma => (sigma * normal(stream)).exp(),
        };
        ((link.mbit(way) * MEGABIT * factor).round() as u64).max(1)
    }

    /// The mean of [`LinkParameters::transfer`].
    pub fn expected(&self, link: &Link, bytes: u64, way: Direction) -> Span {
        let jitter = (0.5 * self.jitter_sigma * self.jitter_sigma).exp();
        let lost = self.loss / (1.0 - self.loss);
        let delay = (link.latency_ms * jitter + lost * self.timeout_ms) / 1e3;
        Span::of_work(delay + 8.0 * bytes as f64 * jitter / (link.mbit(way) * MEGABIT))
    }

    fn delay_seconds(&self, link: &Link, stream: &mut Stream) -> f64 {
        if self.jitter_sigma == 0.0 && self.loss <= 0.0 {
            return link.latency_ms / 1e3;
        }
        let latency = link.latency_ms * (self.jitter_sigma * normal(stream)).exp();
        (latency + lost_tries(self.loss, open_unit(stream)) * self.timeout_ms) / 1e3
    }
}

/// How many tries fail before one succeeds, when `unit` is uniform between 0 and 1: geometric,
/// P(k or more) = loss^k.
fn lost_tries(loss: f64, unit: f64) -> f64 {
    if loss <= 0.0 {
        return 0.0;
    }
    (unit.ln() / loss.ln()).floor()
}

impl Link {
    /// Bandwidth in Mbit/s.
    pub fn mbit(&self, way: Direction) -> f64 {
        match way {
            Direction::Up => self.up_mbps,
            Direction::Down => self.down_mbps,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> SeedTree {
        SeedTree::new(5)
    }

    fn plain() -> LinkParameters {
        LinkParameters {
            up_mbps: Distribution::Constant(8.0),
            down_mbps: Distribution::Constant(40.0),
            up_down_correlation: 0.0,
            latency_ms: Distribution::Constant(25.0),
            jitter_sigma: 0.0,
            loss: 0.0,
            timeout_ms: 1000.0,
        }
    }

    #[test]
    fn a_megabyte_takes_a_second_at_eight_megabit() {
        let (spec, mut stream) = (plain(), tree().stream(Purpose::Message, 0, 0));
        let link = spec.draw(&tree(), ClientId(0));
        let up = spec.transfer(&link, 1_000_000, Direction::Up, &mut stream);
        assert_eq!(up, Span::from_seconds(1.025));
        let down = spec.transfer(&link, 1_000_000, Direction::Down, &mut stream);
        assert_eq!(down, Span::from_seconds(0.225));
        let free = LinkParameters { latency_ms: Distribution::Constant(0.0), ..plain() };
        let link = free.draw(&tree(), ClientId(0));
        assert_eq!(free.transfer(&link, 0, Direction::Up, &mut stream), Span::TICK);
        assert_eq!(free.delay(&link, &mut stream), Span::TICK);
    }

    #[test]
    fn lost_tries_are_geometric_and_each_costs_a_timeout() {
        assert_eq!(lost_tries(0.5, 0.6), 0.0);
        assert_eq!(lost_tries(0.5, 0.4), 1.0);
        assert_eq!(lost_tries(0.5, 0.2), 2.0);
        let spec = LinkParameters { loss: 0.2, timeout_ms: 500.0, ..plain() };
        let link = spec.draw(&tree(), ClientId(0));
        let mut stream = tree().stream(Purpose::Message, 0, 1);
        let n = 20_000;
        let drawn: Vec<f64> =
            (0..n).map(|_| spec.transfer(&link, 0, Direction::Up, &mut stream).seconds()).collect();
        for seconds in &drawn {
            let tries = (seconds - 0.025) / 0.5;
            assert!((tries - tries.round()).abs() < 1e-5, "{seconds}");
        }
        let first = drawn.iter().filter(|seconds| **seconds < 0.1).count() as f64 / n as f64;
        assert!((first - 0.8).abs() < 4.0 * (0.16f64 / n as f64).sqrt());
        let mean = drawn.iter().sum::<f64>() / n as f64;
        // Standard deviation of a geometric count is √loss/(1 − loss) = 0.559 tries.
        let expected = spec.expected(&link, 0, Direction::Up).seconds();
        assert!((mean - expected).abs() < 4.0 * 0.28 / (n as f64).sqrt());
    }

    #[test]
    fn jitter_keeps_the_expected_mean() {
        let spec = LinkParameters { jitter_sigma: 0.37, ..plain() };
        let link = spec.draw(&tree(), ClientId(0));
        let mut stream = tree().stream(Purpose::Message, 0, 2);
        let draw = |_| spec.transfer(&link, 3_000_000, Direction::Up, &mut stream).seconds();
        let mean = (0..20_000).map(draw).sum::<f64>() / 20_000.0;
        let expected = spec.expected(&link, 3_000_000, Direction::Up).seconds();
        assert!((mean / expected - 1.0).abs() < 4.0 * 0.4 / 20_000f64.sqrt(), "{mean} {expected}");
    }

    #[test]
    fn presets_are_valid_and_have_their_medians() {
        let medians = [
            (LinkSpec::Fibre, 500.0),
            (LinkSpec::Wifi, 60.0),
            (LinkSpec::Mobile4g, 6.1),
            (LinkSpec::Phones, 41.4),
        ];
        for (preset, median) in medians {
            let spec = preset.parameters();
            spec.validate().expect("a preset is valid");
            let draw = |c| spec.draw(&tree(), ClientId(c)).down_mbps;
            let mut drawn: Vec<f64> = (0..4001).map(draw).collect();
            drawn.sort_by(f64::total_cmp);
            assert!((drawn[2000] / median - 1.0).abs() < 0.08, "{preset:?}: {}", drawn[2000]);
        }
        let mobile = LinkSpec::Mobile4g.parameters().into_owned();
        let link = mobile.draw(&tree(), ClientId(9));
        assert!((link.up_mbps / link.down_mbps - 1.0).abs() < 1e-6, "one bandwidth for both ways");
        // FedScale: 26 % of the devices are below 3 Mbit/s.
        let below =
            (0..8000).filter(|c| mobile.draw(&tree(), ClientId(*c)).down_mbps < 3.0).count();
        assert!((below as f64 / 8000.0 - 0.26).abs() < 0.02);
    }

    #[test]
    fn impossible_links_are_refused() {
        let never = LinkParameters { loss: 1.0, ..plain() };
        let message = "link: loss is 1, but must be 0 or more and below 1";
        assert_eq!(never.validate().expect_err("never arrives"), message);
        let still = LinkParameters { up_mbps: Distribution::Constant(0.0), ..plain() };
        assert!(still.validate().expect_err("no bandwidth").starts_with("link: up_mbps: "));
    }
}
