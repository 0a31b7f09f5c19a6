//! The bytes of one state file: magic, format, header, compressed body, checksum.

use super::Fingerprint;
use offbeat_actors::{Occasion, Snapshot};
use offbeat_kernel::{Digest, Time, Version, codec};
use serde::{Deserialize, Serialize};

const MAGIC: &[u8; 8] = b"offbeat\x1a";
/// Format of the file; another number is refused.
const FORMAT: u32 = 1;
const CHECKSUM: usize = 32;
const LEVEL: i32 = 1;

/// How the run was carried out, as far as it decides what is computed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The device's name.
    pub device: String,
    /// Whether nothing is learned.
    pub timing_only: bool,
    /// What the run is called where runs are compared.
    pub label: Option<String>,
    /// What its directory is called after.
    pub folder: Option<String>,
}

/// What is known of a snapshot before its body is read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Header {
    /// Counts the snapshots of a run.
    pub number: u64,
    /// Virtual time.
    pub now: Time,
    /// Events delivered.
    pub events: u64,
    /// The last version.
    pub version: Version,
    /// Why it was taken.
    pub occasion: Occasion,
    /// What has to be the same.
    pub fingerprint: Fingerprint,
    /// How the run was carried out.
    pub settings: Settings,
    /// Where the vectors lie, in the order of their numbers.
    pub vectors: Vec<Place>,
}

/// Where a vector lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its digest.
    pub digest: Digest,
    /// Number of the file.
    pub pack: u64,
    /// First byte in it.
    pub offset: u64,
    /// Bytes in it, compressed.
    pub stored: u64,
    /// Elements.
    pub len: u64,
}

/// The file of a snapshot.
///
/// # Errors
/// What cannot be written.
pub(super) fn write(header: &Header, snapshot: &Snapshot) -> Result<Vec<u8>, String> {
    let head = codec::encode(header).map_err(|error| error.to_string())?;
    let body =
        codec::encode(&(&snapshot.sink, &snapshot.state)).map_err(|error| error.to_string())?;
    let body = zstd::bulk::compress(&body, LEVEL).map_err(|error| error.to_string())?;
    let mut file = Vec::with_capacity(head.len() + body.len() + 64);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&FORMAT.to_le_bytes());
    file.extend_from_slice(&(head.len() as u64).to_le_bytes());
    file.extend_from_slice(&head);
    file.extend_from_slice(&body);
    let checksum = Digest::of(&file);
    file.extend_from_slice(&checksum.0);
    Ok(file)
}

/// The header and the compressed body of a file that is whole and of this format.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(file: &[u8]) -> Result<(Header, &[u8]), String> {
    let Some(rest) = file.strip_prefix(MAGIC) else {
        return Err("it is no snapshot, or its beginning is damaged".into());
    };
    let (Some(format), Some(split)) = (rest.first_chunk::<4>(), file.len().checked_sub(CHECKSUM))
    else {
        return Err("it is cut off".into());
    };
    let format = u32::from_le_bytes(*format);
    if format != FORMAT {
        return Err(format!("it has format {format}, this build reads format {FORMAT}"));
    }
    let (content, checksum) = file.split_at(split);
    if Digest::of(content).0 != checksum {
        return Err("it is cut off or damaged: its checksum does not fit".into());
    }
    let short = || "it is cut off".to_string();
    let rest = content.get(12..).ok_or_else(short)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| short())?;
    let (head, body) = rest.split_at_checked(length).ok_or_else(short)?;
    let header = codec::decode(head).map_err(|error| error.to_string())?;
    Ok((header, body))
}

/// Where the sink stood, and the state.
///
/// # Errors
/// What is wrong with the body.
pub(super) fn body(compressed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), String> {
    let bytes = zstd::stream::decode_all(compressed).map_err(|error| error.to_string())?;
    codec::decode(&bytes).map_err(|error| error.to_string())
}

/// A vector as it is stored.
pub(super) fn pack(values: &[f32]) -> Result<Vec<u8>, String> {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    zstd::bulk::compress(&bytes, LEVEL).map_err(|error| error.to_string())
}

/// The vector of `len` elements that is stored as `bytes`.
pub(super) fn unpack(bytes: &[u8], len: u64) -> Result<Vec<f32>, String> {
    let bytes = zstd::stream::decode_all(bytes).map_err(|error| error.to_string())?;
    let (values, rest) = bytes.as_chunks::<4>();
    if values.len() as u64 != len || !rest.is_empty() {
        return Err(format!("a vector has {} elements instead of {len}", values.len()));
    }
    Ok(values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
