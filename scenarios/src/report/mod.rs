//! Pages and tables that show what runs came to: typed data in, text out.
//!
//! Nothing here reads a file. The caller loads [`RunData`], and gets
//! - [`run_page()`]: one run as a self-contained HTML page;
//! - [`compare_page()`]: several strategies, each with several seeds, side by side;
//! - [`Comparison`]: the same figures as numbers (serde), and as a table for a terminal ([`table::text`]).
//!
//! The pages load nothing from anywhere: style, script and pictures (SVG) stand in the page itself. They
//! are legible without the script, which only switches between curves and shows values under the pointer.
//!
//! Between two evaluations a curve is read as a straight line, in the pictures, in the means over seeds and
//! in "time to target" alike, so that the table says what the picture shows.

mod chart;
mod compare_page;
mod comparison;
mod curves;
mod data;
mod distributions;
mod domains;
mod edges;
pub(crate) mod faces;
mod found;
mod html;
mod lanes;
pub mod leaks;
mod losses;
mod nan;
mod privacy;
mod quantity;
pub mod retrieval;
mod run_page;
#[cfg(test)]
mod samples;
pub mod stats;
pub mod table;
mod target;
pub(crate) mod teachers;
#[cfg(test)]
mod tests;
mod thin;
pub mod told_apart;

pub use compare_page::compare_page;
pub(crate) use comparison::several_scenarios;
pub use comparison::{Comparison, Row, What};
pub use data::{
    Alone, Counts, EvalPoint, Happening, Outcome, PrivacyData, RunData, TaskSpan, Teachers,
};
pub use edges::EdgeData;
pub use run_page::run_page;
pub use target::{Target, TargetError};
