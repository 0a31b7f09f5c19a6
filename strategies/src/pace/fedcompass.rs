//! FedCompass (Li et al. 2024): local steps are assigned so that groups of clients arrive together.

use crate::seams::{Desk, Pace, PaceSignal, Wish, state_in_bytes};
use crate::signal::Assignment;
use offbeat_kernel::{ClientId, Span, TaskId, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Settings of [`FedCompass`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FedCompassSettings {
    /// Clients that take part, at least 1.
    pub clients: usize,
    /// Fewest local steps that are assigned (Q_min), at least 1.
    pub min_steps: u32,
    /// Most local steps that are assigned (Q_max), at least `min_steps`.
    pub max_steps: u32,
    /// A group is waited for until this multiple of its expected duration (lambda), at least 1.
    pub latest: f64,
    /// Share of the newest observation in the moving average of a client's speed, in (0, 1].
    pub momentum: f64,
}

impl Default for FedCompassSettings {
    fn default() -> Self {
        Self { clients: 10, min_steps: 20, max_steps: 100, latest: 1.2, momentum: 0.9 }
    }
}

/// A group that is to arrive together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Arriving {
    expected: Time,
    latest: Time,
    /// Seconds per step of its fastest member.
    fastest: f64,
}

/// The computing power aware scheduler (the paper's Algorithms 1 and 2), in virtual time.
///
/// A client is first asked for `min_steps` and merged when it arrives; from then on its seconds per step
/// are known. It joins the group whose expected arrival leaves it the most steps within the limits; where no
/// group does, it opens one. A group is merged when all its members have arrived, at the latest at its
/// latest time; who comes later is put into the next group's aggregation and assigned anew at once.
/// Tag 0 marks a task without a group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FedCompass {
    settings: FedCompassSettings,
    /// Seconds per step.
    speeds: BTreeMap<ClientId, f64>,
    steps: BTreeMap<ClientId, u32>,
    groups: BTreeMap<u64, Arriving>,
    next_group: u64,
    members: BTreeSet<ClientId>,
}

impl FedCompass {
    /// A pace with these settings.
    pub fn new(settings: FedCompassSettings) -> Self {
        Self {
            settings,
            speeds: BTreeMap::new(),
            steps: BTreeMap::new(),
            groups: BTreeMap::new(),
            next_group: 1,
            members: BTreeSet::new(),
        }
    }

    fn note_speed(&mut self, task: TaskId, desk: &Desk<'_>) {
        let Some(arrival) = desk.arrived.iter().find(|arrival| arrival.task == task) else {
            return;
        };
        let steps = self.steps.get(&arrival.client).copied().unwrap_or(self.settings.min_steps);
        let done = (f64::from(steps) * arrival.completeness).max(1.0);
        let seen = arrival.arrived.since(arrival.invited).seconds() / done;
        let momentum = self.settings.momentum;
        let speed = self.speeds.entry(arrival.client).or_insert(seen);
        *speed = (1.0 - momentum) * *speed + momentum * seen;
    }

    /// The group whose expected arrival leaves the client the most steps within the limits.
    fn join(&mut self, speed: f64, now: Time) -> Option<(u64, u32)> {
        let limits = f64::from(self.settings.min_steps)..=f64::from(self.settings.max_steps);
        let mut best = None;
        for (group, arriving) in &self.groups {
            let steps = (arriving.expected.since(now).seconds() / speed + 1e-9).floor();
            if limits.contains(&steps) && best.is_none_or(|(_, most)| steps as u32 >= most) {
                best = Some((*group, steps as u32));
            }
        }
        if let Some(arriving) = best.and_then(|(group, _)| self.groups.get_mut(&group)) {
            arriving.fastest = arriving.fastest.min(speed);
        }
        best
    }

    /// Steps for a new group: so that it can meet another group's fastest member after its next round.
    fn steps_of_new(&self, speed: f64, now: Time) -> u32 {
        let most = f64::from(self.settings.max_steps);
        let steps = |arriving: &Arriving| {
            let meeting = arriving.latest.since(now).seconds() + arriving.fastest * most;
            (meeting / speed + 1e-9).floor()
        };
        let open = self.groups.values().filter(|arriving| now < arriving.latest);
        let fitting = open
            .map(steps)
            .filter(|steps| *steps <= most)
            .fold(None, |best, steps| Some(f64::max(best.unwrap_or(steps), steps)));
        fitting.map_or(self.settings.max_steps, |steps| (steps as u32).max(self.settings.min_steps))
    }

