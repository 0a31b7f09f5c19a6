//! Every key of the language with its type, range, default, meaning and an example.
//!
//! All of it comes from the generated JSON Schema, and the examples from scenarios that are run: there
//! is no second list that could fall behind.

mod examples;
mod key;
mod page;
mod used;
mod walk;

pub use examples::EXAMPLES;
pub use key::{Choice, Key};
pub use page::page;
pub use used::{Used, used};
pub(crate) use walk::CHOICE;
pub use walk::Reference;

/// Where the reference is kept in the repository, seen from its root.
pub const PLACE: &str = "scenarios/REFERENCE.md";
