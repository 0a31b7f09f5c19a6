//! What a strategy keeps does not grow with the versions, and absent clients are asked for again.

use super::*;
use crate::combine::{By, Mean};
use crate::registry::{CombinePart, PacePart, Parts, Registry, WeighPart};
use crate::signal::{Invitation, Publication};
use crate::{pace, weigh};
use offbeat_kernel::codec::encoded_len;

/// Clients of which those in `away` come back at a time.
#[derive(Debug)]
struct Clients {
    count: u32,
    back: Time,
    away: BTreeSet<ClientId>,
}

impl Roster for Clients {
    fn count(&self) -> u32 {
        self.count
    }
    fn present(&self, client: ClientId, now: Time) -> bool {
        now >= self.back || !self.away.contains(&client)
    }
    fn next_change(&self, client: ClientId, now: Time) -> Time {
        if self.present(client, now) { Time::NEVER } else { self.back }
    }
    fn samples(&self, _: ClientId) -> u64 {
        10
    }
    fn expected_seconds(&self, _: ClientId) -> f64 {
        1.0
    }
}

/// Gives a reply to whoever asks, and counts what was given and thrown away.
#[derive(Default)]
struct Counting {
    taken: u64,
    discarded: u64,
}

impl Promises for Counting {
    fn demand(&mut self, _: &[TaskId]) {}
    fn take(&mut self, _: TaskId) -> Result<Reply, String> {
        self.taken += 1;
        Ok(Reply {
            params: Flat::new(vec![self.taken as f32; 4]),
            steps: 1,
            loss: 0.5,
            loss_squared: 0.25,
            scalars: BTreeMap::new(),
            extras: BTreeMap::new(),
            payload: None,
        })
    }
    fn discard(&mut self, _: TaskId) {
        self.discarded += 1;
    }
}

/// A strategy with its clients, played by hand.
struct Play {
    strategy: Composed,
    clients: Clients,
    promises: Counting,
    now: Time,
    invited: VecDeque<Invitation>,
    timers: BTreeSet<(Time, u64)>,
    finished: Option<String>,
    /// So many of the next answers name a wrong number of samples.
    liars: usize,
}

impl Play {
    fn lie_about_samples(&mut self, liars: usize) {
        self.liars = liars;
    }

    fn new(pace: PacePart, count: u32) -> Self {
        let weigh = vec![WeighPart::Staleness(weigh::Staleness::Polynomial { a: 0.5 })];
        let combine = CombinePart::Mean(Mean { by: By::Count, ..Mean::default() });
        Self::with(&Parts { pace, weigh, combine, ..Parts::default() }, count)
    }

    fn with(parts: &Parts, count: u32) -> Self {
        let seams = parts.build(&Registry::default()).expect("valid parts");
        Self {
            strategy: Composed::new(seams, Flat::zeros(4)),
            clients: Clients { count, back: Time::ZERO, away: BTreeSet::new() },
            promises: Counting::default(),
            now: Time::ZERO,
            invited: VecDeque::new(),
            timers: BTreeSet::new(),
            finished: None,
            liars: 0,
        }
    }

    fn on(&mut self, signal: Signal) -> Vec<Publication> {
        let mut cx = Context {
            now: self.now,
            seeds: SeedTree::new(1),
            roster: &self.clients,
            promises: &mut self.promises,
        };
        let mut published = Vec::new();
        for order in self.strategy.on(signal, &mut cx) {
            match order {
                Order::Invite(invitation) => self.invited.push_back(*invitation),
                Order::Timer { at, token } => {
                    self.timers.insert((at, token));
                }
                Order::Publish(publication) => published.push(*publication),
                Order::Finish(reason) => self.finished = Some(reason),
                _ => {}
            }
        }
        published
    }

    /// Rings all timers up to now, and the next one when nobody is at work.
    fn ring(&mut self) {
        while let Some((at, token)) = self.timers.first().copied() {
            if at > self.now && !self.invited.is_empty() {
                break;
            }
            self.timers.pop_first();
            self.now = self.now.max(at);
            self.on(Signal::Timer(token));
        }
    }

