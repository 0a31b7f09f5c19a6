//! A server that asks: answers in, the next questions and sometimes a new model out.

use super::merge::tasks_of;
use super::{Composed, Context, place};
use crate::registry::Seam;
use crate::seams::{Dialogue, Learnt};
use crate::signal::Order;
use crate::update::Update;
use offbeat_kernel::{Purpose, TaskId};
use offbeat_learning::Flat;

impl Composed {
    /// Has the dialogue hear arrived answers, publishes what it learnt and sends what it asks next.
    pub(super) fn converse(&mut self, tasks: &[TaskId], cx: &mut Context<'_>) {
        // It is out of its place while it borrows the rest.
        let Some(mut part) = self.seams.dialogue.take() else { return };
        let batch = self.arrivals(tasks, cx);
        cx.promises.demand(&tasks_of(&batch));
        let mut gate = self.gate(cx).0;
        let answers: Vec<Update> =
            batch.into_iter().filter_map(|arrival| gate.take(arrival)).collect();
        self.introduce(&mut *part, cx);
        place::enter(Seam::Pace);
        let view = Self::view((self.version, &self.ledger, &self.busy), cx);
        let turn = part.hear(&answers, &self.models[&0], &view);
        self.seams.dialogue = Some(part);
        let refused = turn.refused.into_iter();
        self.orders.extend(refused.map(|(task, client, found)| found.order((task, client))));
        if let Some(learnt) = turn.learnt {
            self.learn(learnt, &answers);
        }
        let mut asked = 0;
        for question in turn.questions {
            let client = question.client;
            if Self::view((self.version, &self.ledger, &self.busy), cx).free(client) {
                self.send((client, question.assignment), Flat::zeros(0), question.extras, cx);
                asked += 1;
            }
        }
        self.short |= asked == 0 && self.flights.is_empty();
    }

    /// Lets the selector choose whom the dialogue is with, once, among those who are there: it does not wait for others, and
    /// says when there are fewer than it wants. While nobody is there it asks again later.
    fn introduce(&mut self, part: &mut dyn Dialogue, cx: &Context<'_>) {
        let want = part.wants();
        if want == 0 {
            return;
        }
        let mut stream = cx.seeds.stream(Purpose::Selection, 0, self.selections);
        self.selections += 1;
        let view = Self::view((self.version, &self.ledger, &self.busy), cx);
        place::enter(Seam::Select);
        let chosen = self.seams.select.select(want, &view, &mut stream);
        part.meet(&chosen);
        if !chosen.is_empty() && chosen.len() < want {
            let found = chosen.len();
            self.orders.push(Order::Note(format!(
                "{found} of {want} clients that the dialogue asks for are there when it begins: it is with these \
                 {found} to the end"
            )));
        }
    }

    fn learn(&mut self, learnt: Learnt, answers: &[Update]) {
        let Learnt { model, loss, used } = learnt;
        self.absent = 0;
        let line = |(place, weight): (usize, f64)| {
            let mut feedback = answers.get(place)?.feedback(self.version);
            feedback.loss = loss;
            Some((feedback, weight, 0))
        };
        let mut merged: Vec<_> = used.into_iter().filter_map(line).collect();
        self.renew(0, Ok(model), &mut merged);
        if !merged.is_empty() {
            self.publish(merged);
        }
    }
}
