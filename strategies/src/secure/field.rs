//! Whole numbers modulo the Mersenne prime 2^61 - 1.

use offbeat_kernel::Stream;
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

/// The modulus, 2^61 - 1.
pub const MODULUS: u64 = (1 << 61) - 1;

/// A number from 0 up to, but not including, [`MODULUS`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Element(u64);

impl Element {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// One.
    pub const ONE: Self = Self(1);

    /// `value` modulo the prime.
    pub fn new(value: u64) -> Self {
        Self(Self::fold(value))
    }

    /// A whole number of either sign, at most half of the modulus in size.
    pub fn signed(value: i64) -> Self {
        let size = Self::new(value.unsigned_abs());
        if value < 0 { -size } else { size }
    }

    /// The whole number of least size that is congruent to this.
    pub fn to_signed(self) -> i64 {
        if self.0 > MODULUS / 2 { -((MODULUS - self.0) as i64) } else { self.0 as i64 }
    }

    /// The number itself.
    pub fn value(self) -> u64 {
        self.0
    }

    /// Every number with the same probability.
    pub fn uniform(stream: &mut impl Rng) -> Self {
        loop {
            let drawn = stream.next_u64() >> 3;
            if drawn < MODULUS {
                return Self(drawn);
            }
        }
    }

    /// The same from a stream of the seed tree.
    pub fn draw(stream: &mut Stream) -> Self {
        Self::uniform(stream)
    }

    /// `self` to the power of `exponent`.
    pub fn power(self, mut exponent: u64) -> Self {
        let (mut base, mut result) = (self, Self::ONE);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result * base;
            }
            base = base * base;
            exponent >>= 1;
        }
        result
    }

    /// The number whose product with this is 1; zero for zero (by Fermat's little theorem).
    pub fn inverse(self) -> Self {
        self.power(MODULUS - 2)
    }

    /// `value` modulo the prime: 2^61 is 1.
    fn fold(value: u64) -> u64 {
        let folded = (value & MODULUS) + (value >> 61);
        if folded >= MODULUS { folded - MODULUS } else { folded }
    }
}

impl Add for Element {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        Self(if sum >= MODULUS { sum - MODULUS } else { sum })
    }
}

impl Neg for Element {
    type Output = Self;

    fn neg(self) -> Self {
        Self(if self.0 == 0 { 0 } else { MODULUS - self.0 })
    }
}

impl Sub for Element {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Element {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = u128::from(self.0) * u128::from(other.0);
        let (low, high) = (product as u64 & MODULUS, (product >> 61) as u64);
        Self(Self::fold(low + high))
    }
}

impl AddAssign for Element {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Element {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wide(a: Element) -> u128 {
        u128::from(a.value())
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_whole_numbers(a: u64, b: u64) {
            let (x, y, p) = (Element::new(a), Element::new(b), u128::from(MODULUS));
            prop_assert_eq!(wide(x), u128::from(a) % p);
            prop_assert_eq!(wide(x + y), (wide(x) + wide(y)) % p);
            prop_assert_eq!(wide(x * y), (wide(x) * wide(y)) % p);
            prop_assert_eq!(x - y + y, x);
            prop_assert_eq!(x + -x, Element::ZERO);
            if x != Element::ZERO {
                prop_assert_eq!(x * x.inverse(), Element::ONE);
            }
        }

        #[test]
        fn signs_come_back(value in -(1i64 << 60) + 1..1i64 << 60) {
            prop_assert_eq!(Element::signed(value).to_signed(), value);
        }
    }

    #[test]
    fn the_edges() {
        assert_eq!(Element::new(MODULUS), Element::ZERO);
        assert_eq!(Element::new(u64::MAX).value(), 7);
        assert_eq!(Element::signed(-1).value(), MODULUS - 1);
        assert_eq!(Element::ZERO.inverse(), Element::ZERO);
        assert_eq!(Element::new(3).power(5).value(), 243);
    }
}