    /// The client that was invited as `place`-th of those at work answers or is lost.
    fn end(&mut self, place: usize, answers: bool) -> Vec<Publication> {
        self.now += offbeat_kernel::Span::from_seconds(1.0);
        let place = place % self.invited.len();
        let Invitation { task, client, version, assignment, .. } =
            self.invited.remove(place).expect("in range");
        if !answers {
            return self.on(Signal::Lost { task, client, reason: LossReason::DroppedOut });
        }
        let lies = self.liars > 0;
        self.liars -= usize::from(lies);
        self.on(Signal::Arrived(Arrival {
            task,
            client,
            base_version: version,
            samples: if lies { 1000 } else { 10 },
            completeness: 1.0,
            invited: self.now,
            arrived: self.now,
            tag: assignment.tag,
        }))
    }
}

fn buffered() -> PacePart {
    PacePart::Buffered(pace::Buffered { buffer: 3, concurrency: 8, max_staleness: Some(5) })
}

#[test]
fn what_is_kept_is_the_same_after_ten_thousand_versions() {
    let mut play = Play::new(buffered(), 20);
    play.on(Signal::Start);
    let (mut step, mut ledger) = (0usize, Vec::new());
    while play.strategy.version().0 < 10_000 {
        step += 1;
        // The one that was invited last answers; now and then the first, which is stale by then.
        let place = if step.is_multiple_of(40) { 0 } else { play.invited.len() - 1 };
        let published = play.end(place, !step.is_multiple_of(7));
        play.ring();
        let kept = &play.strategy;
        assert_eq!((kept.models.len(), kept.flights.len(), kept.busy.len()), (1, 8, 8));
        assert!(kept.arrived.len() < 3);
        assert_eq!(kept.bases.len(), kept.flights.len() + kept.arrived.len());
        assert!(kept.group_of.is_empty() && kept.orders.is_empty() && kept.bells.is_empty());
        if published.iter().any(|publication| publication.version.0.is_multiple_of(2_000)) {
            assert_eq!(kept.ledger.iter().count(), 20);
            ledger.push(encoded_len(&kept.ledger).expect("plain data"));
        }
    }
    assert!(play.promises.discarded > 100, "{} were too stale", play.promises.discarded);
    // Counters grow by digits, histories do not.
    assert!(ledger.len() == 5 && ledger[4] <= ledger[0] + 20 * 16, "{ledger:?}");
}

#[test]
fn a_second_answer_to_a_task_changes_nothing() {
    let mut play = Play::new(PacePart::Immediate(pace::Immediate::default()), 3);
    play.on(Signal::Start);
    let again = play.invited[0].clone();
    assert_eq!(play.end(0, true).len(), 1);
    play.invited.push_front(again);
    assert!(play.end(0, true).is_empty());
    assert_eq!((play.strategy.version().0, play.promises.taken), (1, 1));
}

#[test]
fn a_pace_that_names_nobody_is_asked_again_when_somebody_is_back() {
    let tiers = pace::TiersSettings { tiers: 2, clients: 2 };
    let mut play = Play::new(PacePart::Tiers(tiers), 4);
    play.clients.away = [ClientId(2), ClientId(3)].into();
    play.clients.back = Time::from_micros(900);
    play.on(Signal::Start);
    let clients = |play: &Play| play.invited.iter().map(|i| i.client.0).collect::<BTreeSet<_>>();
    assert_eq!(clients(&play), BTreeSet::from([0, 1]));
    assert_eq!(play.timers, BTreeSet::from([(play.clients.back, RETRY)]));
    play.now = play.clients.back;
    play.ring();
    assert_eq!(clients(&play), BTreeSet::from([0, 1, 2, 3]));
}

#[test]
fn a_large_population_is_not_asked_one_by_one_while_somebody_works() {
    let count = 50_000;
    let mut play = Play::new(buffered(), count);
    // Six are there; the others come back in a day, or never.
    play.clients.away = (6..count).map(ClientId).collect();
    play.clients.back = Time::from_micros(86_400_000_000);
    play.on(Signal::Start);
    let found = play.invited.len();
    let at = play.timers.first().expect("asks again").0;
    assert_eq!(at.seconds(), if found == 0 { 86_400.0 } else { 60.0 });
    let mut gone = Play::new(buffered(), count);
    gone.clients.away = (0..count).map(ClientId).collect();
    gone.clients.back = Time::NEVER;
    gone.on(Signal::Start);
    assert!(gone.finished.expect("over").contains("none will come back"));
}

mod judged;
mod private;
