//! The evaluator: has versions evaluated by the pool while the run goes on.
//!
//! Figures are read a fixed number of evaluations later, whatever the workers' speed: so that
//! evaluation overlaps with what follows and the order of events does not depend on timing.

use crate::caught::{caught, saved};
use crate::client::{Homes, settle};
use crate::director::SharedInterventions;
use crate::effect::{Deliver, Effect};
use crate::message::{Address, Message};
use crate::promise::Book;
use crate::record::Record;
use crate::retrieval::{Open, Trials, means};
use crate::rules::EvaluationRules;
use crate::snapshot::Save;
use crate::teachers::TeachersJob;
use crate::topology::Topology;
use crate::work::{EvaluateJob, Private};
use actix::{Actor, Context, Handler, MessageResult};
use offbeat_kernel::{ClientId, JobId, Time, Version};
use offbeat_learning::Flat;
use offbeat_learning::evaluate::Evaluation;
use offbeat_strategies::signal::Clusters;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Rows that one evaluation job looks at.
const CHUNK: usize = 1024;

/// Has versions evaluated.
#[derive(Debug)]
pub struct Evaluator {
    rules: EvaluationRules,
    /// How many evaluations may be under way before the oldest is read.
    lag: usize,
    /// Whether the server wants to hear the figures.
    tell_server: bool,
    /// Rows of the common test set, and of the samples that an attack aims at.
    rows: [usize; 2],
    /// Clients that keep test samples, with their number.
    clients: Vec<(ClientId, usize)>,
    trials: Trials,
    topology: Topology,
    homes: Homes,
    book: Book,
    interventions: Option<SharedInterventions>,
    pending: VecDeque<Pending>,
    /// The version whose evaluation was started last.
    latest: Option<(Version, Flat)>,
    /// How many teachers were tried last.
    teachers: usize,
}

/// What the evaluator knows between two events; the book holds the specifications of its jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    pending: VecDeque<Pending>,
    latest: Option<(Version, Flat)>,
    teachers: usize,
}

/// The figures of the test samples, and rank-1 and mean average precision.
type Figures = (Option<Evaluation>, Option<(f64, f64)>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    version: Version,
    at: Time,
    test: Vec<JobId>,
    aim: Vec<JobId>,
    clients: Vec<(ClientId, Vec<JobId>)>,
    trials: Vec<Open>,
    teachers: Option<JobId>,
}

/// The run is over: has the last version evaluated, if it was not yet, and reads all evaluations that
/// are still under way. The answer holds their records, and why any are missing.
#[derive(Debug, actix::Message)]
#[rtype(result = "Vec<Effect>")]
pub struct Drain {
    /// The present time.
    pub now: Time,
    /// The last version.
    pub version: Version,
    /// Its shared parameters; `None` when the run was interrupted and nothing new is to be started.
    pub model: Option<Flat>,
    /// The groups' models, where there are several.
    pub clusters: Option<Box<Clusters>>,
}

impl Evaluator {
    /// An evaluator. `clients` lists the clients that keep test samples, with their number.
    pub(crate) fn new(
        rules: EvaluationRules,
        tell_server: bool,
        rows: [usize; 2],
        (clients, trials): (Vec<(ClientId, usize)>, Trials),
        homes: Homes,
        book: Book,
    ) -> Self {
        let lag = if tell_server { 1 } else { 2 };
        let (pending, latest) = (VecDeque::new(), None);
        let interventions = None;
        let topology = Topology::Star;
        Self {
            rules,
            lag,
            tell_server,
            rows,
            clients,
            trials,
            topology,
            homes,
            book,
            interventions,
            pending,
            latest,
            teachers: 0,
        }
    }

    /// An evaluator in a world where labels may turn.
    pub fn in_changing_world(mut self, interventions: Option<SharedInterventions>) -> Self {
        self.interventions = interventions;
        self
    }

