//! The gate: an arrived update gets its values here, and passes the guards.

use super::{Promises, Reply, place};
use crate::guard::{self, Finding, Guard, Incident};
use crate::registry::Seam;
use crate::seams::View;
use crate::signal::Order;
use crate::update::{Arrival, Update};
use offbeat_kernel::{ClientId, TaskId};
use offbeat_learning::Flat;
use std::collections::BTreeMap;

/// Lets updates in one by one. Whatever is left out leaves an order that says why.
pub(super) struct Gate<'a> {
    pub(super) guards: &'a mut [Box<dyn Guard>],
    pub(super) bases: &'a mut BTreeMap<TaskId, Flat>,
    pub(super) orders: &'a mut Vec<Order>,
    pub(super) promises: &'a mut dyn Promises,
    pub(super) view: View<'a>,
}

impl Gate<'_> {
    /// Whether the guards let in what is known at arrival. Values of what is refused are never computed.
    pub(super) fn knows(&mut self, arrival: &mut Arrival) -> bool {
        let (of, orders) = ((arrival.task, arrival.client), &mut *self.orders);
        let mut note = |finding: Finding| orders.push(finding.order(of));
        place::enter_with(Seam::Guard, of);
        let known = guard::admit_arrival(self.guards, arrival, &self.view, &mut note);
        if !known {
            self.bases.remove(&arrival.task);
            self.promises.discard(arrival.task);
        }
        known
    }

    /// The update with its values; `None`, and an order about it, when there are none or a guard refused.
    pub(super) fn take(&mut self, arrival: Arrival) -> Option<Update> {
        let (task, client) = (arrival.task, arrival.client);
        let base = self.bases.remove(&task)?;
        let reply = match self.promises.take(task) {
            Ok(reply) => reply,
            Err(reason) => {
                self.orders.push(Order::Failed { task, client, reason });
                return None;
            }
        };
        let Reply { params, steps, loss, loss_squared, scalars, extras, payload: _ } = reply;
        let mut update =
            Update { arrival, base, params, steps, loss, loss_squared, scalars, extras };
        place::enter_with(Seam::Guard, (task, client));
        let orders = &mut *self.orders;
        let mut note = |finding: Finding| orders.push(finding.order((task, client)));
        guard::admit(self.guards, &mut update, &self.view, &mut note).then_some(update)
    }
}

impl Finding {
    /// The order that reports the finding about the answer of a client to a task.
    pub(super) fn order(self, (task, client): (TaskId, ClientId)) -> Order {
        let Finding { fault, measure, reason } = self;
        Order::Guarded { incident: Incident { task, client, fault, measure }, reason }
    }
}
