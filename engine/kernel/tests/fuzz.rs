//! Ten million unexpected bytes for the reader of plain data.

#[path = "common/fuzz.rs"]
mod common;

use common::{TEN_MILLION, fuzz};
use offbeat_kernel::codec::{decode, encode};
use offbeat_kernel::hardship::Distribution;
use offbeat_kernel::{ClientId, Journal, PoolStats, Span, TaskId, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Something of everything that plain data are made of.
type Everything = (
    BTreeMap<TaskId, (ClientId, Time, Option<Span>)>,
    BTreeSet<ClientId>,
    Vec<Vec<f32>>,
    (String, bool, u8, i64, f64),
    PoolStats,
    Option<Box<Distribution>>,
);

fn everything() -> Everything {
    let task = |n: u64| (TaskId(n), (ClientId(n as u32), Time::from_micros(n * n), None));
    (
        (0..9).map(task).collect(),
        (0..5).map(ClientId).collect(),
        vec![vec![0.5; 7], Vec::new(), vec![f32::NAN; 3]],
        ("twenty clients".into(), true, 200, -1, 1e300),
        PoolStats::default(),
        Some(Box::new(Distribution::Constant(2.0))),
    )
}

#[test]
fn plain_data() {
    let valid =
        [encode(&everything()).expect("plain data"), encode(&Journal::default()).expect("plain")];
    fuzz("plain data", &valid[..1], TEN_MILLION, |input| decode::<Everything>(input).is_ok());
    fuzz("journal", &valid[1..], TEN_MILLION, |input| decode::<Journal>(input).is_ok());
}
