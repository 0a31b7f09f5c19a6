//! The figures of what will happen.

use crate::assemble::{Settings, assemble};
use crate::device::{devices, problem, trainer};
use crate::diagnose::Problem;
use crate::held::Held;
use crate::load::Loaded;
use crate::prepare::{Prepared, prepare};
use crate::report::stats::quantile;
use crate::run::Options;
use offbeat_actors::work::Shards;
use offbeat_actors::{Memory, Record};
use offbeat_kernel::{ClientId, Purpose};
use offbeat_learning::{LearnError, TrainRequest};
use offbeat_strategies::privacy::Spent;
use offbeat_strategies::registry::PacePart;
use offbeat_strategies::signal::Duty;
use serde::Serialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Updates after which the play ends when the scenario does not end before.
const ENOUGH: u64 = 5_000;

/// How long the trainer is watched at least, unless a client takes longer.
const WATCH: Duration = Duration::from_millis(200);

/// What a scenario will do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// Training samples of all clients.
    pub samples: u64,
    /// Parameters of the network.
    pub parameters: u64,
    /// Parameters that travel.
    pub travelling: u64,
    /// Whether the play reached the end of the run, so that totals are exact.
    pub whole: bool,
    /// Why the play ended.
    pub ended: String,
    /// Versions published in the play.
    pub versions: u64,
    /// Updates that arrived in it.
    pub updates: u64,
    /// Tasks that were lost in it.
    pub lost: u64,
    /// Its virtual time.
    pub virtual_seconds: f64,
    /// Mean virtual time between two versions: the mean round of a synchronous strategy.
    pub round_seconds_mean: f64,
    /// Percentiles 10, 50, 90 and 99 of that time.
    pub round_seconds: [f64; 4],
    /// Bytes that clients sent.
    pub bytes_up: u64,
    /// Bytes that the server sent.
    pub bytes_down: u64,
    /// Bytes that clients sent to edge servers, and edge servers to them; none in a star. The figures above
    /// are then those between the server and its edge servers.
    pub below: Option<[u64; 2]>,
    /// What the play would have revealed of the client of which most is known, where something protects
    /// the clients.
    pub privacy: Option<Spent>,
    /// What it costs this machine.
    pub machine: Machine,
}

/// What a run costs this machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Machine {
    /// Worker threads.
    pub workers: usize,
    /// Bytes of data, models and results, roughly.
    pub memory_bytes: u64,
    /// Seconds of one client's training, measured here.
    pub task_seconds: f64,
    /// Real seconds of the part that was played, with all its training.
    pub wall_seconds: f64,
}

/// Plays `loaded` through without training, and times the trainer.
///
/// # Errors
/// What is wrong with its data, partition or network; or with the run, in words.
pub fn forecast(loaded: &Loaded, options: &Options) -> Result<Forecast, Problem> {
    let prepared = prepare(&loaded.scenario, &loaded.document)?;
    let options = Options { timing_only: true, ..options.clone() };
    let mut federation = assemble(loaded, &prepared, &Settings::of(&options, false))?;
    let own = federation.stop.updates;
    federation.stop.updates = Some(own.map_or(ENOUGH, |own| own.min(ENOUGH)));
    // Nothing is learned, so nothing that is measured may end the play.
    federation.stop.target = None;
    federation.stop.patience = None;
    let cut = own.is_none_or(|own| own > ENOUGH);
    let travelling = federation.initial.len() as u64;
    let memory = Memory::default();
    let result = federation.run(Box::new(memory.clone())).map_err(|error| {
        Problem::new("value", format!("the federation comes to nothing: {error}"))
            .help("look at availability, drop-out and deadlines: no update ever arrives")
    })?;
    let rounds = rounds(&memory.records.borrow());
    let counts = &result.counts;
    let below = &counts.below;
    let trained = match &loaded.scenario.sections().strategy.pace {
        // Each teacher is trained once; what the rounds cost is not known.
        PacePart::FedIod(pace) => pace.clients as u64,
        _ if below.messages > 0 => below.updates,
        _ => counts.merged,
    };
    let whole = !(cut && counts.updates >= ENOUGH);
    let task_seconds = task_seconds(loaded, &prepared, &options)?;
    let play = result.wall_seconds;
    let workers = result.workers;
    let machine = Machine {
        workers,
        memory_bytes: memory_bytes(&prepared, travelling, counts.updates, workers)
            + teachers_bytes(loaded, &prepared),
        task_seconds,
        wall_seconds: play + task_seconds * trained as f64 / workers as f64,
    };
    Ok(Forecast {
        samples: prepared.samples(),
        parameters: prepared.network.layout().len() as u64,
        travelling,
        whole,
        ended: result.ended.clone(),
        versions: counts.versions,
        updates: counts.updates,
        lost: counts.lost.values().sum(),
        virtual_seconds: result.now.seconds(),
        round_seconds_mean: rounds.iter().sum::<f64>() / rounds.len().max(1) as f64,
        round_seconds: [0.1, 0.5, 0.9, 0.99].map(|share| quantile(&rounds, share).unwrap_or(0.0)),
        bytes_up: counts.bytes_up,
        bytes_down: counts.bytes_down,
        privacy: counts.privacy,
        below: (below.messages > 0).then_some([below.bytes_up, below.bytes_down]),
        machine,
    })
}

