//! Networks for person re-identification and faces: a backbone, a bottleneck and a head.

use super::backbone::Backbone;
use super::layer::Layer;
use super::shape::Shape;
use super::zoo::linear;
use crate::error::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A backbone, then a bottleneck (linear layer, batch normalisation, dropout; no ReLU), then a head that
/// tells the identities apart (the network of FedReID; Zhuang et al. 2020). Its features are what the
/// bottleneck gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ReidSpec {
    /// What turns an image into a vector.
    pub backbone: Backbone,
    /// Length of a feature vector.
    #[serde(default = "default_bottleneck")]
    pub bottleneck: usize,
    /// Probability of the dropout between features and head; 0 for none.
    #[serde(default = "default_dropout")]
    pub dropout: f32,
    /// The last layer.
    #[serde(default)]
    pub head: Head,
}

/// The last layer of a re-identification network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// A linear layer with a bias, for cross-entropy.
    #[default]
    Linear,
    /// Cosines between features and one direction for each identity, for margin losses.
    Cosine,
}

fn default_bottleneck() -> usize {
    512
}

fn default_dropout() -> f32 {
    0.5
}

/// Names of the layers above the backbone.
pub(super) const BOTTLENECK: &str = "bottleneck";
pub(super) const BOTTLENECK_NORM: &str = "bottleneck_norm";
pub(super) const CLASSIFIER: &str = "classifier";

impl ReidSpec {
    /// The network with the defaults of FedReID over `backbone`: 512 features, dropout 0.5, linear head.
    pub fn new(backbone: Backbone) -> Self {
        let (bottleneck, dropout) = (default_bottleneck(), default_dropout());
        Self { backbone, bottleneck, dropout, head: Head::Linear }
    }

