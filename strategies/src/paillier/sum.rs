//! Weighted sums as a server that reads nothing gets them.

use super::{KeyPair, Packing, PaillierError, Sealed};
use offbeat_kernel::Stream;

/// A sum of vectors of fixed-point numbers with whole weights.
#[derive(Debug)]
pub struct WeightedSum<'a> {
    packing: Packing,
    weight: u64,
    way: Way<'a>,
}

/// How it is added up.
#[derive(Debug)]
enum Way<'a> {
    /// As the whole numbers that would be encrypted.
    Open(Vec<i64>),
    /// As ciphertexts.
    Encrypted { keys: &'a KeyPair, stream: Box<Stream>, len: usize, sum: Option<Sealed> },
}

impl<'a> WeightedSum<'a> {
    /// Of vectors of `len` numbers, in the open.
    pub fn open(packing: Packing, len: usize) -> Self {
        Self { packing, weight: 0, way: Way::Open(vec![0; len]) }
    }

    /// Of vectors of `len` numbers, encrypted with `keys` and what `stream` draws.
    pub fn encrypted(packing: Packing, len: usize, keys: &'a KeyPair, stream: Stream) -> Self {
        let stream = Box::new(stream);
        Self { packing, weight: 0, way: Way::Encrypted { keys, stream, len, sum: None } }
    }

    /// Adds `weight` times `values`. Nothing is added when it fails.
    ///
    /// # Errors
    /// [`PaillierError::OutOfRange`], [`PaillierError::Overflow`], [`PaillierError::Mismatch`].
    pub fn add(&mut self, values: &[f32], weight: u64) -> Result<(), PaillierError> {
        let (sum, most) = (self.weight.saturating_add(weight), self.packing.most_weight);
        if sum > most {
            return Err(PaillierError::Overflow { sum, most });
        }
        match &mut self.way {
            Way::Open(sums) if sums.len() != values.len() => return Err(PaillierError::Mismatch),
            Way::Open(sums) => {
                let whole = self.packing.whole(values)?;
                sums.iter_mut().zip(whole).for_each(|(sum, number)| *sum += number * weight as i64);
            }
            Way::Encrypted { keys, stream, len, sum } => {
                if *len != values.len() {
                    return Err(PaillierError::Mismatch);
                }
                let sealed = Sealed::new(values, self.packing, &keys.public, stream)?;
                let scaled = sealed.scaled(weight, &keys.public)?;
                match sum {
                    Some(sum) => sum.add(&scaled, &keys.public)?,
                    None => *sum = Some(scaled),
                }
            }
        }
        self.weight = sum;
        Ok(())
    }

    /// What those who may read get of it: the sum divided by its weights; zeros when there were none.
    pub fn mean(self) -> Vec<f32> {
        let whole: Vec<i128> = match self.way {
            Way::Open(sums) => sums.into_iter().map(i128::from).collect(),
            Way::Encrypted { len, sum: None, .. } => vec![0; len],
            Way::Encrypted { keys, sum: Some(sum), .. } => sum.open_whole(&keys.secret),
        };
        let unit = (-f64::from(self.packing.fraction_bits)).exp2() / self.weight.max(1) as f64;
        whole.into_iter().map(|sum| (sum as f64 * unit) as f32).collect()
    }
}
