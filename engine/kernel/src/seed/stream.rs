//! A stream of random numbers that costs nothing until it is drawn from.

use rand::{SeedableRng, TryRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;

/// 32-bit words in a block of the cipher.
const WORDS: u64 = 16;
/// So many blocks in a row are made one by one; who draws more gets them in bulk.
const SINGLE: u8 = 2;
/// "expand 32-byte k", as ChaCha's definition has it.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The numbers of ChaCha8 (Bernstein 2008) under one key, word by word, as `rand_chacha` gives them.
///
/// A run draws a few numbers from each of very many streams. So the key is derived at the first draw
/// only, and the first numbers come from single blocks instead of the four at once that `ChaCha8Rng` makes.
/// A stored stream is its key and its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Stream {
    key: Key,
    /// The next word's number.
    next: u64,
    /// The block that holds it, if `made` says so.
    block: [u32; WORDS as usize],
    /// The number of the block, plus one; 0 for none.
    made: u64,
    /// How many blocks were made in a row.
    row: u8,
    /// What goes on once many numbers are drawn one after the other.
    bulk: Option<Box<ChaCha8Rng>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Key {
    /// What it is derived from: seed, purpose, id and counter.
    From(u64, u16, u64, u64),
    Ready([u8; 32]),
}

/// A stream as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Stream")]
struct Stored {
    key: Key,
    next: u64,
}

impl Stream {
    /// The stream of these coordinates.
    pub(super) fn of(seed: u64, purpose: u16, id: u64, counter: u64) -> Self {
        Self::at(Key::From(seed, purpose, id, counter), 0)
    }

    fn at(key: Key, next: u64) -> Self {
        Self { key, next, block: [0; WORDS as usize], made: 0, row: 0, bulk: None }
    }

    /// Goes to the word with this number, counted in 32-bit words from 0. The numbers begin anew after
    /// 2^64 words.
    pub fn set_word_pos(&mut self, word: u128) {
        self.next = word as u64;
        self.row = 0;
        self.bulk = None;
    }

    /// The number of the next word.
    fn place(&self) -> u64 {
        self.bulk.as_ref().map_or(self.next, |bulk| bulk.get_word_pos() as u64)
    }

    fn key(&mut self) -> [u8; 32] {
        let ready = self.key.ready();
        self.key = Key::Ready(ready);
        ready
    }

    #[inline]
    fn word(&mut self) -> u32 {
        if self.bulk.is_none() && self.made == self.next / WORDS + 1 {
            let word = self.block[(self.next % WORDS) as usize];
            self.next = self.next.wrapping_add(1);
            return word;
        }
        self.far_word()
    }

    /// A word that is in no block yet.
    fn far_word(&mut self) -> u32 {
        if let Some(bulk) = &mut self.bulk {
            return bulk.try_next_u32().unwrap_or_else(|never| match never {});
        }
        let key = self.key();
        if self.row == SINGLE {
            let mut bulk = Box::new(ChaCha8Rng::from_seed(key));
            bulk.set_word_pos(u128::from(self.next));
            return self.bulk.insert(bulk).try_next_u32().unwrap_or_else(|never| match never {});
        }
        self.block = block(&key, self.next / WORDS);
        self.made = self.next / WORDS + 1;
        self.row += 1;
        let word = self.block[(self.next % WORDS) as usize];
        self.next = self.next.wrapping_add(1);
        word
    }
}

impl Key {
    fn ready(self) -> [u8; 32] {
        match self {
            Self::Ready(key) => key,
            Self::From(seed, purpose, id, counter) => {
                let mut key = [0u8; 34];
                key[..8].copy_from_slice(&seed.to_le_bytes());
                key[8..10].copy_from_slice(&purpose.to_le_bytes());
                key[10..18].copy_from_slice(&id.to_le_bytes());
                key[18..26].copy_from_slice(&counter.to_le_bytes());
                key[26..].copy_from_slice(b"offbeat1");
                *blake3::hash(&key).as_bytes()
            }
        }
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = self.word();
        Ok(u64::from(self.word()) << 32 | u64::from(low))
    }

    /// Whole words; what is left of the last one is not used.
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for piece in bytes.chunks_mut(4) {
            piece.copy_from_slice(&self.word().to_le_bytes()[..piece.len()]);
        }
        Ok(())
    }
}

impl PartialEq for Stream {
    /// Whether both give the same numbers from here on.
    fn eq(&self, other: &Self) -> bool {
        (self.key.ready(), self.place()) == (other.key.ready(), other.place())
    }
}

