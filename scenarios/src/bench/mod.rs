//! The benchmark workloads, how one is measured, and the table of what was measured.
//!
//! Every measurement is a process of its own, so that its memory and its allocator know nothing of the
//! one before. Repeats of a case take turns between the numbers of workers, and the fastest counts: what else the machine
//! does can only make a run slower.

mod figures;
mod given;
mod measure;
mod process;
mod workload;

pub use figures::{Figures, Report, Row};
pub use given::given;
pub use measure::{How, measure};
pub use process::{Machine, available_bytes, cpu_seconds, peak_bytes, total_bytes};
pub use workload::{Case, WORKLOADS, Workload, cases};
