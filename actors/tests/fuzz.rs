//! Ten million unexpected bytes for every message of the wire and for the state of the actors.

#[path = "../../engine/kernel/tests/common/fuzz.rs"]
mod common;

use common::{TEN_MILLION, fuzz};
use offbeat_actors::message::{Answer, Invite, Message, WireUpdate};
use offbeat_actors::{promise, tally};
use offbeat_kernel::codec::{decode, encode};
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::Flat;
use offbeat_strategies::signal::{Assignment, LossReason};
use std::collections::BTreeMap;

fn answer() -> Answer {
    Answer {
        task: TaskId(70),
        client: ClientId(300),
        base_version: Version(4),
        invited: Time::from_micros(1_000_000),
        samples: 25,
        completeness: 0.5,
        tag: 1,
    }
}

fn vectors() -> BTreeMap<String, Flat> {
    BTreeMap::from([("control".to_string(), Flat::new(vec![0.5, -0.5]))])
}

#[test]
fn messages() {
    let invite = Invite {
        task: TaskId(9),
        version: Version(3),
        invited: Time::from_micros(77),
        model: Flat::new(vec![0.25; 9]),
        extras: vectors(),
        assignment: Assignment::default(),
    };
    let messages = [
        Message::Invite(Box::new(invite)),
        Message::Cancel(TaskId(3)),
        Message::Urge(TaskId(300)),
        Message::Update(Box::new(answer())),
        Message::Lost { task: TaskId(5), client: ClientId(2), reason: LossReason::DroppedOut },
    ];
    let valid = messages.map(|message| encode(&message).expect("plain data"));
    fuzz("messages", &valid, TEN_MILLION, |input| match decode::<Message>(input) {
        // What is taken has a size and a subject, as every message.
        Ok(message) => message.bytes() > 0 && message.about() != [u64::MAX; 2],
        Err(_) => false,
    });
}

#[test]
fn updates() {
    let update = WireUpdate {
        answer: answer(),
        params: Flat::new(vec![1.5; 12]),
        loss: 0.5,
        loss_squared: 0.25,
        steps: 40,
        scalars: BTreeMap::from([("cosine_distance".to_string(), 0.125)]),
        extras: vectors(),
    };
    let valid = [encode(&update).expect("plain data")];
    fuzz("updates", &valid, TEN_MILLION, |input| decode::<WireUpdate>(input).is_ok());
}

#[test]
fn counts() {
    let valid = [encode(&tally::Counts::default()).expect("plain data")];
    fuzz("counts", &valid, TEN_MILLION, |input| decode::<tally::Counts>(input).is_ok());
    // Noise and cuts alone: an open promise holds a whole training.
    fuzz("promises", &[], 1_000_000, |input| decode::<promise::State>(input).is_ok());
}
