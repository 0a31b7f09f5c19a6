//! The second half of a version: arrived updates are taken, let in or refused, grouped, weighed,
//! combined and refined.

use super::gate::Gate;
use super::{Composed, Context, place};
use crate::guard::{Fault, Finding};
use crate::privacy::Protection;
use crate::registry::Seam;
use crate::seams::{Batch, Combine, Companion, View};
use crate::signal::{Order, Used};
use crate::update::{Arrival, Feedback, Update};
use offbeat_kernel::{ClientId, TaskId};
use offbeat_learning::Flat;
use std::collections::BTreeSet;

/// What is known of a merged update: the feedback, its weight and its group.
type Merged = (Feedback, f64, u32);

impl Composed {
    pub(super) fn aggregate(&mut self, tasks: &[TaskId], tag: u64, cx: &mut Context<'_>) {
        let batch = self.arrivals(tasks, cx);
        let judged = !self.candidates.is_empty();
        let Some(paid) = self.afford(&batch, cx) else { return };
        cx.promises.demand(&tasks_of(&batch));
        let merged = match self.weights_before_values(&batch, cx) {
            _ if judged => {
                let updates = self.judged(batch, cx);
                self.merge_updates(updates, tag, cx)
            }
            Some(weights) => self.merge_streaming(batch, &weights, tag, cx),
            None => self.merge_whole(batch, tag, cx),
        };
        if let Some(companion) = self.seams.companion.as_mut().filter(|_| !merged.is_empty()) {
            place::enter(Seam::Companion);
            companion.merged(&Self::view((self.version, &self.ledger, &self.busy), cx));
        }
        self.absent = 0;
        if !merged.is_empty() {
            self.pay(paid);
            self.publish(merged);
        }
    }

    /// Takes arrivals from the desk that the guards let in, by client.
    pub(super) fn arrivals(&mut self, tasks: &[TaskId], cx: &mut Context<'_>) -> Vec<Arrival> {
        let wanted: BTreeSet<TaskId> = tasks.iter().copied().collect();
        let (mut batch, rest) = std::mem::take(&mut self.arrived)
            .into_iter()
            .partition::<Vec<_>, _>(|arrival| wanted.contains(&arrival.task));
        self.arrived = rest;
        batch.sort_by_key(|arrival| (arrival.client, arrival.task));
        let (gate, Rest { view, .. }) = self.gate(cx);
        place::enter(Seam::Guard);
        gate.guards.iter_mut().for_each(|guard| guard.arrivals(&batch, &view));
        let came = batch.len();
        batch.retain_mut(|arrival| self.gate(cx).0.knows(arrival));
        // Whoever is refused is a member of the round whose part is missing.
        self.absent += came - batch.len();
        batch
    }

