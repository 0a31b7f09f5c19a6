//! Class embeddings at the server: who sees which tensor, what their messages weigh, and what a run makes of them.

use crate::equivalence::synchronous;
use crate::heads::{answer, holds_a_piece_of};
use crate::honest::rows;
use crate::world::{Shared, World};
use offbeat_actors::message::{Invite, Message, WireUpdate};
use offbeat_actors::wire;
use offbeat_actors::work::{Job, Output, Private, TrainJob, Workbench};
use offbeat_kernel::{ClientId, Purpose, TaskId, Time, Version, codec};
use offbeat_learning::Flat;
use offbeat_learning::layout::Part;
use offbeat_learning::network::NetworkSpec;
use offbeat_strategies::Roster;
use offbeat_strategies::companion::{EMBEDDINGS, FedGcSettings, FirstHeads};
use offbeat_strategies::composed::{Composed, Context, Promises, Reply};
use offbeat_strategies::pace::{Buffered, Synchronous};
use offbeat_strategies::registry::{CompanionPart, PacePart, SelectPart};
use offbeat_strategies::signal::Duty;
use offbeat_strategies::signal::{Invitation, Order, Signal};
use offbeat_strategies::{Arrival, Parts};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Ten classes of six numbers, and a bias for each.
const HEAD: usize = 10 * 6 + 10;

/// The heads that clients of a world would draw themselves.
fn first_heads(world: &World) -> Arc<FirstHeads> {
    let network = world.trainer().network().clone();
    let draw = |client: u64| {
        let whole = network.init(&mut world.seeds().stream(Purpose::PrivateInit, client, 0));
        (whole.slice(network.layout().range(Part::Head)), network.classes())
    };
    let heads = (0..world.clients as u64).map(draw).collect();
    let rate = f64::from(world.plan.sgd.rate);
    Arc::new(FirstHeads { heads, width: network.feature_width(), rate })
}

fn fedgc(strength: f64) -> CompanionPart {
    CompanionPart::FedGc(FedGcSettings { strength, scale: None })
}

pub(crate) fn world(clients: usize, companion: CompanionPart) -> World {
    let mut world = World::new(clients, Parts { companion, ..synchronous(clients) });
    world.network = NetworkSpec::Mlp { hidden: vec![6] };
    world.shared = Shared::Body;
    world.heads = Some(first_heads(&world));
    world
}

/// Values that are there already.
#[derive(Default)]
struct Here(BTreeMap<TaskId, Reply>);

impl Promises for Here {
    fn demand(&mut self, _: &[TaskId]) {}

    fn take(&mut self, task: TaskId) -> Result<Reply, String> {
        self.0.remove(&task).ok_or("unknown".to_string())
    }

    fn discard(&mut self, _: TaskId) {}
}

fn trained(bench: &Workbench, invitation: &Invitation) -> Reply {
    let job = TrainJob {
        label_turn: 0,
        task: invitation.task,
        draw: invitation.task.0,
        client: invitation.client,
        base: invitation.version,
        at: Time::ZERO,
        shared: invitation.model.clone(),
        extras: invitation.extras.clone(),
        private: Private::default(),
        duty: Duty::Train,
        steps: None,
        step_limit: None,
    };
    let output = bench.run(Job::Train(Box::new(job))).expect("trains");
    let Output::Trained(both) = output else { panic!("not a training") };
    let (reply, private) = *both;
    assert!(private.kept.is_none(), "the server keeps the head");
    reply
}

