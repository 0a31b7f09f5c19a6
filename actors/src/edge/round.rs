//! An edge server's task: rounds of invitations to its own clients.

use super::{EdgeSetup, of_edge};
use crate::effect::Effect;
use crate::message::{Address, Answer, Invite, Message};
use crate::promise::{Joint, Merge, Part, weight};
use crate::record::{EdgeShare, Record, TaskEnd, TaskRow};
use crate::topology::{Tree, Wait};
use offbeat_kernel::{ClientId, Purpose, TaskId, Time};
use offbeat_learning::Flat;
use offbeat_strategies::Arrival;
use offbeat_strategies::signal::{Assignment, LossReason, Signal};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A task that the server gave to an edge server: all that the edge server knows of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    answer: Answer,
    model: Flat,
    extras: BTreeMap<String, Flat>,
    assignment: Assignment,
    round: u32,
    /// Whether this round is the last one, by the server's wish.
    urged: bool,
    /// Whether the deadline of this round has passed.
    late: bool,
    /// Whether this round is over and being merged.
    merging: bool,
    /// How many clients were invited for this round.
    invited: usize,
    open: BTreeMap<TaskId, Sent>,
    parts: Vec<Part>,
    /// Of the rounds before this one.
    before: Before,
    /// Why the last client that was lost was lost.
    lost: LossReason,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    client: ClientId,
    at: Time,
    bytes: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Before {
    samples: u64,
    steps: u64,
    loss: (f64, f64),
    /// Sum of the mean completeness of each round.
    completeness: f64,
}

impl Task {
    /// What `invite` asks of edge server `edge`.
    pub(super) fn new(edge: ClientId, invite: Invite) -> Self {
        let Invite { task, version, invited, model, extras, assignment } = invite;
        let answer = Answer {
            task,
            client: edge,
            base_version: version,
            invited,
            samples: 0,
            completeness: 0.0,
            tag: assignment.tag,
        };
        Self {
            answer,
            model,
            extras,
            assignment,
            round: 0,
            urged: false,
            late: false,
            merging: false,
            invited: 0,
            open: BTreeMap::new(),
            parts: Vec::new(),
            before: Before::default(),
            lost: LossReason::Declined,
        }
    }

    pub(super) fn id(&self) -> TaskId {
        self.answer.task
    }

    pub(super) fn turn(&self, tree: &Tree) -> u64 {
        tree.turn(self.id(), self.round)
    }

    /// Tasks whose updates wait to be merged.
    pub(super) fn parts(&self) -> impl Iterator<Item = TaskId> {
        self.parts.iter().map(|part| part.arrival.task)
    }

    /// Whether the answer to a client's task is still to come.
    pub(super) fn waits_for(&self, task: TaskId) -> bool {
        self.open.contains_key(&task)
    }

    pub(super) fn too_late(&mut self) {
        self.late = true;
    }

    /// Why the task is lost when none of the clients answered.
    pub(super) fn why_nobody(&self) -> LossReason {
        self.lost
    }

    /// Invites clients for the present round. Nothing when nobody is there.
    pub(super) fn begin(&mut self, edge: u32, setup: &EdgeSetup, now: Time) -> Vec<Effect> {
        (self.late, self.merging) = (false, false);
        let turn = self.turn(&setup.tree);
        let chosen = self.choose(edge, setup, now);
        self.invited = chosen.len();
        let mut effects: Vec<Effect> = chosen
            .into_iter()
            .map(|(place, client)| self.invite(setup.tree.task(turn, place), client, setup, now))
            .collect();
        if let (Wait::Deadline(span), false) = (setup.tree.rules().wait, effects.is_empty()) {
            let message = Message::Signal(Signal::Timer(turn));
            effects.push(Effect::Schedule { at: now + span, to: Address::Edge(edge), message });
        }
        effects
    }

    /// The clients to invite, each with its place among the edge server's: those that are there and hold
    /// samples, or as many of them as the rules say, drawn uniformly; in the order of ids.
    fn choose(&self, edge: u32, setup: &EdgeSetup, now: Time) -> Vec<(usize, ClientId)> {
        let is_free = |client: &ClientId| {
            setup.samples.count(*client) > 0 && setup.roster.present(*client, now)
        };
        let members = setup.tree.members(edge).iter().copied().enumerate();
        let mut free: Vec<(usize, ClientId)> =
            members.filter(|(_, client)| is_free(client)).collect();
        let want = setup.tree.rules().clients.map_or(free.len(), |most| most as usize);
        if want < free.len() {
            // The server draws with id 0.
            let turn = self.turn(&setup.tree);
            let mut stream = setup.seeds.stream(Purpose::Selection, 1 + u64::from(edge), turn);
            for place in 0..want {
                let other = stream.random_range(place..free.len());
                free.swap(place, other);
            }
            free.truncate(want);
            free.sort_unstable();
        }
        free
    }

