//! Layers as LibTorch operations.

use crate::network::{
    BATCH_NORM_MOMENTUM, GRN_EPSILON, LAYER_NORM_EPSILON, Layer, NORM_EPSILON, Network,
    ROOT_EPSILON,
};
use tch::{Kind, Tensor};

/// What a pass reads.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    network: &'a Network,
    /// One tensor for each entry of the layout, in its shape; the last ones may be missing.
    tensors: &'a [Tensor],
    /// The masks of dropout that are left, in order; `None` in evaluation.
    masks: Option<std::slice::Iter<'a, Vec<f32>>>,
}

impl<'a> Pass<'a> {
    /// A pass that trains: normalisation by the batch, which moves the running statistics.
    pub(super) fn training(
        network: &'a Network,
        tensors: &'a [Tensor],
        masks: &'a [Vec<f32>],
    ) -> Self {
        Self { network, tensors, masks: Some(masks.iter()) }
    }

    /// A pass that changes nothing.
    pub(super) fn evaluation(network: &'a Network, tensors: &'a [Tensor]) -> Self {
        Self { network, tensors, masks: None }
    }

    fn tensor(&self, name: &str, kind: &str) -> Option<&'a Tensor> {
        let matches = |entry: &str| {
            entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) == Some(kind)
        };
        let entries = self.network.layout().entries();
        self.tensors.get(entries.iter().position(|entry| matches(&entry.name))?)
    }

    /// `x * scale + shift`, channel by channel.
    fn scaled(&self, name: &str, kinds: [&str; 2], x: Tensor) -> Tensor {
        let by_channel = |kind| self.tensor(name, kind).map(|values| values.view([1, -1, 1, 1]));
        let x = by_channel(kinds[0]).map_or_else(|| x.shallow_clone(), |scale| &x * scale);
        by_channel(kinds[1]).map_or_else(|| x.shallow_clone(), |shift| &x + shift)
    }

    fn chain(&mut self, layers: &[Layer], mut x: Tensor) -> Tensor {
        let mut rest = layers;
        loop {
            (x, rest) = match rest {
                [] => return x,
                // The largest of the positive parts is the positive part of the largest, and pooling first
                // leaves less to do.
                [
                    relu @ Layer::Relu,
                    pool @ (Layer::MaxPool(_) | Layer::OverlapMaxPool { .. }),
                    rest @ ..,
                ] => {
                    let pooled = self.apply(pool, x);
                    (self.apply(relu, pooled), rest)
                }
                [layer, rest @ ..] => (self.apply(layer, x), rest),
            };
        }
    }

    fn apply(&mut self, layer: &Layer, x: Tensor) -> Tensor {
        match layer {
            Layer::Linear { name, .. } => match self.tensor(name, "weight") {
                Some(weight) => vectors(&x).linear(weight, self.tensor(name, "bias")),
                None => x,
            },
            Layer::Cosine { name, .. } => match self.tensor(name, "weight") {
                Some(weight) => unit_rows(&vectors(&x)).matmul(&unit_rows(weight).transpose(0, 1)),
                None => x,
            },
            Layer::Conv { name, stride, padding, .. } => {
                self.convolved(name, &x, (*stride, *padding, 1))
            }
            Layer::Depthwise { name, channels, padding, .. } => {
                self.convolved(name, &x, (1, *padding, *channels))
            }
            Layer::Relu => x.relu(),
            Layer::Sigmoid => x.sigmoid(),
            Layer::Gelu => x.gelu("none"),
            Layer::Dropout(_) => match self.masks.as_mut().and_then(Iterator::next) {
                Some(mask) => &x * Tensor::from_slice(mask).view(x.size().as_slice()),
                None => x,
            },
            Layer::MaxPool(size) => pooled(&x, (*size, *size, 0)),
            Layer::OverlapMaxPool { kernel, stride, padding } => {
                pooled(&x, (*kernel, *stride, *padding))
            }
            Layer::GlobalAvgPool => x.mean_dim([2i64, 3].as_slice(), false, Kind::Float),
            Layer::Flatten => vectors(&x),
            Layer::GroupNorm { name, groups, .. } => {
                let [weight, bias] = ["weight", "bias"].map(|kind| self.tensor(name, kind));
                x.group_norm(*groups as i64, weight, bias, f64::from(NORM_EPSILON), false)
            }
            Layer::BatchNorm { name, channels } => self.batch_norm(name, *channels, &x),
            Layer::LayerNorm { name, channels } => self.layer_norm(name, *channels, &x),
            Layer::Grn { name, .. } => {
                let places = [2i64, 3];
                let squares = (&x * &x).sum_dim_intlist(places.as_slice(), true, Kind::Float);
                let norms = (squares + f64::from(ROOT_EPSILON)).sqrt();
                let mean = norms.mean_dim([1i64].as_slice(), true, Kind::Float);
                let shares = &norms / (mean + f64::from(GRN_EPSILON));
                &x + self.scaled(name, ["gamma", "beta"], &x * shares)
            }
            Layer::Residual { body, shortcut } => {
                let long = self.chain(body, x.shallow_clone());
                long + self.chain(shortcut, x)
            }
        }
    }

    fn convolved(
        &self,
        name: &str,
        x: &Tensor,
        (stride, padding, groups): (usize, usize, usize),
    ) -> Tensor {
        let [stride, padding] = [stride, padding].map(|length| [length as i64; 2]);
        match self.tensor(name, "weight") {
            Some(weight) => x.conv2d(
                weight,
                self.tensor(name, "bias"),
                stride.as_slice(),
                padding.as_slice(),
                [1i64, 1].as_slice(),
                groups as i64,
            ),
            None => x.shallow_clone(),
        }
    }

    /// In training with the statistics of the batch, which move the running ones in place, unless there is
    /// one number for each channel.
    fn batch_norm(&self, name: &str, channels: usize, x: &Tensor) -> Tensor {
        let [weight, bias, mean, variance] =
            ["weight", "bias", "running_mean", "running_var"].map(|kind| self.tensor(name, kind));
        let training = self.masks.is_some() && x.numel() > channels;
        let (momentum, epsilon) = (f64::from(BATCH_NORM_MOMENTUM), f64::from(NORM_EPSILON));
        x.batch_norm(weight, bias, mean, variance, training, momentum, epsilon, false)
    }

    /// Over the channels, at each place by itself.
    fn layer_norm(&self, name: &str, channels: usize, x: &Tensor) -> Tensor {
        let [weight, bias] = ["weight", "bias"].map(|kind| self.tensor(name, kind));
        let normalised = |x: &Tensor| {
            let over = [channels as i64];
            x.layer_norm(over.as_slice(), weight, bias, f64::from(LAYER_NORM_EPSILON), false)
        };
        match x.dim() {
            4 => normalised(&x.permute([0, 2, 3, 1])).permute([0, 3, 1, 2]),
            _ => normalised(x),
        }
    }
}

