//! Where the strategy asks its protection: before an invitation, before and after a release.

use super::{Composed, Context};
use crate::privacy::Meter;
use crate::seams::Batch;
use crate::signal::Order;
use crate::update::Arrival;
use offbeat_kernel::ClientId;

impl Composed {
    /// Clients of the open round that have not answered, and whose answers the next release does without.
    pub(super) fn dropped(&self) -> usize {
        self.absent + self.flights.len()
    }

    /// What the books say after a release of `batch`. When the budget does not allow it, `batch` is thrown
    /// away, the run is to end, and there is no answer.
    pub(super) fn afford(
        &mut self,
        batch: &[Arrival],
        cx: &mut Context<'_>,
    ) -> Option<Option<Meter>> {
        match self.seams.protection.as_ref().map(|protection| protection.charge(batch)) {
            None => Some(None),
            Some(Ok(meter)) => Some(Some(meter)),
            Some(Err(reason)) => {
                for arrival in batch {
                    self.bases.remove(&arrival.task);
                    cx.promises.discard(arrival.task);
                }
                self.orders.push(Order::Finish(reason));
                None
            }
        }
    }

    /// A release is about to be published.
    pub(super) fn pay(&mut self, meter: Option<Meter>) {
        if let (Some(protection), Some(meter)) = (&mut self.seams.protection, meter) {
            protection.paid(meter);
        }
    }

    /// Whether the budget allows to ask `client` for an update; the run is to end when it does not.
    pub(super) fn may_ask(&mut self, client: ClientId) -> bool {
        let Some(protection) = &mut self.seams.protection else { return true };
        match protection.ask(client) {
            Ok(()) => true,
            Err(reason) => {
                self.orders.push(Order::Finish(reason));
                false
            }
        }
    }

    /// Publishes noise alone when clients were drawn by chance and none of them answered: that nobody was
    /// drawn would say something of everybody. Whether more can be drawn: not when the budget is spent.
    pub(super) fn release_open_draw(&mut self, cx: &Context<'_>) -> bool {
        let Some(protection) = self.seams.protection.as_mut().filter(|p| p.open_draw()) else {
            return true;
        };
        let meter = match protection.charge(&[]) {
            Ok(meter) => meter,
            Err(reason) => {
                self.orders.push(Order::Finish(reason));
                return false;
            }
        };
        let view = Self::view((self.version, &self.ledger, &self.busy), cx);
        let model = self.models[&0].clone();
        let mut nobody = std::iter::empty();
        let mut batch =
            Batch { model: &model, group: 0, tag: 0, weights: &[], updates: &mut nobody };
        let next = protection.combine(&mut *self.seams.combine, &mut batch, 0, &view);
        protection.paid(meter);
        self.renew(0, next, &mut Vec::new());
        self.publish(Vec::new());
        true
    }
}
