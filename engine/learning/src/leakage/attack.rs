//! The attacks by name, and models as attackers see them.

use super::{
    Activation, Dlg, Grnn, Inverting, Lbfgs, Reconstruction, Scene, Victim, by_signs, dlg,
    first_layer, grnn, idlg, inverting_gradients,
};
use crate::LearnError;
use crate::network::{Network, NetworkSpec, Shape};
use offbeat_kernel::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which attack on an update, as a scenario names it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Attack {
    /// The quotient of the first layer's gradients (Phong et al. 2018): at once and exact for one sample, a mixture of
    /// all samples otherwise. For `softmax` and `mlp`.
    Analytic,
    /// Deep leakage from gradients (Zhu et al. 2019): looks for images and labels by L-BFGS.
    Dlg {
        /// Steps of the search, at most.
        #[serde(default = "three_hundred")]
        iterations: usize,
    },
    /// Improved deep leakage (Zhao et al. 2020): infers the label of a single sample, is told those of several, and
    /// looks for the images by L-BFGS.
    Idlg {
        /// Steps of the search, at most.
        #[serde(default = "three_hundred")]
        iterations: usize,
    },
    /// Inverting gradients (Geiping et al. 2020): follows the direction of the gradient; labels as for `idlg`.
    InvertingGradients {
        /// Steps of Adam.
        #[serde(default = "thousands")]
        iterations: usize,
        /// Weight of the total variation of the images.
        #[serde(default = "tenth")]
        variation: f32,
    },
    /// GRNN (Ren et al. 2022): trains a generator from scratch on this one gradient. Sides of images must be 8, 16,
    /// 32 and so on.
    Grnn {
        /// Steps of RMSprop.
        #[serde(default = "thousand")]
        iterations: usize,
        /// Size of a step.
        #[serde(default = "small")]
        rate: f32,
        /// Weight of the total variation of the images.
        #[serde(default = "smaller")]
        variation: f32,
    },
}

fn three_hundred() -> usize {
    300
}

fn thousand() -> usize {
    1000
}

fn thousands() -> usize {
    4800
}

fn tenth() -> f32 {
    0.1
}

fn small() -> f32 {
    1e-4
}

fn smaller() -> f32 {
    1e-3
}

impl Attack {
    /// Its name in a scenario.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Analytic => "analytic",
            Self::Dlg { .. } => "dlg",
            Self::Idlg { .. } => "idlg",
            Self::InvertingGradients { .. } => "inverting-gradients",
            Self::Grnn { .. } => "grnn",
        }
    }

    /// Attacks a gradient. `labels` are those of the samples behind it: they are told to attacks that need them and
    /// cannot infer them, that is for more than one sample.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the attack is not made for such a model or such images, in words.
    pub fn run(
        &self,
        scene: &Scene,
        labels: &[usize],
        stream: &mut Stream,
    ) -> Result<Reconstruction, LearnError> {
        let told = (labels.len() > 1).then_some(labels);
        let search = |steps| Dlg { search: Lbfgs { steps, ..Lbfgs::default() } };
        Ok(match *self {
            Self::Analytic => analytic(scene, labels.len())?,
            Self::Dlg { iterations } => dlg(scene, &search(iterations), stream),
            Self::Idlg { iterations } => idlg(scene, told, &search(iterations), stream),
            Self::InvertingGradients { iterations: steps, variation } => {
                let settings = Inverting { steps, variation, ..Inverting::default() };
                inverting_gradients(scene, told, &settings, stream)
            }
            Self::Grnn { iterations: steps, rate, variation } => {
                grnn(scene, &Grnn { steps, rate, variation, ..Grnn::default() }, stream)?
            }
        })
    }
}

/// The one image that the first layer tells, for every sample.
fn analytic(scene: &Scene, batch: usize) -> Result<Reconstruction, LearnError> {
    let image = first_layer(scene).ok_or_else(|| {
        LearnError::Invalid(
            "the analytic attack needs a linear first layer whose biases have a gradient".into(),
        )
    })?;
    Ok(Reconstruction {
        images: image.repeat(batch),
        labels: vec![by_signs(scene); batch],
        loss: 0.0,
        evaluations: 0,
    })
}

