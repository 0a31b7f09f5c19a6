//! Cohort training against training one by one.

use super::{Case, plan, relative, sgd};
use crate::data::Shard;
use crate::error::LearnError;
use crate::flat::Flat;
use crate::network::NetworkSpec;
use crate::plan::{LocalPlan, Sgd, Work};
use crate::train::{TrainRequest, TrainerKind};
use offbeat_kernel::{Purpose, SeedTree};
use std::sync::Arc;

/// Clients of different sizes with orders of their own, one of which stops early.
fn requests(case: &Case, plan: &LocalPlan) -> Vec<TrainRequest> {
    let sizes = [9, 30, 4, 21, 30];
    let request = |(index, size): (usize, &usize)| TrainRequest {
        shard: Arc::new(Shard { data: case.shard.data.clone(), rows: (0..*size as u32).collect() }),
        step_limit: (index == 4).then_some(3),
        stream: SeedTree::new(7).stream(Purpose::Training, index as u64, 0),
        ..case.request(plan.clone())
    };
    sizes.iter().enumerate().map(request).collect()
}

fn cases() -> Vec<Case> {
    vec![
        Case::new(&NetworkSpec::Softmax, &[20], 5, 30),
        Case::new(&NetworkSpec::Mlp { hidden: vec![17, 9] }, &[1, 6, 5], 4, 30),
        Case::new(&NetworkSpec::Cnn, &[1, 12, 10], 5, 30),
    ]
}

#[test]
fn a_cohort_trains_as_each_alone() {
    let full = Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01, ..sgd(0.02) };
    for case in cases() {
        for sgd in [sgd(0.05), full.clone()] {
            let plan = plan(Work::Epochs(2), 7, sgd);
            let trainer = case.trainer(TrainerKind::Autodiff);
            let requests = requests(&case, &plan);
            let together = trainer.train_together(requests.clone());
            assert_eq!(together.len(), requests.len());
            for (request, together) in requests.into_iter().zip(together) {
                let alone = trainer.train(request).expect("a training that goes well");
                let together = together.expect("a training that goes well");
                let difference = relative(&together.params, &alone.params);
                assert!(difference < 1e-5, "{:?}: {difference}", case.network.spec());
                assert!((together.loss / alone.loss - 1.0).abs() < 1e-5);
                assert_eq!(
                    (together.steps, together.samples_seen),
                    (alone.steps, alone.samples_seen)
                );
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_company() {
    for case in cases() {
        let plan = plan(Work::Epochs(2), 7, Sgd { momentum: 0.5, ..sgd(0.05) });
        let trainer = case.trainer(TrainerKind::Autodiff);
        let requests = requests(&case, &plan);
        let together = trainer.train_together(requests.clone());
        let mut apart = trainer.train_together(requests[..2].to_vec());
        apart
            .extend(requests[2..].iter().flat_map(|one| trainer.train_together(vec![one.clone()])));
        for (a, b) in together.into_iter().zip(apart) {
            let (a, b) = (a.expect("goes well"), b.expect("goes well"));
            assert_eq!(a, b, "{:?}", case.network.spec());
        }
    }
}

#[test]
fn one_that_goes_wrong_spoils_no_other() {
    let case = Case::new(&NetworkSpec::Softmax, &[20], 5, 30);
    let trainer = case.trainer(TrainerKind::Autodiff);
    let mut requests = requests(&case, &plan(Work::Epochs(1), 7, sgd(0.05)));
    let well = trainer.train_together(requests.clone());
    requests[1].start = Flat::new(vec![f32::NAN; case.start.len()]);
    requests[2].start = Flat::zeros(3);
    let results = trainer.train_together(requests);
    for (index, (result, well)) in results.into_iter().zip(well).enumerate() {
        match index {
            1 => assert!(matches!(result, Err(LearnError::NotFinite { what: "loss", step: 0 }))),
            2 => assert!(matches!(result, Err(LearnError::Invalid(_)))),
            _ => assert_eq!(result.expect("goes well"), well.expect("goes well")),
        }
    }
}

#[test]
fn the_size_is_a_rule_of_the_network() {
    let size = |case: &Case, kind| case.trainer(kind).cohort();
    let [softmax, mlp, cnn]: [Case; 3] = cases().try_into().ok().expect("three");
    assert_eq!(size(&softmax, TrainerKind::Autodiff), 32);
    assert_eq!(size(&mlp, TrainerKind::Autodiff), 32);
    assert_eq!(size(&cnn, TrainerKind::Autodiff), 1);
    assert_eq!(size(&softmax, TrainerKind::Direct), 1);
}
