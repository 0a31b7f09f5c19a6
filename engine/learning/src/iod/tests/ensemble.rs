//! Teachers that saw other classes: weighted class by class they know more than weighted by their samples.

use super::stream;
use crate::data::partition::Dirichlet;
use crate::data::{Dataset, PartitionSpec, Shard, digits};
use crate::iod::ClassWeights;
use crate::network::{Network, NetworkSpec};
use crate::train::{DirectTrainer, TrainRequest, Trainer};
use crate::{LocalPlan, Work};
use std::path::Path;
use std::sync::Arc;

/// Accuracy on unseen digits of teachers that learn from `rows` of the training digits each: weighted by class, and by
/// samples.
fn accuracies(train: &Arc<Dataset>, test: &Arc<Dataset>, rows: &[Vec<u32>]) -> [f64; 2] {
    let spec = NetworkSpec::Mlp { hidden: vec![32] };
    let trainer = DirectTrainer::new(Arc::new(Network::new(&spec, &[1, 8, 8], 10).expect("fits")));
    let whole = Shard::whole(test.clone());
    let (mut counts, mut answers) = (Vec::new(), Vec::new());
    for (teacher, rows) in rows.iter().enumerate() {
        let mut held = vec![0.0; 10];
        rows.iter().for_each(|row| held[train.labels[*row as usize] as usize] += 1.0);
        let start = trainer.network().init(&mut stream(100 + teacher as u64));
        let request = TrainRequest {
            received: start.len(),
            start,
            shard: Arc::new(Shard { data: train.clone(), rows: rows.as_slice().into() }),
            plan: Arc::new(LocalPlan { work: Work::Steps(200), ..LocalPlan::default() }),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: stream(110),
        };
        let params = trainer.train(request).expect("trains").params;
        answers.push(trainer.logits(&params, &whole, 0..whole.len()).expect("fits"));
        counts.push(held);
    }
    let answers: Vec<&[f32]> = answers.iter().map(Vec::as_slice).collect();
    [ClassWeights::by_class(&counts, 10), ClassWeights::by_volume(&counts, 10)].map(|weights| {
        let logits = weights.combine(&answers);
        let best = |row: &[f32]| (0..10).fold(0, |b, c| if row[c] > row[b] { c } else { b });
        let right =
            logits.chunks(10).zip(&test.labels).filter(|(row, l)| best(row) == **l as usize);
        right.count() as f64 / test.len() as f64
    })
}

fn data() -> [Arc<Dataset>; 2] {
    let split = digits();
    [Arc::new(split.train), Arc::new(split.test)]
}

/// Five teachers know two digits each, the first from many samples, the last from few.
#[test]
fn weights_by_class_beat_weights_by_samples_where_classes_are_apart() {
    let [train, test] = data();
    let own = |teacher: u32| {
        let held = |row: &u32| train.labels[*row as usize] / 2 == teacher;
        (0..train.len() as u32).filter(held).step_by(1 + 4 * teacher as usize).collect()
    };
    let rows: Vec<Vec<u32>> = (0..5).map(own).collect();
    let [by_class, by_samples] = accuracies(&train, &test, &rows);
    assert!(by_class > by_samples + 0.1, "{by_class} {by_samples}");
}

/// Label skew as the authors draw it, Dirichlet with alpha 0.1: class by class is better in the mean of several draws.
#[test]
fn weights_by_class_beat_weights_by_samples_at_alpha_a_tenth() {
    let [train, test] = data();
    let spec = PartitionSpec::Dirichlet(Dirichlet::new(0.1));
    let draws = 4;
    let mut gains = Vec::new();
    for draw in 0..draws {
        let parts = spec.split(&train, 6, &mut stream(200 + draw), Path::new("")).expect("splits");
        let rows: Vec<Vec<u32>> = parts.iter().map(<[u32]>::to_vec).collect();
        let [by_class, by_samples] = accuracies(&train, &test, &rows);
        gains.push(by_class - by_samples);
    }
    assert!(gains.iter().sum::<f64>() / draws as f64 > 0.02, "{gains:?}");
}
