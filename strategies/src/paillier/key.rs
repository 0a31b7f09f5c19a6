//! Keys, and what they do to single numbers.

use super::PaillierError;
use super::prime::{random_below, random_prime};
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::One;
use offbeat_kernel::Stream;
use serde::{Deserialize, Serialize};

/// Bits of a key's modulus: 2048 (the default), 3072 or 4096.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct KeySize(u32);

impl KeySize {
    /// A size that is offered.
    ///
    /// # Errors
    /// [`PaillierError::KeySize`].
    pub fn new(bits: u32) -> Result<Self, PaillierError> {
        match bits {
            2048 | 3072 | 4096 => Ok(Self(bits)),
            _ => Err(PaillierError::KeySize(bits)),
        }
    }

    /// Bits of the modulus.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// Bytes of a ciphertext: those of the modulus' square.
    pub fn ciphertext_bytes(self) -> u64 {
        u64::from(self.0) / 4
    }
}

impl Default for KeySize {
    fn default() -> Self {
        Self(2048)
    }
}

impl TryFrom<u32> for KeySize {
    type Error = PaillierError;

    fn try_from(bits: u32) -> Result<Self, PaillierError> {
        Self::new(bits)
    }
}

impl From<KeySize> for u32 {
    fn from(size: KeySize) -> u32 {
        size.0
    }
}

/// An encrypted number, below the square of the key's modulus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphertext(pub(super) BigUint);

/// What everybody may know: encrypts, adds and multiplies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    modulus: BigUint,
    square: BigUint,
    /// Largest magnitude of a number: a half of the modulus.
    half: BigUint,
}

/// What only those who may read know. Has no form for messages.
#[derive(Clone)]
pub struct SecretKey {
    p: Factor,
    q: Factor,
    /// Inverse of `q` modulo `p`.
    inverse: BigUint,
    public: PublicKey,
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").field("bits", &self.public.bits()).finish_non_exhaustive()
    }
}

/// Both keys.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// For everybody.
    pub public: PublicKey,
    /// For those who may read.
    pub secret: SecretKey,
}

impl KeyPair {
    /// Draws the keys: two primes of half the size each. Takes seconds at 2048 bits.
    pub fn generate(size: KeySize, stream: &mut Stream) -> Self {
        Self::of_bits(u64::from(size.0), stream)
    }

    /// Keys that protect nothing: for tests of this crate alone.
    #[cfg(test)]
    pub(super) fn toy(bits: u64, stream: &mut Stream) -> Self {
        Self::of_bits(bits, stream)
    }

    fn of_bits(bits: u64, stream: &mut Stream) -> Self {
        let p = random_prime(bits / 2, stream);
        loop {
            let q = random_prime(bits / 2, stream);
            // Factors of the same length are prime to each other's predecessors, unless they are the same.
            if let Some(secret) = (p != q).then(|| SecretKey::new(&p, &q)).flatten() {
                return Self { public: secret.public.clone(), secret };
            }
        }
    }
}

impl PublicKey {
    fn new(modulus: BigUint) -> Self {
        let square = &modulus * &modulus;
        let half = &modulus >> 1u32;
        Self { modulus, square, half }
    }

    /// Bits of the modulus.
    pub fn bits(&self) -> u64 {
        self.modulus.bits()
    }

    /// Bytes of a ciphertext: those of the modulus' square, 512 at 2048 bits.
    pub fn ciphertext_len(&self) -> usize {
        (2 * self.bits()).div_ceil(8) as usize
    }

    /// Encrypts a number of magnitude below half of the modulus: `(1 + m n) r^n mod n^2`, with `r` from `stream`.
    ///
    /// # Errors
    /// [`PaillierError::TooLarge`].
    pub fn encrypt(
        &self,
        number: &BigInt,
        stream: &mut Stream,
    ) -> Result<Ciphertext, PaillierError> {
        if *number.magnitude() >= self.half {
            let (bits, key_bits) = (number.bits(), self.bits());
            return Err(PaillierError::TooLarge { bits, key_bits });
        }
        let residue = match number.sign() {
            Sign::Minus => &self.modulus - number.magnitude(),
            _ => number.magnitude().clone(),
        };
        let blind = loop {
            let drawn = random_below(&self.modulus, stream);
            if drawn.gcd(&self.modulus).is_one() {
                break drawn.modpow(&self.modulus, &self.square);
            }
        };
        Ok(Ciphertext((residue * &self.modulus + 1u32) * blind % &self.square))
    }

    /// A ciphertext of the sum.
    pub fn add(&self, a: &Ciphertext, b: &Ciphertext) -> Ciphertext {
        Ciphertext(&a.0 * &b.0 % &self.square)
    }

    /// A ciphertext of `factor` times the number.
    pub fn scale(&self, a: &Ciphertext, factor: u64) -> Ciphertext {
        Ciphertext(a.0.modpow(&BigUint::from(factor), &self.square))
    }

    /// Whether a number can be a ciphertext of this key.
    pub(super) fn accepts(&self, number: &BigUint) -> bool {
        *number < self.square && number.bits() > 0
    }
}

impl SecretKey {
    /// `None` when the inverses that are needed do not exist.
    fn new(p: &BigUint, q: &BigUint) -> Option<Self> {
        let (own_p, own_q) = (Factor::new(p, q)?, Factor::new(q, p)?);
        let public = PublicKey::new(p * q);
        Some(Self { p: own_p, q: own_q, inverse: q.modinv(p)?, public })
    }

    /// The number in a ciphertext: from its remainders by both factors.
    pub fn decrypt(&self, ciphertext: &Ciphertext) -> BigInt {
        let (by_p, by_q) = (self.p.decrypt(&ciphertext.0), self.q.decrypt(&ciphertext.0));
        let (p, q) = (&self.p.prime, &self.q.prime);
        let difference = (&by_p + p - &by_q % p) % p;
        let number = by_q + q * (difference * &self.inverse % p);
        if number > self.public.half {
            BigInt::from(number) - BigInt::from(self.public.modulus.clone())
        } else {
            BigInt::from(number)
        }
    }
}

/// One prime factor and what decryption needs of it.
#[derive(Clone)]
struct Factor {
    prime: BigUint,
    square: BigUint,
    /// `prime - 1`.
    exponent: BigUint,
    /// Inverse of `L((1 + n)^(prime - 1) mod prime^2)`, which is `-other`, modulo the prime.
    scale: BigUint,
}

impl Factor {
    fn new(prime: &BigUint, other: &BigUint) -> Option<Self> {
        let negative = prime - other % prime;
        Some(Self {
            prime: prime.clone(),
            square: prime * prime,
            exponent: prime - 1u32,
            scale: negative.modinv(prime)?,
        })
    }

    /// `L(c^(prime - 1) mod prime^2) * scale mod prime`, with `L(x) = (x - 1) / prime`.
    fn decrypt(&self, ciphertext: &BigUint) -> BigUint {
        let power = (ciphertext % &self.square).modpow(&self.exponent, &self.square);
        // A ciphertext that shares a factor with the modulus is none; its power is 0.
        let quotient = if power.bits() == 0 { power } else { (power - 1u32) / &self.prime };
        quotient * &self.scale % &self.prime
    }
}