    /// The evaluator of a federation that is connected in such a way.
    pub fn seeing(mut self, topology: Topology) -> Self {
        self.topology = topology;
        self
    }

    /// What it knows now.
    pub fn state(&self) -> State {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self {
            rules: _,
            lag: _,
            tell_server: _,
            rows: _,
            clients: _,
            trials: _,
            topology: _,
            homes: _,
            book: _,
            interventions: _,
            pending,
            latest,
            teachers,
        } = self;
        State { pending: pending.clone(), latest: latest.clone(), teachers: *teachers }
    }

    /// Puts back what [`Evaluator::state`] gave.
    pub fn restore(&mut self, state: State) {
        let State { pending, latest, teachers } = state;
        (self.pending, self.latest, self.teachers) = (pending, latest, teachers);
    }

    fn start(
        &mut self,
        version: Version,
        (model, clusters): (&Flat, Option<&Clusters>),
        now: Time,
    ) {
        self.latest = Some((version, model.clone()));
        let [test, aim] = match self.rules.test {
            true => [0, 1].map(|set| self.submit(model, None, set == 1, self.rows[set], now)),
            false => Default::default(),
        };
        let clients = if self.rules.clients { self.clients.clone() } else { Vec::new() };
        let clients = clients
            .into_iter()
            .map(|(client, rows)| {
                let private = settle(&self.homes, &self.book, client);
                (client, self.submit(model, Some((client, private)), false, rows, now))
            })
            .collect();
        let clusters = clusters.map(|clusters| self.topology.down_to_clients(clusters));
        let clusters = clusters.as_ref();
        let (rules, keepers) = (self.rules.retrieval, (&self.homes, &self.book));
        let trials = self.trials.start(rules, (model, clusters), keepers, now);
        let teachers = self.try_teachers(now);
        self.pending.push_back(Pending { version, at: now, test, aim, clients, trials, teachers });
    }

    /// Has the teachers tried that stay with their clients, if there are more than the last time: they never change.
    fn try_teachers(&mut self, now: Time) -> Option<JobId> {
        let asked: Vec<ClientId> = match self.rules.teachers {
            true => self.homes.borrow().keys().copied().collect(),
            false => Vec::new(),
        };
        let kept = |client| Some((client, settle(&self.homes, &self.book, client).kept?));
        let teachers: Vec<(ClientId, Flat)> = asked.into_iter().filter_map(kept).collect();
        if teachers.len() <= self.teachers {
            return None;
        }
        self.teachers = teachers.len();
        let label_turn = self.interventions.as_ref().map_or(0, |s| s.borrow().label_turn(None));
        Some(self.book.compare(now, TeachersJob { teachers, label_turn, at: now }))
    }

    fn submit(
        &self,
        model: &Flat,
        client: Option<(ClientId, Private)>,
        aim: bool,
        rows: usize,
        now: Time,
    ) -> Vec<JobId> {
        let id = client.as_ref().map(|(client, _)| *client);
        let label_turn =
            self.interventions.as_ref().map_or(0, |state| state.borrow().label_turn(id));
        (0..rows)
            .step_by(CHUNK)
            .map(|from| {
                let rows = from..(from + CHUNK).min(rows);
                let (shared, client) = (model.clone(), client.clone());
                let job = EvaluateJob { shared, client, aim, rows, label_turn, at: now };
                self.book.evaluate(now, job)
            })
            .collect()
    }