    fn invite(&mut self, task: TaskId, client: ClientId, setup: &EdgeSetup, now: Time) -> Effect {
        let message = Message::Invite(Box::new(Invite {
            task,
            version: self.answer.base_version,
            invited: now,
            model: self.model.clone(),
            extras: self.extras.clone(),
            assignment: self.assignment,
        }));
        let bytes = setup.coded.message_len(&message);
        self.open.insert(task, Sent { client, at: now, bytes });
        Effect::Send { client, to: Address::Client(client), message, bytes }
    }

    /// Takes an answer, if it was asked for.
    pub(super) fn arrived(
        &mut self,
        edge: u32,
        answer: &Answer,
        bytes_up: u64,
        setup: &EdgeSetup,
        now: Time,
    ) -> Option<Record> {
        let sent = self.closed(answer.task, answer.client)?;
        let planned = match self.assignment.steps {
            Some(steps) => f64::from(steps),
            None => setup.plan.steps(setup.samples.count(answer.client)) as f64,
        };
        let arrival = Arrival {
            task: answer.task,
            client: answer.client,
            base_version: self.answer.base_version,
            samples: answer.samples,
            completeness: answer.completeness,
            invited: sent.at,
            arrived: now,
            tag: answer.tag,
        };
        let steps = (answer.completeness * planned).round() as u64;
        self.parts.push(Part { arrival, steps });
        let row = self.row(answer.task, sent, now, TaskEnd::Arrived, bytes_up);
        Some(of_edge(edge, self.id(), self.round, row))
    }

    /// Notes that a client's task is lost, if it was open.
    pub(super) fn lost(
        &mut self,
        edge: u32,
        (task, client): (TaskId, ClientId),
        reason: LossReason,
        now: Time,
    ) -> Option<Record> {
        let sent = self.closed(task, client)?;
        self.lost = reason;
        let row = self.row(task, sent, now, TaskEnd::Lost(reason), 0);
        Some(of_edge(edge, self.id(), self.round, row))
    }

    fn closed(&mut self, task: TaskId, client: ClientId) -> Option<Sent> {
        self.open.get(&task).filter(|sent| sent.client == client)?;
        self.open.remove(&task)
    }

    fn row(&self, task: TaskId, sent: Sent, now: Time, end: TaskEnd, bytes_up: u64) -> TaskRow {
        TaskRow {
            task,
            client: sent.client,
            version: self.answer.base_version,
            invited: sent.at,
            ended: now,
            end,
            bytes_down: sent.bytes,
            bytes_up,
            used_at_once: false,
        }
    }

    /// Whether there is nothing more to wait for in this round.
    pub(super) fn is_complete(&self, setup: &EdgeSetup) -> bool {
        let arrived = self.parts.len();
        let enough = match setup.tree.rules().wait {
            Wait::All => false,
            Wait::Deadline(_) => self.late && arrived > 0,
            Wait::Share(share) => arrived as f64 >= share * self.invited as f64 && arrived > 0,
        };
        !self.merging && (self.open.is_empty() || enough)
    }

    /// Tells clients that still work to stop.
    pub(super) fn dismiss(&mut self, edge: u32, setup: &EdgeSetup, now: Time) -> Vec<Effect> {
        let open = std::mem::take(&mut self.open);
        let reason = LossReason::Cancelled;
        let told = open.into_iter().flat_map(|(task, sent)| {
            setup.book.discard_reply(task);
            setup.tally.lost_below(reason);
            let message = Message::Cancel(task);
            let (client, bytes) = (sent.client, message.bytes());
            let row = self.row(task, sent, now, TaskEnd::Lost(reason), 0);
            let record = of_edge(edge, self.id(), self.round, row);
            let to = Address::Client(client);
            [Effect::Record(record), Effect::Send { client, to, message, bytes }]
        });
        told.collect()
    }