impl From<Stream> for Stored {
    fn from(stream: Stream) -> Self {
        Self { key: stream.key, next: stream.place() }
    }
}

impl From<Stored> for Stream {
    fn from(stored: Stored) -> Self {
        Self::at(stored.key, stored.next)
    }
}

/// One block of ChaCha8 with a 64-bit counter and nonce 0.
fn block(key: &[u8; 32], counter: u64) -> [u32; WORDS as usize] {
    let words = key.as_chunks::<4>().0;
    let row = |at: usize| std::array::from_fn(|i| u32::from_le_bytes(words[at + i]));
    let start: [[u32; 4]; 4] =
        [CONSTANTS, row(0), row(4), [counter as u32, (counter >> 32) as u32, 0, 0]];
    let [mut a, mut b, mut c, mut d] = start;
    for _ in 0..4 {
        quarters(&mut a, &mut b, &mut c, &mut d);
        // The diagonals become columns, and after the second half columns again.
        (b, c, d) = (turned::<1>(b), turned::<2>(c), turned::<3>(d));
        quarters(&mut a, &mut b, &mut c, &mut d);
        (b, c, d) = (turned::<3>(b), turned::<2>(c), turned::<1>(d));
    }
    let mut out = [0; WORDS as usize];
    for (out, (end, start)) in
        out.as_chunks_mut::<4>().0.iter_mut().zip([a, b, c, d].iter().zip(&start))
    {
        *out = std::array::from_fn(|i| end[i].wrapping_add(start[i]));
    }
    out
}

/// The quarter round of all four columns.
#[inline(always)]
fn quarters(a: &mut [u32; 4], b: &mut [u32; 4], c: &mut [u32; 4], d: &mut [u32; 4]) {
    half::<16>(a, b, d);
    half::<12>(c, d, b);
    half::<8>(a, b, d);
    half::<7>(c, d, b);
}

/// `x += y; z = (z ^ x) <<< BITS`.
#[inline(always)]
fn half<const BITS: u32>(x: &mut [u32; 4], y: &[u32; 4], z: &mut [u32; 4]) {
    *x = std::array::from_fn(|i| x[i].wrapping_add(y[i]));
    *z = std::array::from_fn(|i| (z[i] ^ x[i]).rotate_left(BITS));
}

#[inline(always)]
fn turned<const BY: usize>(row: [u32; 4]) -> [u32; 4] {
    std::array::from_fn(|i| row[(i + BY) % 4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::Rng;

    #[derive(Clone, Debug)]
    enum Draw {
        Word,
        Pair,
        Bytes(usize),
        Jump(u64),
        Store,
    }

    fn draws() -> impl Strategy<Value = Vec<Draw>> {
        let draw = prop_oneof![
            5 => Just(Draw::Word),
            5 => Just(Draw::Pair),
            1 => (0usize..150).prop_map(Draw::Bytes),
            1 => prop_oneof![0u64..200, any::<u64>().prop_map(|word| word >> 20)].prop_map(Draw::Jump),
            1 => Just(Draw::Store),
        ];
        prop::collection::vec(draw, 0..150)
    }

    proptest! {
        /// Against the library's generator, whatever is drawn.
        #[test]
        fn the_numbers_are_those_of_chacha8(seed: u64, draws in draws()) {
            let mut own = Stream::of(seed, 3, 5, 7);
            let mut other = ChaCha8Rng::from_seed(own.key.ready());
            for draw in draws {
                match draw {
                    Draw::Word => prop_assert_eq!(own.next_u32(), other.next_u32()),
                    Draw::Pair => prop_assert_eq!(own.next_u64(), other.next_u64()),
                    Draw::Bytes(many) => {
                        let (mut a, mut b) = (vec![0; many], vec![0; many]);
                        own.fill_bytes(&mut a);
                        other.fill_bytes(&mut b);
                        prop_assert_eq!(a, b);
                    }
                    Draw::Jump(word) => {
                        own.set_word_pos(u128::from(word));
                        other.set_word_pos(u128::from(word));
                    }
                    Draw::Store => {
                        let stored = crate::codec::encode(&own).expect("plain data");
                        let back: Stream = crate::codec::decode(&stored).expect("what was encoded");
                        prop_assert_eq!(&back, &own);
                        own = back;
                    }
                }
            }
        }
    }
}