    /// What updates pass on their way in, and what remains to be borrowed beside it.
    pub(super) fn gate<'a>(&'a mut self, cx: &'a mut Context<'_>) -> (Gate<'a>, Rest<'a>) {
        let view = View {
            now: cx.now,
            version: self.version,
            seeds: cx.seeds,
            roster: cx.roster,
            ledger: &self.ledger,
            busy: &self.busy,
        };
        let gate = Gate {
            guards: &mut self.seams.guard,
            bases: &mut self.bases,
            orders: &mut self.orders,
            promises: &mut *cx.promises,
            view,
        };
        let rest = Rest {
            companion: self.seams.companion.as_deref_mut(),
            combine: &mut *self.seams.combine,
            protection: self.seams.protection.as_mut(),
            view,
        };
        (gate, rest)
    }

    /// Weights by position, when nothing needs the values of all updates at once.
    fn weights_before_values(&mut self, batch: &[Arrival], cx: &Context<'_>) -> Option<Vec<f64>> {
        if !self.seams.group.is_trivial() || self.seams.refine.is_some() {
            return None;
        }
        let view = Self::view((self.version, &self.ledger, &self.busy), cx);
        place::enter(Seam::Weigh);
        self.seams.weigh.weigh_arrivals(batch, &view)
    }

    fn merge_streaming(
        &mut self,
        batch: Vec<Arrival>,
        weights: &[f64],
        tag: u64,
        cx: &mut Context<'_>,
    ) -> Vec<Merged> {
        let mut merged = Vec::with_capacity(batch.len());
        let (version, dropped) = (self.version, self.dropped());
        let model = self.models[&0].clone();
        let (mut gate, Rest { mut companion, combine, protection, view }) = self.gate(cx);
        let mut updates = batch.into_iter().enumerate().filter_map(|(i, arrival)| {
            let update = gate.take(arrival)?;
            let answer = (update.arrival.task, update.arrival.client);
            if let Some(companion) = companion.as_mut() {
                place::enter_with(Seam::Companion, answer);
                companion.absorb(&update, &view);
            }
            merged.push((update.feedback(version), weights[i], 0));
            place::enter_with(Seam::Combine, answer);
            Some((i, update))
        });
        let mut batch = Batch { model: &model, group: 0, tag, weights, updates: &mut updates };
        place::enter(Seam::Combine);
        let next = match protection {
            Some(protection) => protection.combine(combine, &mut batch, dropped, &view),
            None => Ok(combine.combine(&mut batch, &view)),
        };
        let next = next.and_then(|next| combine.failure().map_or(Ok(next), Err));
        // A combiner may stop early; what it left is computed and noted all the same.
        updates.by_ref().for_each(drop);
        drop(updates);
        if !merged.is_empty() {
            self.renew(0, next, &mut merged);
        }
        merged
    }

    fn merge_whole(&mut self, batch: Vec<Arrival>, tag: u64, cx: &mut Context<'_>) -> Vec<Merged> {
        let mut gate = self.gate(cx).0;
        let updates: Vec<Update> = batch.into_iter().filter_map(|a| gate.take(a)).collect();
        self.merge_updates(updates, tag, cx)
    }

    fn merge_updates(
        &mut self,
        updates: Vec<Update>,
        tag: u64,
        cx: &mut Context<'_>,
    ) -> Vec<Merged> {
        if updates.is_empty() {
            return Vec::new();
        }
        let view = Self::view((self.version, &self.ledger, &self.busy), cx);
        place::enter(Seam::Group);
        let groups = self.seams.group.group(&updates, &view);
        let mut merged = Vec::with_capacity(updates.len());
        let members: BTreeSet<u32> = groups.iter().copied().collect();
        for group in members {
            let own: Vec<Update> = updates
                .iter()
                .zip(&groups)
                .filter(|(_, of)| **of == group)
                .map(|(update, _)| update.clone())
                .collect();
            merged.extend(self.merge_group(group, &own, tag, cx));
        }
        merged
    }

    fn merge_group(
        &mut self,
        group: u32,
        own: &[Update],
        tag: u64,
        cx: &Context<'_>,
    ) -> Vec<Merged> {
        let mut merged = Vec::with_capacity(own.len());
        let dropped = self.dropped();
        let view = Self::view((self.version, &self.ledger, &self.busy), cx);
        let model = self.models.get(&group).unwrap_or(&self.models[&0]).clone();
        place::enter(Seam::Weigh);
        let weights = self.seams.weigh.weigh(own, &model, &view);
        for (update, weight) in own.iter().zip(&weights) {
            self.group_of.insert(update.arrival.client, group);
            merged.push((update.feedback(self.version), *weight, group));
            if let Some(companion) = self.seams.companion.as_mut() {
                let answer = (update.arrival.task, update.arrival.client);
                place::enter_with(Seam::Companion, answer);
                companion.absorb(update, &view);
            }
        }
        place::enter(Seam::Combine);
        let mut feed = own.iter().cloned().enumerate();
        let mut batch = Batch { model: &model, group, tag, weights: &weights, updates: &mut feed };
        let combine = &mut *self.seams.combine;
        let next = match &mut self.seams.protection {
            Some(protection) => protection.combine(combine, &mut batch, dropped, &view),
            None => Ok(combine.combine(&mut batch, &view)),
        };
        let next = next.and_then(|next| combine.failure().map_or(Ok(next), Err));
        let next = next.map(|next| match self.seams.refine.as_mut() {
            Some(refine) => {
                place::enter(Seam::Refine);
                refine.refine(next, own, &view)
            }
            None => next,
        });
        self.renew(group, next, &mut merged);
        merged
    }

    /// The new model of a group, unless there is none, or it is not finite: then the model stays, and
    /// nothing was merged.
    pub(super) fn renew(
        &mut self,
        group: u32,
        next: Result<Flat, String>,
        merged: &mut Vec<Merged>,
    ) {
        let next = match next {
            Ok(next) => next,
            Err(reason) => {
                for (feedback, ..) in merged.drain(..) {
                    let Arrival { task, client, .. } = feedback.arrival;
                    let reason = reason.clone();
                    self.orders.push(Order::Failed { task, client, reason });
                }
                return;
            }
        };
        if next.is_finite() {
            self.models.insert(group, next);
            return;
        }
        for (feedback, ..) in merged.drain(..) {
            let of: (TaskId, ClientId) = (feedback.arrival.task, feedback.arrival.client);
            let finding = Finding::refuse(Fault::Overflow, "the merged model is not finite");
            self.orders.push(finding.order(of));
        }
    }

    pub(super) fn publish(&mut self, merged: Vec<(Feedback, f64, u32)>) {
        self.version = self.version.next();
        place::at(self.version);
        let mut used = Vec::with_capacity(merged.len());
        for (feedback, weight, group) in merged {
            let record = self.ledger.entry(feedback.arrival.client);
            record.merged += 1;
            record.last_base = feedback.arrival.base_version;
            record.last_merged = self.version;
            record.last_loss = Some(feedback.loss);
            record.last_loss_squared = Some(feedback.loss_squared);
            record.note_staleness(feedback.staleness);
            place::enter_with(Seam::Select, (feedback.arrival.task, feedback.arrival.client));
            self.seams.select.merged(&feedback);
            used.push(Used {
                task: feedback.arrival.task,
                client: feedback.arrival.client,
                staleness: feedback.staleness,
                weight,
                loss: feedback.loss,
                group,
            });
        }
        self.store();
        let publication = self.publication(used);
        self.orders.push(Order::Publish(Box::new(publication)));
    }
}

/// The tasks of arrivals, in their order.
pub(super) fn tasks_of(batch: &[Arrival]) -> Vec<TaskId> {
    batch.iter().map(|arrival| arrival.task).collect()
}

/// What merging borrows beside the gate.
pub(super) struct Rest<'a> {
    companion: Option<&'a mut (dyn Companion + 'static)>,
    combine: &'a mut (dyn Combine + 'static),
    protection: Option<&'a mut Protection>,
    view: View<'a>,
}
