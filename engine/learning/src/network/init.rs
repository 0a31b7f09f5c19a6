//! Initial weights.

use super::backbone::Backbone;
use super::built::Network;
use super::layer::Layer;
use super::reid::{BOTTLENECK, BOTTLENECK_NORM, CLASSIFIER, ReidSpec};
use super::zoo::NetworkSpec;
use crate::flat::Flat;
use crate::layout::{Entry, Part};
use offbeat_kernel::Stream;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

/// What one tensor starts with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Start {
    /// Uniform between minus and plus this bound.
    Uniform(f32),
    /// Normal with this mean and standard deviation.
    Normal(f32, f32),
    /// This number.
    Constant(f32),
}

impl Network {
    /// Draws all parameters, in the order of the layout. Weights and biases of linear layers and
    /// convolutions are uniform in +-1/sqrt(fan-in) (PyTorch's default: Kaiming uniform with a = sqrt(5));
    /// norms start with scale 1, shift 0, running mean 0 and running variance 1, GRN with zeros.
    ///
    /// `lenet` starts uniform in +-0.5 (as DLG has it). Re-identification networks differ (as FedReID has it): bottleneck Kaiming normal by fan-out with
    /// bias 0, scale of its norm normal(1, 0.02), linear head normal(0, 0.001) with bias 0; convolutions
    /// of `resnet-18` and `resnet-50` Kaiming normal by fan-out (as torchvision has them).
    pub fn init(&self, stream: &mut Stream) -> Flat {
        self.draw(stream, |_| true)
    }

    /// Draws the head alone, as [`Network::init`] does: a client's private head.
    pub fn init_head(&self, stream: &mut Stream) -> Flat {
        self.draw(stream, |entry| entry.part == Part::Head)
    }

    fn draw(&self, stream: &mut Stream, wanted: impl Fn(&Entry) -> bool) -> Flat {
        let mut values = Vec::new();
        for entry in self.layout().entries().iter().filter(|entry| wanted(entry)) {
            let (layer, kind) = entry.name.rsplit_once('.').unwrap_or((&entry.name, ""));
            let special = match self.spec() {
                NetworkSpec::Reid(spec) => special(spec, layer, kind, &entry.shape),
                NetworkSpec::Lenet => Some(Start::Uniform(0.5)),
                _ => None,
            };
            let start = special.unwrap_or_else(|| match fan_in(self.layers(), layer) {
                Some(fan_in) => Start::Uniform(1.0 / (fan_in as f32).sqrt()),
                None => Start::Constant(match kind {
                    "weight" | "running_var" => 1.0,
                    _ => 0.0,
                }),
            });
            values.extend((0..entry.len()).map(|_| match start {
                Start::Uniform(bound) => (2.0 * stream.random::<f32>() - 1.0) * bound,
                Start::Normal(mean, deviation) => {
                    let drawn: f32 = StandardNormal.sample(stream);
                    mean + deviation * drawn
                }
                Start::Constant(value) => value,
            }));
        }
        Flat::new(values)
    }
}

/// What re-identification networks start with where they differ from others.
fn special(spec: &ReidSpec, layer: &str, kind: &str, shape: &[usize]) -> Option<Start> {
    let imagenet = matches!(spec.backbone, Backbone::Resnet18 | Backbone::Resnet50);
    // Outputs times the window: each output feeds as many numbers of a gradient.
    let fan_out = || shape[0] * shape[2..].iter().product::<usize>();
    let kaiming = || Start::Normal(0.0, (2.0 / fan_out() as f32).sqrt());
    match (layer, kind, shape.len()) {
        (BOTTLENECK, "weight", _) => Some(kaiming()),
        (BOTTLENECK_NORM, "weight", _) => Some(Start::Normal(1.0, 0.02)),
        (CLASSIFIER, "weight", _) if spec.head == super::reid::Head::Linear => {
            Some(Start::Normal(0.0, 0.001))
        }
        (BOTTLENECK | CLASSIFIER, "bias", _) => Some(Start::Constant(0.0)),
        (_, "weight", 4) if imagenet => Some(kaiming()),
        _ => None,
    }
}

