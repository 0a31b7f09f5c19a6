//! The world that a scenario describes: what devices, links and absences do to its clients.
//!
//! Nothing is stored for a client but its number of samples, and its ranks where speed follows them: every answer
//! is drawn from the seed, so that asking twice, or in another order, changes nothing.

use crate::lately::Lately;
use crate::population::Population;
use crate::ranks::Ranks;
use offbeat_actors::client::Samples;
use offbeat_actors::{Conditions, Direction, Outcome, SharedInterventions};
use offbeat_kernel::hardship::{
    self, Battery, Device, HardshipSpec, Interruption, Link, LinkParameters, Mishap,
};
use offbeat_kernel::{ClientId, Purpose, SeedTree, Span, Stream, TaskId, Time};
use offbeat_learning::LocalPlan;
use offbeat_strategies::Roster;
use offbeat_strategies::signal::LossReason;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Counters of a task's stream: its fate, and the jitter of its computation.
const FATE: u64 = 0;
const JITTER: u64 = 1;

/// Counters of a message's streams, for the way down; the way up has the next one.
const WHOLE: u64 = 0;
const DELAY: u64 = 2;
const RATE: u64 = 4;
/// And of what befalls it: two for each kind of message.
const MISHAP: u64 = 16;

/// Copies of the parameters in a client's memory while it trains: weights, gradient, velocity.
const COPIES: u64 = 3;

/// The clients of a scenario, as the actors and the server see them.
#[derive(Clone, Debug)]
pub struct World {
    population: Population,
    /// What each group suffers now.
    suffering: RefCell<Suffering>,
    interventions: Option<SharedInterventions>,
    disorderly: bool,
    seeds: SeedTree,
    sizes: Vec<u32>,
    ranks: Ranks,
    cost: Cost,
    devices: Lately<Device>,
    links: Lately<Link>,
}

/// What each group suffers, after so many changes.
#[derive(Clone, Debug)]
struct Suffering {
    groups: Vec<Rc<Suffers>>,
    changes: usize,
}

/// What the clients of a group suffer, and what their links are made of.
#[derive(Clone, Debug)]
struct Suffers {
    hardship: HardshipSpec,
    link: LinkParameters,
}

/// What one task costs, before any client's properties.
#[derive(Clone, Debug)]
pub struct Cost {
    /// Floating-point operations of training on one sample.
    pub flops_per_sample: f64,
    /// Bytes of all parameters.
    pub model_bytes: u64,
    /// Bytes of what travels.
    pub shared_bytes: u64,
    /// How clients train.
    pub plan: Arc<LocalPlan>,
}

impl World {
    /// The world of `population`, whose client `i` trains on `sizes[i]` samples, most of which have
    /// label `labels[i]`: that is its label group, and groups rank by the number of their label.
    pub fn new(
        population: Population,
        seeds: SeedTree,
        sizes: Vec<u32>,
        labels: &[u32],
        cost: Cost,
    ) -> Self {
        let groups = population.groups();
        let suffers = groups.iter().map(|group| {
            let hardship = group.hardship.clone();
            Rc::new(Suffers { link: hardship.link.parameters().into_owned(), hardship })
        });
        let suffering = RefCell::new(Suffering { groups: suffers.collect(), changes: 0 });
        let disorderly = groups.iter().any(|group| !group.delivery.is_perfect());
        let follows = |pick: fn(&hardship::SpeedCorrelation) -> f64| {
            groups.iter().any(|group| pick(&group.hardship.device.correlation) != 0.0)
        };
        let volume = follows(|with| with.data_volume).then_some(&sizes[..]);
        let label = follows(|with| with.label_group).then_some(labels);
        let ranks = Ranks::new(&seeds, volume, label);
        let interventions = None;
        let (devices, links) = (Lately::default(), Lately::default());
        Self {
            population,
            suffering,
            interventions,
            disorderly,
            seeds,
            sizes,
            ranks,
            cost,
            devices,
            links,
        }
    }

    /// The same world, in which `interventions` happen.
    pub fn with_interventions(mut self, interventions: Option<SharedInterventions>) -> Self {
        self.interventions = interventions;
        self
    }

    /// What the group of `client` suffers.
    fn suffers(&self, client: ClientId) -> Rc<Suffers> {
        if let Some(interventions) = &self.interventions {
            let interventions = interventions.borrow();
            let changes = interventions.changes();
            let mut suffering = self.suffering.borrow_mut();
            while suffering.changes < changes.len() {
                let (range, change) = &changes[suffering.changes];
                self.apply(range, change, &mut suffering.groups);
                suffering.changes += 1;
                self.devices.forget();
                self.links.forget();
            }
        }
        self.suffering.borrow().groups[self.population.group_of(client)].clone()
    }

