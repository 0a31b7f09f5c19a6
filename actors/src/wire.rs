//! How many bytes messages take on a link: those of their real encoding.

use crate::message::{Answer, WireUpdate};
use offbeat_kernel::codec;
use offbeat_learning::Flat;
use serde::Serialize;
use std::collections::BTreeMap;

/// Bytes of the encoding of `value`.
pub fn len<T: Serialize>(value: &T) -> u64 {
    codec::encoded_len(value).unwrap_or(u64::MAX)
}

/// Bytes of the encoding of a vector of `elements` numbers, without looking at them: a count of
/// variable length, then four bytes for each.
pub fn flat_len(elements: usize) -> u64 {
    count_len(elements as u64) + 4 * elements as u64
}

/// Bytes of `bytes` bytes with their count before them.
pub fn counted(bytes: u64) -> u64 {
    count_len(bytes) + bytes
}

fn count_len(count: u64) -> u64 {
    match count {
        0..=250 => 1,
        251..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

/// Bytes of an update message after `steps` steps, whose shared parameters take `payload` bytes with their count,
/// and with scalars and vectors of these names.
pub fn update_len(
    answer: &Answer,
    steps: u64,
    payload: u64,
    scalars: &[&str],
    extras: &[(&str, usize)],
) -> u64 {
    let bare = WireUpdate {
        answer: answer.clone(),
        params: Flat::zeros(0),
        loss: 0.0,
        loss_squared: 0.0,
        steps,
        scalars: scalars.iter().map(|name| ((*name).to_string(), 0.0)).collect(),
        extras: extras.iter().map(|(name, _)| ((*name).to_string(), Flat::zeros(0))).collect(),
    };
    let vectors = extras.iter().map(|(_, elements)| flat_len(*elements));
    let payloads = std::iter::once(payload).chain(vectors);
    len(&bare) + payloads.map(|bytes| bytes - flat_len(0)).sum::<u64>()
}

/// Names and lengths of a map of vectors.
pub fn lengths(extras: &BTreeMap<String, Flat>) -> Vec<(&str, usize)> {
    extras.iter().map(|(name, flat)| (name.as_str(), flat.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Invite, Message};
    use offbeat_kernel::{ClientId, TaskId, Time, Version};
    use offbeat_strategies::signal::Assignment;

    #[test]
    fn lengths_are_those_of_the_real_encoding() {
        for elements in [0, 1, 250, 251, 610, 65_535, 65_536, 100_000] {
            let flat = Flat::new((0..elements).map(|i| i as f32 * 1.1).collect());
            assert_eq!(flat_len(elements), codec::encode(&flat).expect("plain").len() as u64);
            let invite = Message::Invite(Box::new(Invite {
                task: TaskId(300),
                version: Version(7),
                invited: Time::from_micros(1_000_000),
                model: flat.clone(),
                extras: BTreeMap::from([("control".to_string(), flat.clone())]),
                assignment: Assignment::default(),
            }));
            assert_eq!(invite.bytes(), codec::encode(&invite).expect("plain").len() as u64);
            let answer = Answer {
                task: TaskId(300),
                client: ClientId(70_000),
                base_version: Version(7),
                invited: Time::from_micros(1_000_000),
                samples: 431,
                completeness: 1.0,
                tag: 0,
            };
            let update = WireUpdate {
                answer: answer.clone(),
                params: flat.clone(),
                loss: 0.5,
                loss_squared: 0.3,
                steps: 300,
                scalars: BTreeMap::from([("distance".to_string(), 0.25)]),
                extras: BTreeMap::from([("control".to_string(), flat)]),
            };
            let expected = codec::encode(&update).expect("plain").len() as u64;
            let payload = flat_len(elements);
            let got = update_len(&answer, 300, payload, &["distance"], &[("control", elements)]);
            assert_eq!(got, expected);
        }
    }
}
