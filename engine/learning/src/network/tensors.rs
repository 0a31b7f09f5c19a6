//! What layers hold and cost: their tensors, and the products of a forward pass.

use super::layer::Layer;
use super::shape::Shape;
use crate::error::LearnError;
use crate::layout::Part;

/// Name, shape and part.
pub(super) type Tensor = (String, Vec<usize>, Part);

impl Layer {
    /// Its tensors, the weight first; all that is trained counts as backbone.
    pub(super) fn tensors(&self) -> Vec<Tensor> {
        let tensor = |name: &str, kind: &str, shape: &[usize], part: Part| {
            (format!("{name}.{kind}"), shape.to_vec(), part)
        };
        let trained =
            |name: &str, kind: &str, shape: &[usize]| tensor(name, kind, shape, Part::Backbone);
        let pair = |name: &str, weight: &[usize], bias: usize| {
            vec![trained(name, "weight", weight), trained(name, "bias", &[bias])]
        };
        match self {
            Self::Linear { name, inputs, outputs } => pair(name, &[*outputs, *inputs], *outputs),
            Self::Cosine { name, inputs, outputs } => {
                vec![trained(name, "weight", &[*outputs, *inputs])]
            }
            Self::Conv { name, inputs, outputs, kernel, bias, .. } => {
                let mut tensors = pair(name, &[*outputs, *inputs, *kernel, *kernel], *outputs);
                tensors.truncate(1 + usize::from(*bias));
                tensors
            }
            Self::Depthwise { name, channels, kernel, .. } => {
                pair(name, &[*channels, 1, *kernel, *kernel], *channels)
            }
            Self::GroupNorm { name, channels, .. } | Self::LayerNorm { name, channels } => {
                pair(name, &[*channels], *channels)
            }
            Self::BatchNorm { name, channels } => {
                let mut tensors = pair(name, &[*channels], *channels);
                for kind in ["running_mean", "running_var"] {
                    tensors.push(tensor(name, kind, &[*channels], Part::Buffer));
                }
                tensors
            }
            Self::Grn { name, channels } => {
                vec![trained(name, "gamma", &[*channels]), trained(name, "beta", &[*channels])]
            }
            Self::Residual { body, shortcut } => {
                body.iter().chain(shortcut).flat_map(Self::tensors).collect()
            }
            Self::Relu
            | Self::Gelu
            | Self::Sigmoid
            | Self::Dropout(_)
            | Self::MaxPool(_)
            | Self::OverlapMaxPool { .. }
            | Self::GlobalAvgPool
            | Self::Flatten => Vec::new(),
        }
    }

    /// Multiplications with an addition in one forward pass of one sample.
    fn products(&self, input: Shape) -> Result<u64, LearnError> {
        Ok(match self {
            Self::Linear { inputs, outputs, .. } | Self::Cosine { inputs, outputs, .. } => {
                (inputs * outputs) as u64
            }
            Self::Conv { inputs, kernel, .. } => {
                (self.output(input)?.len() * inputs * kernel * kernel) as u64
            }
            Self::Depthwise { kernel, .. } => (self.output(input)?.len() * kernel * kernel) as u64,
            Self::Residual { body, shortcut } => {
                chain_products(body, input)? + chain_products(shortcut, input)?
            }
            _ => 0,
        })
    }
}

/// Multiply-adds of a chain of layers, for one sample.
pub(super) fn chain_products(layers: &[Layer], input: Shape) -> Result<u64, LearnError> {
    let mut shape = input;
    let mut sum = 0;
    for layer in layers {
        sum += layer.products(shape)?;
        shape = layer.output(shape)?;
    }
    Ok(sum)
}

/// The tensors of a chain, with the last linear or cosine layer as the head.
pub(super) fn chain_tensors(layers: &[Layer]) -> Vec<Tensor> {
    let last = layers.iter().rposition(|layer| layer.inputs_of_head().is_some());
    let part = |index, part| if Some(index) == last { Part::Head } else { part };
    let tensors = layers.iter().enumerate().flat_map(|(index, layer)| {
        let tensors = layer.tensors().into_iter();
        tensors.map(move |(name, shape, own)| (name, shape, part(index, own)))
    });
    tensors.collect()
}

/// Length and probability of each dropout in a chain, in order of the layers, bodies before shortcuts.
pub(super) fn chain_dropouts(
    layers: &[Layer],
    input: Shape,
) -> Result<Vec<(usize, f32)>, LearnError> {
    let mut shape = input;
    let mut found = Vec::new();
    for layer in layers {
        match layer {
            Layer::Dropout(rate) => found.push((shape.len(), *rate)),
            Layer::Residual { body, shortcut } => {
                found.extend(chain_dropouts(body, shape)?);
                found.extend(chain_dropouts(shortcut, shape)?);
            }
            _ => {}
        }
        shape = layer.output(shape)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_dropouts_by_hand() {
        let image = Shape::Image(3, 9, 8);
        let conv = Layer::Conv {
            name: "c".into(),
            inputs: 3,
            outputs: 8,
            kernel: 3,
            stride: 2,
            padding: 1,
            bias: true,
        };
        assert_eq!(conv.products(image).expect("fits"), 8 * 5 * 4 * 27);
        let depthwise = Layer::Depthwise { name: "d".into(), channels: 3, kernel: 7, padding: 3 };
        assert_eq!(depthwise.products(image).expect("fits"), 216 * 49);
        let body = vec![Layer::Relu, Layer::Dropout(0.25)];
        let layers = [Layer::Residual { body, shortcut: vec![] }, conv, Layer::Dropout(0.5)];
        assert_eq!(chain_dropouts(&layers, image).expect("fits"), [(216, 0.25), (160, 0.5)]);
    }

    #[test]
    fn running_statistics_are_buffers_and_the_last_linear_layer_is_the_head() {
        let layers = [
            Layer::Linear { name: "a".into(), inputs: 2, outputs: 3 },
            Layer::BatchNorm { name: "b".into(), channels: 3 },
            Layer::Cosine { name: "c".into(), inputs: 3, outputs: 4 },
        ];
        let parts: Vec<_> =
            chain_tensors(&layers).into_iter().map(|(name, _, part)| (name, part)).collect();
        let expected = [
            ("a.weight", Part::Backbone),
            ("a.bias", Part::Backbone),
            ("b.weight", Part::Backbone),
            ("b.bias", Part::Backbone),
            ("b.running_mean", Part::Buffer),
            ("b.running_var", Part::Buffer),
            ("c.weight", Part::Head),
        ];
        assert_eq!(parts, expected.map(|(name, part)| (name.to_string(), part)));
    }
}
