//! A hundred thousand malformed updates among honest ones: none is merged, every one is reported, and the
//! model stays finite.

use offbeat_kernel::{ClientId, Purpose, SeedTree, Stream, TaskId, Time};
use offbeat_learning::Flat;
use offbeat_strategies::composed::{Composed, Context, Promises, Reply};
use offbeat_strategies::guard::{Fault, Measure};
use offbeat_strategies::registry::{Parts, Registry};
use offbeat_strategies::signal::{Invitation, Order, Signal};
use offbeat_strategies::{Arrival, Roster};
use rand::RngExt;
use std::collections::BTreeMap;

/// Parameters of the model.
const LEN: usize = 6;

/// Every client holds ten samples and is always there.
#[derive(Debug)]
struct Everybody;

impl Roster for Everybody {
    fn count(&self) -> u32 {
        50
    }
    fn present(&self, _: ClientId, _: Time) -> bool {
        true
    }
    fn next_change(&self, _: ClientId, _: Time) -> Time {
        Time::NEVER
    }
    fn samples(&self, _: ClientId) -> u64 {
        10
    }
    fn expected_seconds(&self, _: ClientId) -> f64 {
        1.0
    }
}

/// Replies that were made when their tasks were given.
#[derive(Default)]
struct Replies(BTreeMap<TaskId, Reply>);

impl Promises for Replies {
    fn demand(&mut self, _: &[TaskId]) {}
    fn take(&mut self, task: TaskId) -> Result<Reply, String> {
        self.0.remove(&task).ok_or_else(|| format!("{task} is unknown"))
    }
    fn discard(&mut self, task: TaskId) {
        self.0.remove(&task);
    }
}

fn honest(base: &Flat, stream: &mut Stream) -> (Arrival, Reply) {
    let mut params = base.clone();
    let change = (0..LEN).map(|_| stream.random_range(-0.1f32..0.1)).collect();
    params.add_scaled(1.0, &Flat::new(change));
    let arrival = Arrival {
        task: TaskId(0),
        client: ClientId(0),
        base_version: offbeat_kernel::Version(0),
        samples: 10,
        completeness: 1.0,
        invited: Time::ZERO,
        arrived: Time::ZERO,
        tag: 0,
    };
    let (scalars, extras) = (BTreeMap::new(), BTreeMap::new());
    (
        arrival,
        Reply { params, steps: 3, loss: 0.5, loss_squared: 0.3, scalars, extras, payload: None },
    )
}

/// A value that no arithmetic survives, and what a guard has to call it.
fn poison(stream: &mut Stream) -> (f32, Fault) {
    match stream.random_range(0..4) {
        0 => (f32::NAN, Fault::NotFinite),
        1 => (f32::INFINITY, Fault::NotFinite),
        2 => (f32::NEG_INFINITY, Fault::NotFinite),
        _ => (stream.random_range(1e16f32..f32::MAX), Fault::Norm),
    }
}

/// Spoils an answer in one of many ways; what it has to be refused for.
fn spoil(arrival: &mut Arrival, reply: &mut Reply, stream: &mut Stream) -> Fault {
    let place = stream.random_range(0..LEN);
    let bad = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][stream.random_range(0..3)];
    match stream.random_range(0..9) {
        0 => {
            let len = stream.random_range(0..3 * LEN);
            let len = if len == LEN { LEN + 1 } else { len };
            reply.params = Flat::new((0..len).map(|_| f32::from_bits(stream.random())).collect());
            Fault::Shape
        }
        1 | 2 => {
            let (value, fault) = poison(stream);
            let mut params = reply.params.to_vec();
            params[place] = value;
            reply.params = Flat::new(params);
            fault
        }
        3 => {
            let (value, fault) = poison(stream);
            reply.extras.insert("control".into(), Flat::new(vec![0.0, value]));
            fault
        }
        4 => {
            reply.loss = bad;
            Fault::NotFinite
        }
        5 => {
            reply.scalars.insert("cosine_distance".into(), bad);
            Fault::NotFinite
        }
        6 => {
            reply.scalars.insert("cosine_distance".into(), stream.random_range(2.1..1e9));
            Fault::Scalar
        }
        7 => {
            arrival.samples = stream.random_range(11..u64::MAX);
            Fault::Samples
        }
        _ => {
            reply.params.scale(0.0);
            let far: Vec<f32> = (0..LEN).map(|_| stream.random_range(1e3f32..1e9)).collect();
            reply.params.add_scaled(1.0, &Flat::new(far));
            Fault::Norm
        }
    }
}

