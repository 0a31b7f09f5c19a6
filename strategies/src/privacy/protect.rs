//! Puts the promise of privacy between the updates and the rule that merges them.

use super::adaptive::{Clip, Share};
use super::noise::{add_noise, clip_factor};
use super::{Central, Meter, Privacy, Spent};
use crate::paillier::{KeyPair, Paillier, PaillierError, Sealing, WeightedSum};
use crate::seams::{Batch, Combine, View};
use crate::secure::{Round, Secure, SecureError, Traffic};
use crate::update::{Arrival, Update};
use crate::weigh::fedboost::whole_shares;
use offbeat_kernel::codec::{CodecError, decode, encode};
use offbeat_kernel::{ClientId, Purpose, SeedTree};
use offbeat_learning::Flat;
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// What the other parts of a strategy mean for its privacy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// Updates that a release is divided by, whatever number comes: at least 1.
    pub expected: f64,
    /// Clients are drawn by chance, independently of each other, once for each release.
    pub sampled: bool,
    /// Releases are rounds, of whose clients some may drop out; otherwise a release has the clients whose
    /// updates are there.
    pub rounds: bool,
}

/// Guards the way from updates to a new model: clips, adds up, adds noise, divides by a fixed number, and
/// keeps the books. What comes of it is given to the strategy's own rule as the mean change of one update,
/// so that server optimizers work on it as on any other.
#[derive(Debug)]
pub struct Protection {
    settings: Privacy,
    plan: Plan,
    state: State,
    /// Made when they are first used; always the same, so that no snapshot needs them.
    keys: OnceCell<KeyPair>,
}

/// What changes during a run.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
struct State {
    meter: Meter,
    clip: Clip,
    /// Releases so far, which no crash of the server takes back: no noise is ever used twice.
    releases: u64,
    /// Rounds of secure aggregation so far, lost ones too.
    rounds: u64,
    /// Clients were drawn with this probability, and nothing was released of them yet.
    drawn: Option<f64>,
}

impl Protection {
    /// A protection with nothing spent; `None` when nothing is protected.
    pub fn new(settings: &Privacy, plan: Plan) -> Option<Self> {
        let Privacy { central, local, secure, paillier, .. } = settings;
        if central.is_none() && local.is_none() && secure.is_none() && paillier.is_none() {
            return None;
        }
        let norm = settings.central.map_or(f64::INFINITY, |central| central.clip_norm);
        let clip = Clip::new(norm);
        let state = State { meter: Meter::default(), clip, releases: 0, rounds: 0, drawn: None };
        Some(Self { settings: settings.clone(), plan, state, keys: OnceCell::new() })
    }

    /// The other parts have changed; what was spent stays spent.
    pub(crate) fn replan(&mut self, new: Option<Self>) {
        if let Some(new) = new {
            self.plan = new.plan;
        }
    }

    /// What was spent so far.
    pub fn spent(&self) -> Spent {
        self.state.meter.spent(&self.settings)
    }

    /// Bytes that protecting an update of `len` numbers adds to its messages.
    pub fn traffic(&self, len: usize) -> Traffic {
        match self.settings.secure {
            Some(_) => Traffic::of(self.plan.expected as usize, len),
            None => Traffic::default(),
        }
    }

    /// What encrypting vectors of `len` numbers costs, where they are.
    pub fn sealing(&self, len: usize) -> Option<Sealing> {
        self.settings.sealing(len)
    }

    /// A draw that nothing was released of; the next release covers it.
    pub(crate) fn open_draw(&self) -> bool {
        self.state.drawn.is_some()
    }

    /// Each client was drawn with probability `rate`.
    pub(crate) fn drew(&mut self, rate: f64) {
        if self.plan.sampled && self.settings.central.is_some() {
            self.state.drawn = Some(rate);
        }
    }

    /// A client is about to be asked for an update.
    ///
    /// # Errors
    /// Why it must not be: its update would exceed the budget.
    pub(crate) fn ask(&mut self, client: ClientId) -> Result<(), String> {
        if self.settings.local.is_none() {
            return Ok(());
        }
        if self.settings.epsilon_budget.is_none() {
            self.state.meter.asked(client);
            return Ok(());
        }
        let mut after = self.state.meter.clone();
        after.asked(client);
        self.within_budget(&after)?;
        self.state.meter = after;
        Ok(())
    }

