//! Synthetic(alpha, beta): clients whose models and inputs differ by a known amount.
//!
//! Source: T. Li et al., "Federated Optimization in Heterogeneous Networks" (FedProx), MLSys 2020,
//! section 5.1 and appendix C.1, after O. Shamir et al., 2014. There, and here, `alpha` and `beta` act as
//! standard deviations, as in the generator that its authors published.

use super::split::hold_out;
use super::synthetic::LARGEST_SET;
use super::{Dataset, Groups, Split};
use crate::LearnError;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use rand::RngExt;
use rand_distr::{LogNormal, StandardNormal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Client `k` labels its inputs with a linear model of its own.
///
/// `u_k ~ N(0, alpha)`, `W_k, b_k ~ N(u_k, 1)`; `B_k ~ N(0, beta)`, `v_k ~ N(B_k, 1)`;
/// `x ~ N(v_k, diag(j^-1.2))`, `y = argmax(W_k x + b_k)`; sizes `50 + LogNormal(4, 2)`.
/// The natural owner of a sample is its client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticClientsSpec {
    /// How much local models differ.
    pub alpha: f64,
    /// How much local inputs differ.
    pub beta: f64,
    /// Whether all clients share one model and one distribution of inputs (`alpha`, `beta` unused).
    pub iid: bool,
    /// Clients.
    pub clients: u32,
    /// Numbers in one sample.
    pub inputs: u32,
    /// Classes.
    pub classes: u32,
    /// A client's samples are capped here: the log-normal tail is long.
    pub max_samples: u32,
    /// Every n-th sample of a client is a test sample.
    pub test_every: u32,
}

impl Default for SyntheticClientsSpec {
    fn default() -> Self {
        Self {
            alpha: 1.0,
            beta: 1.0,
            iid: false,
            clients: 30,
            inputs: 60,
            classes: 10,
            max_samples: 10_000,
            test_every: 5,
        }
    }
}

/// A client's rule: model, centre of its inputs.
struct Rule {
    /// `classes x inputs`.
    weights: Vec<f64>,
    bias: Vec<f64>,
    centre: Vec<f64>,
}

impl SyntheticClientsSpec {
    /// Draws the set; each client has a stream of its own.
    ///
    /// # Errors
    /// Settings that describe no data, or more than 4 GiB.
    pub fn load(&self, seeds: SeedTree) -> Result<Split, LearnError> {
        self.check()?;
        let mut data = Dataset {
            features: Vec::new(),
            shape: vec![self.inputs as usize],
            labels: Vec::new(),
            classes: self.classes as usize,
            groups: None,
        };
        let mut of = Vec::new();
        // Stream 0 is the plain clusters', 1 and 2 their samples; clients start behind them.
        let shared = self.rule(&mut seeds.stream(Purpose::Synthesis, u64::MAX, 0));
        for client in 0..self.clients {
            let mut stream = seeds.stream(Purpose::Synthesis, 3 + u64::from(client), 0);
            let own = (!self.iid).then(|| self.rule(&mut stream));
            self.draw(own.as_ref().unwrap_or(&shared), &mut data, &mut stream);
            of.resize(data.len(), client);
            self.check_size(data.len() as u64)?;
        }
        let (train, test) = hold_out(data.len(), self.test_every, |row| of[row]);
        let names = (0..self.clients).map(|client| client.to_string()).collect();
        data.groups = Some(Groups { of, names });
        Ok(Split { train: data.subset(&train), test: data.subset(&test) })
    }

    fn check(&self) -> Result<(), LearnError> {
        let spread = |x: f64| x.is_finite() && x >= 0.0;
        let reason = if !spread(self.alpha) || !spread(self.beta) {
            "`alpha` and `beta` must be 0 or more"
        } else if self.classes < 2 || self.inputs == 0 || self.clients == 0 {
            "`classes` must be at least 2, `inputs` and `clients` at least 1"
        } else if self.max_samples < 50 {
            "`max_samples` must be at least 50, the smallest client of this set"
        } else if !(2..=50).contains(&self.test_every) {
            "`test_every` must be 2 to 50, so that each client has something to learn from and to test on"
        } else {
            return self.check_size(50 * u64::from(self.clients).max(u64::from(self.classes)));
        };
        Err(LearnError::Invalid(format!("synthetic-clients: {reason}")))
    }

    fn check_size(&self, rows: u64) -> Result<(), LearnError> {
        if rows.saturating_mul(u64::from(self.inputs)) <= LARGEST_SET {
            return Ok(());
        }
        Err(LearnError::Invalid(format!(
            "synthetic-clients: more than {LARGEST_SET} numbers: lower `clients`, `inputs` or `max_samples`"
        )))
    }

    fn rule(&self, stream: &mut Stream) -> Rule {
        let (alpha, beta) = if self.iid { (0.0, 0.0) } else { (self.alpha, self.beta) };
        let model = alpha * normal(stream);
        let inputs = beta * normal(stream);
        let mut around =
            |mean: f64, count: u32| (0..count).map(|_| mean + normal(stream)).collect::<Vec<f64>>();
        let rule = Rule {
            weights: around(model, self.classes * self.inputs),
            bias: around(model, self.classes),
            centre: around(inputs, self.inputs),
        };
        let centre = if self.iid { vec![0.0; rule.centre.len()] } else { rule.centre };
        Rule { centre, ..rule }
    }

    fn draw(&self, rule: &Rule, data: &mut Dataset, stream: &mut Stream) {
        let extra = LogNormal::new(4.0, 2.0).map_or(0.0, |law| stream.sample::<f64, _>(law));
        let samples = (50.0 + extra.floor()).min(f64::from(self.max_samples)) as u32;
        for _ in 0..samples {
            let deviation = |j: usize| ((j + 1) as f64).powf(-0.6);
            let centre = rule.centre.iter().enumerate();
            let x: Vec<f64> = centre.map(|(j, &v)| v + deviation(j) * normal(stream)).collect();
            data.labels.push(rule.label(&x));
            data.features.extend(x.iter().map(|&x| x as f32));
        }
    }
}

impl Rule {
    /// The class with the largest score; the first of equals.
    fn label(&self, x: &[f64]) -> u32 {
        let rows = self.weights.chunks_exact(x.len()).zip(&self.bias);
        let scores = rows.map(|(w, b)| b + w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
        let mut best = (0, f64::NEG_INFINITY);
        for (class, score) in scores.enumerate() {
            if score > best.1 {
                best = (class, score);
            }
        }
        best.0 as u32
    }
}

fn normal(stream: &mut Stream) -> f64 {
    stream.sample(StandardNormal)
}
