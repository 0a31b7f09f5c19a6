//! Federations of actors against plain loops, hand-computed times and each other.

mod absence;
mod accounts;
mod clusters;
mod coded;
mod cohorts;
mod determinism;
mod edges;
mod embeddings;
mod equivalence;
mod faults;
mod fedboost;
mod heads;
mod honest;
mod laziness;
mod limits;
mod patchy;
mod private;
mod protocol;
mod resume;
mod scaffold;
mod stops;
mod tap;
mod ties;
mod times;
mod urged;
mod world;
