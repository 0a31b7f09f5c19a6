//! Trainers against each other, against finite differences, and against themselves.

mod agreement;
mod buffers;
mod cohort;
mod features;
mod foreign;
mod gradients;
mod losses;
mod masked;
mod reference;
mod reference_loss;
mod repeatable;

use super::{TrainRequest, Trained, Trainer, TrainerKind, trainer};
use crate::data::{Dataset, Shard};
use crate::flat::Flat;
use crate::network::{Backbone, Network, NetworkSpec, Normalisation, ReidSpec};
use crate::plan::{LocalPlan, Sgd, Work};
use burn::tensor::Device;
use offbeat_kernel::{Purpose, SeedTree};
use rand::RngExt;
use std::sync::Arc;

/// A network, data for it, and where the training starts.
pub(super) struct Case {
    pub(super) network: Arc<Network>,
    pub(super) shard: Arc<Shard>,
    pub(super) start: Flat,
}

impl Case {
    /// `samples` noisy samples around one centre for each class.
    pub(super) fn new(spec: &NetworkSpec, shape: &[usize], classes: usize, samples: usize) -> Self {
        let network = Arc::new(Network::new(spec, shape, classes).expect("a valid network"));
        let tree = SeedTree::new(11);
        let mut stream = tree.stream(Purpose::Synthesis, 0, 0);
        let inputs: usize = shape.iter().product();
        let mut uniform = move || 2.0 * stream.random::<f32>() - 1.0;
        let centres: Vec<f32> = (0..classes * inputs).map(|_| uniform()).collect();
        let labels: Vec<u32> = (0..samples).map(|i| (i % classes) as u32).collect();
        let of = |label: &u32| &centres[*label as usize * inputs..][..inputs];
        let features = labels.iter().flat_map(of).map(|centre| centre + 0.5 * uniform()).collect();
        let data = Dataset { features, shape: shape.to_vec(), labels, classes, groups: None };
        let start = network.init(&mut tree.stream(Purpose::ModelInit, 0, 0));
        Self { network, shard: Arc::new(Shard::whole(Arc::new(data))), start }
    }

    /// All parameters moved a little, so that none is 0 (as those of GRN are at first) and running
    /// variances stay positive.
    pub(super) fn stirred(mut self) -> Self {
        let mut stream = SeedTree::new(12).stream(Purpose::Synthesis, 0, 0);
        let moved = self.start.to_vec().into_iter();
        self.start = Flat::new(moved.map(|w| w + 0.2 * (stream.random::<f32>() - 0.5)).collect());
        self
    }

    pub(super) fn trainer(&self, kind: TrainerKind) -> Arc<dyn Trainer> {
        trainer(kind, self.network.clone(), &Device::flex())
    }

    pub(super) fn request(&self, plan: LocalPlan) -> TrainRequest {
        TrainRequest {
            start: self.start.clone(),
            received: self.start.len(),
            shard: self.shard.clone(),
            plan: Arc::new(plan),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: SeedTree::new(3).stream(Purpose::Training, 4, 5),
        }
    }

    pub(super) fn train(&self, kind: TrainerKind, request: TrainRequest) -> Trained {
        self.trainer(kind).train(request).expect("a training that goes well")
    }
}

/// Every network of the zoo, small.
pub(super) fn zoo() -> Vec<Case> {
    vec![
        Case::new(&NetworkSpec::Softmax, &[60], 10, 45),
        Case::new(&NetworkSpec::Softmax, &[2, 3, 3], 2, 9),
        Case::new(&NetworkSpec::Mlp { hidden: vec![17, 9] }, &[1, 6, 5], 4, 45),
        Case::new(&NetworkSpec::Cnn, &[1, 12, 10], 5, 23),
        Case::new(&NetworkSpec::Lenet, &[1, 8, 8], 4, 18),
        Case::new(&NetworkSpec::Resnet { depth: 8, width: 8 }, &[3, 8, 8], 4, 18),
        Case::new(&NetworkSpec::Resnet { depth: 20, width: 4 }, &[1, 9, 7], 3, 11),
        // Never two samples in a batch: batch normalisation turns any two numbers into -1 and 1, and
        // what is left of the gradient is rounding.
        Case::new(&reid(small(Normalisation::Batch)), &[3, 8, 6], 4, 10),
        Case::new(&reid(small(Normalisation::Group)), &[1, 8, 6], 3, 12),
        Case::new(&reid(convnext()), &[3, 12, 10], 4, 12).stirred(),
    ]
}

pub(super) fn small(norm: Normalisation) -> Backbone {
    Backbone::Resnet { depth: 8, width: 3, norm }
}

fn convnext() -> Backbone {
    Backbone::ConvnextV2 { depths: vec![1, 2], widths: vec![4, 6], patch: 2 }
}

/// A small re-identification network with dropout.
pub(super) fn reid(backbone: Backbone) -> NetworkSpec {
    NetworkSpec::Reid(ReidSpec { bottleneck: 7, dropout: 0.3, ..ReidSpec::new(backbone) })
}

pub(super) fn plan(work: Work, batch: usize, sgd: Sgd) -> LocalPlan {
    LocalPlan { work, batch, sgd, ..LocalPlan::default() }
}

pub(super) fn sgd(rate: f32) -> Sgd {
    Sgd { rate, ..Sgd::default() }
}

/// `|a - b| / |b|`, Euclidean.
pub(super) fn relative(a: &Flat, b: &Flat) -> f64 {
    a.minus(b).norm() / b.norm()
}
