//! The order in which a client's samples are used.

use crate::plan::LastBatch;
use offbeat_kernel::Stream;
use rand::Rng;

/// Deals out batches of row numbers, epoch after epoch.
///
/// Every epoch starts from `0, 1, .., n-1` and is shuffled by Fisher and Yates from the back: for `i`
/// from `n-1` down to `1`, the element `i` is exchanged with the element `(u * (i+1)) >> 32`, where `u` is
/// the stream's next `u32`. (No place is preferred by more than n / 2^32.) Nothing else is drawn.
#[derive(Clone, Debug)]
pub struct Order {
    rows: Vec<u32>,
    used: usize,
    batch: usize,
    next: usize,
}

impl Order {
    /// The order for `samples` samples in batches of `batch` (at least 1). `buffer` gives its memory.
    pub fn new(mut buffer: Vec<u32>, samples: usize, batch: usize, last_batch: LastBatch) -> Self {
        buffer.clear();
        buffer.resize(samples, 0);
        let used = match last_batch {
            LastBatch::Drop if samples >= batch => samples - samples % batch,
            LastBatch::Keep | LastBatch::Drop => samples,
        };
        Self { rows: buffer, used, batch, next: used }
    }

    /// The rows of the next batch; starts a new epoch when the last one is used up. Empty without
    /// samples.
    pub fn next(&mut self, stream: &mut Stream) -> &[u32] {
        if self.next == self.used {
            shuffle(&mut self.rows, stream);
            self.next = 0;
        }
        let start = self.next;
        self.next = (start + self.batch).min(self.used);
        &self.rows[start..self.next]
    }

    /// Gives the memory back.
    pub fn into_buffer(self) -> Vec<u32> {
        self.rows
    }
}

fn shuffle(rows: &mut [u32], stream: &mut Stream) {
    for (row, value) in rows.iter_mut().zip(0..) {
        *row = value;
    }
    permute(rows, stream);
}

/// Fisher and Yates from the back, as [`Order`] says.
pub(super) fn permute(rows: &mut [u32], stream: &mut Stream) {
    for i in (1..rows.len()).rev() {
        let j = (u64::from(stream.next_u32()) * (i as u64 + 1)) >> 32;
        rows.swap(i, j as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};

    fn stream(id: u64) -> Stream {
        SeedTree::new(5).stream(Purpose::Training, id, 0)
    }

    fn sizes(samples: usize, batch: usize, last_batch: LastBatch, count: usize) -> Vec<usize> {
        let mut order = Order::new(Vec::new(), samples, batch, last_batch);
        let mut stream = stream(0);
        (0..count).map(|_| order.next(&mut stream).len()).collect()
    }

    #[test]
    fn the_last_batch_follows_the_rule() {
        assert_eq!(sizes(7, 3, LastBatch::Keep, 5), [3, 3, 1, 3, 3]);
        assert_eq!(sizes(7, 3, LastBatch::Drop, 4), [3, 3, 3, 3]);
        assert_eq!(sizes(2, 3, LastBatch::Drop, 2), [2, 2]);
        assert_eq!(sizes(0, 3, LastBatch::Keep, 1), [0]);
    }

    #[test]
    fn each_epoch_holds_every_row_once_in_a_new_order() {
        let mut order = Order::new(vec![9; 3], 50, 50, LastBatch::Keep);
        let mut stream = stream(1);
        let first = order.next(&mut stream).to_vec();
        let second = order.next(&mut stream).to_vec();
        assert_ne!(first, second);
        for mut epoch in [first, second] {
            epoch.sort_unstable();
            assert_eq!(epoch, (0..50).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_place_is_equally_likely() {
        let mut order = Order::new(Vec::new(), 4, 4, LastBatch::Keep);
        let mut stream = stream(2);
        let mut counts = [[0u32; 4]; 4];
        for _ in 0..40_000 {
            for (place, row) in order.next(&mut stream).iter().enumerate() {
                counts[place][*row as usize] += 1;
            }
        }
        // 10 000 expected, standard deviation 87.
        assert!(counts.iter().flatten().all(|count| count.abs_diff(10_000) < 450), "{counts:?}");
    }
}
