//! ConvNeXt V2 without its head (Woo et al. 2023), with the names of the authors' weights.

use super::layer::Layer;
use crate::error::LearnError;

/// ConvNeXt V2 up to its last vector (pooled and normalised), and its length. `patch` is the side of the
/// stem's windows.
///
/// # Errors
/// [`LearnError::Invalid`] when the settings make no network.
pub(super) fn convnext(
    prefix: &str,
    channels: usize,
    depths: &[usize],
    widths: &[usize],
    patch: usize,
) -> Result<(Vec<Layer>, usize), LearnError> {
    if depths.is_empty() || depths.len() != widths.len() || widths.contains(&0) || patch == 0 {
        return Err(LearnError::Invalid(format!(
            "convnext-v2: depths = {depths:?}, widths = {widths:?}, patch = {patch}; give one depth and \
             one width of at least 1 for each stage, and a patch of at least 1"
        )));
    }
    let named = |name: &str| format!("{prefix}{name}");
    let mut layers = vec![
        conv(named("downsample_layers.0.0"), (channels, widths[0]), patch),
        norm(named("downsample_layers.0.1"), widths[0]),
    ];
    let mut inputs = widths[0];
    for (stage, (&depth, &width)) in depths.iter().zip(widths).enumerate() {
        if stage > 0 {
            let down = named(&format!("downsample_layers.{stage}"));
            layers.push(norm(format!("{down}.0"), inputs));
            layers.push(conv(format!("{down}.1"), (inputs, width), 2));
        }
        let blocks =
            (0..depth).map(|index| block(&named(&format!("stages.{stage}.{index}")), width));
        layers.extend(blocks);
        inputs = width;
    }
    layers.extend([Layer::GlobalAvgPool, norm(named("norm"), inputs)]);
    Ok((layers, inputs))
}

/// Depthwise 7x7, norm, four times as many channels, GELU, GRN, back, and the shortcut.
fn block(prefix: &str, width: usize) -> Layer {
    let named = |name: &str| format!("{prefix}.{name}");
    let body = vec![
        Layer::Depthwise { name: named("dwconv"), channels: width, kernel: 7, padding: 3 },
        norm(named("norm"), width),
        conv(named("pwconv1"), (width, 4 * width), 1),
        Layer::Gelu,
        Layer::Grn { name: named("grn"), channels: 4 * width },
        conv(named("pwconv2"), (4 * width, width), 1),
    ];
    Layer::Residual { body, shortcut: Vec::new() }
}

/// Windows without overlap.
fn conv(name: String, (inputs, outputs): (usize, usize), kernel: usize) -> Layer {
    Layer::Conv { name, inputs, outputs, kernel, stride: kernel, padding: 0, bias: true }
}

fn norm(name: String, channels: usize) -> Layer {
    Layer::LayerNorm { name, channels }
}