    pub(super) fn layers(&self, input: Shape, classes: usize) -> Result<Vec<Layer>, LearnError> {
        if self.bottleneck == 0 {
            let reason = "reid: bottleneck = 0; use at least 1, usually 512";
            return Err(LearnError::Invalid(reason.into()));
        }
        let (mut layers, width) = self.backbone.layers(input)?;
        layers.push(linear(BOTTLENECK.into(), width, self.bottleneck));
        layers.push(Layer::BatchNorm { name: BOTTLENECK_NORM.into(), channels: self.bottleneck });
        if self.dropout != 0.0 {
            layers.push(Layer::Dropout(self.dropout));
        }
        let (name, inputs) = (CLASSIFIER.to_string(), self.bottleneck);
        layers.push(match self.head {
            Head::Linear => Layer::Linear { name, inputs, outputs: classes },
            Head::Cosine => Layer::Cosine { name, inputs, outputs: classes },
        });
        Ok(layers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Part;
    use crate::network::{Network, NetworkSpec};

    fn network(backbone: Backbone, shape: &[usize]) -> Network {
        let spec = NetworkSpec::Reid(ReidSpec::new(backbone));
        Network::new(&spec, shape, 751).expect("a valid network")
    }

    /// Parameters and buffers of convolutions with batch normalisation: inputs, outputs, kernel.
    fn count(convs: impl IntoIterator<Item = (usize, usize, usize)>) -> (usize, usize) {
        convs.into_iter().fold((0, 0), |(params, buffers), (inputs, outputs, kernel)| {
            (params + inputs * outputs * kernel * kernel + 2 * outputs, buffers + 2 * outputs)
        })
    }

    #[test]
    fn resnet_50_has_the_size_of_fedreid() {
        let network = network(Backbone::Resnet50, &[3, 256, 128]);
        let layout = network.layout();
        let mut convs = vec![(3, 64, 7)];
        let mut inputs = 64;
        for (blocks, width) in [(3, 64), (4, 128), (6, 256), (3, 512)] {
            convs.push((inputs, 4 * width, 1));
            for _ in 0..blocks {
                convs.extend([(inputs, width, 1), (width, width, 3), (width, 4 * width, 1)]);
                inputs = 4 * width;
            }
        }
        let (params, buffers) = count(convs);
        assert_eq!((params, buffers), (23_508_032, 53_120));
        let bottleneck = 2048 * 512 + 512 + 2 * 512;
        assert_eq!(layout.range(Part::Backbone).len(), params + bottleneck);
        assert_eq!(layout.range(Part::Backbone).len(), 24_558_144);
        assert_eq!(layout.range(Part::Buffer).len(), buffers + 2 * 512);
        assert_eq!(layout.range(Part::Buffer).len(), 54_144);
        assert_eq!(layout.range(Part::Head).len(), 512 * 751 + 751);
        let shape = |name: &str| layout.entry(name).expect("there").shape.clone();
        assert_eq!(shape("backbone.layer1.0.downsample.0.weight"), [256, 64, 1, 1]);
        assert_eq!(shape("backbone.layer4.2.conv3.weight"), [2048, 512, 1, 1]);
        assert_eq!(shape("backbone.layer2.0.bn2.running_var"), [128]);
        assert_eq!(network.feature_width(), 512);
    }

    #[test]
    fn resnet_18_has_the_size_of_torchvision() {
        let network = network(Backbone::Resnet18, &[3, 64, 32]);
        // 11,689,512 with its head of 512 x 1000 + 1000.
        let bottleneck = 512 * 512 + 512 + 2 * 512;
        assert_eq!(network.layout().range(Part::Backbone).len(), 11_176_512 + bottleneck);
    }

    #[test]
    fn convnext_atto_has_its_published_size_and_no_buffers_below_the_bottleneck() {
        let spec: Backbone = toml::from_str::<ReidSpec>("backbone = { convnext-v2 = {} }")
            .expect("the defaults")
            .backbone;
        let network = network(spec, &[3, 64, 32]);
        // 3,708,400 with its head of 320 x 1000 + 1000.
        let bottleneck = 320 * 512 + 512 + 2 * 512;
        assert_eq!(network.layout().range(Part::Backbone).len(), 3_387_400 + bottleneck);
        assert_eq!(network.layout().range(Part::Buffer).len(), 2 * 512);
    }

    #[test]
    fn an_mlp_sees_all_pixels() {
        let network = network(Backbone::Mlp { hidden: vec![7] }, &[3, 8, 4]);
        let bottleneck = 7 * 512 + 512 + 2 * 512;
        assert_eq!(network.layout().range(Part::Backbone).len(), 96 * 7 + 7 + bottleneck);
        let names = network.layout().entries().iter().map(|entry| entry.name.clone());
        assert_eq!(names.take(2).collect::<Vec<_>>(), ["backbone.f1.weight", "backbone.f1.bias"]);
        let spec = NetworkSpec::Reid(ReidSpec::new(Backbone::Mlp { hidden: vec![3, 0] }));
        assert!(Network::new(&spec, &[3, 8, 4], 5).is_err());
    }

    #[test]
    fn other_heads_keep_the_body_and_settings_are_checked() {
        let backbone = || Backbone::Resnet { depth: 8, width: 4, norm: Default::default() };
        let network = network(backbone(), &[3, 16, 8]);
        let other = network.with_classes(5).expect("another head");
        assert_eq!(other.layout().body(), network.layout().body());
        assert_eq!(other.layout().range(Part::Head).len(), 512 * 5 + 5);
        let refused = |spec: ReidSpec, shape: &[usize]| {
            let spec = NetworkSpec::Reid(spec);
            Network::new(&spec, shape, 5).expect_err("impossible").to_string()
        };
        let narrow = ReidSpec { bottleneck: 0, ..ReidSpec::new(backbone()) };
        assert!(refused(narrow, &[3, 16, 8]).contains("bottleneck = 0"));
        let dropped = ReidSpec { dropout: 1.0, ..ReidSpec::new(backbone()) };
        assert!(refused(dropped, &[3, 16, 8]).contains("probability 1"));
        assert!(refused(ReidSpec::new(backbone()), &[9]).contains("needs images"));
    }
}