    /// Ends the round and says when its updates are merged; `None` when there is nothing to answer with.
    pub(super) fn close(&mut self, edge: u32, setup: &EdgeSetup, now: Time) -> Option<Time> {
        self.parts.sort_by_key(|part| (part.arrival.client, part.arrival.task));
        self.judge(edge, setup, now);
        if self.parts.is_empty() && self.round == 0 {
            return None;
        }
        self.merging = true;
        let (many, params) = (self.parts.len(), self.model.len());
        let span = setup.conditions.merging(setup.tree.participant(edge), self.id(), many, params);
        Some(now + span)
    }

    /// Leaves out what the guards refuse before the values are known.
    fn judge(&mut self, edge: u32, setup: &EdgeSetup, now: Time) {
        let arrivals = self.parts.iter().map(|part| part.arrival.clone()).collect();
        let left = setup.book.judge_arrivals(self.merge(edge, now), arrivals);
        if left.len() < self.parts.len() {
            self.lost = LossReason::Refused;
        }
        let mut left = left.into_iter().peekable();
        self.parts.retain_mut(|part| {
            let Some(arrival) = left.next_if(|left| left.task == part.arrival.task) else {
                return false;
            };
            part.arrival = arrival;
            true
        });
    }

    /// The merge of this round at `at`.
    pub(super) fn merge(&self, edge: u32, at: Time) -> Merge {
        let (of, round, version) = (self.id(), self.round, self.answer.base_version);
        Merge { edge, of, round, version, at }
    }

    /// What was merged, for the record.
    pub(super) fn record(&self, edge: u32, now: Time) -> Option<Record> {
        let all: f64 = self.parts.iter().map(weight).sum();
        let share = |part: &Part| EdgeShare {
            task: part.arrival.task,
            client: part.arrival.client,
            weight: weight(part) / all,
        };
        let used: Vec<EdgeShare> = self.parts.iter().map(share).collect();
        let (of, round) = (self.id(), self.round);
        let version = self.answer.base_version;
        let record = Record::EdgeAggregation { at: now, edge, of, round, version, used };
        (!self.parts.is_empty()).then_some(record)
    }

    /// Whether another round follows this one.
    pub(super) fn goes_on(&self, setup: &EdgeSetup) -> bool {
        !self.urged && !self.parts.is_empty() && self.round + 1 < setup.tree.rules().rounds
    }

    /// Waits for the values of this round and goes on from their mean.
    pub(super) fn take_values(
        &mut self,
        edge: u32,
        setup: &EdgeSetup,
        now: Time,
    ) -> Result<(), String> {
        let joint = self.joint(edge, now);
        self.before.samples = samples(&joint.parts);
        self.before.completeness += joint.mean_over_parts(|part| part.arrival.completeness);
        let reply = setup.book.take_jointly(&joint)?;
        self.before.steps = reply.steps;
        self.before.loss = (reply.loss, reply.loss_squared);
        self.model = reply.params;
        self.parts.clear();
        self.round += 1;
        Ok(())
    }

    fn joint(&self, edge: u32, at: Time) -> Joint {
        Joint {
            merge: self.merge(edge, at),
            base: self.model.clone(),
            parts: self.parts.clone(),
            steps_before: self.before.steps,
            loss_before: self.before.loss,
        }
    }

    /// The answer to the server, and what its values are made of.
    pub(super) fn finish(self, edge: u32, setup: &EdgeSetup, now: Time) -> (Answer, Joint) {
        let joint = self.joint(edge, now);
        let done =
            self.before.completeness + joint.mean_over_parts(|part| part.arrival.completeness);
        let completeness = done / f64::from(setup.tree.rules().rounds);
        let samples = match joint.parts.is_empty() {
            true => self.before.samples,
            false => samples(&joint.parts),
        };
        (Answer { samples, completeness, ..self.answer }, joint)
    }

    /// Makes this round the last one, and asks its clients to come to an end.
    pub(super) fn urge(&mut self) -> Vec<Effect> {
        self.urged = true;
        let open = self.open.iter().map(|(task, sent)| {
            let message = Message::Urge(*task);
            let (client, bytes) = (sent.client, message.bytes());
            Effect::Send { client, to: Address::Client(client), message, bytes }
        });
        open.collect()
    }
}

/// All samples; as many as can be counted, where somebody lies.
fn samples(parts: &[Part]) -> u64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.arrival.samples))
}