    fn assign(&mut self, client: ClientId, desk: &mut Desk<'_>) {
        let now = desk.view.now;
        let known = self.speeds.get(&client).copied().map(|speed| speed.max(1e-6));
        let (group, steps) = match known {
            None => (0, self.settings.min_steps),
            Some(speed) => self.join(speed, now).unwrap_or_else(|| {
                let steps = self.steps_of_new(speed, now);
                let length = f64::from(steps) * speed;
                let latest = Span::from_seconds(length * self.settings.latest);
                let group = self.next_group;
                self.next_group += 1;
                let expected = now + Span::from_seconds(length);
                let arriving = Arriving { expected, latest: now + latest, fastest: speed };
                self.groups.insert(group, arriving);
                // One tick later, so that an arrival exactly at the latest time is in time.
                desk.timer(latest + Span::TICK, group);
                (group, steps)
            }),
        };
        self.steps.insert(client, steps);
        let assignment = Assignment { steps: Some(steps), tag: group, ..Assignment::default() };
        desk.wishes.push(Wish::InviteThese { clients: vec![client], assignment });
    }

    /// Gives every member something to do that neither works nor waits for its group, fastest first;
    /// replaces those that are gone.
    fn assign_idle(&mut self, desk: &mut Desk<'_>) {
        let waits = |client| {
            let own = desk.arrived.iter().filter(|arrival| arrival.client == client);
            own.into_iter().any(|arrival| self.groups.contains_key(&arrival.tag))
        };
        let working: BTreeSet<ClientId> = desk.flights.values().map(|f| f.client).collect();
        let mut idle: Vec<ClientId> = self.members.difference(&working).copied().collect();
        idle.retain(|client| !waits(*client));
        let (mut free, gone): (Vec<_>, Vec<_>) = idle.into_iter().partition(|c| desk.view.free(*c));
        gone.iter().for_each(|client| {
            self.members.remove(client);
        });
        let speed = |client: &ClientId| self.speeds.get(client).copied().unwrap_or(f64::INFINITY);
        free.sort_by(|a, b| speed(a).total_cmp(&speed(b)).then(a.cmp(b)));
        free.into_iter().for_each(|client| self.assign(client, desk));
        let missing = self.settings.clients.saturating_sub(self.members.len());
        let steps = Some(self.settings.min_steps);
        desk.invite_with(missing, Assignment { steps, ..Assignment::default() });
    }

    /// Merges a group with those who came too late for theirs; whether there was anything.
    fn close(&mut self, group: u64, desk: &mut Desk<'_>) -> bool {
        let came = desk.arrived.iter().any(|arrival| arrival.tag == group);
        self.groups.remove(&group);
        if came {
            let ready = desk.arrived.iter().filter(|a| !self.groups.contains_key(&a.tag));
            desk.aggregate(ready.map(|arrival| arrival.task).collect());
        }
        came
    }

    /// Closes the first group of which nobody is at work any more; whether that merged anything.
    fn close_complete(&mut self, desk: &mut Desk<'_>) -> bool {
        let working: BTreeSet<u64> = desk.flights.values().map(|f| f.assignment.tag).collect();
        let complete: Vec<u64> =
            self.groups.keys().filter(|group| !working.contains(group)).copied().collect();
        complete.into_iter().any(|group| self.close(group, desk))
    }
}

impl Pace for FedCompass {
    fn on(&mut self, signal: PaceSignal, desk: &mut Desk<'_>) {
        self.members.extend(desk.flights.values().map(|flight| flight.client));
        self.members.extend(desk.arrived.iter().map(|arrival| arrival.client));
        let merged = match signal {
            PaceSignal::Arrived(task) => {
                self.note_speed(task, desk);
                let alone = desk.arrived.iter().any(|a| a.task == task && a.tag == 0);
                if alone {
                    desk.aggregate(vec![task]);
                }
                alone || self.close_complete(desk)
            }
            PaceSignal::Timer(group) if self.groups.contains_key(&group) => self.close(group, desk),
            PaceSignal::Lost(_) | PaceSignal::Aggregated => self.close_complete(desk),
            _ => false,
        };
        // After an aggregation the members are assigned with the new version, on `Aggregated`.
        if !merged {
            self.assign_idle(desk);
        }
    }

    state_in_bytes!();
}

#[cfg(test)]
#[path = "fedcompass_tests.rs"]
mod tests;