/// Inputs of each output of the layer called `wanted`; `None` when it is no linear layer or convolution.
fn fan_in(layers: &[Layer], wanted: &str) -> Option<usize> {
    layers.iter().find_map(|layer| match layer {
        Layer::Linear { name, inputs, .. } | Layer::Cosine { name, inputs, .. }
            if name == wanted =>
        {
            Some(*inputs)
        }
        Layer::Conv { name, inputs, kernel, .. } if name == wanted => {
            Some(inputs * kernel * kernel)
        }
        Layer::Depthwise { name, kernel, .. } if name == wanted => Some(kernel * kernel),
        Layer::Residual { body, shortcut } => {
            fan_in(body, wanted).or_else(|| fan_in(shortcut, wanted))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use crate::layout::Part;
    use crate::network::{Backbone, Network, NetworkSpec, ReidSpec};
    use offbeat_kernel::{Purpose, SeedTree};

    fn network() -> Network {
        let spec = NetworkSpec::Resnet { depth: 8, width: 8 };
        Network::new(&spec, &[3, 8, 8], 5).expect("a valid network")
    }

    #[test]
    fn weights_fill_the_interval_and_norms_start_neutral() {
        let network = network();
        let params = network.init(&mut SeedTree::new(1).stream(Purpose::ModelInit, 0, 0)).to_vec();
        let of = |name: &str| &params[network.layout().entry(name).expect("there").range()];
        let bound = 1.0 / 72f32.sqrt();
        let weight = of("layer1.0.conv1.weight");
        let largest = weight.iter().fold(0f32, |a, b| a.max(b.abs()));
        let variance = weight.iter().map(|w| w * w).sum::<f32>() / weight.len() as f32;
        assert!(largest <= bound && largest > 0.95 * bound);
        assert!((variance - bound * bound / 3.0).abs() < 0.1 * bound * bound);
        assert!(of("norm1.weight").iter().all(|w| *w == 1.0));
        assert!(of("norm1.bias").iter().all(|w| *w == 0.0));
    }

    #[test]
    fn re_identification_networks_start_as_fedreid_says() {
        let spec =
            NetworkSpec::Reid(ReidSpec { bottleneck: 64, ..ReidSpec::new(Backbone::Resnet18) });
        let network = Network::new(&spec, &[3, 32, 32], 50).expect("a valid network");
        let params = network.init(&mut SeedTree::new(1).stream(Purpose::ModelInit, 0, 0)).to_vec();
        let of = |name: &str| &params[network.layout().entry(name).expect("there").range()];
        let moments = |values: &[f32]| {
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>();
            (mean, (squares / values.len() as f32).sqrt())
        };
        for (name, mean, deviation) in [
            ("classifier.weight", 0.0, 0.001),
            ("bottleneck.weight", 0.0, (2.0f32 / 64.0).sqrt()),
            ("backbone.layer2.0.conv1.weight", 0.0, (2.0f32 / (128.0 * 9.0)).sqrt()),
        ] {
            let have = moments(of(name));
            assert!((have.0 - mean).abs() < 0.05 * deviation, "{name} {have:?}");
            assert!((have.1 - deviation).abs() < 0.05 * deviation, "{name} {have:?}");
        }
        let scale = moments(of("bottleneck_norm.weight"));
        assert!((scale.0 - 1.0).abs() < 0.01 && (0.01..0.03).contains(&scale.1), "{scale:?}");
        let all = |name: &str, value: f32| of(name).iter().all(|v| *v == value);
        assert!(all("classifier.bias", 0.0) && all("bottleneck.bias", 0.0));
        assert!(all("backbone.bn1.running_var", 1.0) && all("backbone.bn1.running_mean", 0.0));
        assert!(all("backbone.bn1.weight", 1.0) && all("backbone.bn1.bias", 0.0));
    }

    #[test]
    fn a_private_head_has_the_heads_length_and_its_own_draws() {
        let network = network();
        let tree = SeedTree::new(1);
        let head = |id| network.init_head(&mut tree.stream(Purpose::PrivateInit, id, 0));
        assert_eq!(head(1).len(), network.layout().range(Part::Head).len());
        assert_eq!(head(1), head(1));
        assert_ne!(head(1), head(2));
    }
}
