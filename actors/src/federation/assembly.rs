//! Puts the actors together, fresh or as a snapshot has them.

use super::joining::{as_the_server_sees, edges};
use super::{Driver, Federation};
use crate::client::{Client, ClientSetup, Homes};
use crate::director::{Director, DirectorSetup};
use crate::error::RunError;
use crate::evaluator::Evaluator;
use crate::network::Network;
use crate::promise::{Book, Watches};
use crate::record::Sink;
use crate::recorder::Recorder;
use crate::retrieval::Trials;
use crate::server::Server;
use crate::snapshot::{Continuation, Driving, State};
use crate::strategist::{self, Strategist};
use crate::tally::Tally;
use crate::tap::Tap;
use crate::work::Workshop;
use actix::Actor;
use offbeat_kernel::pool::Pool;
use offbeat_learning::device::Transfers;
use offbeat_learning::intern::Known;
use offbeat_strategies::composed::Composed;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

impl Driver {
    pub(super) fn new(
        federation: Federation,
        sink: Box<dyn Sink>,
        continuation: Continuation,
    ) -> Result<Self, RunError> {
        let Federation { mut workbench, pool, mut devices, seams, initial, conditions, .. } =
            federation;
        let (before, home) = (Transfers::so_far(), devices.home.clone());
        let initial = home.put(initial);
        let seeds = workbench.seeds;
        let protection = seams.protection.as_ref();
        let sealing = protection.and_then(|part| part.sealing(initial.len()));
        if let Some(sealing) = sealing {
            workbench.coded = Arc::new((*workbench.coded).clone().sealed(Some(sealing.bytes)));
            for bench in &mut devices.further {
                bench.coded = workbench.coded.clone();
            }
        }
        let total = workbench.trainer.network().layout().len();
        let coded = workbench.coded.clone();
        let keeps = initial.len() < total
            || workbench.controls
            || workbench.reid.local_models
            || workbench.duties.is_some()
            || coded.keeps_errors();
        let body = workbench.trainer.network().layout().body().end;
        let trials = Trials::of(&workbench.reid, body);
        let width = workbench.trainer.network().feature_width();
        let cluster_numbers = workbench.reid.clustering.map_or(0, |found| found.len(width));
        let duties = workbench.duties;
        let cosine_distance = workbench.reid.cosine_distance;
        let plan = workbench.plan.clone();
        let (controls, timing_only) = (workbench.controls, workbench.timing_only);
        let test_rows = workbench.test.len();
        let aim_rows = workbench.aim.as_ref().map_or(0, |aim| aim.len());
        let adversaries = workbench.adversaries.clone();
        let rules = workbench.tap.clone().filter(|_| !timing_only);
        let workshop = Workshop::new(workbench, devices, pool.workers);
        let (groups, cohorts) = (workshop.groups().clone(), workshop.cohorts());
        let (workers, traffic) = (groups.workers(), (workshop.traffic(), before));
        let pool = Pool::grouped(groups, pool.budget_bytes, workshop)
            .map_err(|source| RunError::Workers { workers, source })?;
        let (tally, homes) = (Tally::default(), Homes::default());
        let extra = protection.map(|part| part.traffic(initial.len())).unwrap_or_default();
        let interventions = federation.director.as_ref().map(|setup| setup.interventions.clone());
        let watches = Watches::new(federation.edge_guards, federation.roster.clone(), seeds);
        let book = Book::new(pool, cohorts).counting(tally.clone()).watching(watches);
        let topology = federation.topology;
        let setup = Rc::new(ClientSetup {
            topology: topology.clone(),
            remember: conditions.disorderly(),
            interventions: interventions.clone(),
            conditions: conditions.clone(),
            book: book.clone(),
            homes: homes.clone(),
            plan,
            samples: federation.samples,
            held_back: Rc::new(federation.test_clients.iter().copied().collect()),
            adversaries,
            coded: coded.clone(),
            keeps,
            controls,
            cluster_numbers,
            duties,
            cosine_distance,
            extra_bytes: extra.up,
            extra_down: extra.down,
            sealing,
        });
        let (evaluation, stop) = (federation.evaluation, federation.stop);
        let mut server =
            Server::new(initial.clone(), evaluation, stop.clone(), book.clone(), tally.clone())
                .above(topology.clone())
                .coding(coded)
                .sending_beside(extra.down);
        let mut edges = edges(&topology, &setup, &federation.roster, &tally, seeds);
        let mut strategy = Composed::new(seams, initial.clone());
        let mut told = stop.read_evaluations();
        let registry = federation.registry;
        let mut director = None;
        if let Some(setup) = federation.director {
            let wants = setup.wants();
            told |= wants.evaluations;
            server = server.observed(wants, setup.board.clone());
            strategy.keep_durable(setup.durable_every).map_err(RunError::Snapshot)?;
            let DirectorSetup { interventions, timeline, hooks, board, .. } = setup;
            director = Some(Director::new(interventions, timeline, hooks, board));
        }
        let mut evaluator = Evaluator::new(
            evaluation,
            told,
            [test_rows, aim_rows],
            (federation.test_clients, trials),
            homes,
            book.clone(),
        )
        .in_changing_world(interventions.clone())
        .seeing(topology.clone());
        let mut network = Network::new(conditions, federation.server_link, tally.clone())
            .connecting(topology.clone())
            .watching(interventions);
        let mut tap = rules.map(|rules| Tap::new(rules, book.clone()));
        let mut driving = Driving::new(initial, federation.trace);
        let mut clients = BTreeMap::new();
        let mut at_server = None;
        let branch = continuation.branch;
        if let Some(from) = &continuation.from {
            let state = State::unpack(from, home).map_err(RunError::Snapshot)?;
            server.restore(state.server);
            let strategist::State { strategy: stored, down, waiting, free_at } = state.strategist;
            strategy.restore(stored, &registry).map_err(RunError::Snapshot)?;
            at_server = Some((down, waiting, free_at));
            evaluator.restore(state.evaluator);
            network.restore(state.network);
            for (edge, state) in edges.iter_mut().zip(state.edges) {
                edge.restore(state);
            }
            director = match (director, state.director) {
                (Some(mut director), Some(state)) => {
                    director.restore(state).map_err(RunError::Snapshot)?;
                    Some(director)
                }
                (director, _) => director.map(Director::newcomer),
            };
            if let (Some(tap), Some(state)) = (&mut tap, state.tap) {
                tap.restore(state);
            }
            tally.restore(state.counts);
            book.restore(state.book).map_err(RunError::Snapshot)?;
            setup.homes.replace(state.homes);
            let at_work = |(id, task)| (id, Client::at_work(id, setup.clone(), task).start());
            clients.extend(state.clients.into_iter().map(at_work));
            driving = state.driving;
            let news = director.as_mut().filter(|_| branch.is_some());
            for (at, event) in news.map(|director| director.take_up(from.now)).unwrap_or_default() {
                driving.calendar.schedule(at, event);
            }
        }
        let roster = as_the_server_sees(&topology, federation.roster);
        let strategist =
            Strategist::new(strategy, seeds, roster, book.clone()).with_parts(registry, sealing);
        let strategist = match at_server {
            Some(state) => strategist.at_work(state),
            None => strategist,
        };
        Ok(Self {
            driving,
            server: server.start(),
            strategist: strategist.start(),
            network: network.start(),
            evaluator: evaluator.start(),
            recorder: Recorder::new(sink).start(),
            director: director.map(Actor::start),
            tap: tap.map(Actor::start),
            subject: (None, None),
            seed: seeds.seed(),
            fresh: continuation.from.is_none(),
            switches: branch.map(|branch| branch.switches).unwrap_or_default(),
            edges: edges.into_iter().map(Actor::start).collect(),
            clients,
            setup,
            stop,
            interrupt: federation.interrupt,
            book,
            tally,
            records: Vec::new(),
            started: Instant::now(),
            flushed: Instant::now(),
            timing_only,
            traffic,
            snapshot_wanted: false,
            known: Known::default(),
            keeper: continuation.keeper,
        })
    }
}
