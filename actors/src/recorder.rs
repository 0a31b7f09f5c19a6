//! The recorder: takes every record in order and hands it to the sink.

use crate::caught::in_words;
use crate::record::{Progress, Record, Sink};
use actix::{Actor, Context, Handler};

/// What the sink is called where it panics.
const SINK: &str = "the sink";

/// Hands records to a sink.
pub struct Recorder {
    sink: Box<dyn Sink>,
    failure: Option<String>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("failure", &self.failure).finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder in front of `sink`.
    pub fn new(sink: Box<dyn Sink>) -> Self {
        Self { sink, failure: None }
    }
}

/// Records to keep, in order.
#[derive(Debug, actix::Message)]
#[rtype(result = "()")]
pub struct Keep(pub Vec<Record>);

/// Shows where the run stands and asks whether all records could be kept.
#[derive(Debug, actix::Message)]
#[rtype(result = "Result<(), String>")]
pub struct Check(pub Progress);

/// Asks where the sink stands.
#[derive(Debug, actix::Message)]
#[rtype(result = "Result<Vec<u8>, String>")]
pub struct SaveSink;

impl Actor for Recorder {
    type Context = Context<Self>;
}

impl Handler<Keep> for Recorder {
    type Result = ();

    fn handle(&mut self, Keep(records): Keep, _: &mut Context<Self>) {
        for record in records {
            if self.failure.is_none() {
                self.failure = in_words(SINK, || self.sink.record(&record)).err();
            }
        }
    }
}

impl Handler<Check> for Recorder {
    type Result = Result<(), String>;

    fn handle(&mut self, Check(progress): Check, _: &mut Context<Self>) -> Self::Result {
        if self.failure.is_none() {
            let shown = in_words(SINK, || {
                self.sink.progress(&progress);
                Ok(())
            });
            self.failure = shown.err();
        }
        self.failure.clone().map_or(Ok(()), Err)
    }
}

impl Handler<SaveSink> for Recorder {
    type Result = Result<Vec<u8>, String>;

    fn handle(&mut self, _: SaveSink, _: &mut Context<Self>) -> Self::Result {
        match &self.failure {
            Some(reason) => Err(reason.clone()),
            None => in_words(SINK, || self.sink.save()),
        }
    }
}
