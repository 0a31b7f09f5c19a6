//! From a prepared scenario to a federation that can run.

mod ever;
mod people;

use ever::Ever;

use crate::device::{self, DeviceList, devices};
use crate::diagnose::Problem;
use crate::document::Document;
use crate::happenings::Scene;
use crate::held::Held;
use crate::load::Loaded;
use crate::memory;
use crate::prepare::Prepared;
use crate::ranks::dominant_labels;
use crate::run::Options;
use crate::schedule;
use crate::script::{self, Fixed, ScriptShared};
use crate::spec::{
    Buffers, EvaluateOn, Metric, ScenarioFile, ScriptSection, StrategySection, TapSection, Travel,
};
use crate::topology::topology;
use crate::validate::Surroundings;
use crate::world::{Cost, World};
use offbeat_actors::adversary::{Adversaries, Band};
use offbeat_actors::rules::RetrievalRules;
use offbeat_actors::work::{Devices, Workbench};
use offbeat_actors::{DirectorSetup, EvaluationRules, Federation, StopRules, Target};
use offbeat_kernel::hardship::Interventions;
use offbeat_kernel::{ClientId, PoolConfig, Purpose, Span, Time, Version};
use offbeat_learning::device::HomeDevice;
use offbeat_learning::{Part, Trainer};
use offbeat_strategies::Roster;
use offbeat_strategies::composed::Seams;
use offbeat_strategies::fediod::Duties;
use offbeat_strategies::guard::Guard;
use offbeat_strategies::registry::{CompanionPart, PacePart, Parts, Registry, SelectPart, guards};
use rand::seq::SliceRandom;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

/// How a federation is run: what the options say, and whether to keep a trace.
#[derive(Clone, Debug)]
pub struct Settings {
    workers: usize,
    budget_bytes: u64,
    device: Option<DeviceList>,
    timing_only: bool,
    interrupt: Arc<AtomicBool>,
    registry: Registry,
    /// The parts that a run began with, where it goes on with others.
    begun_with: Option<StrategySection>,
    trace: bool,
}

impl Settings {
    /// The settings for a run with `options`; `trace` keeps the words of every event.
    pub fn of(options: &Options, trace: bool) -> Self {
        Self {
            workers: options.workers,
            budget_bytes: options.memory_bytes.unwrap_or_else(memory::half),
            device: options.device.clone(),
            timing_only: options.timing_only,
            interrupt: options.interrupt.clone(),
            registry: options.registry.clone(),
            begun_with: None,
            trace,
        }
    }

