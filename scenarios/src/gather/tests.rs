use super::*;
use offbeat_kernel::{ClientId, TaskId};
use offbeat_strategies::signal::Used;

fn task(id: u64, client: u32, invited: u64, ended: u64, end: TaskEnd) -> Record {
    let up = u64::from(end == TaskEnd::Arrived) * 7;
    Record::Task(TaskRow {
        task: TaskId(id),
        client: ClientId(client),
        version: Version(0),
        invited: Time::from_micros(invited * 1_000_000),
        ended: Time::from_micros(ended * 1_000_000),
        end,
        bytes_down: 10,
        bytes_up: up,
        used_at_once: false,
    })
}

fn merged(seconds: u64, version: u64, tasks: &[(u64, u64)]) -> Record {
    let used = tasks.iter().map(|(task, staleness)| Used {
        task: TaskId(*task),
        client: ClientId(0),
        staleness: *staleness,
        weight: 1.0,
        loss: 0.0,
        group: 0,
    });
    let at = Time::from_micros(seconds * 1_000_000);
    Record::Aggregation { at, version: Version(version), used: used.collect() }
}

fn evaluated(seconds: u64, version: u64) -> Record {
    let at = Time::from_micros(seconds * 1_000_000);
    let test = Evaluation { correct_per_class: vec![(1, 2), (0, 0)], ..Evaluation::default() };
    Record::Evaluation { at, version: Version(version), test }
}

fn gather(records: &[Record]) -> Gather {
    let mut gather = Gather::default();
    records.iter().for_each(|record| gather.take(record));
    gather
}

#[test]
fn traffic_counts_what_was_sent_until_the_version_though_it_is_known_late() {
    use TaskEnd::Arrived;
    let found = gather(&[
        evaluated(0, 0),
        task(0, 0, 0, 4, Arrived),
        merged(4, 1, &[(0, 0)]),
        task(1, 1, 0, 6, Arrived),
        merged(6, 2, &[(1, 1)]),
        // Evaluations are known late: version 1 was joined with 2 in the meantime.
        evaluated(6, 2),
        // Invited before version 1, ends after version 2: only its bytes down belong to version 2.
        task(2, 2, 3, 9, Arrived),
        // Invited when version 2 was there.
        task(3, 3, 6, 9, Arrived),
        merged(9, 3, &[(2, 1), (3, 1)]),
        evaluated(9, 3),
    ]);
    let sent = |place: usize| {
        let sent = found.traffic.totals()[place];
        (sent.updates, sent.up, sent.down)
    };
    assert_eq!(sent(0), (0, 0, 0));
    assert_eq!(sent(1), (2, 14, 30), "version 2");
    assert_eq!(sent(2), (4, 28, 40), "version 3");
}

/// A server that crashed publishes versions again that it had published before.
#[test]
fn traffic_never_runs_backwards() {
    use TaskEnd::Arrived;
    let mut records = vec![evaluated(0, 0)];
    for (id, version) in [1, 2, 3, 2, 3, 4].into_iter().enumerate() {
        let (id, at) = (id as u64, 10 * (id as u64 + 1));
        records.push(task(id, 0, at - 9, at - 1, Arrived));
        records.push(merged(at, version, &[(id, 0)]));
        records.push(evaluated(at, version));
    }
    let updates: Vec<u64> = gather(&records).traffic.totals().iter().map(|s| s.updates).collect();
    assert_eq!(updates, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn work_that_is_never_merged_is_wasted() {
    let lost = TaskEnd::Lost(LossReason::Cancelled);
    let found = gather(&[
        task(0, 0, 0, 6, TaskEnd::Arrived),
        task(1, 1, 0, 3, lost),
        task(2, 2, 0, 1, TaskEnd::Arrived),
        merged(6, 1, &[(0, 2)]),
    ]);
    assert_eq!(found.wasted_share(), Some(0.4));
    assert_eq!((found.mean_staleness(), found.p95_staleness()), (Some(2.0), Some(2.0)));
    assert_eq!(Gather::default().wasted_share(), None);
}

/// What judges say is used when it arrives.
#[test]
fn judging_is_no_waste() {
    let judging = |record: Record| match record {
        Record::Task(row) => Record::Task(TaskRow { used_at_once: true, ..row }),
        other => other,
    };
    let lost = TaskEnd::Lost(LossReason::Cancelled);
    let found = gather(&[
        task(0, 0, 0, 5, TaskEnd::Arrived),
        judging(task(1, 0, 5, 8, TaskEnd::Arrived)),
        judging(task(2, 1, 5, 7, lost)),
        merged(8, 1, &[(0, 0)]),
    ]);
    let share = found.wasted_share().expect("there was work");
    assert!((share - 0.2).abs() < 1e-12, "{share}");
}

#[test]
fn a_million_tasks_leave_a_bounded_list_that_covers_the_time() {
    let mut found = Gather::default();
    for round in 0..1000 {
        for client in 0..1000 {
            let end =
                if client == 8 { TaskEnd::Lost(LossReason::DroppedOut) } else { TaskEnd::Arrived };
            found.task(&match task(0, client, 10 * round, 10 * round + 9, end) {
                Record::Task(row) => row,
                _ => unreachable!("a task"),
            });
        }
    }
    let note = found.spans.note();
    assert!(note.starts_with("Every 8th client is kept; its tasks less than"), "{note}");
    let list = found.spans.into_list();
    assert!(list.len() <= 40_000 && list.len() > 2000, "{}", list.len());
    let eighth: Vec<_> = list.iter().filter(|span| span.client == 8).collect();
    assert!(eighth.iter().all(|span| span.outcome == Outcome::Lost("dropped-out".into())));
    assert_eq!(eighth.first().map(|span| span.start), Some(0.0));
    assert_eq!(eighth.last().map(|span| span.end), Some(9999.0));
    assert!(eighth.windows(2).all(|pair| pair[1].start - pair[0].end <= 1.0 + 1e-9));
}

#[test]
fn only_the_last_evaluation_keeps_its_classes() {
    let found = gather(&[evaluated(0, 0), merged(1, 1, &[]), evaluated(1, 1)]);
    assert!(found.evaluations[0].2.correct_per_class.is_empty());
    let classes = per_class(&found.evaluations[1].2);
    assert!(classes[0] == 0.5 && classes[1].is_nan());
}