/// The virtual seconds between one version and the next, sorted.
fn rounds(records: &[Record]) -> Vec<f64> {
    let mut before = 0.0;
    let mut rounds = Vec::new();
    for record in records {
        if let Record::Aggregation { at, .. } = record {
            rounds.push(at.seconds() - before);
            before = at.seconds();
        }
    }
    rounds.sort_by(f64::total_cmp);
    rounds
}

/// Mean real seconds of one client's training on this machine.
fn task_seconds(loaded: &Loaded, prepared: &Prepared, options: &Options) -> Result<f64, Problem> {
    let training = &loaded.scenario.sections().training;
    let list = devices(options.device.as_ref(), &loaded.scenario.sections().run);
    let trainer = trainer(list.first(), training.trainer, &prepared.network).map_err(problem)?;
    let plan = Arc::new(training.plan());
    let start = Instant::now();
    let mut trained = 0;
    let held = Held::new(prepared);
    for (client, _) in prepared.sizes().iter().enumerate().filter(|(_, size)| **size > 0) {
        let id = ClientId(client as u32);
        let own = held.classes(id).map(|width| trainer.with_classes(width)).transpose();
        let refused = |error: LearnError| {
            let place = loaded.document.place("network.model");
            Problem::new("value", error.to_string()).at(place, "cannot have another head")
        };
        let trainer = own.map_err(refused)?.unwrap_or_else(|| trainer.clone());
        let mut drawn = prepared.seeds.stream(Purpose::PrivateInit, u64::MAX, client as u64);
        let first = trainer.network().init(&mut drawn);
        let request = TrainRequest {
            received: first.len(),
            start: first,
            shard: held.train(id),
            plan: plan.clone(),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: prepared.seeds.stream(Purpose::Training, u64::MAX, client as u64),
        };
        let answer = trainer.train(request);
        answer.map_err(|error| {
            let place = loaded.document.place("training");
            Problem::new("value", error.to_string()).at(place, "with this training")
        })?;
        trained += 1;
        if start.elapsed() > WATCH {
            break;
        }
    }
    Ok(start.elapsed().as_secs_f64() / f64::from(trained.max(1)))
}

/// What clients hold who are asked questions: a teacher and a discriminator each.
fn teachers_bytes(loaded: &Loaded, prepared: &Prepared) -> u64 {
    let PacePart::FedIod(pace) = &loaded.scenario.sections().strategy.pace else { return 0 };
    let duties = pace.duties(&prepared.network);
    let each = duties.map_or(0, |duties| duties.held(Duty::Answer));
    4 * each as u64 * (pace.clients as u64).min(u64::from(prepared.population.clients()))
}

/// The data once, the models of the server and the workers, and what the records of a run take.
fn memory_bytes(prepared: &Prepared, travelling: u64, updates: u64, workers: usize) -> u64 {
    let data = prepared.data_bytes();
    let model = 4 * prepared.network.layout().len() as u64;
    let copies = 3 + 4 * workers as u64;
    data + copies * model + 4 * travelling + 64 * updates
}
