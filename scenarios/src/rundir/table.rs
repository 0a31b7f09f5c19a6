//! `metrics.csv`: one value a row.
//!
//! | column | meaning |
//! |---|---|
//! | `kind` | `evaluation`, `retrieval`, `aggregation`, `task`, `leak`, `guard`, `privacy`, `budget`, `teachers` or `happening`; `edge-aggregation` and `edge-task` are those between edge servers and their clients |
//! | `virtual_seconds` | virtual time: when the version was published, the updates merged, the task ended |
//! | `wall_seconds` | real time since the start of the run when the row was written |
//! | `version` | model version: evaluated, published, or sent to the client |
//! | `client` | whose; empty when it is about the whole federation |
//! | `metric` | what was measured |
//! | `value` | a number |
//!
//! Metrics of an evaluation: `accuracy`, `loss`, `samples` (of a client when `client` is filled), and
//! `attack_success` where an attack has an aim, over clients `accuracy_mean`, `accuracy_worst`, `accuracy_best`. Of an aggregation: `updates`, and
//! by client `staleness`, `weight`, `training_loss`. Of a task: `seconds`, `bytes_down`, `bytes_up`, and
//! `arrived` or `lost-<reason>` with value 1, and `retried-from-<device>-on-<device>` where the device that was to
//! compute it failed. Of a retrieval: `rank-1@<domain>`, `rank-5`, `rank-10`, `map`
//! (trapezoid form) and `map-standard` likewise; of faces `tar_1e-1` to `tar_1e-4` (true accept rate at a false accept
//! rate), `eer` and `identified_1e-1`, `identified_1e-2`; of a client's local model when `client` is filled. Where there are edge servers, the clients of
//! `aggregation` and `task` are the edge servers; `edge-task` has the metric `edge` besides, with the number of
//! the client's edge server, and `edge-aggregation` has `updates`, `round` and `task` for the edge server that
//! `client` names, where `task` is its own task at the server. Of an
//! update that a tap attacked (`leak`): `leak_mse`, `leak_psnr` in decibels, `leak_ssim`, `leak_labels` (share of right
//! labels), `leak_recognised` and `leak_recognised_samples` (shares that the test samples recognise), `samples` and `steps`. Of an
//! answer that a guard refused or cut (`guard`): `refused-<fault>` or `clipped-<fault>` with value 1; where that was an
//! edge server's, `client` is a client of its own, and the metric `edge` has the edge server's number. Of a happening: what it was, in words, with
//! value 1. Of what clients released of their identities until a version (`budget`): `epsilon`, `delta`,
//! `releases`. Of teachers that stay with their clients (`teachers`): `accuracy` by client, and of all together
//! `ensemble_by_class` and `ensemble_by_samples`. Of what versions reveal of the clients (`privacy`): `epsilon` where the server adds noise,
//! `epsilon_local` where the clients do, both at the delta of the scenario, for the client of which most is known.

use super::spread::Spread;
use crate::report::faces;
use offbeat_actors::Record;
use offbeat_actors::record::{TaskEnd, TaskRow};
use offbeat_actors::retrieval::{Model, Tried};
use offbeat_kernel::{ClientId, Time, Version};
use offbeat_learning::evaluate::Evaluation;
use offbeat_strategies::LossReason;
use offbeat_strategies::companion::Budget;
use offbeat_strategies::guard::Incident;
use std::borrow::Cow;

/// Names of the columns.
pub const COLUMNS: [&str; 7] =
    ["kind", "virtual_seconds", "wall_seconds", "version", "client", "metric", "value"];

/// One row without its wall time.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What it belongs to.
    pub kind: &'static str,
    /// Virtual time.
    pub at: Time,
    /// Model version.
    pub version: Version,
    /// Whose, if it is one client's.
    pub client: Option<ClientId>,
    /// What was measured.
    pub metric: Cow<'static, str>,
    /// The number.
    pub value: f64,
}

/// The rows of one record.
pub fn rows(record: &Record) -> Vec<Row> {
    let mut rows = Vec::new();
    each_row(record, |row| rows.push(row));
    rows
}

/// Gives the rows of one record to `take`, one after the other, in the order of [`rows`].
pub fn each_row(record: &Record, mut take: impl FnMut(Row)) {
    match record {
        Record::Task(task) => of_task("task", task).into_iter().for_each(take),
        Record::Aggregation { at, version, used } => {
            let row = |client, metric: &'static str, value| Row {
                kind: "aggregation",
                at: *at,
                version: *version,
                client,
                metric: metric.into(),
                value,
            };
            take(row(None, "updates", used.len() as f64));
            for update in used {
                let client = Some(update.client);
                take(row(client, "staleness", update.staleness as f64));
                take(row(client, "weight", update.weight));
                take(row(client, "training_loss", update.loss));
            }
        }
        rare => of_rare(rare).into_iter().for_each(take),
    }
}

