//! The whole state of a strategy as plain data, for snapshots.

use super::bells::Bells;
use super::durable::Durable;
use super::{Composed, Seams, place};
use crate::ledger::Ledger;
use crate::registry::{Registry, Seam, Switch};
use crate::seams::Flight;
use crate::signal::Order;
use crate::update::{Arrival, Update};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, TaskId, Time, Version};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What [`Composed`] is made of between two signals; its parts as the bytes that they gave.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    parts: PartStates,
    models: BTreeMap<u32, Flat>,
    group_of: BTreeMap<ClientId, u32>,
    version: Version,
    next_task: u64,
    selections: u64,
    flights: BTreeMap<TaskId, Flight>,
    bases: BTreeMap<TaskId, Flat>,
    arrived: Vec<Arrival>,
    candidates: Vec<Update>,
    busy: BTreeSet<ClientId>,
    ledger: Ledger,
    absent: usize,
    retry_at: Option<Time>,
    short: bool,
    bells: Bells,
    durable: Option<Durable>,
    switched: Vec<Switch>,
    started: bool,
    orders: Vec<Order>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartStates {
    select: Vec<u8>,
    pub(super) pace: Vec<u8>,
    guard: Vec<Vec<u8>>,
    group: Vec<u8>,
    weigh: Vec<u8>,
    combine: Vec<u8>,
    refine: Option<Vec<u8>>,
    companion: Option<Vec<u8>>,
    dialogue: Option<Vec<u8>>,
    protection: Option<Vec<u8>>,
}

impl Composed {
    /// The state between two signals.
    ///
    /// # Errors
    /// When a part cannot give its state.
    pub fn save(&self) -> Result<State, CodecError> {
        // Every field by its name: one that is added and forgotten here does not compile.
        let Self {
            seams,
            models,
            group_of,
            version,
            next_task,
            selections,
            flights,
            bases,
            arrived,
            candidates,
            busy,
            ledger,
            absent,
            retry_at,
            short,
            bells,
            durable,
            switched,
            started,
            orders,
        } = self;
        Ok(State {
            parts: PartStates::of(seams)?,
            models: models.clone(),
            group_of: group_of.clone(),
            version: *version,
            next_task: *next_task,
            selections: *selections,
            flights: flights.clone(),
            bases: bases.clone(),
            arrived: arrived.clone(),
            candidates: candidates.clone(),
            busy: busy.clone(),
            ledger: ledger.clone(),
            absent: *absent,
            retry_at: *retry_at,
            short: *short,
            bells: bells.clone(),
            durable: durable.clone(),
            switched: switched.clone(),
            started: *started,
            orders: orders.clone(),
        })
    }

    /// Puts back what [`Composed::save`] gave, into a strategy that began with the same parts. Those that
    /// were switched to since are taken from `registry`.
    ///
    /// # Errors
    /// When the state is not that of such parts.
    pub fn restore(&mut self, state: State, registry: &Registry) -> Result<(), CodecError> {
        let State {
            parts,
            models,
            group_of,
            version,
            next_task,
            selections,
            flights,
            bases,
            arrived,
            candidates,
            busy,
            ledger,
            absent,
            retry_at,
            short,
            bells,
            durable,
            switched,
            started,
            orders,
        } = state;
        for switch in &switched {
            let new = switch.build(registry).map_err(CodecError::Refused)?;
            self.seams.put(switch.seam(), new);
        }
        parts.put_into(&mut self.seams)?;
        self.durable = durable;
        self.switched = switched;
        self.started = started;
        self.models = models;
        self.group_of = group_of;
        self.version = version;
        self.next_task = next_task;
        self.selections = selections;
        self.flights = flights;
        self.bases = bases;
        self.arrived = arrived;
        self.candidates = candidates;
        self.busy = busy;
        self.ledger = ledger;
        self.absent = absent;
        self.retry_at = retry_at;
        self.short = short;
        self.bells = bells;
        self.orders = orders;
        Ok(())
    }
}

impl PartStates {
    fn of(seams: &Seams) -> Result<Self, CodecError> {
        let Seams {
            select,
            pace,
            guard,
            group,
            weigh,
            combine,
            refine,
            companion,
            dialogue,
            protection,
        } = seams;
        let within = |seam, save: &dyn Fn() -> Result<Vec<u8>, CodecError>| {
            place::enter(seam);
            save()
        };
        place::enter(Seam::Guard);
        let guard = guard.iter().map(|part| part.save()).collect::<Result<_, _>>()?;
        place::enter(Seam::Refine);
        let refine = refine.as_ref().map(|part| part.save()).transpose()?;
        place::enter(Seam::Companion);
        let companion = companion.as_ref().map(|part| part.save()).transpose()?;
        // The dialogue comes with its pace.
        place::enter(Seam::Pace);
        let dialogue = dialogue.as_ref().map(|part| part.save()).transpose()?;
        Ok(Self {
            select: within(Seam::Select, &|| select.save())?,
            pace: within(Seam::Pace, &|| pace.save())?,
            guard,
            group: within(Seam::Group, &|| group.save())?,
            weigh: within(Seam::Weigh, &|| weigh.save())?,
            combine: within(Seam::Combine, &|| combine.save())?,
            refine,
            companion,
            dialogue,
            protection: protection.as_ref().map(|part| part.save()).transpose()?,
        })
    }

    /// What survives a crash of the server: `pace` instead of the present one, and no books of privacy.
    pub(super) fn stored(seams: &Seams, pace: Vec<u8>) -> Result<Self, CodecError> {
        Ok(Self { pace, protection: None, ..Self::of(seams)? })
    }

    /// Takes the state of the part of one seam, which was switched, from `seams`.
    pub(super) fn take_over(&mut self, seam: Seam, seams: &Seams) -> Result<(), CodecError> {
        match seam {
            Seam::Select => self.select = seams.select.save()?,
            Seam::Group => self.group = seams.group.save()?,
            Seam::Weigh => self.weigh = seams.weigh.save()?,
            Seam::Combine => self.combine = seams.combine.save()?,
            _ => self.pace = seams.pace.save()?,
        }
        Ok(())
    }

    pub(super) fn put_into(self, seams: &mut Seams) -> Result<(), CodecError> {
        seams.select.restore(&self.select)?;
        seams.pace.restore(&self.pace)?;
        for (part, state) in seams.guard.iter_mut().zip(&self.guard) {
            part.restore(state)?;
        }
        seams.group.restore(&self.group)?;
        seams.weigh.restore(&self.weigh)?;
        seams.combine.restore(&self.combine)?;
        if let (Some(part), Some(state)) = (&mut seams.refine, &self.refine) {
            part.restore(state)?;
        }
        if let (Some(part), Some(state)) = (&mut seams.companion, &self.companion) {
            part.restore(state)?;
        }
        if let (Some(part), Some(state)) = (&mut seams.dialogue, &self.dialogue) {
            part.restore(state)?;
        }
        if let (Some(part), Some(state)) = (&mut seams.protection, &self.protection) {
            part.restore(state)?;
        }
        Ok(())
    }
}