    /// The books after a release of these updates.
    ///
    /// # Errors
    /// Why it must not be released: the budget would be exceeded.
    pub(crate) fn charge(&self, arrivals: &[Arrival]) -> Result<Meter, String> {
        let mut after = self.state.meter.clone();
        let Some(central) = self.settings.central else { return Ok(after) };
        match self.state.drawn {
            Some(rate) => after.drew(rate, central.noise_multiplier),
            None => {
                let clients: Vec<ClientId> = arrivals.iter().map(|a| a.client).collect();
                after.released(&clients);
            }
        }
        self.within_budget(&after)?;
        Ok(after)
    }

    /// What was charged for is published.
    pub(crate) fn paid(&mut self, meter: Meter) {
        self.state.meter = meter;
        self.state.drawn = None;
    }

    fn within_budget(&self, after: &Meter) -> Result<(), String> {
        let Some(budget) = self.settings.epsilon_budget else { return Ok(()) };
        let spent = self.spent();
        let (now, next) = (spent.most().unwrap_or(0.0), after.spent(&self.settings).most());
        let next = next.unwrap_or(0.0);
        if next <= budget {
            return Ok(());
        }
        Err(format!(
            "the privacy budget is spent: epsilon is {now:.3} at delta {:e}, the next step would make it {next:.3}, \
             above {budget}",
            spent.delta,
        ))
    }

    /// The new model: `inner`'s, of the protected mean change. `dropped` clients of the round did not answer.
    ///
    /// # Errors
    /// Why there is none: too many dropped out for the sum to be read.
    pub(crate) fn combine(
        &mut self,
        inner: &mut dyn Combine,
        batch: &mut Batch<'_>,
        dropped: usize,
        view: &View<'_>,
    ) -> Result<Flat, String> {
        let Privacy { central, secure, paillier, .. } = self.settings.clone();
        if let Some(paillier) = paillier {
            let mean = self.encrypted_mean(&paillier, batch, view).map_err(|e| e.to_string())?;
            self.state.releases += 1;
            return Ok(hand_on(Flat::new(mean), inner, batch, view));
        }
        if central.is_none() && secure.is_none() {
            return Ok(inner.combine(batch, view));
        }
        let dropped = if self.plan.rounds { dropped } else { 0 };
        self.state.clip.begin();
        let mut scale = Scale::of(batch.weights, central.is_some());
        let mut sum = match secure {
            Some(secure) => self.hidden_sum(batch, &mut scale, (secure, dropped), view)?,
            None => self.clipped_sum(batch, &mut scale),
        };
        if let Some(central) = &central {
            self.cover(&mut sum, central, view.seeds);
        }
        let divisor = if central.is_some() { self.plan.expected } else { scale.total };
        if divisor > 0.0 {
            sum.scale((1.0 / divisor) as f32);
        }
        self.state.releases += 1;
        Ok(hand_on(sum, inner, batch, view))
    }

    /// The mean of the changes as clients read it from what the server adds up.
    fn encrypted_mean(
        &self,
        settings: &Paillier,
        batch: &mut Batch<'_>,
        view: &View<'_>,
    ) -> Result<Vec<f32>, PaillierError> {
        let (packing, len) = (settings.packing(), batch.model.len());
        let whole = whole_shares(batch.weights, settings.slices);
        let stream = |counter| view.seeds.stream(Purpose::Privacy, u64::MAX - 1, counter);
        let mut sum = match settings.exact {
            false => WeightedSum::open(packing, len),
            true => {
                let size = settings.key_size()?;
                let keys = self.keys.get_or_init(|| KeyPair::generate(size, &mut stream(0)));
                WeightedSum::encrypted(packing, len, keys, stream(1 + self.state.releases))
            }
        };
        for (position, update) in &mut *batch.updates {
            let mut change = Flat::zeros(len);
            change.add_scaled_difference(1.0, &update.params, &update.base);
            sum.add(&change.host(), whole.get(position).copied().unwrap_or(0))?;
        }
        Ok(sum.mean())
    }

    /// Adds the server's noise to the sum, and lets the clip norm adapt.
    fn cover(&mut self, sum: &mut Flat, central: &Central, seeds: SeedTree) {
        let share = Share::of(central, self.plan.expected);
        let mut stream = seeds.stream(Purpose::Privacy, u64::MAX, self.state.releases);
        add_noise(sum, share.sum * self.state.clip.norm, &mut stream);
        if let Some(adaptive) = &central.adaptive {
            self.state.clip.step(adaptive, share, self.plan.expected, &mut stream);
            // What is hidden has to fit into what is encoded.
            let most = self.settings.secure.map_or(f64::INFINITY, |secure| secure.range);
            self.state.clip.norm = self.state.clip.norm.min(most);
        }
    }