/// The rows of a record that there are not so many of.
fn of_rare(record: &Record) -> Vec<Row> {
    match record {
        Record::Task(_) | Record::Aggregation { .. } => Vec::new(),
        Record::Evaluation { at, version, test } => evaluation(*at, *version, None, test).collect(),
        Record::Attack { at, version, success } => vec![Row {
            kind: "evaluation",
            at: *at,
            version: *version,
            client: None,
            metric: "attack_success".into(),
            value: success.accuracy,
        }],
        Record::Teachers { at, version, figures } => {
            let row = |client, metric: &'static str, value| Row {
                kind: "teachers",
                at: *at,
                version: *version,
                client,
                metric: metric.into(),
                value,
            };
            let each = figures.each.iter();
            let each = each.map(|(client, share)| row(Some(*client), "accuracy", *share));
            each.chain([
                row(None, "ensemble_by_class", figures.by_class),
                row(None, "ensemble_by_samples", figures.by_samples),
            ])
            .collect()
        }
        Record::Clients { at, version, clients } => of_clients(*at, *version, clients),
        Record::Retrieval { at, version, tried } => {
            tried.iter().flat_map(|one| of_trial(*at, *version, one)).collect()
        }
        Record::Leak { at, version, client, leak } => {
            let figures = &leak.figures;
            let [known, at_best] = leak.recognised.map_or([None; 2], |shares| shares.map(Some));
            let recognised = [("leak_recognised", known), ("leak_recognised_samples", at_best)];
            let values = [
                ("leak_mse", figures.mse),
                ("leak_psnr", figures.psnr),
                ("leak_ssim", figures.ssim),
                ("leak_labels", figures.labels),
                ("samples", leak.samples as f64),
                ("steps", leak.steps as f64),
            ];
            let row = |(metric, value): (&'static str, f64)| Row {
                kind: "leak",
                at: *at,
                version: *version,
                client: Some(*client),
                metric: metric.into(),
                value,
            };
            let known = recognised.into_iter().filter_map(|(name, share)| Some((name, share?)));
            values.into_iter().chain(known).map(row).collect()
        }
        Record::EdgeTask { edge, row, .. } => {
            let mut rows = Vec::from(of_task("edge-task", row));
            let first = rows[0].clone();
            rows.push(Row { metric: "edge".into(), value: f64::from(*edge), ..first });
            rows
        }
        Record::EdgeAggregation { at, edge, of, round, version, used } => {
            let figures = [
                ("updates", used.len() as f64),
                ("round", f64::from(*round)),
                ("task", of.0 as f64),
            ];
            let row = |(metric, value): (&'static str, f64)| Row {
                kind: "edge-aggregation",
                at: *at,
                version: *version,
                client: Some(ClientId(*edge)),
                metric: metric.into(),
                value,
            };
            figures.into_iter().map(row).collect()
        }
        Record::EdgeGuarded { at, edge, version, incident, .. } => {
            let first = guarded(*at, *version, incident);
            let edge = Row { metric: "edge".into(), value: f64::from(*edge), ..first.clone() };
            vec![first, edge]
        }
        Record::Happening { at, what } => vec![Row {
            kind: "happening",
            at: *at,
            version: Version(0),
            client: None,
            metric: what.clone().into(),
            value: 1.0,
        }],
        Record::Budget { at, version, budget } => {
            let Budget { epsilon, delta, releases } = *budget;
            let spent = epsilon.map(|epsilon| ("epsilon", epsilon));
            let values = [("delta", delta), ("releases", f64::from(releases))];
            let values = spent.into_iter().chain(values);
            let (kind, at, version) = ("budget", *at, *version);
            let row = |(metric, value): (&'static str, f64)| Row {
                kind,
                at,
                version,
                client: None,
                metric: metric.into(),
                value,
            };
            values.map(row).collect()
        }
        Record::Privacy { at, version, spent } => {
            let figures = [("epsilon", spent.central), ("epsilon_local", spent.local)];
            let row = |(metric, value): (&'static str, Option<f64>)| {
                let (kind, at, version) = ("privacy", *at, *version);
                Some(Row { kind, at, version, client: None, metric: metric.into(), value: value? })
            };
            figures.into_iter().filter_map(row).collect()
        }
        Record::Retried { at, client, version, from, to, .. } => vec![Row {
            kind: "task",
            at: *at,
            version: *version,
            client: Some(*client),
            metric: format!("retried-from-{}-on-{to}", from.replace(',', "+")).into(),
            value: 1.0,
        }],
        Record::Guarded { at, version, incident } => vec![guarded(*at, *version, incident)],
    }
}

/// An answer that was refused or cut.
fn guarded(at: Time, version: Version, incident: &Incident) -> Row {
    let metric = format!("{}-{}", incident.measure, incident.fault.name()).into();
    Row { kind: "guard", at, version, client: Some(incident.client), metric, value: 1.0 }
}

fn evaluation(
    at: Time,
    version: Version,
    client: Option<ClientId>,
    found: &Evaluation,
) -> impl Iterator<Item = Row> {
    let values =
        [("accuracy", found.accuracy), ("loss", found.loss), ("samples", found.samples as f64)];
    values.into_iter().map(move |(metric, value)| Row {
        kind: "evaluation",
        at,
        version,
        client,
        metric: metric.into(),
        value,
    })
}

