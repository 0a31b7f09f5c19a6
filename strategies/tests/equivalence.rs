//! Strategies that must give the same bits, run through [`Composed`] on clients that solve a small
//! problem of their own.

use offbeat_kernel::{ClientId, SeedTree, Span, TaskId, Time};
use offbeat_learning::Flat;
use offbeat_strategies::composed::{Context, Promises, Reply};
use offbeat_strategies::registry::{Parts, Registry};
use offbeat_strategies::{Arrival, Composed, LossReason, Order, Roster, Signal};
use std::collections::BTreeMap;

/// Clients that are always there; client `c` holds `c + 1` samples and answers after as many seconds.
#[derive(Debug)]
struct Clients(u32);

impl Roster for Clients {
    fn count(&self) -> u32 {
        self.0
    }

    fn present(&self, _: ClientId, _: Time) -> bool {
        true
    }

    fn next_change(&self, _: ClientId, _: Time) -> Time {
        Time::NEVER
    }

    fn samples(&self, client: ClientId) -> u64 {
        u64::from(client.0) + 1
    }

    fn expected_seconds(&self, client: ClientId) -> f64 {
        f64::from(client.0) + 1.0
    }
}

/// What each task started from; a client goes half the way to its own target.
#[derive(Default)]
struct Desk(BTreeMap<TaskId, (ClientId, Flat)>);

impl Promises for Desk {
    fn demand(&mut self, _: &[TaskId]) {}

    fn take(&mut self, task: TaskId) -> Result<Reply, String> {
        let (client, model) = self.0.remove(&task).ok_or("no such task")?;
        let target = 10.0 + client.0 as f32;
        let mut params = model.clone();
        params.zip_mut(&model, |own, start| *own = start + 0.5 * (target - start));
        Ok(Reply {
            params,
            steps: 2,
            loss: 1.0,
            loss_squared: 1.0,
            scalars: BTreeMap::new(),
            extras: BTreeMap::new(),
            payload: None,
        })
    }

    fn discard(&mut self, task: TaskId) {
        self.0.remove(&task);
    }
}

/// A calendar of its own: plays the clients until `versions` were published; the models, bit by bit.
fn run(text: &str, clients: u32, versions: usize) -> Vec<Vec<f32>> {
    let parts: Parts = toml::from_str(text).expect("a valid strategy");
    let seams = parts.build(&Registry::default()).expect("built-in parts");
    let mut strategy = Composed::new(seams, Flat::new(vec![0.0, 1.0]));
    let (roster, mut desk) = (Clients(clients), Desk::default());
    let mut calendar: BTreeMap<(Time, u64), Signal> =
        BTreeMap::from([((Time::ZERO, 0), Signal::Start)]);
    let (mut published, mut sequence, mut open) = (Vec::new(), 1u64, BTreeMap::new());
    while let Some(((now, _), signal)) = calendar.pop_first() {
        if let Signal::Arrived(arrival) = &signal
            && open.remove(&arrival.task).is_none()
        {
            continue;
        }
        let seeds = SeedTree::new(3);
        let mut context = Context { now, seeds, roster: &roster, promises: &mut desk };
        for order in strategy.on(signal, &mut context) {
            match order {
                Order::Invite(invitation) => {
                    let (task, client) = (invitation.task, invitation.client);
                    desk.0.insert(task, (client, invitation.model));
                    open.insert(task, client);
                    let at = now + Span::from_seconds(roster.expected_seconds(client));
                    let arrival = Arrival {
                        task,
                        client,
                        base_version: invitation.version,
                        samples: roster.samples(client),
                        completeness: 1.0,
                        invited: now,
                        arrived: at,
                        tag: invitation.assignment.tag,
                    };
                    calendar.insert((at, sequence), Signal::Arrived(arrival));
                }
                Order::Timer { at, token } => {
                    calendar.insert((at, sequence), Signal::Timer(token));
                }
                Order::Cancel { task, .. } => {
                    open.remove(&task);
                }
                Order::Publish(publication) => published.push(publication.model.to_vec()),
                _ => {}
            }
            sequence += 1;
        }
        if published.len() >= versions {
            published.truncate(versions);
            return published;
        }
    }
    panic!("nothing happens any more after {} versions", published.len());
}

#[test]
fn one_round_of_fedavg_by_hand() {
    let models = run("select = \"all\"\n[pace.synchronous]\nclients = 3", 3, 1);
    // Halfway to 10, 11, 12 from 0 and 1, weighed 1, 2, 3: targets' mean 68/6.
    let target = 68.0 / 6.0;
    assert!((models[0][0] - 0.5 * target).abs() < 1e-5, "{models:?}");
    assert!((models[0][1] - (0.5 + 0.5 * target)).abs() < 1e-5, "{models:?}");
}

