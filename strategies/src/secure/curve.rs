//! X25519, the Diffie-Hellman function on Curve25519 (RFC 7748), with which two clients agree on a secret
//! that the server, who carries their public keys, does not learn.
//!
//! Its running time depends on the secrets: it serves a simulation.

/// A secret or public key, or what two keys agree on.
pub type Key = [u8; 32];

/// Bytes of a key on the wire.
pub const KEY_BYTES: u64 = 32;

/// (486662 - 2) / 4, of the ladder.
const A24: u64 = 121_665;

/// The low 51 bits: a number has five limbs of so many.
const LOW: u64 = (1 << 51) - 1;

/// A number modulo 2^255 - 19 in five limbs of 51 bits, each a little larger between operations.
#[derive(Clone, Copy, Debug)]
struct Number([u64; 5]);

impl Number {
    const ZERO: Self = Self([0; 5]);
    const ONE: Self = Self([1, 0, 0, 0, 0]);

    /// The number of 32 bytes, the lowest first; the highest bit does not count.
    fn of(bytes: &Key) -> Self {
        let mut limbs = [0; 5];
        for (index, limb) in limbs.iter_mut().enumerate() {
            let (first, shift) = (51 * index / 8, 51 * index % 8);
            let mut word = [0; 8];
            let many = word.len().min(32 - first);
            word[..many].copy_from_slice(&bytes[first..first + many]);
            *limb = (u64::from_le_bytes(word) >> shift) & LOW;
        }
        Self(limbs)
    }

    /// The bytes of the least number that is congruent to this.
    fn bytes(self) -> Key {
        let mut limbs = self.carried().carried().0;
        // Once more than the prime is taken off if 19 more would carry out of 255 bits.
        let mut carry = 19;
        for limb in limbs {
            carry = (limb + carry) >> 51;
        }
        limbs[0] += 19 * carry;
        for index in 0..4 {
            limbs[index + 1] += limbs[index] >> 51;
            limbs[index] &= LOW;
        }
        limbs[4] &= LOW;
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let (limb, shift) = (8 * index / 51, 8 * index % 51);
            let low = limbs[limb] >> shift;
            let high = limbs.get(limb + 1).map_or(0, |next| u128::from(*next) << (51 - shift));
            *byte = (u128::from(low) | high) as u8;
        }
        bytes
    }

    /// Limbs brought back to 51 bits, what is over folded in by 2^255 = 19.
    fn carried(self) -> Self {
        let mut limbs = self.0;
        for index in 0..4 {
            limbs[index + 1] += limbs[index] >> 51;
            limbs[index] &= LOW;
        }
        limbs[0] += 19 * (limbs[4] >> 51);
        limbs[4] &= LOW;
        Self(limbs)
    }

    fn plus(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i])).carried()
    }

    /// Twice the prime is added first, so that no limb falls below zero.
    fn minus(self, other: Self) -> Self {
        let twice = |i: usize| if i == 0 { 2 * (LOW - 18) } else { 2 * LOW };
        let (a, b) = (self.0, other.carried().0);
        Self(std::array::from_fn(|i| a[i] + twice(i) - b[i])).carried()
    }

    fn times(self, other: Self) -> Self {
        let (a, b) = (self.0.map(u128::from), other.0.map(u128::from));
        let mut sums = [0u128; 5];
        for i in 0..5 {
            for j in 0..5 {
                let factor = if i + j >= 5 { 19 } else { 1 };
                sums[(i + j) % 5] += factor * a[i] * b[j];
            }
        }
        let mut limbs = [0u64; 5];
        let mut carry = 0u128;
        for (limb, sum) in limbs.iter_mut().zip(sums) {
            let all = sum + carry;
            *limb = all as u64 & LOW;
            carry = all >> 51;
        }
        let first = u128::from(limbs[0]) + 19 * carry;
        limbs[0] = first as u64 & LOW;
        limbs[1] += (first >> 51) as u64;
        Self(limbs).carried()
    }

    /// To the power of 2^255 - 21: the inverse, by Fermat's little theorem. All bits of the exponent but
    /// the second and the fourth are ones.
    fn inverse(self) -> Self {
        let mut result = Self::ONE;
        for bit in (0..255).rev() {
            result = result.times(result);
            if bit != 2 && bit != 4 {
                result = result.times(self);
            }
        }
        result
    }
}

/// The product of a secret and a point, both as RFC 7748 section 5 encodes them: the Montgomery ladder.
pub fn multiply(secret: &Key, point: &Key) -> Key {
    let mut scalar = *secret;
    scalar[0] &= 248;
    scalar[31] = (scalar[31] & 127) | 64;
    let x1 = Number::of(point);
    let (mut x2, mut z2, mut x3, mut z3) = (Number::ONE, Number::ZERO, x1, Number::ONE);
    let a24 = Number([A24, 0, 0, 0, 0]);
    let mut swapped = false;
    for position in (0..255).rev() {
        let bit = scalar[position / 8] >> (position % 8) & 1 == 1;
        if bit != swapped {
            (x2, x3, z2, z3) = (x3, x2, z3, z2);
        }
        swapped = bit;
        let (sum, difference) = (x2.plus(z2), x2.minus(z2));
        let (squared_sum, squared_difference) = (sum.times(sum), difference.times(difference));
        let gap = squared_sum.minus(squared_difference);
        let across = x3.minus(z3).times(sum);
        let beside = x3.plus(z3).times(difference);
        let (far, near) = (across.plus(beside), across.minus(beside));
        x3 = far.times(far);
        z3 = x1.times(near.times(near));
        x2 = squared_sum.times(squared_difference);
        z2 = gap.times(squared_sum.plus(a24.times(gap)));
    }
    if swapped {
        (x2, z2) = (x3, z3);
    }
    x2.times(z2.inverse()).bytes()
}

/// The public key of a secret: its product with the base point 9.
pub fn public(secret: &Key) -> Key {
    let mut base = [0; 32];
    base[0] = 9;
    multiply(secret, &base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(hexadecimal: &str) -> Key {
        let digit = |at: usize| u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16);
        std::array::from_fn(|at| digit(at).expect("hexadecimal digits"))
    }

    /// RFC 7748, section 5.2: the two single products.
    #[test]
    fn products_of_the_standard() {
        for (secret, point, product) in [
            (
                "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
            ),
            (
                "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
            ),
        ] {
            assert_eq!(multiply(&key(secret), &key(point)), key(product));
        }
    }

    /// RFC 7748, section 6.1: what Bob makes of his secret and of Alice's public key.
    #[test]
    fn agreement_of_the_standard() {
        let alice = key("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        let bob = key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
        let published = key("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
        let shared = key("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        assert_eq!(public(&bob), published);
        assert_eq!(multiply(&bob, &alice), shared);
    }

    /// RFC 7748, section 5.2: the base point as secret and point, once and a thousand times over.
    #[test]
    fn iterations_of_the_standard() {
        let mut nine = [0; 32];
        nine[0] = 9;
        let (mut secret, mut point) = (nine, nine);
        for round in 1..=1000 {
            let product = multiply(&secret, &point);
            (point, secret) = (secret, product);
            if round == 1 {
                let once = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
                assert_eq!(secret, key(once));
            }
        }
        let thousand = "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51";
        assert_eq!(secret, key(thousand));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn two_clients_agree(a: [u8; 32], b: [u8; 32]) {
            prop_assert_eq!(multiply(&a, &public(&b)), multiply(&b, &public(&a)));
        }
    }
}
