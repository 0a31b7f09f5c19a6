//! Late, doubled, unknown and foreign answers are refused and counted.

use crate::honest::rows;
use crate::patchy::{Patchy, federation, run, small};
use crate::world::World;
use actix::{Actor, Addr};
use offbeat_actors::Record;
use offbeat_actors::effect::{Deliver, Effect};
use offbeat_actors::message::{Answer, Message};
use offbeat_actors::promise::Book;
use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_actors::server::Server;
use offbeat_actors::tally::Tally;
use offbeat_actors::work::Workshop;
use offbeat_kernel::pool::Pool;
use offbeat_kernel::{ClientId, Span, TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_strategies::Parts;
use offbeat_strategies::guard::Fault;
use offbeat_strategies::pace::OverSelection;
use offbeat_strategies::registry::{PacePart, SelectPart};
use offbeat_strategies::signal::{Assignment, Invitation, LossReason, Order, Signal};
use std::collections::BTreeMap;

fn invitation(task: u64, client: u32) -> Order {
    Order::Invite(Box::new(Invitation {
        task: TaskId(task),
        client: ClientId(client),
        version: Version(3),
        model: Flat::zeros(4),
        extras: BTreeMap::new(),
        assignment: Assignment::default(),
    }))
}

fn answer(task: u64, client: u32, base: u64) -> Message {
    Message::Update(Box::new(Answer {
        task: TaskId(task),
        client: ClientId(client),
        base_version: Version(base),
        invited: Time::ZERO,
        samples: 5,
        completeness: 1.0,
        tag: 0,
    }))
}

/// A server that nobody but the test talks to.
struct Lone {
    server: Addr<Server>,
    tally: Tally,
}

impl Lone {
    fn new() -> Self {
        let federation = World::new(4, Parts::default()).federation();
        let shop = Workshop::new(federation.workbench, federation.devices, 1);
        let book = Book::new(Pool::new(federation.pool, shop).expect("threads"), vec![1]);
        let tally = Tally::default();
        let (rules, stop) = (federation.evaluation, federation.stop);
        let server = Server::new(Flat::zeros(4), rules, stop, book, tally.clone());
        Self { server: server.start(), tally }
    }

    async fn hear(&self, seconds: u64, message: Message) -> Vec<Effect> {
        let deliver = Deliver { now: Time::from_micros(seconds * 1_000_000), message };
        self.server.send(deliver).await.expect("the server lives")
    }
}

fn arrival(effects: &[Effect]) -> Option<(u64, u64)> {
    effects.iter().find_map(|effect| match effect {
        Effect::Schedule { message: Message::Signal(Signal::Arrived(arrival)), .. } => {
            Some((arrival.task.0, arrival.base_version.0))
        }
        _ => None,
    })
}

/// The fault for which an answer was refused, when its record is all that came of it.
fn refused(effects: &[Effect]) -> Option<Fault> {
    match effects {
        [Effect::Record(Record::Guarded { incident, .. })] => Some(incident.fault),
        _ => None,
    }
}

#[test]
fn each_task_is_answered_once_and_by_its_own_client() {
    actix::System::new().block_on(async {
        let lone = Lone::new();
        lone.hear(0, Message::Orders(vec![invitation(0, 2), invitation(1, 3)])).await;
        assert_eq!(
            refused(&lone.hear(1, answer(9, 2, 3)).await),
            Some(Fault::Unasked),
            "no such task"
        );
        assert_eq!(
            refused(&lone.hear(1, answer(0, 1, 3)).await),
            Some(Fault::Unasked),
            "another's"
        );
        assert_eq!((lone.tally.counts().refused, lone.tally.updates()), (2, 0));
        // What the client says of its base does not count: the server knows what it sent.
        assert_eq!(arrival(&lone.hear(2, answer(0, 2, 77)).await), Some((0, 3)));
        assert_eq!(refused(&lone.hear(2, answer(0, 2, 3)).await), Some(Fault::Repeated), "again");
        assert_eq!((lone.tally.counts().refused, lone.tally.updates()), (3, 1));
        let cancel = Order::Cancel { task: TaskId(1), client: ClientId(3) };
        lone.hear(3, Message::Orders(vec![cancel])).await;
        assert_eq!(
            refused(&lone.hear(4, answer(1, 3, 3)).await),
            Some(Fault::Repeated),
            "too late"
        );
        assert_eq!((lone.tally.counts().refused, lone.tally.updates()), (4, 1));
        let lost = |task, client, reason| Message::Lost {
            task: TaskId(task),
            client: ClientId(client),
            reason,
        };
        for (task, client) in [(0, 2), (1, 3), (8, 0)] {
            let heard = lone.hear(5, lost(task, client, LossReason::DroppedOut)).await;
            assert!(heard.is_empty(), "a closed task is lost again");
        }
        assert_eq!(lone.tally.counts().lost, BTreeMap::from([(LossReason::Cancelled, 1)]));
    });
}

/// The request to stop is on its way while the last ones finish: their answers come too late.
#[test]
fn answers_that_cross_a_cancellation_are_refused_and_change_nothing() {
    let pace = OverSelection { clients: 2, factor: 2.0 };
    let parts =
        Parts { select: SelectPart::All, pace: PacePart::OverSelection(pace), ..Parts::default() };
    let mut world = World { versions: 4, ..small(4, 16, parts) };
    world.ideal.latency = Span::from_micros(50_000);
    // 0.16 s of work for the first two, 0.176 s for the others: less than the latency apart.
    world.ideal.seconds_per_sample = vec![0.01, 0.01, 0.011, 0.011];
    let (result, records) = run(federation(&world, Patchy::new(&world.ideal)));
    assert_eq!((result.counts.merged, result.counts.updates), (8, 8));
    // Those of the last round are still on their way when the run ends.
    assert_eq!(result.counts.refused, 6);
    let ended = |row: &&TaskRow| row.end == TaskEnd::Lost(LossReason::Cancelled);
    assert_eq!(rows(&records).iter().filter(ended).count(), 8);
    for record in &records {
        if let Record::Aggregation { used, .. } = record {
            assert!(used.iter().all(|used| used.client.0 < 2), "{used:?}");
        }
    }
    assert_eq!(result.pool.computed, 8, "{:?}", result.pool);
}