    /// What the change of an update is multiplied by before it is added up.
    fn factor(&mut self, position: usize, update: &Update, scale: &mut Scale<'_>) -> f64 {
        let norm = update.delta().norm();
        let factor = scale.of_update(position) * clip_factor(norm, self.state.clip.norm);
        self.state.clip.saw(norm);
        factor
    }

    /// The sum of the clipped changes, each times its weight.
    fn clipped_sum(&mut self, batch: &mut Batch<'_>, scale: &mut Scale<'_>) -> Flat {
        let mut sum = batch.model.zeros_like();
        for (position, update) in &mut *batch.updates {
            let factor = self.factor(position, &update, scale);
            sum.add_scaled_difference(factor as f32, &update.params, &update.base);
        }
        sum
    }

    /// The same, as the server learns it by secure aggregation.
    fn hidden_sum(
        &mut self,
        batch: &mut Batch<'_>,
        scale: &mut Scale<'_>,
        (secure, dropped): (Secure, usize),
        view: &View<'_>,
    ) -> Result<Flat, String> {
        let (members, len) = (batch.weights.len() + dropped, batch.model.len());
        if members == 0 {
            return Ok(Flat::zeros(len));
        }
        let point = secure.point();
        let said = |error: SecureError| error.to_string();
        point.room(members).map_err(said)?;
        let needed = secure.needed(members);
        let mut round = Round::new(view.seeds, self.state.rounds, (members, needed), len);
        self.state.rounds += 1;
        for (position, update) in &mut *batch.updates {
            let factor = self.factor(position, &update, scale);
            let mut change = Flat::zeros(len);
            change.add_scaled_difference(factor as f32, &update.params, &update.base);
            round.send(position, point.encode(&change.host()).map_err(said)?);
        }
        round.sum().map(|sum| Flat::new(point.decode(&sum))).map_err(said)
    }

    /// All that changes during a run, as bytes.
    ///
    /// # Errors
    /// When a piece refuses to be serialised.
    pub fn save(&self) -> Result<Vec<u8>, CodecError> {
        encode(&self.state)
    }

    /// Puts back what [`Protection::save`] gave.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.state = decode(bytes)?;
        Ok(())
    }
}

/// How much each update counts in a sum.
#[derive(Debug)]
struct Scale<'a> {
    weights: &'a [f64],
    /// What a weight is divided by, so that none is above 1.
    largest: f64,
    /// Sum of the scaled weights of the updates that came.
    total: f64,
}

impl<'a> Scale<'a> {
    /// Under central noise weights count as they are, at most as 1; otherwise in relation to the largest.
    fn of(weights: &'a [f64], central: bool) -> Self {
        let largest = if central { 1.0 } else { weights.iter().copied().fold(0.0, f64::max) };
        Self { weights, largest, total: 0.0 }
    }

    fn of_update(&mut self, position: usize) -> f64 {
        let weight = self.weights.get(position).copied().unwrap_or(0.0);
        let scaled = if self.largest > 0.0 { (weight / self.largest).clamp(0.0, 1.0) } else { 0.0 };
        self.total += scaled;
        scaled
    }
}

/// Gives `mean` to `inner` as the change of a single update of weight 1.
fn hand_on(mean: Flat, inner: &mut dyn Combine, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
    let mut params = batch.model.clone();
    params.add_scaled(1.0, &mean);
    let arrival = Arrival {
        task: offbeat_kernel::TaskId(u64::MAX),
        client: ClientId(u32::MAX),
        base_version: view.version,
        samples: 1,
        completeness: 1.0,
        invited: view.now,
        arrived: view.now,
        tag: batch.tag,
    };
    let update = Update {
        arrival,
        base: batch.model.clone(),
        params,
        steps: 1,
        loss: 0.0,
        loss_squared: 0.0,
        scalars: BTreeMap::new(),
        extras: BTreeMap::new(),
    };
    let mut feed = std::iter::once((0, update));
    let (model, group, tag) = (batch.model, batch.group, batch.tag);
    let mut one = Batch { model, group, tag, weights: &[1.0], updates: &mut feed };
    inner.combine(&mut one, view)
}