    /// Gives the groups in `range` what changes.
    fn apply(
        &self,
        range: &std::ops::Range<u32>,
        change: &hardship::Change,
        groups: &mut [Rc<Suffers>],
    ) {
        let mut first = 0;
        for (index, group) in self.population.groups().iter().enumerate() {
            let inside = range.start <= first && group.end <= range.end;
            first = group.end;
            if inside {
                let suffers = Rc::make_mut(&mut groups[index]);
                let hardship = &mut suffers.hardship;
                hardship.device = change.device.clone().unwrap_or_else(|| hardship.device.clone());
                hardship.link = change.link.clone().unwrap_or_else(|| hardship.link.clone());
                if let Some(availability) = &change.availability {
                    hardship.availability = availability.clone();
                }
                hardship.completeness = change.completeness.unwrap_or(hardship.completeness);
                suffers.link = hardship.link.parameters().into_owned();
            }
        }
    }

    /// By how much the work, or the messages, of `client` are stretched now.
    fn factor(&self, pick: impl Fn(&hardship::Interventions) -> f64) -> f64 {
        self.interventions.as_ref().map_or(1.0, |state| pick(&state.borrow()))
    }

    fn stretched(span: Span, factor: f64) -> Span {
        if factor == 1.0 { span } else { Span::of_work(span.seconds() * factor) }
    }

    fn device(&self, client: ClientId) -> Device {
        let suffers = self.suffers(client);
        let draw = || suffers.hardship.device.draw(&self.seeds, client, self.ranks.of(client));
        self.devices.of(client, draw)
    }

    fn link(&self, client: ClientId) -> Link {
        let suffers = self.suffers(client);
        self.links.of(client, || suffers.link.draw(&self.seeds, client))
    }

    fn task_stream(&self, task: TaskId, counter: u64) -> Stream {
        self.seeds.stream(Purpose::Task, task.0, counter)
    }

    fn message_stream(&self, task: TaskId, way: Direction, counter: u64) -> Stream {
        self.seeds.stream(Purpose::Message, task.0, counter + u64::from(way == Direction::Up))
    }

    /// Whether the client cannot be reached for what was done to it.
    fn is_barred(&self, client: ClientId) -> bool {
        let state = self.interventions.as_ref();
        state.is_some_and(|state| state.borrow().barrier(client).is_some())
    }

    /// How `work` that starts at `start` fares with the client's absences.
    fn attend(&self, client: ClientId, start: Time, work: Span, rule: Interruption) -> Outcome {
        let suffers = self.suffers(client);
        let mut presence = suffers.hardship.availability.of(&self.seeds, client);
        match rule.apply(&mut presence, start, work) {
            hardship::Outcome::Finished(at) => Outcome::Complete { at },
            hardship::Outcome::Lost(at) => Outcome::Lost { at, reason: LossReason::WentOffline },
            hardship::Outcome::Partial { at, fraction } => Outcome::Partial { at, share: fraction },
        }
    }
}

impl Conditions for World {
    fn accepts(&self, client: ClientId, _: TaskId, _: Time) -> Result<(), LossReason> {
        let fits = self.device(client).holds(COPIES.saturating_mul(self.cost.model_bytes));
        if fits { Ok(()) } else { Err(LossReason::Declined) }
    }

    fn completeness(&self, client: ClientId, task: TaskId) -> f64 {
        let fate =
            self.suffers(client).hardship.completeness.draw(&mut self.task_stream(task, FATE));
        fate.share.max(f64::MIN_POSITIVE)
    }

    fn compute(&self, client: ClientId, task: TaskId, start: Time, samples: usize) -> Outcome {
        let work = self.effort(client, task, samples);
        let rule = self.suffers(client).hardship.interruption;
        let fate =
            self.suffers(client).hardship.completeness.draw(&mut self.task_stream(task, FATE));
        let Some(part) = fate.drops_at else { return self.attend(client, start, work, rule) };
        // The client works until it drops out, unless it goes offline before.
        let until = Span::of_work(work.seconds() * part).min(work);
        match self.attend(client, start, until, rule) {
            Outcome::Complete { at } => Outcome::Lost { at, reason: LossReason::DroppedOut },
            other => other,
        }
    }

    fn transfer(&self, client: ClientId, task: TaskId, way: Direction, bytes: u64) -> Span {
        let mut stream = self.message_stream(task, way, WHOLE);
        let link = self.link(client);
        let span = self.suffers(client).link.transfer(&link, bytes, along(way), &mut stream);
        Self::stretched(span, self.factor(|state| state.link_factor(client)))
    }

    fn carry(&self, client: ClientId, _: TaskId, start: Time, span: Span) -> Outcome {
        // Half a message is worth nothing. What was done in part is sent when the client is back.
        let rule = match self.suffers(client).hardship.interruption {
            Interruption::Lost => Interruption::Lost,
            Interruption::Paused | Interruption::Partial => Interruption::Paused,
        };
        self.attend(client, start, span, rule)
    }

