//! Private heads stay with their clients, and what travels weighs what it should.

use crate::equivalence::synchronous;
use crate::honest::rows;
use crate::world::{Shared, World};
use offbeat_actors::message::{Answer, Invite, Message, WireUpdate};
use offbeat_actors::wire;
use offbeat_actors::work::{Job, Output, Private, TrainJob};
use offbeat_kernel::{ClientId, TaskId, Time, Version, codec};
use offbeat_learning::Flat;
use offbeat_learning::layout::Part;
use offbeat_learning::network::{Backbone, Network, NetworkSpec, ReidSpec};
use offbeat_learning::reid::COSINE_DISTANCE;
use offbeat_strategies::signal::Assignment;
use offbeat_strategies::signal::Duty;
use std::collections::BTreeMap;

fn world() -> World {
    let mut world = World::new(3, synchronous(3));
    world.network = NetworkSpec::Mlp { hidden: vec![6] };
    world.shared = Shared::Body;
    world.reid.cosine_distance = true;
    world.reid.local_models = true;
    world
}

pub(crate) fn answer(client: ClientId, samples: u64) -> Answer {
    Answer {
        task: TaskId(4),
        client,
        base_version: Version(0),
        invited: Time::ZERO,
        samples,
        completeness: 1.0,
        tag: 0,
    }
}

fn invite(model: Flat) -> Message {
    Message::Invite(Box::new(Invite {
        task: TaskId(4),
        version: Version(0),
        invited: Time::ZERO,
        model,
        extras: BTreeMap::new(),
        assignment: Assignment::default(),
    }))
}

/// Two neighbouring weights of a head, in bytes: nothing else looks like them by chance.
pub(crate) fn holds_a_piece_of(bytes: &[u8], head: &Flat) -> bool {
    let head: Vec<u8> = head.host().iter().flat_map(|value| value.to_le_bytes()).collect();
    let pieces = head.chunks_exact(8).filter(|piece| piece.iter().any(|byte| *byte != 0));
    pieces.into_iter().any(|piece| bytes.windows(8).any(|window| window == piece))
}

/// What a client sends and what it is sent next, byte by byte.
#[test]
fn no_message_holds_a_piece_of_a_head() {
    let world = world();
    let federation = world.federation();
    for client in (0..3).map(ClientId) {
        let job = TrainJob {
            label_turn: 0,
            task: TaskId(4),
            draw: 4,
            client,
            base: offbeat_kernel::Version(0),
            at: Time::ZERO,
            shared: federation.initial.clone(),
            extras: BTreeMap::new(),
            private: Private::default(),
            duty: Duty::Train,
            steps: None,
            step_limit: None,
        };
        let output = federation.workbench.run(Job::Train(Box::new(job))).expect("trains");
        let Output::Trained(both) = output else { panic!("not a training") };
        let (reply, private) = *both;
        let head = private.kept.expect("a head of its own");
        assert_eq!(head.len(), 6 * 10 + 10);
        assert_eq!(private.local.as_ref(), Some(&reply.params));
        assert_eq!(reply.scalars.keys().collect::<Vec<_>>(), [COSINE_DISTANCE]);
        let update = WireUpdate {
            answer: answer(client, 7),
            params: reply.params.clone(),
            loss: reply.loss,
            loss_squared: reply.loss_squared,
            steps: reply.steps,
            scalars: reply.scalars,
            extras: reply.extras,
        };
        let up = codec::encode(&update).expect("plain");
        let down = codec::encode(&invite(reply.params)).expect("plain");
        assert!(!holds_a_piece_of(&up, &head) && !holds_a_piece_of(&down, &head));
        // The search itself finds what is there.
        assert!(holds_a_piece_of(&codec::encode(&head).expect("plain"), &head));
    }
}

/// Every message of a run is charged for the body, the scalar and its envelope, and nothing more.
#[test]
fn every_update_weighs_a_body_a_scalar_and_an_envelope() {
    let world = world();
    let (body, samples) = (world.initial().len(), world.shards()[0].len() as u64);
    let (result, records) = world.run();
    let bare = |params| {
        wire::update_len(&answer(ClientId(0), samples), 1, wire::flat_len(params), &[], &[])
    };
    // A name of so many bytes with its length, and a number of eight.
    assert_eq!(
        wire::update_len(
            &answer(ClientId(0), samples),
            1,
            wire::flat_len(body),
            &[COSINE_DISTANCE],
            &[]
        ),
        bare(body) + COSINE_DISTANCE.len() as u64 + 1 + 8
    );
    let envelope = bare(0) + 64;
    let rows = rows(&records);
    assert_eq!(rows.len(), 15);
    for row in rows {
        let payload = 4 * body as u64;
        assert!((payload..payload + envelope).contains(&row.bytes_up), "{row:?}");
        assert!((payload..payload + envelope).contains(&row.bytes_down), "{row:?}");
    }
    assert_eq!(result.counts.failed, 0);
}

/// ResNet-50 with a bottleneck of 512: 24,558,144 shared parameters, and 54,144 buffers unless they stay.
#[test]
fn resnet_50_weighs_what_the_paper_says() {
    let spec = NetworkSpec::Reid(ReidSpec::new(Backbone::Resnet50));
    let network = Network::new(&spec, &[3, 256, 128], 751).expect("a network");
    let (parameters, body) = (network.layout().range(Part::Backbone), network.layout().body());
    assert_eq!((parameters.start, parameters.len()), (0, 24_558_144));
    assert_eq!((body.start, body.len()), (0, 24_558_144 + 54_144));
    for shared in [parameters.len(), body.len()] {
        let payload = 4 * shared as u64;
        let up = wire::flat_len(shared);
        let up = wire::update_len(&answer(ClientId(5), 12_936), 404, up, &[], &[]);
        let down = invite(Flat::zeros(shared)).bytes();
        for bytes in [up, down] {
            assert!((payload + 5..payload + 64).contains(&bytes), "{bytes} for {payload}");
        }
    }
}

/// Equal data and equal starts: heads still differ, since each client draws its own.
#[test]
fn heads_differ_between_clients() {
    let world = world();
    let bench = world.federation().workbench;
    let whole = |client| bench.assemble(&world.initial(), ClientId(client), &Private::default());
    let (a, b) = (whole(0), whole(1));
    let body = world.initial().len();
    assert_eq!(a.slice(0..body), b.slice(0..body));
    assert_ne!(a.slice(body..a.len()), b.slice(body..b.len()));
}
