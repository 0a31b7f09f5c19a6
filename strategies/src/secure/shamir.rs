//! Shamir's secret sharing (Shamir 1979) over the field: any `threshold` shares give a secret back, fewer say
//! nothing of it.

use super::curve::Key;
use super::field::Element;
use offbeat_kernel::Stream;
use serde::{Deserialize, Serialize};

/// A secret of 32 bytes is five numbers of 52 bits, each shared by a polynomial of its own.
const LIMBS: usize = 5;
const BITS: usize = 52;

/// Bytes of a share on the wire: five field elements.
pub const SHARE_BYTES: u64 = 8 * LIMBS as u64;

/// One participant's share of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Where the polynomials were looked at: the holder's number, from 1.
    pub at: u32,
    values: [Element; LIMBS],
}

/// Splits a secret into `holders` shares, of which `threshold` (at least 1) give it back.
pub fn split(secret: &Key, threshold: usize, holders: usize, stream: &mut Stream) -> Vec<Share> {
    let limbs = limbs_of(secret);
    let polynomials: Vec<Vec<Element>> = limbs
        .iter()
        .map(|limb| {
            let higher = (1..threshold.max(1)).map(|_| Element::draw(stream));
            std::iter::once(*limb).chain(higher).collect()
        })
        .collect();
    let at = |holder: u32| {
        let x = Element::new(u64::from(holder));
        let value = |polynomial: &Vec<Element>| {
            polynomial.iter().rev().fold(Element::ZERO, |sum, factor| sum * x + *factor)
        };
        Share { at: holder, values: std::array::from_fn(|limb| value(&polynomials[limb])) }
    };
    (1..=holders as u32).map(at).collect()
}

/// The secret, by Lagrange's interpolation at 0 from exactly the shares given; they must be of different
/// holders, and as many as the threshold, or the result means nothing. `None` when it is no secret of 32
/// bytes.
pub fn join(shares: &[Share]) -> Option<Key> {
    let points: Vec<Element> =
        shares.iter().map(|share| Element::new(u64::from(share.at))).collect();
    let mut limbs = [Element::ZERO; LIMBS];
    for (own, share) in points.iter().zip(shares) {
        let others = points.iter().filter(|point| *point != own);
        let (top, bottom) = others.fold((Element::ONE, Element::ONE), |(top, bottom), x| {
            (top * *x, bottom * (*x - *own))
        });
        let weight = top * bottom.inverse();
        limbs.iter_mut().zip(share.values).for_each(|(limb, value)| *limb += weight * value);
    }
    bytes_of(&limbs)
}

fn limbs_of(secret: &Key) -> [Element; LIMBS] {
    let bit = |at: usize| secret.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
    std::array::from_fn(|limb| {
        let bits = (0..BITS).map(|at| u64::from(bit(BITS * limb + at)) << at);
        Element::new(bits.sum())
    })
}

fn bytes_of(limbs: &[Element; LIMBS]) -> Option<Key> {
    let mut bytes = [0; 32];
    for (index, limb) in limbs.iter().enumerate() {
        for at in 0..61 {
            if limb.value() >> at & 1 == 0 {
                continue;
            }
            let place = BITS * index + at;
            if at >= BITS || place >= 256 {
                return None;
            }
            bytes[place / 8] |= 1 << (place % 8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::testing::stream;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_threshold_of_shares_gives_the_secret_back(
            secret: [u8; 32], threshold in 1usize..8, more in 0usize..6, seed: u64,
        ) {
            let mut stream = stream(seed);
            let mut shares = split(&secret, threshold, threshold + more, &mut stream);
            let len = shares.len();
            crate::select::draw::shuffle_front(&mut shares, len, &mut stream);
            prop_assert_eq!(join(&shares[..threshold]), Some(secret));
            prop_assert_eq!(join(&shares), Some(secret));
            if threshold > 1 {
                prop_assert_ne!(join(&shares[..threshold - 1]), Some(secret));
            }
        }
    }

    /// Two of three shares of two quite different secrets look the same to who holds one too few: over many
    /// streams their values spread evenly.
    #[test]
    fn fewer_shares_say_nothing() {
        for secret in [[0; 32], [255; 32]] {
            let mut buckets = [0u32; 16];
            for seed in 0..4_000 {
                let shares = split(&secret, 2, 3, &mut stream(seed));
                buckets[(shares[0].values[0].value() >> 57) as usize] += 1;
            }
            // Chi-square with 15 degrees of freedom: above 37.7 once in a thousand times.
            let chi: f64 =
                buckets.iter().map(|count| (f64::from(*count) - 250.0).powi(2) / 250.0).sum();
            assert!(chi < 37.7, "{chi}: {buckets:?}");
        }
    }
}