/// The logits `[batch, classes]` of a batch of inputs, or the features `[batch, width]` below the head.
pub(super) fn logits_or_features(mut pass: Pass<'_>, x: Tensor, with_head: bool) -> Tensor {
    let layers = pass.network.layers();
    let body = layers.len().saturating_sub(1);
    let x = pass.chain(&layers[..body], x);
    let features = vectors(&x);
    if with_head { pass.chain(&layers[body..], features) } else { features }
}

fn vectors(x: &Tensor) -> Tensor {
    if x.dim() == 4 { x.flatten(1, 3) } else { x.shallow_clone() }
}

fn pooled(x: &Tensor, (kernel, stride, padding): (usize, usize, usize)) -> Tensor {
    let [kernel, stride, padding] = [kernel, stride, padding].map(|length| [length as i64; 2]);
    let dilation = [1i64, 1];
    let (kernel, stride, padding) = (kernel.as_slice(), stride.as_slice(), padding.as_slice());
    x.max_pool2d(kernel, stride, padding, dilation.as_slice(), false)
}

fn unit_rows(rows: &Tensor) -> Tensor {
    let squares = (rows * rows).sum_dim_intlist([1i64].as_slice(), true, Kind::Float);
    rows / (squares + f64::from(ROOT_EPSILON)).sqrt()
}