/// The faults that were refused, by task.
fn refused(orders: &[Order]) -> Vec<(TaskId, Fault)> {
    let incident = |order: &Order| match order {
        Order::Guarded { incident, .. } if incident.measure == Measure::Refused => Some(*incident),
        Order::Failed { task, reason, .. } => panic!("{task}: {reason}"),
        _ => None,
    };
    orders.iter().filter_map(incident).map(|found| (found.task, found.fault)).collect()
}

fn invitations(orders: Vec<Order>) -> impl Iterator<Item = Invitation> {
    orders.into_iter().filter_map(|order| match order {
        Order::Invite(invitation) => Some(*invitation),
        _ => None,
    })
}

/// Plays until `count` malformed updates were sent; the strategy is that of `text`.
fn play(text: &str, count: usize) {
    let parts: Parts = toml::from_str(text).expect("a valid strategy");
    let seams = parts.build(&Registry::default()).expect("all parts are built in");
    let mut strategy = Composed::new(seams, Flat::zeros(LEN));
    let (seeds, mut replies) = (SeedTree::new(11), Replies::default());
    let mut stream = seeds.stream(Purpose::Adversary, 0, 0);
    let (mut open, mut sent) = (std::collections::VecDeque::new(), BTreeMap::new());
    let (mut found, mut spoilt, mut merged, mut total) = (BTreeMap::new(), 0, 0, 0usize);
    let mut signal = Signal::Start;
    while spoilt < count {
        let before = strategy.model().clone();
        let mut cx = Context { now: Time::ZERO, seeds, roster: &Everybody, promises: &mut replies };
        let orders = strategy.on(signal, &mut cx);
        found.extend(refused(&orders));
        let used = orders.iter().find_map(|order| match order {
            Order::Publish(publication) => Some(publication.used.clone()),
            _ => None,
        });
        for used in used.iter().flatten() {
            assert!(!sent.contains_key(&used.task), "{} was malformed and merged", used.task);
            merged += 1;
        }
        assert!(strategy.model().is_finite());
        assert!(used.is_some() || *strategy.model() == before, "refused updates move nothing");
        open.extend(invitations(orders));
        let Invitation { task, client, version, model, .. } = open.pop_front().expect("at work");
        let (mut arrival, mut reply) = honest(&model, &mut stream);
        if stream.random_bool(0.9) {
            sent.insert(task, spoil(&mut arrival, &mut reply, &mut stream));
            spoilt += 1;
        }
        total += 1;
        replies.0.insert(task, reply);
        signal = Signal::Arrived(Arrival { task, client, base_version: version, ..arrival });
    }
    // What lies at the server still is neither merged nor refused.
    let waiting = total - merged - found.len();
    assert!(waiting <= 10, "{waiting} updates are not accounted for");
    assert!(found.iter().all(|(task, fault)| sent.get(task) == Some(fault)), "wrong reasons");
    assert!(found.len() >= count - 10 && merged > count / 20);
}

#[test]
fn a_hundred_thousand_malformed_updates_change_nothing() {
    let guards = "guard = [\"scalars\", { norm = { most = 50.0, excess = \"refuse\" } }]";
    let guards = guards.replace("\"scalars\"", "{ scalars = {} }");
    let buffered = "pace = { buffered = { buffer = 10, concurrency = 20 } }";
    for combine in
        ["{ mean = {} }", "{ fedadam = {} }", "\"median\"", "{ krum = { byzantine = 2 } }"]
    {
        play(&format!("{guards}\n{buffered}\nweigh = [\"uniform\"]\ncombine = {combine}"), 25_000);
    }
}

#[test]
fn where_all_values_are_needed_too() {
    let guards = "guard = [{ scalars = {} }, { norm = { most = 50.0, excess = \"refuse\" } }]";
    let whole = "weigh = [{ cosine-distance = {} }]\ncombine = { mean = {} }";
    play(&format!("{guards}\npace = {{ synchronous = {{ clients = 8 }} }}\n{whole}"), 5_000);
}
