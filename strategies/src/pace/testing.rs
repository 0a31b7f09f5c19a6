//! A desk for the tests of paces: it carries out wishes and plays the clients.

use crate::seams::{Desk, Flight, Pace, PaceSignal, Wish};
use crate::select::testing::World;
use crate::signal::{Assignment, Duty};
use crate::update::Arrival;
use offbeat_kernel::{ClientId, Span, TaskId, Time};
use std::collections::{BTreeMap, VecDeque};

/// A server without values: invitations go to the free clients with the lowest ids.
#[derive(Debug)]
pub(crate) struct Bench<P> {
    pub(crate) pace: P,
    pub(crate) world: World,
    pub(crate) flights: BTreeMap<TaskId, Flight>,
    pub(crate) arrived: Vec<Arrival>,
    /// Clients and tag of every aggregation.
    pub(crate) merged: Vec<(Vec<u32>, u64)>,
    pub(crate) timers: Vec<(Time, u64)>,
    pub(crate) cancelled: Vec<u32>,
    pub(crate) discarded: Vec<u32>,
    pub(crate) urged: Vec<u32>,
    /// Clients with a teacher.
    pub(crate) taught: Vec<u32>,
    next: u64,
}

impl<P: Pace> Bench<P> {
    pub(crate) fn new(pace: P, clients: u32) -> Self {
        Self {
            pace,
            world: World::new(clients),
            flights: BTreeMap::new(),
            arrived: Vec::new(),
            merged: Vec::new(),
            timers: Vec::new(),
            cancelled: Vec::new(),
            discarded: Vec::new(),
            urged: Vec::new(),
            taught: Vec::new(),
            next: 0,
        }
    }

    pub(crate) fn start(&mut self) -> &mut Self {
        self.signal(PaceSignal::Start)
    }

    pub(crate) fn at(&mut self, seconds: f64) -> &mut Self {
        self.world.now = Time::ZERO + Span::from_seconds(seconds);
        self
    }

    /// The clients at work, in order.
    pub(crate) fn working(&self) -> Vec<u32> {
        let mut clients: Vec<u32> = self.flights.values().map(|flight| flight.client.0).collect();
        clients.sort();
        clients
    }

    /// The client's open assignment.
    pub(crate) fn assignment(&self, client: u32) -> Assignment {
        let flight = self.flights.values().find(|flight| flight.client.0 == client);
        flight.expect("the client is at work").assignment
    }

    fn task(&self, client: u32) -> TaskId {
        let found = self.flights.iter().find(|(_, flight)| flight.client.0 == client);
        *found.expect("the client is at work").0
    }

    /// The client's update arrives now.
    pub(crate) fn arrive(&mut self, client: u32) -> &mut Self {
        let task = self.task(client);
        let flight = self.flights.remove(&task).expect("just found");
        self.world.busy.remove(&flight.client);
        let now = self.world.now;
        if flight.assignment.is_teaching() {
            self.taught.push(client);
        }
        self.world.ledger.entry(flight.client).last_duration = now.since(flight.invited);
        self.arrived.push(Arrival {
            task,
            client: flight.client,
            base_version: flight.version,
            samples: 1,
            completeness: 1.0,
            invited: flight.invited,
            arrived: now,
            tag: flight.assignment.tag,
        });
        self.signal(PaceSignal::Arrived(task))
    }

    /// The client's task is lost now.
    pub(crate) fn lose(&mut self, client: u32) -> &mut Self {
        let task = self.task(client);
        self.flights.remove(&task);
        self.world.busy.remove(&ClientId(client));
        self.signal(PaceSignal::Lost(task))
    }

    /// Rings the earliest timer.
    pub(crate) fn ring(&mut self) -> &mut Self {
        let earliest = (0..self.timers.len()).min_by_key(|index| self.timers[*index].0);
        let (at, token) = self.timers.remove(earliest.expect("a timer is set"));
        self.world.now = at;
        self.signal(PaceSignal::Timer(token))
    }

    pub(crate) fn signal(&mut self, signal: PaceSignal) -> &mut Self {
        let mut queue = VecDeque::from([signal]);
        while let Some(signal) = queue.pop_front() {
            let mut desk = Desk {
                view: self.world.view(),
                flights: &self.flights,
                arrived: &self.arrived,
                wishes: Vec::new(),
            };
            self.pace.on(signal, &mut desk);
            for wish in desk.wishes {
                self.carry_out(wish, &mut queue);
            }
        }
        self
    }

    fn carry_out(&mut self, wish: Wish, queue: &mut VecDeque<PaceSignal>) {
        match wish {
            Wish::Invite { want, assignment } => {
                let free = self.world.view().all_free();
                free.into_iter().take(want).for_each(|client| self.invite(client, assignment));
            }
            Wish::InviteThese { clients, assignment } => {
                for client in clients {
                    if self.world.view().free(client) {
                        self.invite(client, assignment);
                    }
                }
            }
            Wish::Aggregate { tasks, tag } => {
                let of = |task: &TaskId| self.arrived.iter().find(|arrival| arrival.task == *task);
                let clients = tasks.iter().map(|t| of(t).expect("it arrived").client.0).collect();
                self.merged.push((clients, tag));
                self.arrived.retain(|arrival| !tasks.contains(&arrival.task));
                self.world.version = self.world.version.next();
                queue.push_back(PaceSignal::Aggregated);
            }
            Wish::Judge(tasks) => {
                let of = |task: &TaskId| self.arrived.iter().find(|arrival| arrival.task == *task);
                let judges: Vec<ClientId> =
                    tasks.iter().map(|t| of(t).expect("it arrived").client).collect();
                self.arrived.retain(|arrival| !tasks.contains(&arrival.task));
                judges.into_iter().for_each(|judge| self.invite(judge, Assignment::to_judge()));
            }
            Wish::Ask(tasks) => {
                let of = |task: &TaskId| self.arrived.iter().find(|arrival| arrival.task == *task);
                let heard: Vec<u32> =
                    tasks.iter().map(|t| of(t).expect("it arrived").client.0).collect();
                self.arrived.retain(|arrival| !tasks.contains(&arrival.task));
                self.merged.push((heard, 0));
                let free = self.world.view().all_free();
                let asked = self.taught.clone();
                for client in free {
                    let duty = if asked.contains(&client.0) { Duty::Answer } else { Duty::Teach };
                    self.invite(client, duty.assignment());
                }
            }
            Wish::Discard(task) => {
                let place = self.arrived.iter().position(|arrival| arrival.task == task);
                let arrival = self.arrived.remove(place.expect("it arrived"));
                self.discarded.push(arrival.client.0);
            }
            Wish::Cancel(task) => {
                let flight = self.flights.remove(&task).expect("under way");
                self.world.busy.remove(&flight.client);
                self.cancelled.push(flight.client.0);
            }
            Wish::Urge(task) => self.urged.push(self.flights[&task].client.0),
            Wish::Timer { after, token } => self.timers.push((self.world.now + after, token)),
            Wish::Finish(reason) => panic!("no pace finishes by itself: {reason}"),
        }
    }

    fn invite(&mut self, client: ClientId, assignment: Assignment) {
        let task = TaskId(self.next);
        self.next += 1;
        self.world.busy.insert(client);
        let record = self.world.ledger.entry(client);
        record.invited += 1;
        record.last_invited = self.world.now;
        let (version, invited) = (self.world.version, self.world.now);
        self.flights.insert(task, Flight { client, version, invited, assignment });
    }
}
