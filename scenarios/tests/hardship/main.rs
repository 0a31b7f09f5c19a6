//! Hardship through scenario files: what devices, links, absences, batteries and data do to a run.

mod data;
mod edges;
mod energy;
mod groups;
mod struck;
mod times;
mod world;
