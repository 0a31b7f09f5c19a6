//! The binary version of CIFAR-10 and CIFAR-100: records of labels and 3 x 32 x 32 bytes.
//!
//! Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

use super::malformed::malformed;
use super::source::Source;
use super::{Dataset, Split};
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

const PIXELS: usize = 3 * 32 * 32;

/// Which of the two labels of CIFAR-100 to learn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cifar100Labels {
    /// The 100 classes.
    #[default]
    Fine,
    /// The 20 superclasses.
    Coarse,
}

/// How labels lie in a record.
#[derive(Clone, Copy)]
struct Record {
    /// Bytes before the pixels.
    labels: usize,
    /// Which of them is the label.
    label: usize,
    classes: usize,
}

/// Reads `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`. Features are raw bytes
/// `0..=255`, shape `[3, 32, 32]`, 10 classes.
///
/// # Errors
/// A file that is missing or malformed.
pub fn read_cifar10(dir: &Path) -> Result<Split, LearnError> {
    let record = Record { labels: 1, label: 0, classes: 10 };
    let batches: Vec<String> = (1..=5).map(|i| format!("data_batch_{i}.bin")).collect();
    Ok(Split {
        train: read_files(dir, &batches, record)?,
        test: read_files(dir, &["test_batch.bin".to_owned()], record)?,
    })
}

/// Reads `train.bin` and `test.bin` of CIFAR-100. Features are raw bytes, shape `[3, 32, 32]`, 100 or
/// 20 classes.
///
/// # Errors
/// A file that is missing or malformed.
pub fn read_cifar100(dir: &Path, labels: Cifar100Labels) -> Result<Split, LearnError> {
    let record = match labels {
        Cifar100Labels::Coarse => Record { labels: 2, label: 0, classes: 20 },
        Cifar100Labels::Fine => Record { labels: 2, label: 1, classes: 100 },
    };
    Ok(Split {
        train: read_files(dir, &["train.bin".to_owned()], record)?,
        test: read_files(dir, &["test.bin".to_owned()], record)?,
    })
}

fn read_files(dir: &Path, names: &[String], record: Record) -> Result<Dataset, LearnError> {
    let mut data = Dataset {
        features: Vec::new(),
        shape: vec![3, 32, 32],
        labels: Vec::new(),
        classes: record.classes,
        groups: None,
    };
    for name in names {
        append(&mut data, Source::open(&dir.join(name))?, record)?;
    }
    Ok(data)
}

fn append(data: &mut Dataset, mut source: Source, record: Record) -> Result<(), LearnError> {
    let bytes = source.take(u64::MAX)?;
    let length = record.labels + PIXELS;
    if bytes.is_empty() {
        let reason = format!("the file is empty, expected records of {length} bytes");
        return Err(malformed(source.path(), "byte 0", reason));
    }
    if bytes.len() % length != 0 {
        let reason = format!(
            "{} bytes are no whole number of records of {length} bytes: the file is cut short, has trailing bytes, or is not the binary version",
            bytes.len()
        );
        let place = format!("byte {}", bytes.len() / length * length);
        return Err(malformed(source.path(), place, reason));
    }
    for (index, bytes) in bytes.chunks_exact(length).enumerate() {
        let label = bytes[record.label];
        if usize::from(label) >= record.classes {
            let reason = format!(
                "label {label} in record {index}, expected 0 to {}: the file is damaged or of another set",
                record.classes - 1
            );
            let place = format!("byte {}", index * length + record.label);
            return Err(malformed(source.path(), place, reason));
        }
        data.labels.push(u32::from(label));
        let pixels = &bytes[record.labels..];
        data.features.extend(pixels.iter().copied().map(f32::from));
    }
    Ok(())
}