    fn delay(&self, client: ClientId, task: TaskId, way: Direction) -> Span {
        let mut stream = self.message_stream(task, way, DELAY);
        let span = self.suffers(client).link.delay(&self.link(client), &mut stream);
        Self::stretched(span, self.factor(|state| state.link_factor(client)))
    }

    fn rate(&self, client: ClientId, task: TaskId, way: Direction) -> u64 {
        let mut stream = self.message_stream(task, way, RATE);
        let rate = self.suffers(client).link.rate(&self.link(client), along(way), &mut stream);
        let factor = self.factor(|state| state.link_factor(client));
        if factor == 1.0 { rate } else { ((rate as f64 / factor) as u64).max(1) }
    }

    fn mishap(&self, client: ClientId, task: TaskId, way: Direction, kind: u64) -> Mishap {
        if !self.disorderly {
            return Mishap::default();
        }
        let group = &self.population.groups()[self.population.group_of(client)];
        group.delivery.draw(&mut self.message_stream(task, way, MISHAP + 2 * kind))
    }

    fn disorderly(&self) -> bool {
        self.disorderly
    }

    /// Each parameter of each update takes a multiplication and an addition.
    fn merging(&self, edge: ClientId, task: TaskId, updates: usize, params: usize) -> Span {
        let mut jitter = self.task_stream(task, JITTER);
        let device = self.device(edge);
        let flops = 2.0 * params as f64;
        let suffers = self.suffers(edge);
        let work = suffers.hardship.device.compute(&device, updates as u64, flops, &mut jitter);
        Self::stretched(work, self.factor(|state| state.work_factor(edge)))
    }

    fn toil(&self, client: ClientId, seconds: f64) -> Span {
        let slowed = self.factor(|state| state.work_factor(client));
        Span::from_seconds(seconds / self.device(client).speed * slowed)
    }

    fn battery(&self, client: ClientId, last: Option<Battery>, now: Time) -> Option<Battery> {
        let suffers = self.suffers(client);
        let energy = suffers.hardship.energy.as_ref()?;
        let mut battery = last.unwrap_or_else(|| energy.battery(&self.seeds, client));
        energy.advance(&mut battery, &self.seeds, client, now);
        Some(battery)
    }

    fn powered(&self, client: ClientId, battery: &Battery) -> bool {
        self.suffers(client).hardship.energy.as_ref().is_none_or(|energy| energy.accepts(battery))
    }

    fn effort(&self, client: ClientId, task: TaskId, samples: usize) -> Span {
        let device = self.device(client);
        let mut jitter = self.task_stream(task, JITTER);
        let flops = self.cost.flops_per_sample;
        let work = self.suffers(client).hardship.device.compute(
            &device,
            samples as u64,
            flops,
            &mut jitter,
        );
        Self::stretched(work, self.factor(|state| state.work_factor(client)))
    }

    fn joules(&self, client: ClientId, samples: usize, bytes: u64) -> f64 {
        let suffers = self.suffers(client);
        let energy = suffers.hardship.energy.as_ref();
        let flops = self.cost.flops_per_sample;
        energy.map_or(0.0, |energy| energy.cost(samples as u64, flops, bytes))
    }
}

impl Roster for World {
    fn count(&self) -> u32 {
        self.population.clients()
    }

    fn present(&self, client: ClientId, now: Time) -> bool {
        if self.is_barred(client) {
            return false;
        }
        self.suffers(client).hardship.availability.of(&self.seeds, client).present(now)
    }

    fn may_bring_back(&self) -> bool {
        self.interventions.as_ref().is_some_and(|state| state.borrow().more_to_come)
    }

    fn next_change(&self, client: ClientId, now: Time) -> Time {
        if self.is_barred(client) {
            // Nobody can tell; the strategy hears of it.
            return Time::NEVER;
        }
        self.suffers(client).hardship.availability.of(&self.seeds, client).next_change(now)
    }

    fn samples(&self, client: ClientId) -> u64 {
        Samples::count(self, client) as u64
    }

    fn expected_seconds(&self, client: ClientId) -> f64 {
        let held = Samples::count(self, client);
        let seen = self.cost.plan.samples_seen(held, self.cost.plan.steps(held)) as u64;
        let work = self.suffers(client).hardship.device.expected(
            &self.device(client),
            seen,
            self.cost.flops_per_sample,
        );
        let link = self.link(client);
        let sent =
            |way| self.suffers(client).link.expected(&link, self.cost.shared_bytes, way).seconds();
        sent(hardship::Direction::Down) + work.seconds() + sent(hardship::Direction::Up)
    }
}

impl Samples for World {
    fn count(&self, client: ClientId) -> usize {
        if client.0 >= self.population.clients() {
            return 0; // An edge server.
        }
        self.sizes[client.index() % self.sizes.len()] as usize
    }
}

fn along(way: Direction) -> hardship::Direction {
    match way {
        Direction::Down => hardship::Direction::Down,
        Direction::Up => hardship::Direction::Up,
    }
}