    /// Waits for an evaluation and says what it found.
    fn read(&self, pending: Pending) -> Result<(Vec<Record>, Figures), String> {
        let Pending { version, at, test, aim, clients, trials, teachers } = pending;
        let mut records = Vec::new();
        let test = self.gather(test)?;
        if let Some(test) = &test {
            records.push(Record::Evaluation { at, version, test: test.clone() });
        }
        if let Some(success) = self.gather(aim)? {
            records.push(Record::Attack { at, version, success });
        }
        let mut of_clients = Vec::with_capacity(clients.len());
        for (client, jobs) in clients {
            if let Some(evaluation) = self.gather(jobs)? {
                of_clients.push((client, evaluation));
            }
        }
        let all = (!of_clients.is_empty())
            .then(|| Evaluation::merge(of_clients.iter().map(|(_, evaluation)| evaluation)));
        if !of_clients.is_empty() {
            records.push(Record::Clients { at, version, clients: of_clients });
        }
        if let Some(job) = teachers {
            let figures = self.book.take_teachers(job)?;
            records.push(Record::Teachers { at, version, figures });
        }
        let mut found = None;
        if let Some(record) = self.trials.read(trials, &self.book, (at, version))? {
            if let Record::Retrieval { tried, .. } = &record {
                found = means(tried);
            }
            records.push(record);
        }
        Ok((records, (test.or(all), found)))
    }

    fn gather(&self, jobs: Vec<JobId>) -> Result<Option<Evaluation>, String> {
        let parts: Result<Vec<Evaluation>, String> =
            jobs.into_iter().map(|job| self.book.take_evaluation(job)).collect();
        let parts = parts?;
        Ok((!parts.is_empty()).then(|| Evaluation::merge(&parts)))
    }

    fn read_oldest(&mut self, now: Time) -> Vec<Effect> {
        let Some(oldest) = self.pending.pop_front() else { return Vec::new() };
        let (version, at) = (oldest.version, oldest.at);
        match self.read(oldest) {
            Ok((records, (test, found))) => {
                let mut effects: Vec<Effect> = records.into_iter().map(Effect::Record).collect();
                if self.tell_server {
                    let test = test.map(Box::new);
                    let message = Message::Evaluated { version, at, test, found };
                    effects.push(Effect::now(now, Address::Server, message));
                }
                effects
            }
            Err(reason) => {
                vec![Effect::Fail(format!("the evaluation of {version} failed: {reason}"))]
            }
        }
    }
}

impl Actor for Evaluator {
    type Context = Context<Self>;
}

impl Handler<Save<State>> for Evaluator {
    type Result = MessageResult<Save<State>>;

    fn handle(&mut self, _: Save<State>, _: &mut Context<Self>) -> Self::Result {
        MessageResult(saved("the evaluator", || Ok(self.state())))
    }
}

impl Handler<Deliver> for Evaluator {
    type Result = MessageResult<Deliver>;

    fn handle(&mut self, deliver: Deliver, _: &mut Context<Self>) -> Self::Result {
        let Message::Evaluate { version, model, clusters } = deliver.message else {
            return MessageResult(Vec::new());
        };
        MessageResult(caught("the evaluator", || {
            self.start(version, (&model, clusters.as_deref()), deliver.now);
            match self.pending.len() > self.lag {
                true => self.read_oldest(deliver.now),
                false => Vec::new(),
            }
        }))
    }
}

impl Handler<Drain> for Evaluator {
    type Result = MessageResult<Drain>;

    fn handle(&mut self, drain: Drain, _: &mut Context<Self>) -> Self::Result {
        // After a crash of the server another model can have the number of one that was evaluated.
        let is_new = |model: &Flat| {
            self.latest.as_ref().is_none_or(|(at, last)| (*at, last) != (drain.version, model))
        };
        let mut effects = Vec::new();
        if let Some(model) = drain.model.filter(is_new) {
            effects = caught("the evaluator", || {
                self.start(drain.version, (&model, drain.clusters.as_deref()), drain.now);
                Vec::new()
            });
        }
        // One that panics or failed takes nothing from the others.
        for pending in std::mem::take(&mut self.pending) {
            effects.extend(caught("the evaluator", || match self.read(pending) {
                Ok((records, _)) => records.into_iter().map(Effect::Record).collect(),
                Err(reason) => vec![Effect::Fail(reason)],
            }));
        }
        MessageResult(effects)
    }
}