    /// The same for a run that began with the parts of `strategy`, and goes on with others.
    pub(crate) fn begun_with(self, strategy: StrategySection) -> Self {
        Self { begun_with: Some(strategy), ..self }
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
    let topology = topology(sections, prepared, &loaded.document)?;
    let mut population = prepared.population.clone();
    if let Some(tree) = sections.topology.tree() {
        population = population.with_edges(tree.edges, tree.hardship());
    }
    let asked = sections.training.trainer;
    let list = devices(settings.device.as_ref(), &sections.run);
    let mut trainers = device::open(&list, asked, &prepared.network, &loaded.document)?.into_iter();
    // A list has at least one device.
    let Some(trainer) = trainers.next() else { return Err(Problem::new("device", "no device")) };
    let ever = Ever::of(sections, settings.begun_with.as_ref());
    let mut registry = people::registry(
        sections,
        prepared,
        (&settings.registry, &ever),
        &trainer,
        (settings.workers, settings.timing_only),
    );
    let voices = Arc::new(OnceLock::new());
    if let Some(section) = &sections.script {
        script::register(&mut registry, section, &voices);
    }
    let mut director = director(loaded, prepared)?;
    let interventions = director.as_ref().map(|setup| setup.interventions.clone());
    let world = World::new(population, prepared.seeds, sizes, &labels, cost);
    let world = Rc::new(world.with_interventions(interventions));
    if let (Some(setup), Some(section)) = (&mut director, &sections.script) {
        let shared = hear((setup, &ever), section, loaded, prepared, &world)?;
        // There is one script, so this is the only time.
        voices.get_or_init(|| shared);
    }
    let adversaries = Arc::new(adversaries(sections, prepared));
    let cohort =
        |trainer: &Arc<dyn Trainer>| sections.training.cohort.unwrap_or_else(|| trainer.cohort());
    let workbench = Workbench {
        aim: adversaries.aim(&prepared.test),
        adversaries,
        coded: Arc::new(sections.codec.coded(layout, shared)),
        reid: people::bench(sections, prepared, (&trainer, &ever), &loaded.document)?,
        duties: duties(sections, prepared, &loaded.document)?,
        tap: sections.tap.as_ref().map(TapSection::rules),
        shards: Arc::new(Held::new(prepared)),
        test: prepared.test.clone(),
        plan,
        seeds: prepared.seeds,
        controls: sections.strategy.companion == CompanionPart::Scaffold,
        cohort: cohort(&trainer),
        local_privacy: sections.strategy.privacy.local,
        timing_only: settings.timing_only,
        trainer,
    };
    let mut further = Vec::new();
    for trainer in trainers {
        let reid = people::bench(sections, prepared, (&trainer, &ever), &loaded.document)?;
        let cohort = cohort(&trainer);
        further.push(Workbench { reid, cohort, trainer, ..workbench.clone() });
    }
    let home = HomeDevice::of(list.first()).map_err(device::problem)?;
    let (workers, devices) = seats(&list, settings.workers, further, home);
    Ok(Federation {
        workbench,
        pool: PoolConfig { workers, budget_bytes: settings.budget_bytes },
        devices,
        registry: registry.clone(),
        seams: seams(settings.begun_with.as_ref(), loaded, &registry)?,
        initial: prepared.initial.slice(0..shared),
        conditions: world.clone(),
        edge_guards: edge_guards(sections, &registry, &loaded.document)?,
        topology,
        roster: world.clone(),
        samples: world,
        test_clients: prepared.test_clients(),
        server_link: sections.server.link(),
        evaluation: evaluation_rules(sections),
        stop: stop_rules(sections),
        interrupt: settings.interrupt.clone(),
        director,
        trace: settings.trace,
    })
}

/// What each edge server asks about its clients' answers.
fn edge_guards(
    sections: &ScenarioFile,
    registry: &Registry,
    document: &Document,
) -> Result<Vec<Vec<Box<dyn Guard>>>, Problem> {
    let Some(tree) = sections.topology.tree().filter(|tree| !tree.guard.is_empty()) else {
        return Ok(Vec::new());
    };
    let key = "topology.tree.guard";
    let own = || guards(key, &tree.guard, registry);
    let all = (0..tree.edges).map(|_| own()).collect::<Result<_, _>>();
    all.map_err(|reason| {
        Problem::new("value", reason).at(document.place(key), "in this list").about(key)
    })
}

/// How many workers there are, and on which device each computes.
fn seats(
    list: &DeviceList,
    workers: usize,
    further: Vec<Workbench>,
    home: HomeDevice,
) -> (usize, Devices) {
    let (names, seats) = (list.distinct(), list.of_workers(workers));
    let place = |seat| names.iter().position(|name| name == seat).unwrap_or(0);
    let of_workers = match names.len() {
        1 => Vec::new(),
        _ => seats.iter().map(place).collect(),
    };
    (seats.len(), Devices { names, further, of_workers, home })
}

/// Lets the director ask a script.
fn hear(
    (setup, ever): (&mut DirectorSetup, &Ever),
    section: &ScriptSection,
    loaded: &Loaded,
    prepared: &Prepared,
    world: &World,
) -> Result<ScriptShared, Problem> {
    let population = &prepared.population;
    let names: Vec<Arc<str>> =
        population.groups().iter().map(|group| group.name.as_str().into()).collect();
    let fixed = (0..population.clients()).map(|id| {
        let client = ClientId(id);
        Fixed {
            samples: Roster::samples(world, client),
            seconds: world.expected_seconds(client),
            group: names[population.group_of(client)].clone(),
        }
    });
    let shared = ScriptShared::new(prepared.seeds, fixed.collect());
    let sections = loaded.scenario.sections();
    let edges = sections.topology.tree().map_or(0, |tree| tree.edges);
    let scene = Scene::new(population, setup.parts.clone())
        .with_edges(edges)
        .among(Surroundings::new(sections, &loaded.document, ever.cosine_distance));
    setup.board = Some(shared.board.clone());
    let opened = script::open(section, scene, shared.clone()).map_err(|reason| {
        let place = loaded.document.place("script.file");
        Problem::new("script", reason).at(place, "named here").about("script.file")
    })?;
    setup.hooks = Some(Box::new(opened));
    Ok(shared)
}

/// What the timeline and the script do; nothing where there is neither.
fn director(loaded: &Loaded, prepared: &Prepared) -> Result<Option<DirectorSetup>, Problem> {
    let sections = loaded.scenario.sections();
    if sections.timeline.is_empty() && sections.script.is_none() {
        return Ok(None);
    }
    let parts = parts(&sections.strategy, loaded)?;
    let edges = sections.topology.tree().map_or(0, |tree| tree.edges);
    let scene = Scene::new(&prepared.population, parts.clone()).with_edges(edges);
    let mut timeline = Vec::with_capacity(sections.timeline.len());
    for (index, entry) in sections.timeline.iter().enumerate() {
        timeline.push(scene.entry(entry).map_err(|wrong| {
            let path = format!("timeline.{index}");
            let reason = wrong.into_iter().map(|(_, message)| message).collect::<Vec<_>>();
            let place = loaded.document.place(&path);
            Problem::new("value", reason.join("; ")).at(place, "in this entry").about(&path)
        })?);
    }
    let participants = prepared.population.clients() + edges;
    let interventions = Interventions::new(prepared.seeds, participants);
    Ok(Some(DirectorSetup {
        interventions: Rc::new(RefCell::new(interventions)),
        timeline,
        hooks: None,
        board: None,
        parts,
        durable_every: sections.server.durable_every_versions,
    }))
}

fn seams(
    begun_with: Option<&StrategySection>,
    loaded: &Loaded,
    registry: &Registry,
) -> Result<Seams, Problem> {
    let strategy = begun_with.unwrap_or(&loaded.scenario.sections().strategy);
    parts(strategy, loaded)?.build(registry).map_err(|reason| {
        let place = loaded.document.place("strategy");
        Problem::new("value", reason).at(place, "in this strategy").about("strategy")
    })
}

/// The parts of `strategy`, with the schedule that its file has.
pub(crate) fn parts(strategy: &StrategySection, loaded: &Loaded) -> Result<Parts, Problem> {
    let sections = loaded.scenario.sections();
    let mut parts = strategy.parts();
    if let (SelectPart::Schedule(schedule), Some(file)) =
        (&mut parts.select, &strategy.schedule_file)
    {
        let path = "strategy.schedule_file";
        let clients = sections.topology.clients_of_server(sections.population.clients);
        schedule.rounds = schedule::read(file, clients).map_err(|problem| {
            problem.at(loaded.document.place(path), "asked for here").about(path)
        })?;
    }
    Ok(parts)
}

/// Draws who is hostile: all bands from one order of the clients, so that none is in two.
fn adversaries(sections: &ScenarioFile, prepared: &Prepared) -> Adversaries {
    if sections.adversary.is_empty() {
        return Adversaries::default();
    }
    let clients = sections.population.clients;
    let mut order: Vec<ClientId> = (0..clients).map(ClientId).collect();
    order.shuffle(&mut prepared.seeds.stream(Purpose::Adversary, u64::MAX, 0));
    let mut rest = order.into_iter();
    let band = |section: &crate::spec::AdversarySection| {
        let mut members: Vec<_> = rest.by_ref().take(section.size(clients) as usize).collect();
        members.sort_unstable();
        Band {
            behaviour: section.behaviour,
            members,
            sybil: section.sybil,
            from_version: Version(section.from_version),
        }
    };
    Adversaries::new(sections.adversary.iter().map(band).collect(), clients as usize)
}

/// What clients do with questions, where they are asked some.
fn duties(
    sections: &ScenarioFile,
    prepared: &Prepared,
    document: &Document,
) -> Result<Option<Duties>, Problem> {
    let PacePart::FedIod(settings) = &sections.strategy.pace else { return Ok(None) };
    let place = "strategy.pace";
    let found = settings.duties(&prepared.network);
    found.map(Some).map_err(|error| {
        Problem::new("value", error.to_string())
            .at(document.place(place), "asked for here")
            .about(place)
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
        teachers: matches!(sections.strategy.pace, PacePart::FedIod(_))
            && evaluation.on.contains(&EvaluateOn::Test),
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
