//! Each vector once: while vectors are gathered, a [`Flat`] is written as its number in a list, and equal
//! vectors (bit for bit) get the same number. Hence a snapshot with a hundred open tasks of one version
//! holds that version once, however deep in the state its copies lie. A vector that lives on a device is written
//! with `ON_DEVICE` added to its number, and goes back to the [`HomeDevice`] of the run that reads it.
//!
//! The list belongs to the calling thread and exists only inside [`gather`] and [`scatter`].

use crate::device::HomeDevice;
use crate::flat::Flat;
use offbeat_kernel::Digest;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

/// A vector and the digest of its bits.
#[derive(Clone, Debug)]
pub struct Interned {
    /// Stands for the content.
    pub digest: Digest,
    /// The content.
    pub values: Arc<Vec<f32>>,
}

impl Interned {
    /// `values` with their digest.
    pub fn new(values: Arc<Vec<f32>>) -> Self {
        Self { digest: digest(&values), values }
    }
}

/// Digests of vectors that were gathered before, by their place in memory: what has not changed since the
/// last snapshot is not hashed again. A weak reference keeps a place from being used twice, but not the
/// values in memory.
#[derive(Debug, Default)]
pub struct Known(BTreeMap<usize, (Digest, Weak<Vec<f32>>)>);

#[derive(Default)]
struct Gathered {
    known: Known,
    by_place: BTreeMap<usize, u32>,
    by_digest: BTreeMap<[u8; 32], u32>,
    list: Vec<Interned>,
}

enum Mode {
    Off,
    Gather(Gathered),
    Scatter(Vec<Arc<Vec<f32>>>, HomeDevice),
}

/// What is added to the number of a vector that lives on a device.
const ON_DEVICE: u32 = 1 << 31;

thread_local! {
    static MODE: RefCell<Mode> = const { RefCell::new(Mode::Off) };
}

/// Runs `write`, in which every vector that is serialised is taken into the list. `known` is what the last
/// call knew, and is renewed.
pub fn gather<T>(known: &mut Known, write: impl FnOnce() -> T) -> (T, Vec<Interned>) {
    let gathered = Gathered { known: std::mem::take(known), ..Gathered::default() };
    MODE.set(Mode::Gather(gathered));
    let result = write();
    let Mode::Gather(gathered) = MODE.replace(Mode::Off) else { return (result, Vec::new()) };
    let weak = |held: &Interned| (held.digest, Arc::downgrade(&held.values));
    *known = Known(gathered.list.iter().map(|held| (place(&held.values), weak(held))).collect());
    (result, gathered.list)
}

/// Runs `read`, in which every vector that is deserialised is taken from `list`, and put into `home` if it lived
/// on a device.
pub fn scatter<T>(list: Vec<Arc<Vec<f32>>>, home: HomeDevice, read: impl FnOnce() -> T) -> T {
    MODE.set(Mode::Scatter(list, home));
    let result = read();
    MODE.set(Mode::Off);
    result
}

/// The number of a vector, while vectors are gathered.
pub(crate) fn number(values: &Arc<Vec<f32>>, on_device: bool) -> Option<u32> {
    let place = if on_device { ON_DEVICE } else { 0 };
    MODE.with_borrow_mut(|mode| match mode {
        Mode::Gather(gathered) => Some(gathered.number(values) | place),
        Mode::Off | Mode::Scatter(..) => None,
    })
}

/// Whether vectors are read by their numbers now.
pub(crate) fn is_scattering() -> bool {
    MODE.with_borrow(|mode| matches!(mode, Mode::Scatter(..)))
}

/// The vector of a number, while vectors are read by their numbers.
pub(crate) fn vector(number: u32) -> Option<Flat> {
    MODE.with_borrow(|mode| match mode {
        Mode::Scatter(list, home) => {
            let values = list.get((number & !ON_DEVICE) as usize).cloned();
            let flat = values.map(Flat::from_shared);
            if number & ON_DEVICE == 0 { flat } else { flat.map(|flat| home.put(flat)) }
        }
        Mode::Off | Mode::Gather(_) => None,
    })
}

