//! What a server has stored, and what becomes of a strategy when its server crashes.

use super::state::PartStates;
use super::{Composed, Context, Seams};
use crate::ledger::Ledger;
use crate::privacy::Protection;
use crate::registry::{Registry, Seam, Switch};
use crate::seams::PaceSignal;
use crate::signal::{Clusters, Order, Publication, Used};
use offbeat_kernel::codec::CodecError;
use offbeat_kernel::{ClientId, TaskId, Version};
use offbeat_learning::Flat;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The state of a strategy that survives a crash of its server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Durable {
    /// Every so many versions are stored.
    every: u64,
    models: BTreeMap<u32, Flat>,
    group_of: BTreeMap<ClientId, u32>,
    version: Version,
    ledger: Ledger,
    /// The pace as it began: it starts anew, since all that it waited for is void. No books of privacy: what was
    /// revealed stays revealed.
    parts: PartStates,
}

impl Composed {
    /// From now on every `every`-th version (at least 1) is stored where a crash does not reach it.
    ///
    /// # Errors
    /// When a part's state cannot be written.
    pub fn keep_durable(&mut self, every: u64) -> Result<(), CodecError> {
        self.durable = Some(Durable {
            every: every.max(1),
            models: self.models.clone(),
            group_of: self.group_of.clone(),
            version: self.version,
            ledger: self.ledger.clone(),
            parts: PartStates::stored(&self.seams, self.seams.pace.save()?)?,
        });
        Ok(())
    }

    /// Stores the present version if it is due. A part that cannot be written keeps what was stored of
    /// it before.
    pub(super) fn store(&mut self) {
        let Some(durable) = &mut self.durable else { return };
        if !self.version.0.is_multiple_of(durable.every) {
            return;
        }
        durable.models.clone_from(&self.models);
        durable.group_of.clone_from(&self.group_of);
        durable.version = self.version;
        durable.ledger = self.ledger.clone();
        if let Ok(parts) = PartStates::stored(&self.seams, durable.parts.pace.clone()) {
            durable.parts = parts;
        }
    }

    /// The server crashes: open tasks and updates that were not merged are void, and all is as it was
    /// when the last version was stored. Task numbers go on, so that late answers are recognised.
    ///
    /// # Errors
    /// When a part refuses its stored state.
    pub fn crash(&mut self, cx: &mut Context<'_>) -> Result<(), CodecError> {
        let tasks: Vec<TaskId> = self.bases.keys().copied().collect();
        tasks.into_iter().for_each(|task| cx.promises.discard(task));
        self.flights.clear();
        self.bases.clear();
        self.arrived.clear();
        self.candidates.clear();
        self.busy.clear();
        self.orders.clear();
        self.bells.silence();
        self.short = false;
        self.retry_at = None;
        self.absent = 0;
        let Some(durable) = &self.durable else { return Ok(()) };
        self.models.clone_from(&durable.models);
        self.group_of.clone_from(&durable.group_of);
        self.version = durable.version;
        self.ledger = durable.ledger.clone();
        durable.parts.clone().put_into(&mut self.seams)
    }

    /// The present version, into which `used` were merged.
    pub(super) fn publication(&self, used: Vec<Used>) -> Publication {
        let clusters = (self.models.len() > 1)
            .then(|| Box::new(Clusters { models: self.models.clone(), of: self.group_of.clone() }));
        let budget = self.seams.companion.as_ref().and_then(|part| part.budget());
        let (version, model) = (self.version, self.models[&0].clone());
        let spent = self.seams.protection.as_ref().map(Protection::spent);
        Publication { version, model, clusters, budget, used, spent }
    }

    /// The server runs again: it says which version it has, and invites anew.
    pub fn restart(&mut self, cx: &mut Context<'_>) -> Vec<Order> {
        self.started = true;
        let resumed = self.publication(Vec::new());
        self.orders.push(Order::Resume(Box::new(resumed)));
        self.go_through(VecDeque::from([PaceSignal::Start]), cx)
    }

    /// Puts another part in the place of one. The old part's state is dropped; open tasks and updates
    /// that wait stay. A new pace begins as at the start of a run.
    ///
    /// # Errors
    /// Why the part cannot be built, or does not go with the others.
    pub fn switch(
        &mut self,
        switch: &Switch,
        registry: &Registry,
        cx: &mut Context<'_>,
    ) -> Result<Vec<Order>, String> {
        self.seams.put(switch.seam(), switch.build(registry)?);
        self.switched.retain(|old| old.seam() != switch.seam());
        self.switched.push(switch.clone());
        if let Some(durable) = &mut self.durable {
            // A switch is a change of settings, which are always stored; the other parts stay as stored.
            let kept = durable.parts.take_over(switch.seam(), &self.seams);
            kept.map_err(|error| error.to_string())?;
        }
        let mut queue = VecDeque::new();
        if switch.seam() == Seam::Pace {
            self.bells.silence();
            self.break_off_judging(cx);
            queue.extend(self.started.then_some(PaceSignal::Start));
        }
        Ok(self.go_through(queue, cx))
    }
}

impl Seams {
    /// Takes the part of one seam from `new`.
    pub(super) fn put(&mut self, seam: Seam, new: Seams) {
        if let Some(protection) = &mut self.protection {
            protection.replan(new.protection);
        }
        match seam {
            Seam::Select => self.select = new.select,
            Seam::Group => self.group = new.group,
            Seam::Weigh => self.weigh = new.weigh,
            Seam::Combine => self.combine = new.combine,
            _ => self.pace = new.pace,
        }
    }
}