impl Victim {
    /// The victim that computes what `network` computes, with its parameters in the same order.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] for networks whose backward pass is not written as tensor operations.
    pub fn of(network: &Network) -> Result<Self, LearnError> {
        let input = match network.input() {
            Shape::Image(channels, height, width) => [channels, height, width],
            Shape::Vector(length) => [1, 1, length],
        };
        let classes = network.classes();
        match network.spec() {
            NetworkSpec::Softmax => Ok(Self::softmax(input, classes)),
            NetworkSpec::Mlp { hidden } if hidden.len() == 1 => {
                Ok(Self::mlp(input, hidden[0], classes, Activation::Relu))
            }
            NetworkSpec::Lenet => Ok(Self::strided_lenet(input, classes)),
            _ => Err(LearnError::Invalid(
                "attacks on updates know the networks softmax, mlp with one hidden layer, and lenet".into(),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Shard, digits};
    use crate::device::device;
    use crate::leakage::{compare, gradient_of_update};
    use crate::train::{DirectTrainer, TrainRequest, Trainer};
    use crate::{LocalPlan, Sgd, Work};
    use offbeat_kernel::{Purpose, SeedTree};
    use std::sync::Arc;

    /// What one step of a real trainer on the first `batch` digits tells.
    fn overheard(spec: &NetworkSpec, batch: usize) -> (Scene, Vec<f32>, Vec<usize>) {
        let data: Arc<Dataset> = Arc::new(digits().train);
        let network = Arc::new(Network::new(spec, &data.shape, data.classes).expect("fits"));
        let start = network.init(&mut SeedTree::new(1).stream(Purpose::ModelInit, 0, 0));
        let shard = Arc::new(Shard { data: data.clone(), rows: (0..batch as u32).collect() });
        let request = TrainRequest {
            start: start.clone(),
            received: start.len(),
            shard: shard.clone(),
            plan: Arc::new(LocalPlan {
                work: Work::Steps(1),
                batch,
                sgd: Sgd { rate: 0.5, ..Sgd::default() },
                ..LocalPlan::default()
            }),
            step_limit: None,
            correction: None,
            targets: None,
            foreign: None,
            stream: SeedTree::new(1).stream(Purpose::Training, 0, 0),
        };
        let end = DirectTrainer::new(network.clone()).train(request).expect("trains").params;
        let gradient = gradient_of_update(&start, &end, 0.5, 1);
        let images = data.features[..batch * data.inputs()].to_vec();
        let labels: Vec<usize> = data.labels[..batch].iter().map(|label| *label as usize).collect();
        let victim = Victim::of(&network).expect("known");
        let device = device("flex").expect("always there");
        let own = Scene::gradient_on(&victim, &start, &images, &labels, &device);
        let (own, heard) = (own.to_vec(), gradient.to_vec());
        let worst = own.iter().zip(&heard).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 2e-5, "{spec:?}: gradients differ by {worst}");
        let scene = Scene::new(victim, &start, gradient, batch, &device).expect("fits");
        (scene, images, labels)
    }

    #[test]
    fn victims_give_the_gradients_of_the_networks_that_clients_train() {
        for spec in
            [NetworkSpec::Softmax, NetworkSpec::Mlp { hidden: vec![16] }, NetworkSpec::Lenet]
        {
            overheard(&spec, 3);
        }
        let cnn = Network::new(&NetworkSpec::Cnn, &[1, 8, 8], 10).expect("fits");
        assert!(Victim::of(&cnn).expect_err("not known").to_string().contains("lenet"));
    }

    #[test]
    fn attacks_by_name_find_a_single_digit() {
        let mlp = NetworkSpec::Mlp { hidden: vec![16] };
        for (spec, attack) in [
            (&mlp, Attack::Analytic),
            (&NetworkSpec::Lenet, Attack::Dlg { iterations: 200 }),
            (&NetworkSpec::Lenet, Attack::Idlg { iterations: 200 }),
        ] {
            let (scene, images, labels) = overheard(spec, 1);
            let mut stream = SeedTree::new(3).stream(Purpose::Tap, 0, 0);
            let found = attack.run(&scene, &labels, &mut stream).expect("made for it");
            let figures = compare(&images, &labels, &found, [1, 8, 8]);
            assert!(figures.mse < 1e-3 && figures.labels == 1.0, "{}: {figures:?}", attack.name());
        }
        let (scene, _, labels) = overheard(&NetworkSpec::Lenet, 1);
        let mut stream = SeedTree::new(3).stream(Purpose::Tap, 0, 0);
        assert!(Attack::Analytic.run(&scene, &labels, &mut stream).is_err());
    }
}