impl Gathered {
    fn number(&mut self, values: &Arc<Vec<f32>>) -> u32 {
        let place = place(values);
        if let Some(number) = self.by_place.get(&place) {
            return *number;
        }
        let held = match self.known.0.get(&place) {
            Some((digest, weak))
                if weak.upgrade().is_some_and(|held| Arc::ptr_eq(&held, values)) =>
            {
                Interned { digest: *digest, values: values.clone() }
            }
            _ => Interned::new(values.clone()),
        };
        let next = self.list.len() as u32;
        let number = *self.by_digest.entry(held.digest.0).or_insert(next);
        if number == next {
            // Only what the list holds keeps its place, so only that is remembered by it.
            self.by_place.insert(place, number);
            self.list.push(held);
        }
        number
    }
}

fn place(values: &Arc<Vec<f32>>) -> usize {
    Arc::as_ptr(values) as usize
}

/// The digest of the bits of `values`, in little-endian order.
pub fn digest(values: &[f32]) -> Digest {
    Digest::of_pieces(
        values
            .chunks(1 << 14)
            .map(|chunk| chunk.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::codec;

    fn round_trip(vectors: &[Flat]) -> (Vec<Flat>, usize, usize) {
        let (bytes, list) =
            gather(&mut Known::default(), || codec::encode(vectors).expect("plain"));
        let count = list.len();
        let list = list.into_iter().map(|held| held.values).collect();
        let back = scatter(list, HomeDevice::default(), || {
            codec::decode::<Vec<Flat>>(&bytes).expect("what was written")
        });
        (back, count, bytes.len())
    }

    #[test]
    fn equal_vectors_are_held_once_and_come_back_bit_for_bit() {
        let odd = vec![f32::NAN, f32::from_bits(0xffc0_1234), -0.0, f32::INFINITY, 1e-45];
        let (a, b) = (Flat::new(odd.clone()), Flat::new(odd));
        let zero = Flat::new(vec![0.0; 5]);
        let vectors = [a.clone(), b, a.clone(), zero, Flat::zeros(0), a];
        let (back, count, bytes) = round_trip(&vectors);
        assert_eq!(back, vectors);
        assert_eq!((count, bytes), (3, 7));
    }

    #[test]
    fn a_vector_on_a_device_goes_home() {
        use burn::tensor::Device;
        let vectors = [Flat::new(vec![1.0, 2.0]), Flat::new(vec![1.0, 2.0]).on(&Device::flex())];
        let (back, count, _) = round_trip(&vectors);
        assert_eq!((&back[..], count), (&vectors[..], 1));
        assert!(back.iter().all(|flat| !flat.is_on_device()), "the default home is host memory");
    }

    #[test]
    fn what_was_known_is_not_hashed_again_and_changes_are_seen() {
        let mut known = Known::default();
        let mut flat = Flat::new(vec![1.0; 10]);
        let write = |flat: &Flat| codec::encode(flat).expect("plain");
        let (_, first) = gather(&mut known, || write(&flat));
        let (_, again) = gather(&mut known, || write(&flat));
        assert_eq!(first[0].digest, again[0].digest);
        flat.scale(2.0);
        let (_, changed) = gather(&mut known, || write(&flat));
        assert_ne!(first[0].digest, changed[0].digest);
        assert_eq!(changed[0].digest, digest(&[2.0; 10]));
    }

    #[test]
    fn outside_vectors_are_written_whole_and_a_wrong_number_is_refused() {
        let flat = Flat::new(vec![1.0, 2.0]);
        assert_eq!(codec::encode(&flat).expect("plain").len(), 9);
        let read = scatter(Vec::new(), HomeDevice::default(), || codec::decode::<Flat>(&[7]));
        assert!(read.expect_err("no such number").to_string().contains("vector"));
    }
}
