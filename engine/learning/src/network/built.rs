//! A network that is ready to be trained: its layers, shapes and parameter layout.

use super::layer::{Layer, chain};
use super::shape::Shape;
use super::tensors::{chain_dropouts, chain_products, chain_tensors};
use super::zoo::NetworkSpec;
use crate::error::LearnError;
use crate::layout::Layout;

/// A network for samples of one shape and one number of classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    spec: NetworkSpec,
    input: Shape,
    classes: usize,
    layers: Vec<Layer>,
    layout: Layout,
    products: u64,
    dropouts: Vec<(usize, f32)>,
}

/// Parameters beyond which a network is taken for a mistake: 4 GB of them.
const MOST_PARAMETERS: u128 = 1_000_000_000;

fn refuse_giants(layers: &[Layer]) -> Result<(), LearnError> {
    let elements = |shape: &[usize]| shape.iter().map(|n| *n as u128).product::<u128>();
    let total: u128 = chain_tensors(layers).iter().map(|(_, shape, _)| elements(shape)).sum();
    if total > MOST_PARAMETERS {
        return Err(LearnError::Invalid(format!(
            "the network has {total} parameters, the limit is {MOST_PARAMETERS}; make its layers smaller"
        )));
    }
    Ok(())
}

impl Network {
    /// Builds the network `spec` for samples of shape `input_shape` (`[length]` or
    /// `[channels, height, width]`) and `classes` classes.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] when the network cannot take such samples, or makes no sense.
    pub fn new(
        spec: &NetworkSpec,
        input_shape: &[usize],
        classes: usize,
    ) -> Result<Self, LearnError> {
        let input = Shape::new(input_shape)?;
        let layers = spec.layers(input, classes)?;
        Self::build(spec.clone(), input, classes, layers)
    }

    fn build(
        spec: NetworkSpec,
        input: Shape,
        classes: usize,
        layers: Vec<Layer>,
    ) -> Result<Self, LearnError> {
        if classes == 0 {
            return Err(LearnError::Invalid("a network needs at least 1 class, got 0".into()));
        }
        chain(&layers, input)?;
        refuse_giants(&layers)?;
        let layout = Layout::new(chain_tensors(&layers));
        let products = chain_products(&layers, input)?;
        let dropouts = chain_dropouts(&layers, input)?;
        Ok(Self { spec, input, classes, layers, layout, products, dropouts })
    }

    /// Which network it is.
    pub fn spec(&self) -> &NetworkSpec {
        &self.spec
    }

    /// Shape of one sample.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// Number of outputs: one logit for each class.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The same network with another number of classes: the body and its layout are the same, only the
    /// head differs.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn with_classes(&self, classes: usize) -> Result<Self, LearnError> {
        let layers = self.spec.layers(self.input, classes)?;
        Self::build(self.spec.clone(), self.input, classes, layers)
    }

    /// Length of a feature vector: what goes into the head.
    pub fn feature_width(&self) -> usize {
        self.layers.last().and_then(Layer::inputs_of_head).unwrap_or(self.classes)
    }

    /// The layers in order; the last one is the head.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Names, shapes and places of the parameters in the flat vector. The last linear layer is the head.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Length and probability of each dropout, in order of the layers, bodies before shortcuts.
    pub fn dropouts(&self) -> &[(usize, f32)] {
        &self.dropouts
    }

    /// Floating-point operations of one sample's forward pass: 2 for each multiply-add of linear
    /// layers and convolutions; everything else is left out.
    pub fn forward_flops(&self) -> u64 {
        2 * self.products
    }

    /// Floating-point operations of training on one sample: forward, and a backward pass that costs
    /// twice as much.
    pub fn flops_per_sample(&self) -> u64 {
        3 * self.forward_flops()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Part;

    fn network(spec: NetworkSpec, shape: &[usize], classes: usize) -> Network {
        Network::new(&spec, shape, classes).expect("a valid network")
    }

    #[test]
    fn the_fedavg_cnn_has_the_parameters_of_the_paper() {
        let cnn = network(NetworkSpec::Cnn, &[1, 28, 28], 10);
        assert_eq!(cnn.layout().len(), 1_663_370);
        assert_eq!(cnn.layout().entry("f1.weight").expect("there").shape, [512, 3136]);
        assert_eq!(cnn.layout().range(Part::Head).len(), 5130);
        let products = 784 * 32 * 25 + 196 * 64 * 800 + 3136 * 512 + 5120;
        assert_eq!(cnn.forward_flops(), 2 * products);
        assert_eq!(cnn.flops_per_sample(), 6 * products);
    }

    #[test]
    fn small_networks_have_the_expected_names() {
        let softmax = network(NetworkSpec::Softmax, &[60], 10);
        assert_eq!((softmax.layout().len(), softmax.layout().body().len()), (610, 0));
        let mlp = network(NetworkSpec::Mlp { hidden: vec![200] }, &[1, 28, 28], 10);
        let names: Vec<_> =
            mlp.layout().entries().iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["f1.weight", "f1.bias", "f2.weight", "f2.bias"]);
        assert_eq!(mlp.layout().len(), 159_010);
    }

    #[test]
    fn residual_networks_have_the_expected_size() {
        // Convolutions and norms by hand: 432+32, three stages of three blocks, 1x1 shortcuts, head.
        let stage = |inputs: usize, outputs: usize, shortcut: bool| {
            let first = 9 * inputs * outputs + 2 * outputs;
            let other = 9 * outputs * outputs + 2 * outputs;
            first + 5 * other + if shortcut { inputs * outputs + 2 * outputs } else { 0 }
        };
        let expected =
            432 + 32 + stage(16, 16, false) + stage(16, 32, true) + stage(32, 64, true) + 650;
        let resnet = network(NetworkSpec::Resnet { depth: 20, width: 16 }, &[3, 32, 32], 10);
        assert_eq!(resnet.layout().len(), expected);
        let small = network(NetworkSpec::Resnet { depth: 8, width: 4 }, &[1, 9, 7], 3);
        assert!(small.layout().entry("layer2.0.shortcut.0.weight").is_some());
    }

    #[test]
    fn impossible_networks_are_refused() {
        let refused = |spec: NetworkSpec, shape: &[usize], classes| {
            Network::new(&spec, shape, classes).expect_err("impossible").to_string()
        };
        assert!(refused(NetworkSpec::Cnn, &[784], 10).contains("use softmax or mlp"));
        assert!(refused(NetworkSpec::Cnn, &[1, 2, 2], 10).contains("max pooling"));
        assert!(refused(NetworkSpec::Mlp { hidden: vec![] }, &[4], 10).contains("hidden"));
        assert!(
            refused(NetworkSpec::Resnet { depth: 9, width: 16 }, &[3, 8, 8], 10)
                .contains("depth = 9")
        );
        assert!(refused(NetworkSpec::Softmax, &[4], 0).contains("at least 1 class"));
    }
}
