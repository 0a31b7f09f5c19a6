//! Batches with as many samples of each of a few identities (P x K).

use super::order::permute;
use offbeat_kernel::Stream;
use std::collections::BTreeMap;

/// Deals out batches of `identities * instances` row numbers, without an end. Identities are dealt from a
/// shuffled deck that is shuffled anew when too few are left for a batch; so are the samples of each.
#[derive(Debug)]
pub(super) struct Balanced {
    identities: Vec<Deck>,
    order: Deck,
    per_batch: usize,
    instances: usize,
    rows: Vec<u32>,
}

/// Numbers that are dealt one after the other and shuffled when they run out.
#[derive(Debug)]
struct Deck {
    cards: Vec<u32>,
    next: usize,
}

impl Deck {
    fn new(cards: Vec<u32>) -> Self {
        Self { next: cards.len(), cards }
    }

    fn left(&self) -> usize {
        self.cards.len() - self.next
    }

    fn shuffle(&mut self, stream: &mut Stream) {
        permute(&mut self.cards, stream);
        self.next = 0;
    }

    fn deal(&mut self, stream: &mut Stream) -> u32 {
        if self.left() == 0 {
            self.shuffle(stream);
        }
        self.next += 1;
        self.cards[self.next - 1]
    }
}

impl Balanced {
    /// For samples with these labels; `batch / instances` identities in a batch, at least one.
    pub(super) fn new(labels: impl Iterator<Item = u32>, batch: usize, instances: usize) -> Self {
        let mut samples: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (row, label) in (0..).zip(labels) {
            samples.entry(label).or_default().push(row);
        }
        let identities: Vec<Deck> = samples.into_values().map(Deck::new).collect();
        let order = Deck::new((0..identities.len() as u32).collect());
        let per_batch = (batch / instances).max(1);
        Self { identities, order, per_batch, instances, rows: Vec::new() }
    }

    /// The rows of the next batch, identity by identity. Empty without samples.
    pub(super) fn next(&mut self, stream: &mut Stream) -> &[u32] {
        self.rows.clear();
        if self.identities.is_empty() {
            return &self.rows;
        }
        // As long as there are enough, no identity comes twice in a batch.
        if self.order.left() < self.per_batch && self.identities.len() >= self.per_batch {
            self.order.shuffle(stream);
        }
        for _ in 0..self.per_batch {
            let identity = self.order.deal(stream) as usize;
            for _ in 0..self.instances {
                self.rows.push(self.identities[identity].deal(stream));
            }
        }
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};

    fn stream() -> Stream {
        SeedTree::new(5).stream(Purpose::Training, 0, 0)
    }

    #[test]
    fn each_batch_has_as_many_samples_of_each_of_its_identities() {
        let labels: Vec<u32> = (0..60).map(|row| row * 7 % 10).collect();
        let (mut balanced, mut stream) = (Balanced::new(labels.iter().copied(), 14, 4), stream());
        let mut seen = vec![0; 60];
        for _ in 0..200 {
            let rows = balanced.next(&mut stream).to_vec();
            let mut counts: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for row in rows {
                seen[row as usize] += 1;
                counts.entry(labels[row as usize]).or_default().push(row);
            }
            assert_eq!(counts.len(), 3);
            assert!(counts.values().all(|rows| rows.len() == 4));
        }
        // 2400 draws of 60 samples.
        assert!(seen.iter().all(|count| (20..60).contains(count)), "{seen:?}");
    }

    #[test]
    fn few_identities_and_few_samples_repeat() {
        let (mut balanced, mut stream) = (Balanced::new([3, 3, 8].into_iter(), 12, 4), stream());
        let rows = balanced.next(&mut stream).to_vec();
        assert_eq!(rows.len(), 12);
        assert!(rows.contains(&2));
        assert!(Balanced::new([].into_iter(), 4, 2).next(&mut stream).is_empty());
    }
}
