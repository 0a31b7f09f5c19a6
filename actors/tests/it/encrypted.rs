//! Federations whose models and updates travel encrypted.

use crate::honest::rows;
use crate::world::World;
use offbeat_actors::record::TaskRow;
use offbeat_actors::{Federation, Memory, Record, RunResult};
use offbeat_strategies::Parts;

/// 650 parameters at 43 slots a ciphertext.
const CIPHERTEXTS: u64 = 16;
/// Their bytes.
const SEALED: u64 = CIPHERTEXTS * 512;

/// Parts with these further settings and costs of seconds a ciphertext.
pub(crate) fn parts(pace: &str, more: &str) -> Parts {
    let cost = r#""encrypt_seconds":0.5,"decrypt_seconds":0.25,"add_seconds":0.125"#;
    let text = format!(r#"{{"pace":{pace},"privacy":{{"paillier":{{{cost}{more}}}}}}}"#);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

const ROUND: &str = r#"{"synchronous":{"clients":3}}"#;

fn ended(federation: Federation) -> (RunResult, Vec<Record>) {
    let memory = Memory::default();
    let records = memory.records.clone();
    let result = federation.run(Box::new(memory)).expect("the run succeeds");
    let records = records.borrow().clone();
    (result, records)
}

fn versions(records: &[Record]) -> Vec<f64> {
    let at = |record: &Record| match record {
        Record::Aggregation { at, .. } => Some(at.seconds()),
        _ => None,
    };
    records.iter().filter_map(at).collect()
}

/// Both ways weigh as many whole ciphertexts, and a round is decryption, training, encryption and three sums.
#[test]
fn bytes_and_times_by_hand() {
    let world = World { versions: 2, ..World::new(3, parts(ROUND, "")) };
    let longest = *world.ideal.samples.iter().max().expect("clients") as f64 * 0.01;
    let (result, records) = world.run();
    for row in rows(&records) {
        assert!((SEALED + 3..SEALED + 40).contains(&row.bytes_down), "{}", row.bytes_down);
        assert!((SEALED + 3..SEALED + 60).contains(&row.bytes_up), "{}", row.bytes_up);
    }
    let of_all = |seconds: f64| CIPHERTEXTS as f64 * seconds;
    let round = of_all(0.25) + longest + of_all(0.5) + 3.0 * of_all(0.125);
    let at = versions(&records);
    assert!((at[0] - round).abs() < 1e-3 && (at[1] - 2.0 * round).abs() < 2e-3, "{at:?} {round}");
    assert!(result.test.expect("evaluated").accuracy > 0.5);
}

/// What is really encrypted, added and decrypted is, bit by bit, what is added in the open.
#[test]
fn ciphertexts_give_the_same_run() {
    let run = |exact| {
        let parts = parts(ROUND, &format!(r#","exact":{exact}"#));
        ended(World { versions: 1, ..World::new(3, parts) }.federation()).0
    };
    let (open, encrypted) = (run(false), run(true));
    assert_eq!(open.digest, encrypted.digest);
    assert_eq!(open.model.to_vec(), encrypted.model.to_vec());
}

/// `2^-(fraction_bits + 1)` for the numbers, `n max|change| / slices` for the weights.
#[test]
fn the_model_is_the_plain_one_within_the_bound() {
    let plain: Parts = serde_json::from_str(&format!(r#"{{"pace":{ROUND}}}"#)).expect("parts");
    let mut world = World { versions: 1, ..World::new(3, plain) };
    world.uneven(&[700, 200, 90]);
    let expected = world.run().0.model.to_vec();
    world.parts = parts(ROUND, r#","fraction_bits":16,"slices":1000"#);
    let initial = world.initial().to_vec();
    let found = world.run().0.model.to_vec();
    let change = expected.iter().zip(&initial).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // No single change of a parameter is more than a few times the largest of the mean.
    let bound = f64::from(0.5f32.powi(17)) + 3.0 * 5.0 * f64::from(change) / 1000.0;
    let off = expected.iter().zip(&found).map(|(a, b)| f64::from((a - b).abs()));
    let most = off.fold(0.0, f64::max);
    assert!(most > 0.0 && most <= bound, "{most} of {bound}");
}

/// Judges decrypt every model, and the server makes each of the sum of two ciphertexts.
#[test]
fn judges_are_sent_ciphertexts() {
    let mut world = crate::fedboost::boosted();
    world.versions = 1;
    world.parts.privacy = parts(ROUND, "").privacy;
    let clients = world.clients as u64;
    let (result, records) = ended(crate::fedboost::federation(&world));
    assert_eq!(result.counts.failed, 0);
    let all = rows(&records);
    let (judges, trainings): (Vec<&TaskRow>, Vec<&TaskRow>) =
        all.iter().partition(|row| row.bytes_down > 2 * SEALED);
    assert_eq!((judges.len(), trainings.len()), (world.clients, world.clients));
    for judge in &judges {
        let (down, most) = (clients * SEALED, clients * (SEALED + 40) + 40);
        assert!((down..most).contains(&judge.bytes_down), "{} {down}", judge.bytes_down);
    }
    // The server sums for the judges, who decrypt four models each; then it sums for the release.
    let trained = trainings.iter().map(|row| row.ended).max().expect("trained").seconds();
    let sums = 4.0 * CIPHERTEXTS as f64 * 0.125;
    let invited = judges[0].invited.seconds();
    assert!((invited - trained - sums).abs() < 1e-3, "{invited} after {trained}");
    let judged = judges.iter().map(|row| row.ended).max().expect("judged").seconds();
    assert!(judged - invited > 4.0 * CIPHERTEXTS as f64 * 0.25);
    assert!((versions(&records)[0] - judged - sums).abs() < 1e-3);
}

#[test]
fn what_does_not_fit_a_slot_is_not_sent() {
    let mut world = World { versions: 3, ..World::new(3, parts(ROUND, r#","integer_bits":0"#)) };
    world.plan.sgd.rate = 5.0;
    let (result, records) = ended(World { versions: 1, ..world }.federation());
    let reason = records.iter().find_map(|record| match record {
        Record::Guarded { incident, .. } => Some(incident.fault),
        _ => None,
    });
    assert!(result.counts.refused > 0 && reason.is_some(), "{:?}", result.counts);
}

/// A buffer of two, four at work: the server has sums to do when the next update comes, and gives its orders one
/// after the other.
#[test]
fn sums_are_done_one_after_the_other() {
    let pace = r#"{"buffered":{"buffer":2,"concurrency":4}}"#;
    let mut world = World { versions: 6, ..World::new(4, parts(pace, "")) };
    let quick = parts(pace, "")
        .privacy
        .paillier
        .map(|part| offbeat_strategies::paillier::Paillier { add_seconds: Some(10.0), ..part });
    world.parts.privacy.paillier = quick;
    let (_, records) = world.run();
    let at = versions(&records);
    assert_eq!(at.len(), 6);
    let sums = 2.0 * CIPHERTEXTS as f64 * 10.0;
    let gaps: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= sums - 1e-3), "{gaps:?}");
    assert!(gaps.iter().any(|gap| (*gap - sums).abs() < 1e-3), "{gaps:?}");
}
