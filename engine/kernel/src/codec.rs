//! The one place that turns plain data into bytes and back (bincode 2, little endian, variable
//! length integers).

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Data that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The value has no form in bytes.
    #[error("cannot encode: {0}")]
    Encode(#[from] bincode::error::EncodeError),
    /// The bytes are not such a value.
    #[error("cannot decode: {0}")]
    Decode(#[from] bincode::error::DecodeError),
    /// The bytes go on after the value.
    #[error("cannot decode: {0} bytes are left over after the value")]
    LeftOver(usize),
    /// A value that cannot be taken over, or given, for a reason of its own.
    #[error("{0}")]
    Refused(String),
}

/// The bytes of `value`.
///
/// # Errors
/// When a part of the value refuses to be serialised.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
    Ok(bincode::serde::encode_to_vec(value, bincode::config::standard())?)
}

/// How many bytes [`encode`] gives for `value`, without keeping them.
///
/// # Errors
/// As [`encode`].
pub fn encoded_len<T: Serialize + ?Sized>(value: &T) -> Result<u64, CodecError> {
    let mut count = Count(0);
    bincode::serde::encode_into_writer(value, &mut count, bincode::config::standard())?;
    Ok(count.0)
}

/// Most memory that less than 64 KiB may ask for, and less than 64 MiB: a length that was damaged on the way must not
/// take all there is. Larger inputs are snapshots, which have a checksum.
const SMALL: usize = 1 << 24;
const LARGE: usize = 1 << 33;

/// The value in `bytes`.
///
/// # Errors
/// When the bytes are not such a value, or hold more than it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CodecError> {
    let config = bincode::config::standard();
    let (value, used) = match bytes.len() >> 10 {
        0..64 => bincode::serde::decode_from_slice(bytes, config.with_limit::<SMALL>()),
        64..65_536 => bincode::serde::decode_from_slice(bytes, config.with_limit::<LARGE>()),
        _ => bincode::serde::decode_from_slice(bytes, config),
    }?;
    match bytes.len() - used {
        0 => Ok(value),
        rest => Err(CodecError::LeftOver(rest)),
    }
}

struct Count(u64);

impl bincode::enc::write::Writer for Count {
    fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
        self.0 += bytes.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_the_length_of_the_bytes() {
        let value = (3u64, vec![1.5f32; 100], "head".to_string());
        let bytes = encode(&value).expect("plain data");
        assert_eq!(encoded_len(&value).expect("plain data"), bytes.len() as u64);
        assert_eq!(decode::<(u64, Vec<f32>, String)>(&bytes).expect("same type"), value);
    }

    #[test]
    fn a_length_beyond_all_memory_is_refused() {
        // A text of 2^64 - 1 bytes.
        let bytes = [&[253][..], &[0xff; 8]].concat();
        assert!(matches!(decode::<String>(&bytes), Err(CodecError::Decode(_))));
        let large = vec![7u8; 1 << 17];
        let text = encode(&large).expect("plain data");
        assert_eq!(decode::<Vec<u8>>(&text).expect("same type"), large);
    }

    #[test]
    fn bytes_that_go_on_are_refused() {
        let mut bytes = encode(&7u32).expect("plain data");
        bytes.push(0);
        assert!(matches!(decode::<u32>(&bytes), Err(CodecError::LeftOver(1))));
    }
}
