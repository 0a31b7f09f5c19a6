//! Residual networks without their heads (He et al. 2016).

use super::backbone::Normalisation;
use super::layer::Layer;
use crate::error::LearnError;

/// The settings of a residual network for small images.
#[derive(Clone, Copy, Debug)]
pub(super) struct SmallResnet {
    /// Weighted layers: 8 or 20.
    pub(super) depth: usize,
    /// Channels of the first stage.
    pub(super) width: usize,
    /// What follows each convolution.
    pub(super) norm: Normalisation,
}

/// A residual network for small images (section 4.2 of the paper), up to its last image, and its channels.
/// `prefix` comes before all names.
///
/// # Errors
/// [`LearnError::Invalid`] when the settings make no network.
pub(super) fn small_resnet(
    prefix: &str,
    channels: usize,
    SmallResnet { depth, width, norm }: SmallResnet,
) -> Result<(Vec<Layer>, usize), LearnError> {
    let blocks = match depth {
        8 => 1,
        20 => 3,
        other => {
            return Err(LearnError::Invalid(format!("resnet: depth = {other}; use 8 or 20")));
        }
    };
    if width == 0 {
        return Err(LearnError::Invalid("resnet: width = 0; use at least 1, usually 16".into()));
    }
    let named = |name: &str| format!("{prefix}{name}");
    let mut layers = conv(named("conv1"), (channels, width), 3, 1);
    layers.extend([norm.layer(named("norm1"), width), Layer::Relu]);
    let mut inputs = width;
    for stage in 0..3 {
        let outputs = width << stage;
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let block = named(&format!("layer{}.{block}", stage + 1));
            let names = Names { conv: "conv", norm: "norm", shortcut: "shortcut" };
            let plan = [(3, outputs, stride), (3, outputs, 1)];
            layers.extend([residual(&block, names, norm, inputs, &plan), Layer::Relu]);
            inputs = outputs;
        }
    }
    Ok((layers, inputs))
}

/// ResNet-18 or ResNet-50 for large images (table 1 of the paper) with batch normalisation, up to its last
/// image, and its channels. Names and the place of the stride (the 3x3 convolution) are torchvision's.
pub(super) fn imagenet_resnet(
    prefix: &str,
    channels: usize,
    bottleneck: bool,
) -> (Vec<Layer>, usize) {
    let named = |name: &str| format!("{prefix}{name}");
    let norm = Normalisation::Batch;
    let mut layers = conv(named("conv1"), (channels, 64), 7, 2);
    layers.extend([
        norm.layer(named("bn1"), 64),
        Layer::Relu,
        Layer::OverlapMaxPool { kernel: 3, stride: 2, padding: 1 },
    ]);
    let blocks = if bottleneck { [3, 4, 6, 3] } else { [2; 4] };
    let mut inputs = 64;
    for (stage, blocks) in blocks.into_iter().enumerate() {
        let width = 64 << stage;
        for block in 0..blocks {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let block = named(&format!("layer{}.{block}", stage + 1));
            let names = Names { conv: "conv", norm: "bn", shortcut: "downsample" };
            let plan = match bottleneck {
                true => vec![(1, width, 1), (3, width, stride), (1, 4 * width, 1)],
                false => vec![(3, width, stride), (3, width, 1)],
            };
            layers.extend([residual(&block, names, norm, inputs, &plan), Layer::Relu]);
            inputs = if bottleneck { 4 * width } else { width };
        }
    }
    (layers, inputs)
}

/// How the layers of a block are called.
#[derive(Clone, Copy)]
struct Names {
    conv: &'static str,
    norm: &'static str,
    shortcut: &'static str,
}

/// A residual block of convolutions `(kernel, outputs, stride)`, each with a norm, ReLU between them.
fn residual(
    prefix: &str,
    names: Names,
    norm: Normalisation,
    inputs: usize,
    plan: &[(usize, usize, usize)],
) -> Layer {
    let mut body = Vec::new();
    let (mut channels, mut strides) = (inputs, 1);
    for (index, &(kernel, outputs, stride)) in plan.iter().enumerate() {
        if index > 0 {
            body.push(Layer::Relu);
        }
        let number = index + 1;
        let name = format!("{prefix}.{}{number}", names.conv);
        body.extend(conv(name, (channels, outputs), kernel, stride));
        body.push(norm.layer(format!("{prefix}.{}{number}", names.norm), outputs));
        (channels, strides) = (outputs, strides * stride);
    }
    let mut shortcut = Vec::new();
    if strides != 1 || inputs != channels {
        shortcut = conv(format!("{prefix}.{}.0", names.shortcut), (inputs, channels), 1, strides);
        shortcut.push(norm.layer(format!("{prefix}.{}.1", names.shortcut), channels));
    }
    Layer::Residual { body, shortcut }
}

fn conv(
    name: String,
    (inputs, outputs): (usize, usize),
    kernel: usize,
    stride: usize,
) -> Vec<Layer> {
    vec![Layer::Conv { name, inputs, outputs, kernel, stride, padding: kernel / 2, bias: false }]
}
