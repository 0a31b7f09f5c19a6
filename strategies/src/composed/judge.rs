//! Between training and merging: the senders of updates judge each other's models.

use super::merge::tasks_of;
use super::{Composed, Context};
use crate::signal::{Assignment, CANDIDATE, Order};
use crate::update::{Arrival, Update};
use offbeat_kernel::{ClientId, TaskId};
use offbeat_learning::Flat;
use std::collections::BTreeMap;

impl Composed {
    /// Takes arrived updates and sends all that are let in to each of their senders who is free; how many judges
    /// were asked.
    pub(super) fn have_judged(&mut self, tasks: &[TaskId], cx: &mut Context<'_>) -> usize {
        let batch = self.arrivals(tasks, cx);
        cx.promises.demand(&tasks_of(&batch));
        let mut gate = self.gate(cx).0;
        self.candidates = batch.into_iter().filter_map(|arrival| gate.take(arrival)).collect();
        let name = |update: &Update| format!("{CANDIDATE}{}", update.arrival.client.0);
        let models: BTreeMap<String, Flat> =
            self.candidates.iter().map(|update| (name(update), update.params.clone())).collect();
        let judges: Vec<ClientId> =
            self.candidates.iter().map(|update| update.arrival.client).collect();
        let mut asked = 0;
        for judge in judges {
            if Self::view((self.version, &self.ledger, &self.busy), cx).free(judge) {
                self.send((judge, Assignment::to_judge()), Flat::zeros(0), models.clone(), cx);
                asked += 1;
            }
        }
        asked
    }

    /// The updates that were judged. Each has the figures of its judges among its scalars, by the name of the judge.
    pub(super) fn judged(&mut self, verdicts: Vec<Arrival>, cx: &mut Context<'_>) -> Vec<Update> {
        let mut updates = std::mem::take(&mut self.candidates);
        for Arrival { task, client, .. } in verdicts {
            self.bases.remove(&task);
            let reply = match cx.promises.take(task) {
                Ok(reply) => reply,
                Err(reason) => {
                    self.orders.push(Order::Failed { task, client, reason });
                    continue;
                }
            };
            for update in &mut updates {
                let name = format!("{CANDIDATE}{}", update.arrival.client.0);
                if let Some(figure) = reply.scalars.get(&name) {
                    let judge = format!("{CANDIDATE}judged-by/{}", client.0);
                    update.scalars.insert(judge, *figure);
                }
            }
        }
        updates
    }

    /// Breaks off the round of judges that is open, if there is one: a pace that has not asked them does not know
    /// what they say. Their tasks are taken back, and the updates to be judged are thrown away and counted.
    pub(super) fn break_off_judging(&mut self, cx: &mut Context<'_>) {
        for update in std::mem::take(&mut self.candidates) {
            let Arrival { task, client, .. } = update.arrival;
            let reason = "thrown away: the pace was switched before it was judged".to_string();
            self.orders.push(Order::Failed { task, client, reason });
        }
        // What a judge is sent and returns in place of a model is empty.
        let verdicts = |task: &TaskId| self.bases.get(task).is_some_and(|base| base.is_empty());
        let (said, rest): (Vec<Arrival>, Vec<Arrival>) =
            std::mem::take(&mut self.arrived).into_iter().partition(|a| verdicts(&a.task));
        self.arrived = rest;
        for Arrival { task, .. } in said {
            self.bases.remove(&task);
            cx.promises.discard(task);
        }
        let judges = self.flights.iter().filter(|(_, flight)| flight.assignment.is_judging());
        let judges: Vec<(TaskId, ClientId)> =
            judges.map(|(task, flight)| (*task, flight.client)).collect();
        for (task, client) in judges {
            self.flights.remove(&task);
            self.busy.remove(&client);
            self.bases.remove(&task);
            self.orders.push(Order::Cancel { task, client });
        }
    }
}