/// Whom a pace waits for makes the difference; where all wait for all, all paces are one.
#[test]
fn paces_that_wait_for_everybody_are_synchronous() {
    let synchronous = run("select = \"all\"\n[pace.synchronous]\nclients = 4", 4, 5);
    for pace in [
        "[pace.over-selection]\nclients = 4\nfactor = 1.0",
        "[pace.deadline]\nclients = 4\nseconds = 1000.0",
        "[pace.deadline]\nclients = 4\nseconds = 4.0\nlate = \"keep\"",
        "[pace.tiers]\ntiers = 1\nclients = 4",
    ] {
        let select = if pace.contains("tiers") { "uniform" } else { "all" };
        let models = run(&format!("select = \"{select}\"\n{pace}"), 4, 5);
        assert_eq!(models, synchronous, "{pace}");
    }
}

#[test]
fn a_buffer_of_one_is_immediate() {
    let tail = "weigh = [\"fedbuff\"]\n[combine.mean]\nby = \"count\"\n";
    let buffered = run(&format!("{tail}[pace.buffered]\nbuffer = 1\nconcurrency = 3"), 6, 30);
    let immediate = run(&format!("{tail}[pace.immediate]\nconcurrency = 3"), 6, 30);
    assert_eq!(buffered, immediate);
}

/// Grouping makes the updates be held together; with one tag it must not change a bit.
#[test]
fn merging_one_by_one_and_all_at_once_agree() {
    let pace = "[pace.tiers]\ntiers = 1\nclients = 4";
    assert_eq!(run(pace, 9, 6), run(&format!("group = \"by-tag\"\n{pace}"), 9, 6));
}

#[test]
fn combiners_meet_where_their_papers_say_so() {
    let head = "[pace.synchronous]\nclients = 4\n";
    let mean = run(head, 9, 6);
    let near = |text: &str, expected: &Vec<Vec<f32>>| {
        let models = run(&format!("{text}{head}"), 9, 6);
        for (model, expected) in models.iter().flatten().zip(expected.iter().flatten()) {
            assert!((model - expected).abs() < 1e-4, "{text}: {model} instead of {expected}");
        }
    };
    // Every client does two steps; no momentum; control variates without a client's answer are zero.
    near("combine = { fednova = {} }\n", &mean);
    near("combine = { fedavgm = { momentum = 0.0 } }\n", &mean);
    near("companion = \"scaffold\"\n", &mean);
    let uniform = run(&format!("weigh = [\"uniform\"]\n{head}"), 9, 6);
    near("combine = { trimmed-mean = { trim = 0.0 } }\n", &uniform);
    near("combine = { multi-krum = { byzantine = 0, keep = 4 } }\n", &uniform);
    assert_ne!(mean, uniform);
}

/// Every pace keeps going on clients that always answer, with the mean and with its own combiner.
#[test]
fn every_pace_makes_progress_towards_the_targets() {
    for pace in [
        "[pace.synchronous]\nclients = 3",
        "[pace.over-selection]\nclients = 3",
        "[pace.deadline]\nclients = 5\nseconds = 4.0",
        "[pace.deadline]\nclients = 5\nseconds = 4.0\nlate = \"keep\"\nminimum = 2",
        "[pace.buffered]\nbuffer = 3\nconcurrency = 6",
        "[pace.immediate]\nconcurrency = 4",
        "[pace.tiers]\ntiers = 3\nclients = 2",
        "combine = \"fedat\"\n[pace.tiers]\ntiers = 3\nclients = 2",
        "[pace.safa]\nfraction = 0.3\nlag = 2\nseconds = 6.0",
        "combine = \"safa\"\n[pace.safa]\nfraction = 0.3\nlag = 2\nseconds = 6.0",
        "[pace.port]\nbuffer = 2\nconcurrency = 5\nbound = 3",
        "[pace.fedcompass]\nclients = 5",
        "select = { pisces = {} }\n[pace.pisces]\nconcurrency = 5\nbound = 3",
        "select = { oort = {} }\n[pace.over-selection]\nclients = 3",
        "select = { refl = {} }\n[pace.deadline]\nclients = 5\nseconds = 4.0\nlate = \"keep\"",
        "select = { tifl = { tiers = 3 } }\n[pace.synchronous]\nclients = 2",
    ] {
        let models = run(pace, 12, 60);
        let last = models.last().expect("60 versions");
        assert!(last.iter().all(|value| (8.0..23.0).contains(value)), "{pace}: {last:?}");
        assert_eq!(run(pace, 12, 60), models, "{pace} is not deterministic");
    }
}

#[test]
fn a_lost_task_is_replaced_and_its_values_are_not_asked_for() {
    let parts: Parts =
        toml::from_str("select = \"all\"\n[pace.immediate]\nconcurrency = 2").expect("valid");
    let mut strategy =
        Composed::new(parts.build(&Registry::default()).expect("built-in"), Flat::zeros(1));
    let (roster, mut desk) = (Clients(4), Desk::default());
    let mut on = |signal| {
        let (now, seeds) = (Time::ZERO, SeedTree::new(3));
        strategy.on(signal, &mut Context { now, seeds, roster: &roster, promises: &mut desk })
    };
    assert_eq!(on(Signal::Start).len(), 2);
    let (task, client, reason) = (TaskId(0), ClientId(0), LossReason::DroppedOut);
    let orders = on(Signal::Lost { task, client, reason });
    let [Order::Invite(invitation)] = &orders[..] else { panic!("{orders:?}") };
    assert_eq!(invitation.task, TaskId(2));
}
