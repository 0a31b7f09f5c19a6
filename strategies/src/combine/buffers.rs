//! Buffers that are taken whole instead of averaged.

use crate::seams::{Batch, Combine, View};
use offbeat_kernel::codec::CodecError;
use offbeat_learning::Flat;
use std::ops::Range;

/// Any rule for the parameters; the buffers in `range` become those of the merged client with the lowest id, as
/// in the code of FedReID's authors, where the first client is drawn.
#[derive(Debug)]
pub struct FirstBuffers {
    /// The rule for all else.
    pub inner: Box<dyn Combine>,
    /// Where the buffers are.
    pub range: Range<usize>,
}

impl Combine for FirstBuffers {
    fn combine(&mut self, batch: &mut Batch<'_>, view: &View<'_>) -> Flat {
        let mut first: Option<Flat> = None;
        let range = self.range.clone();
        let mut updates = (&mut *batch.updates).inspect(|(_, update)| {
            first.get_or_insert_with(|| update.params.slice(range.clone()));
        });
        let (model, group, tag) = (batch.model, batch.group, batch.tag);
        let mut noted = Batch { model, group, tag, weights: batch.weights, updates: &mut updates };
        let next = self.inner.combine(&mut noted, view);
        updates.by_ref().for_each(drop);
        drop(updates);
        match first {
            Some(first) => next
                .slice(0..self.range.start)
                .concat(&first)
                .concat(&next.slice(self.range.end..next.len())),
            None => next,
        }
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        self.inner.save()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.inner.restore(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combine::Mean;
    use crate::combine::testing::{close, combine};
    use crate::select::testing::{World, update};

    #[test]
    fn parameters_are_averaged_and_buffers_taken_from_the_first() {
        let updates =
            [update(1, &[0.0; 3], &[2.0, 8.0, 1.0]), update(4, &[0.0; 3], &[4.0, 9.0, 3.0])];
        let mut part = FirstBuffers { inner: Box::new(Mean::default()), range: 1..2 };
        let next = combine(&mut part, &[0.0; 3], &updates, &[1.0, 1.0], &World::new(5));
        close(&next, &[3.0, 8.0, 2.0]);
    }
}