/// Every message of three rounds, byte by byte: a client is sent its own embeddings, returns their change, and sees
/// nothing of any other client's, as it was at any time. The server holds all of them.
#[test]
fn nobody_else_sees_embeddings() {
    let world = world(3, fedgc(1.0));
    let federation = world.federation();
    let (bench, roster) = (federation.workbench, federation.roster);
    let mut strategy = Composed::new(federation.seams, federation.initial);
    let mut promises = Here::default();
    let mut sent: BTreeMap<ClientId, Vec<Vec<u8>>> = BTreeMap::new();
    let mut heads: BTreeMap<ClientId, Vec<Flat>> = BTreeMap::new();
    let mut signals = vec![Signal::Start];
    for _ in 0..3 {
        let mut orders = Vec::new();
        for signal in signals.drain(..) {
            let roster: &dyn Roster = &*roster;
            let promises = &mut promises;
            let mut cx = Context { now: Time::ZERO, seeds: world.seeds(), roster, promises };
            orders.extend(strategy.on(signal, &mut cx));
        }
        for order in orders {
            let Order::Invite(invitation) = order else { continue };
            let (task, client) = (invitation.task, invitation.client);
            assert_eq!(invitation.extras.keys().collect::<Vec<_>>(), [EMBEDDINGS]);
            let head = invitation.extras[EMBEDDINGS].clone();
            assert_eq!(head.len(), HEAD);
            let invite = Invite {
                task,
                version: invitation.version,
                invited: Time::ZERO,
                model: invitation.model.clone(),
                extras: invitation.extras.clone(),
                assignment: invitation.assignment,
            };
            let message = Message::Invite(Box::new(invite));
            let down = codec::encode(&message).expect("plain");
            assert_eq!(down.len() as u64, message.bytes());
            let reply = trained(&bench, &invitation);
            let known = WireUpdate {
                answer: answer(client, 7),
                params: reply.params.clone(),
                loss: reply.loss,
                loss_squared: reply.loss_squared,
                steps: reply.steps,
                scalars: reply.scalars.clone(),
                extras: reply.extras.clone(),
            };
            let up = codec::encode(&known).expect("plain");
            let beside = [(EMBEDDINGS, HEAD)];
            let weighs = wire::update_len(
                &known.answer,
                reply.steps,
                wire::flat_len(reply.params.len()),
                &[],
                &beside,
            );
            assert_eq!(up.len() as u64, weighs);
            let change = &reply.extras[EMBEDDINGS];
            assert!(change.host().iter().any(|value| *value != 0.0), "nothing was learnt");
            let mut after = head.clone();
            after.add_scaled(1.0, change);
            heads.entry(client).or_default().extend([head, change.clone(), after]);
            sent.entry(client).or_default().extend([down, up]);
            promises.0.insert(task, reply);
            signals.push(Signal::Arrived(Arrival {
                task,
                client,
                base_version: invitation.version,
                samples: 7,
                completeness: 1.0,
                invited: Time::ZERO,
                arrived: Time::ZERO,
                tag: 0,
            }));
        }
        assert_eq!(signals.len(), 3);
    }
    assert_eq!(strategy.version(), Version(2));
    for (client, messages) in &sent {
        let own = |bytes: &Vec<u8>| heads[client].iter().any(|head| holds_a_piece_of(bytes, head));
        assert!(messages.iter().all(own), "{client:?} gets and returns its own");
        let others: Vec<&Flat> =
            heads.iter().filter(|(of, _)| *of != client).flat_map(|(_, heads)| heads).collect();
        for bytes in messages {
            assert!(
                others.iter().all(|head| !holds_a_piece_of(bytes, head)),
                "{client:?} sees more"
            );
        }
    }
    // What is sent next is neither what was sent first nor what came back: it was corrected.
    let firsts: BTreeSet<Vec<u32>> = heads[&ClientId(0)]
        .iter()
        .map(|head| head.to_vec().iter().map(|value| value.to_bits()).collect())
        .collect();
    assert_eq!(firsts.len(), 9);
}

/// Every message is charged for the body and a head.
#[test]
fn embeddings_are_charged_both_ways() {
    let world = world(3, fedgc(1.0));
    let payload = 4 * (world.initial().len() + HEAD) as u64;
    let (_, records) = world.run();
    let rows = rows(&records);
    assert_eq!(rows.len(), 15);
    for row in rows {
        for bytes in [row.bytes_up, row.bytes_down] {
            assert!((payload..payload + 90).contains(&bytes), "{bytes} for {payload}");
        }
    }
}

/// Without correction it is training with private heads, but for the rounding of changes.
#[test]
fn without_strength_heads_might_as_well_stay_at_home() {
    let (at_server, _) = world(4, fedgc(0.0)).run();
    let (at_home, _) = world(4, CompanionPart::None).run();
    let apart = |a: &Flat, b: &Flat| {
        let pairs = a.to_vec().into_iter().zip(b.to_vec());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    assert!(apart(&at_server.model, &at_home.model) < 1e-4);
    let (corrected, _) = world(4, fedgc(1.0)).run();
    assert!(apart(&corrected.model, &at_home.model) > 1e-3);
}

/// Rounds and buffers: the digest does not depend on the workers, and stragglers are merged.
#[test]
fn every_pace_repeats() {
    let paces = [
        PacePart::Synchronous(Synchronous { clients: 3 }),
        PacePart::Buffered(Buffered { buffer: 2, concurrency: 4, ..Buffered::default() }),
    ];
    for pace in paces {
        let run = |workers: usize| {
            let mut world = world(6, fedgc(0.5));
            world.parts.pace = pace.clone();
            world.parts.select = SelectPart::Uniform;
            world.ideal.seconds_per_sample = (0..6).map(|c| 0.002 * f64::from(1 + c * c)).collect();
            (world.workers, world.versions) = (workers, 12);
            world.run().0
        };
        let (one, four) = (run(1), run(4));
        assert_eq!(one.digest, four.digest);
        assert!(one.counts.merged >= 24 && one.counts.failed == 0);
    }
}
