//! The comparison that every federation should win: each client trains alone.

use crate::device::{devices, trainer};
use crate::prepare::Prepared;
use crate::run::Options;
use crate::scenario::Scenario;
use offbeat_actors::RunResult;
use offbeat_kernel::Purpose;
use offbeat_learning::evaluate::evaluate;
use offbeat_learning::{LearnError, LocalPlan, TrainRequest, Trainer, Work};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One client's share of the comparison: accuracy and loss on the common test set, and accuracy on the
/// client's own test samples if it has some.
type Found = (f64, f64, Option<f64>);

/// Trains every client alone, from the common first weights, for as long as the mean client trained in
/// the federation, and evaluates each model on the common test set. Gives the means over clients:
/// `local_accuracy`, `local_loss`, and `local_accuracy_own` on their own test samples.
///
/// # Errors
/// When a training fails.
pub fn alone(
    scenario: &Scenario,
    prepared: &Prepared,
    options: &Options,
    result: &RunResult,
) -> Result<BTreeMap<&'static str, f64>, LearnError> {
    let plan = scenario.sections().training.plan();
    let clients = prepared.shards.len();
    let times = (result.counts.merged as f64 / clients as f64).round().max(1.0) as u32;
    let work = match plan.work {
        Work::Epochs(epochs) => Work::Epochs(epochs.saturating_mul(times)),
        Work::Steps(steps) => Work::Steps(steps.saturating_mul(times)),
    };
    let plan = Arc::new(LocalPlan { work, ..plan });
    let asked = scenario.sections().training.trainer;
    let list = devices(options.device.as_ref(), &scenario.sections().run);
    let trainer = trainer(list.first(), asked, &prepared.network)?;
    let next = AtomicUsize::new(0);
    let found = std::thread::scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            loop {
                let client = next.fetch_add(1, Ordering::Relaxed);
                if client >= clients {
                    return mine;
                }
                mine.push((client, one(trainer.as_ref(), prepared, &plan, client)));
            }
        };
        let threads: Vec<_> =
            (0..options.workers.min(clients)).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let mut all = Vec::with_capacity(clients);
    for part in found {
        let stopped = |_| LearnError::Invalid("a worker stopped: see the panic above".into());
        all.extend(part.map_err(stopped)?);
    }
    // Sums run in the order of clients, whichever thread trained them.
    all.sort_by_key(|(client, _)| *client);
    let found: Vec<Found> = all.into_iter().map(|(_, found)| found).collect::<Result<_, _>>()?;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let column = |pick: fn(&Found) -> f64| mean(&found.iter().map(pick).collect::<Vec<_>>());
    let mut figures =
        BTreeMap::from([("local_accuracy", column(|f| f.0)), ("local_loss", column(|f| f.1))]);
    let own: Vec<f64> = found.iter().filter_map(|found| found.2).collect();
    if !own.is_empty() {
        figures.insert("local_accuracy_own", mean(&own));
    }
    Ok(figures)
}

fn one(
    trainer: &dyn Trainer,
    prepared: &Prepared,
    plan: &Arc<LocalPlan>,
    client: usize,
) -> Result<Found, LearnError> {
    // No task has this number: the comparison draws from streams that the run did not use.
    let stream = prepared.seeds.stream(Purpose::Training, u64::MAX, client as u64);
    let request = TrainRequest {
        start: prepared.initial.clone(),
        received: prepared.initial.len(),
        shard: prepared.shards[client].clone(),
        plan: plan.clone(),
        step_limit: None,
        correction: None,
        targets: None,
        foreign: None,
        stream,
    };
    let trained = trainer.train(request)?;
    let common = evaluate(trainer, &trained.params, &prepared.test)?;
    let own = &prepared.test_shards[client];
    let own = match own.is_empty() {
        true => None,
        false => Some(evaluate(trainer, &trained.params, own)?.accuracy),
    };
    Ok((common.accuracy, common.loss, own))
}
