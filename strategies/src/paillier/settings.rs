//! What a scenario may write under `[strategy.privacy.paillier]`, and what it costs.

use super::{KeySize, Packing, PaillierError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Updates and models travel encrypted (Paillier 1999; in federated learning as in FedBoosting, Ren et al. 2023): the
/// server adds up ciphertexts and reads none; all clients share the secret key, and read all that they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Paillier {
    /// Bits of the modulus: 2048, 3072 or 4096.
    pub key_bits: u32,
    /// Bits behind the point: changes are rounded to multiples of 2^-fraction_bits.
    pub fraction_bits: u32,
    /// Bits before the point: parameters and their changes stay below 2^integer_bits, or are not sent.
    pub integer_bits: u32,
    /// What the whole weights of a release add up to (largest remainders): all that ciphertexts can be multiplied by
    /// are whole numbers.
    pub slices: u64,
    /// Encrypt every update for real, and decrypt the sum. The same result bit by bit, and very slow: for models of
    /// some hundred parameters. Otherwise the sums are those of the same fixed-point numbers in the open.
    pub exact: bool,
    /// Seconds for encrypting one ciphertext on a device of speed 1; measured on one core of a Xeon when left out.
    /// Batteries pay for the bytes alone.
    pub encrypt_seconds: Option<f64>,
    /// Seconds for decrypting one ciphertext on a device of speed 1; measured on one core of a Xeon when left out.
    pub decrypt_seconds: Option<f64>,
    /// Seconds the server takes to multiply one ciphertext by a weight and add it to a sum; measured on one core of a
    /// Xeon when left out. It works on one after the other, and what it orders waits until it is done.
    pub add_seconds: Option<f64>,
}

impl Default for Paillier {
    fn default() -> Self {
        let Packing { fraction_bits, integer_bits, most_weight } = Packing::default();
        Self {
            key_bits: KeySize::default().bits(),
            fraction_bits,
            integer_bits,
            slices: most_weight,
            exact: false,
            encrypt_seconds: None,
            decrypt_seconds: None,
            add_seconds: None,
        }
    }
}

/// Seconds to encrypt, to decrypt, and to multiply and add one ciphertext, by the bits of the key: `cargo bench
/// --workspace --bench paillier` on one core of an Intel Xeon with AVX-512, by this crate's own arithmetic. Libraries
/// that are tuned for it are several times faster.
const MEASURED: [(u32, [f64; 3]); 3] = [
    (2048, [0.0236, 0.0069, 0.0008]),
    (3072, [0.066, 0.021, 0.0017]),
    (4096, [0.156, 0.048, 0.0029]),
];

impl Paillier {
    /// How numbers are packed.
    pub fn packing(&self) -> Packing {
        let Self { fraction_bits, integer_bits, slices, .. } = *self;
        Packing { fraction_bits, integer_bits, most_weight: slices }
    }

    /// The size of the key.
    ///
    /// # Errors
    /// [`PaillierError::KeySize`].
    pub fn key_size(&self) -> Result<KeySize, PaillierError> {
        KeySize::new(self.key_bits)
    }

    /// Parameters and changes stay below this: half a step below where they would be rounded out of range.
    pub fn limit(&self) -> f64 {
        f64::from(self.integer_bits).exp2() - 0.5 / f64::from(self.fraction_bits).exp2()
    }

    /// What encrypting vectors of `len` numbers costs.
    ///
    /// # Errors
    /// [`PaillierError::KeySize`] and [`PaillierError::Slots`].
    pub fn sealing(&self, len: usize) -> Result<Sealing, PaillierError> {
        let size = self.key_size()?;
        let ciphertexts = len.div_ceil(self.packing().slots_of(u64::from(size.bits()))?);
        let [encrypt, decrypt, add] = MEASURED
            .iter()
            .find(|(bits, _)| *bits == size.bits())
            .map_or([0.0; 3], |(_, seconds)| *seconds);
        let of_all =
            |given: Option<f64>, measured: f64| given.unwrap_or(measured) * ciphertexts as f64;
        Ok(Sealing {
            bytes: ciphertexts as u64 * size.ciphertext_bytes(),
            encrypt_seconds: of_all(self.encrypt_seconds, encrypt),
            decrypt_seconds: of_all(self.decrypt_seconds, decrypt),
            add_seconds: of_all(self.add_seconds, add),
        })
    }
}

/// What encrypting the vectors of a run costs: each figure is for one vector.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sealing {
    /// Bytes of its ciphertexts.
    pub bytes: u64,
    /// Seconds of encryption on a device of speed 1.
    pub encrypt_seconds: f64,
    /// Seconds of decryption on a device of speed 1.
    pub decrypt_seconds: f64,
    /// Seconds of the server for multiplying it by a weight and adding it to another.
    pub add_seconds: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 24 + 6 + 16 + 1 = 47 bits a slot, 43 slots in 2047 bits, 2326 ciphertexts of 512 bytes.
    #[test]
    fn costs_by_hand() {
        let settings = Paillier {
            encrypt_seconds: Some(0.5),
            decrypt_seconds: Some(0.25),
            add_seconds: Some(0.125),
            ..Paillier::default()
        };
        let expected = Sealing {
            bytes: 2326 * 512,
            encrypt_seconds: 1163.0,
            decrypt_seconds: 581.5,
            add_seconds: 290.75,
        };
        assert_eq!(settings.sealing(100_000), Ok(expected));
        let long = Paillier { key_bits: 4096, ..settings };
        assert_eq!(long.sealing(87).expect("offered").bytes, 1024, "87 slots");
        assert!(Paillier { key_bits: 1024, ..settings }.sealing(1).is_err());
    }

    #[test]
    fn longer_keys_take_longer() {
        let of =
            |key_bits| Paillier { key_bits, ..Paillier::default() }.sealing(1).expect("offered");
        let (short, long) = (of(2048), of(4096));
        assert!(short.encrypt_seconds > 0.0 && short.encrypt_seconds < long.encrypt_seconds);
        assert!(short.decrypt_seconds < long.decrypt_seconds);
        assert!(short.add_seconds < long.add_seconds);
    }
}
