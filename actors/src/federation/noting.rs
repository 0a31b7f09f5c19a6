//! What is written down of a run as it goes: the journal, the records, and how far it is.

use super::Driver;
use crate::error::RunError;
use crate::message::{Address, Event, Message};
use crate::record::{Progress, Record};
use crate::recorder::{Check, Keep};
use offbeat_kernel::{Time, codec};
use offbeat_strategies::signal::{Order, Signal};
use std::time::Instant;

impl Driver {
    pub(super) fn note(&mut self, now: Time, event: &Event) {
        let (task, client) = event.message.subject();
        let to = match event.to {
            Address::Client(client) => Some(client),
            _ => None,
        };
        self.subject = (task, to.or(client));
        let to = match event.to {
            Address::Server => 0,
            Address::Strategist => 1,
            Address::Network => 2,
            Address::Evaluator => 3,
            Address::Director => 4,
            Address::Client(client) => 16 + u64::from(client.0),
            Address::Edge(edge) => (1 << 40) + u64::from(edge),
        };
        let [a, b] = event.message.about();
        let words = [now.micros(), to, event.message.kind(), a, b];
        self.driving.journal.write(&words);
        if let Some(trace) = &mut self.driving.trace {
            trace.push(words);
        }
        self.driving.events += 1;
        // What the director's own acts set off is no life.
        let echo = matches!(
            event.message,
            Message::Disturbed | Message::Command(_) | Message::Signal(Signal::Vacancy)
        );
        self.driving.quiet = match event.to == Address::Director {
            true => self.driving.quiet + 1,
            false if echo => self.driving.quiet,
            false => 0,
        };
        if let Message::Orders(orders) = &event.message {
            for order in orders {
                if let Order::Publish(publication) | Order::Resume(publication) = order {
                    let last = &mut self.driving.last;
                    last.model = publication.model.clone();
                    last.clusters.clone_from(&publication.clusters);
                    last.version = publication.version;
                }
            }
        }
    }

    pub(super) fn keep(&mut self, record: Record) {
        let figures = matches!(
            record,
            Record::Evaluation { .. }
                | Record::Attack { .. }
                | Record::Clients { .. }
                | Record::Retrieval { .. }
                | Record::Teachers { .. }
        );
        if self.timing_only && figures {
            // Nothing was learnt: figures would only mislead.
            return;
        }
        match &record {
            Record::Evaluation { test, .. } => {
                self.driving.accuracy = Some(test.accuracy);
                self.driving.last.test = Some(test.clone());
            }
            Record::Attack { success, .. } => self.driving.last.attack = Some(success.accuracy),
            Record::Clients { clients, .. } => self.driving.last.clients.clone_from(clients),
            Record::Retrieval { tried, .. } => self.driving.last.tried.clone_from(tried),
            Record::Aggregation { .. }
            | Record::Teachers { .. }
            | Record::Leak { .. }
            | Record::Task(_)
            | Record::EdgeTask { .. }
            | Record::EdgeAggregation { .. }
            | Record::EdgeGuarded { .. }
            | Record::Happening { .. }
            | Record::Budget { .. }
            | Record::Privacy { .. }
            | Record::Guarded { .. }
            | Record::Retried { .. } => {}
        }
        // Records are plain data and always have a form in bytes.
        self.driving.journal.write_bytes(&codec::encode(&record).unwrap_or_default());
        self.records.push(record);
    }

    pub(super) async fn flush(&mut self) -> Result<(), RunError> {
        let records = std::mem::take(&mut self.records);
        if !records.is_empty() {
            self.recorder.do_send(Keep(records));
        }
        let now = self.driving.calendar.now();
        let (versions, updates) = (self.tally.versions(), self.tally.updates());
        let progress = Progress {
            now,
            events: self.driving.events,
            updates,
            versions,
            accuracy: self.driving.accuracy,
            done: self.stop.done(versions, updates, now),
        };
        self.flushed = Instant::now();
        metrics::counter!("offbeat_events_total").absolute(self.driving.events);
        metrics::gauge!("offbeat_virtual_seconds").set(now.seconds());
        self.book.show_gauges();
        self.tally.show_bytes();
        match self.recorder.send(Check(progress)).await {
            Ok(kept) => kept.map_err(RunError::Sink),
            Err(_) => Err(RunError::Sink("the recorder stopped".to_string())),
        }
    }
}
