//! From a prepared scenario to a federation that can run.

mod people;

use crate::device::DeviceKind;
use crate::diagnose::Problem;
use crate::held::Held;
use crate::load::Loaded;
use crate::prepare::Prepared;
use crate::ranks::dominant_labels;
use crate::run::Options;
use crate::schedule;
use crate::spec::{Buffers, EvaluateOn, Metric, ScenarioFile, Travel};
use crate::world::{Cost, World};
use offbeat_actors::rules::RetrievalRules;
use offbeat_actors::work::Workbench;
use offbeat_actors::{EvaluationRules, Federation, StopRules, Target};
use offbeat_kernel::{PoolConfig, Span, Time};
use offbeat_learning::Part;
use offbeat_strategies::composed::Seams;
use offbeat_strategies::registry::{CompanionPart, Registry, SelectPart};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Most bytes of results that the pool computes ahead of their time.
const BUDGET_BYTES: u64 = 1 << 30;

/// How a federation is run: what the options say, and whether to keep a trace.
#[derive(Clone, Debug)]
pub struct Settings {
    workers: usize,
    device: DeviceKind,
    timing_only: bool,
    interrupt: Arc<AtomicBool>,
    registry: Registry,
    trace: bool,
}

impl Settings {
    /// The settings for a run with `options`; `trace` keeps the words of every event.
    pub fn of(options: &Options, trace: bool) -> Self {
        Self {
            workers: options.workers,
            device: options.device,
            timing_only: options.timing_only,
            interrupt: options.interrupt.clone(),
            registry: options.registry.clone(),
            trace,
        }
    }
}

/// Puts the federation of a scenario together.
///
/// # Errors
/// When a file that the strategy needs cannot be read.
pub fn assemble(
    loaded: &Loaded,
    prepared: &Prepared,
    settings: &Settings,
) -> Result<Federation, Problem> {
    let sections = loaded.scenario.sections();
    let plan = Arc::new(sections.training.plan());
    let layout = prepared.network.layout();
    let shared = match (sections.strategy.travel, sections.strategy.buffers) {
        (Travel::All, _) => layout.len(),
        (Travel::Backbone, Buffers::KeepLocal) => layout.range(Part::Backbone).end,
        (Travel::Backbone, _) => layout.body().end,
    };
    let cost = Cost {
        flops_per_sample: prepared.network.flops_per_sample() as f64,
        model_bytes: 4 * layout.len() as u64,
        shared_bytes: 4 * shared as u64,
        plan: plan.clone(),
    };
    let sizes = prepared.sizes();
    let labels = dominant_labels(&prepared.report.counts, prepared.report.classes);
    let population = prepared.population.clone();
    let world = Rc::new(World::new(population, prepared.seeds, sizes, &labels, cost));
    let asked = sections.training.trainer;
    let trainer = settings.device.open(asked, &prepared.network, &loaded.document)?;
    let registry =
        people::registry(sections, prepared, &settings.registry, &trainer, settings.workers);
    let workbench = Workbench {
        reid: people::bench(sections, prepared, &trainer, &loaded.document)?,
        trainer,
        shards: Arc::new(Held::new(prepared)),
        test: prepared.test.clone(),
        plan,
        seeds: prepared.seeds,
        controls: sections.strategy.companion == CompanionPart::Scaffold,
        timing_only: settings.timing_only,
    };
    Ok(Federation {
        workbench,
        pool: PoolConfig { workers: settings.workers, budget_bytes: BUDGET_BYTES },
        seams: seams(loaded, &registry)?,
        initial: prepared.initial.slice(0..shared),
        conditions: world.clone(),
        roster: world.clone(),
        samples: world,
        test_clients: prepared.test_clients(),
        server_link: sections.server.link(),
        evaluation: evaluation_rules(sections),
        stop: stop_rules(sections),
        interrupt: settings.interrupt.clone(),
        trace: settings.trace,
    })
}

fn seams(loaded: &Loaded, registry: &Registry) -> Result<Seams, Problem> {
    let sections = loaded.scenario.sections();
    let mut parts = sections.strategy.parts();
    if let (SelectPart::Schedule(schedule), Some(file)) =
        (&mut parts.select, &sections.strategy.schedule_file)
    {
        let path = "strategy.schedule_file";
        schedule.rounds = schedule::read(file, sections.population.clients).map_err(|problem| {
            problem.at(loaded.document.place(path), "asked for here").about(path)
        })?;
    }
    parts.build(registry).map_err(|reason| {
        let place = loaded.document.place("strategy");
        Problem::new("value", reason).at(place, "in this strategy").about("strategy")
    })
}

fn evaluation_rules(sections: &ScenarioFile) -> EvaluationRules {
    let evaluation = &sections.evaluation;
    EvaluationRules {
        every_versions: evaluation.every_versions.unwrap_or(0),
        every: evaluation.every_virtual_minutes.map(|minutes| Span::from_seconds(minutes * 60.0)),
        test: evaluation.on.contains(&EvaluateOn::Test),
        clients: evaluation.on.contains(&EvaluateOn::Clients),
        retrieval: RetrievalRules {
            global: evaluation.on.contains(&EvaluateOn::Retrieval),
            local: evaluation.on.contains(&EvaluateOn::RetrievalLocal),
        },
    }
}

fn stop_rules(sections: &ScenarioFile) -> StopRules {
    let run = &sections.run;
    StopRules {
        versions: run.last_version(),
        updates: run.updates,
        time: run.virtual_hours.map(|hours| Time::ZERO + Span::from_seconds(hours * 3600.0)),
        target: run.target.map(|target| match target.metric {
            Metric::Accuracy => Target::Accuracy(target.value),
            Metric::Loss => Target::Loss(target.value),
            Metric::Rank1 => Target::Rank1(target.value),
            Metric::Map => Target::Map(target.value),
        }),
        patience: run.patience,
    }
}
