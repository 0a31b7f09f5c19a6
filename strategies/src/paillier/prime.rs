//! Random numbers and primes of many bits, from our streams.

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::One;
use offbeat_kernel::Stream;
use rand::Rng;

/// Rounds of the test: a composite passes with probability below 4^-40 (Rabin 1980).
const ROUNDS: usize = 40;

/// Candidates are first divided by all primes below this.
const SMALL: u32 = 2000;

/// A number below `2^bits`, uniform.
pub(super) fn random_bits(bits: u64, stream: &mut Stream) -> BigUint {
    let mut bytes = vec![0u8; bits.div_ceil(8) as usize];
    stream.fill_bytes(&mut bytes);
    let surplus = bytes.len() as u64 * 8 - bits;
    if let Some(top) = bytes.last_mut() {
        *top = (u16::from(*top) & (0xff >> surplus)) as u8;
    }
    BigUint::from_bytes_le(&bytes)
}

/// A number from 1 to before `end`, uniform: draws until one fits, twice on average at most. `end` is at least 2.
pub(super) fn random_below(end: &BigUint, stream: &mut Stream) -> BigUint {
    loop {
        let drawn = random_bits(end.bits(), stream);
        if drawn < *end && drawn.bits() > 0 {
            return drawn;
        }
    }
}

/// A prime of exactly `bits` bits whose two highest bits are set, so that the product of two such primes has exactly
/// twice as many bits. `bits` is at least 8.
pub(super) fn random_prime(bits: u64, stream: &mut Stream) -> BigUint {
    let sieve = small_primes();
    loop {
        let mut candidate = random_bits(bits, stream);
        for bit in [0, bits - 2, bits - 1] {
            candidate.set_bit(bit, true);
        }
        let divided = |prime: &u32| {
            let prime = BigUint::from(*prime);
            candidate > prime && candidate.is_multiple_of(&prime)
        };
        if !sieve.iter().any(divided) && is_prime(&candidate, stream) {
            return candidate;
        }
    }
}

fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::new();
    for number in 2..SMALL {
        let own = |prime: &&u32| *prime * *prime <= number;
        if primes.iter().take_while(own).all(|prime| !number.is_multiple_of(*prime)) {
            primes.push(number);
        }
    }
    primes
}

/// Miller and Rabin's test of an odd number above 3, with random bases.
pub(super) fn is_prime(number: &BigUint, stream: &mut Stream) -> bool {
    let one = BigUint::one();
    let less = number - &one;
    let twos = less.trailing_zeros().unwrap_or(0);
    let odd = &less >> twos;
    (0..ROUNDS).all(|_| {
        let base = random_below(&less, stream);
        let mut power = base.modpow(&odd, number);
        if power == one || power == less {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % number;
            power == less
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_kernel::{Purpose, SeedTree};

    fn stream() -> Stream {
        SeedTree::new(1).stream(Purpose::Privacy, 0, 0)
    }

    #[test]
    fn primes_are_told_from_composites() {
        let mut stream = stream();
        let mut sieve = vec![true; 3000];
        for number in 2..3000usize {
            (2 * number..3000).step_by(number).for_each(|multiple| sieve[multiple] = false);
        }
        for number in (5..3000u32).step_by(2) {
            let found = is_prime(&BigUint::from(number), &mut stream);
            assert_eq!(found, sieve[number as usize], "{number}");
        }
        // Carmichael numbers, which fool Fermat's test; and two Mersenne numbers, one of them prime.
        for composite in [561u64, 41_041, 825_265, 321_197_185, 9_746_347_772_161] {
            assert!(!is_prime(&BigUint::from(composite), &mut stream));
        }
        let mersenne = |exponent: u32| (BigUint::one() << exponent) - 1u32;
        assert!(is_prime(&mersenne(521), &mut stream));
        assert!(!is_prime(&mersenne(523), &mut stream));
    }

    #[test]
    fn drawn_primes_have_their_bits_and_follow_the_seed() {
        let draw = |bits| random_prime(bits, &mut stream());
        for bits in [8, 16, 64, 200] {
            let prime = draw(bits);
            assert_eq!((prime.bits(), prime.bit(bits - 2), prime.bit(0)), (bits, true, true));
            assert_eq!(draw(bits), prime);
        }
    }

    #[test]
    fn numbers_below_an_end_are_all_met() {
        let (mut stream, end) = (stream(), BigUint::from(6u32));
        let mut met = [0; 6];
        for _ in 0..6000 {
            met[random_below(&end, &mut stream).to_u32_digits()[0] as usize] += 1;
        }
        assert_eq!(met[0], 0);
        assert!(met[1..].iter().all(|count| (1080..1320).contains(count)), "{met:?}");
    }
}