fn of_clients(at: Time, version: Version, clients: &[(ClientId, Evaluation)]) -> Vec<Row> {
    let mut rows: Vec<Row> = clients
        .iter()
        .flat_map(|(client, found)| evaluation(at, version, Some(*client), found))
        .collect();
    if let Some(spread) = Spread::of(clients) {
        let row = |metric: &'static str, value| Row {
            kind: "evaluation",
            at,
            version,
            client: None,
            metric: metric.into(),
            value,
        };
        rows.push(row("accuracy_mean", spread.mean));
        rows.push(row("accuracy_worst", spread.worst));
        rows.push(row("accuracy_best", spread.best));
    }
    rows
}

/// `rank-1@DOMAIN` and so on; of a group's model `rank-1@DOMAIN/group-G`; of a client's with its id.
fn of_trial(at: Time, version: Version, tried: &Tried) -> Vec<Row> {
    let Tried { name, figures, .. } = tried;
    let (client, place) = match tried.model {
        Model::Global => (None, name.clone()),
        Model::Group(group) => (None, format!("{name}/group-{group}")),
        Model::Local(client) => (Some(client), name.clone()),
    };
    let [one, five, ten] = figures.cmc;
    let values = [
        ("rank-1", one),
        ("rank-5", five),
        ("rank-10", ten),
        ("map", figures.map_trapezoid),
        ("map-standard", figures.map_standard),
    ];
    let row = |(metric, value): (&str, f64)| Row {
        kind: "retrieval",
        at,
        version,
        client,
        metric: format!("{metric}@{place}").into(),
        value,
    };
    let faces = tried.faces.iter().flat_map(faces::named);
    values.into_iter().chain(faces).map(row).collect()
}

fn of_task(kind: &'static str, task: &TaskRow) -> [Row; 4] {
    let end = match task.end {
        TaskEnd::Arrived => "arrived".into(),
        TaskEnd::Lost(reason) => format!("lost-{}", reason_name(reason)).into(),
    };
    let values: [(Cow<'static, str>, f64); 4] = [
        ("seconds".into(), task.ended.since(task.invited).seconds()),
        ("bytes_down".into(), task.bytes_down as f64),
        ("bytes_up".into(), task.bytes_up as f64),
        (end, 1.0),
    ];
    let row = |(metric, value)| Row {
        kind,
        at: task.ended,
        version: task.version,
        client: Some(task.client),
        metric,
        value,
    };
    values.map(row)
}

/// A reason for a lost task, as files and summaries show it.
pub fn reason_name(reason: LossReason) -> &'static str {
    match reason {
        LossReason::Declined => "declined",
        LossReason::DroppedOut => "dropped-out",
        LossReason::WentOffline => "went-offline",
        LossReason::MessageLost => "message-lost",
        LossReason::Cancelled => "cancelled",
        LossReason::Failed => "failed",
        LossReason::Refused => "refused",
        LossReason::Crashed => "crashed",
        LossReason::Left => "left",
        LossReason::CutOff => "cut-off",
        LossReason::ServerCrashed => "server-crashed",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rundir::lines::Lines;
    use offbeat_kernel::TaskId;
    use offbeat_strategies::guard::{Fault, Measure};
    use offbeat_strategies::signal::Used;

    #[test]
    fn an_aggregation_gives_three_values_an_update() {
        let used = Used {
            task: TaskId(4),
            client: ClientId(7),
            staleness: 2,
            weight: 0.25,
            loss: 1.5,
            group: 0,
        };
        let at = Time::from_micros(1_500_000);
        let (mut lines, wall) = (Lines::new(Vec::new()), 0.5);
        let record = Record::Aggregation { at, version: Version(3), used: vec![used] };
        each_row(&record, |row| lines.row(&row, wall).expect("a vector"));
        assert_eq!(
            std::str::from_utf8(lines.get_ref()),
            Ok(concat!(
                "aggregation,1.5,0.500000,3,,updates,1\n",
                "aggregation,1.5,0.500000,3,7,staleness,2\n",
                "aggregation,1.5,0.500000,3,7,weight,0.25\n",
                "aggregation,1.5,0.500000,3,7,training_loss,1.5\n",
            ))
        );
    }

    #[test]
    fn what_an_edge_server_found_names_both() {
        let record = Record::EdgeGuarded {
            at: Time::from_micros(2_000_000),
            edge: 3,
            of: TaskId(8),
            round: 1,
            version: Version(4),
            incident: Incident {
                task: TaskId(99),
                client: ClientId(12),
                fault: Fault::Norm,
                measure: Measure::Clipped,
            },
        };
        let mut lines = Lines::new(Vec::new());
        each_row(&record, |row| lines.row(&row, 0.5).expect("a vector"));
        assert_eq!(
            std::str::from_utf8(lines.get_ref()),
            Ok("guard,2,0.500000,4,12,clipped-norm,1\nguard,2,0.500000,4,12,edge,3\n")
        );
    }
}
