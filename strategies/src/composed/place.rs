//! Which part of a strategy is at work, and on whose answer: what there is to say when one panics.
//!
//! A panic unwinds past everything that borrows the parts, so the place is noted outside of them. It is
//! written down and never read by the strategy itself.

use crate::registry::Seam;
use offbeat_kernel::{ClientId, TaskId, Version};
use std::cell::Cell;

/// Where a strategy is in its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The part that was entered last.
    pub seam: Option<Seam>,
    /// The answer in hand, if there is one.
    pub answer: Option<(TaskId, ClientId)>,
    /// The version that the strategy has.
    pub version: Option<Version>,
    /// The edge server whose guards are at work, not the strategy's.
    pub edge: Option<u32>,
}

thread_local! {
    static PLACE: Cell<Place> =
        const { Cell::new(Place { seam: None, answer: None, version: None, edge: None }) };
}

impl Place {
    /// Where the strategy of this thread was last; forgets it.
    pub fn take() -> Self {
        PLACE.take()
    }
}

/// A part begins to work, with no answer of its own in hand.
pub(super) fn enter(seam: Seam) {
    PLACE.set(Place { seam: Some(seam), answer: None, edge: None, ..PLACE.get() });
}

/// A part begins to work on one answer.
pub(super) fn enter_with(seam: Seam, answer: (TaskId, ClientId)) {
    PLACE.set(Place { seam: Some(seam), answer: Some(answer), edge: None, ..PLACE.get() });
}

/// Runs `work` of the guards of an edge server, on one answer if there is one; what was at work before is so again
/// afterwards.
pub(crate) fn below<T>(
    edge: u32,
    answer: Option<(TaskId, ClientId)>,
    work: impl FnOnce() -> T,
) -> T {
    let before = PLACE.get();
    PLACE.set(Place { seam: Some(Seam::Guard), answer, edge: Some(edge), ..before });
    let done = work();
    PLACE.set(before);
    done
}

/// The strategy has this version now.
pub(super) fn at(version: Version) {
    PLACE.set(Place { version: Some(version), ..PLACE.get() });
}
