//! Offbeat: an actor-based, asynchronous simulation engine for federated learning.
//!
//! This crate is what a user meets: the scenario language ([`spec`]) with its diagnostics ([`load()`],
//! [`diagnose`]), the assembly of a federation from a scenario ([`prepare`], [`assemble`]), the run
//! directory ([`rundir`]) and the `offbeat` command ([`cli`]).
//!
//! ```text
//! file -> document -> spec::ScenarioFile -> validate -> scenario::Scenario
//!      -> prepare (data, partition, network) -> assemble (federation) -> run -> run directory
//! ```

pub mod assemble;
pub mod baseline;
pub mod bench;
pub mod catalogue;
pub mod check;
pub mod cli;
pub mod compare;
mod complaint;
pub mod device;
pub mod diagnose;
pub mod doctor;
pub mod document;
pub mod errors;
pub mod explain;
pub mod failure;
mod files;
pub mod fork;
pub mod gather;
mod giants;
mod happenings;
pub mod held;
mod hints;
pub mod interrupt;
mod lately;
mod layers;
pub mod load;
pub mod memory;
mod outside;
pub mod population;
pub mod prepare;
pub mod progress;
pub mod prometheus;
pub mod ranks;
pub mod reference;
pub mod report;
pub mod run;
pub mod rundir;
pub mod scenario;
pub mod schedule;
pub mod schema;
mod script;
pub mod sink;
pub mod snapshot;
pub mod spec;
pub mod starter;
pub mod suggest;
pub mod summary;
pub mod sweep;
pub mod topology;
pub mod traces;
pub mod units;
pub mod validate;
pub mod words;
pub mod world;

pub use diagnose::{Problem, Problems};
pub use load::{Loaded, Overrides, load, load_text};
pub use scenario::Scenario;
