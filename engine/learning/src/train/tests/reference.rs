//! The networks in `f64` by plain loops: slow, and written apart from both trainers.

use crate::network::{Layer, Network, Shape};

/// A sample between two layers.
#[derive(Clone)]
struct Value {
    shape: Shape,
    numbers: Vec<f64>,
}

impl Value {
    fn sides(&self) -> (usize, usize, usize) {
        match self.shape {
            Shape::Vector(length) => (length, 1, 1),
            Shape::Image(channels, height, width) => (channels, height, width),
        }
    }
}

/// Parameters of a network by name.
type Named<'a> = dyn Fn(&str) -> Option<&'a [f64]> + 'a;

/// How a pass runs: in evaluation with running statistics and without dropout, or in training with the
/// statistics of the batch and these masks, one row-major list for each dropout.
pub(super) enum Mode<'a> {
    Evaluation,
    Training(&'a [Vec<f32>]),
}

/// Features and logits of a batch, row by row.
pub(super) struct Outputs {
    pub(super) features: Vec<Vec<f64>>,
    pub(super) logits: Vec<Vec<f64>>,
}

/// Passes a batch of samples, row-major, through the network.
pub(super) fn forward(
    network: &Network,
    params: &[f64],
    samples: &[f32],
    mode: &Mode<'_>,
) -> Outputs {
    let shape = network.input();
    let batch = samples.chunks(shape.len()).map(|sample| {
        let numbers = sample.iter().map(|value| f64::from(*value)).collect();
        Value { shape, numbers }
    });
    let named = |name: &str| network.layout().entry(name).map(|entry| &params[entry.range()]);
    let (head, body) = network.layers().split_last().expect("a head");
    let features = chain(body, &named, batch.collect(), mode, &mut 0);
    let logits = chain(std::slice::from_ref(head), &named, features.clone(), mode, &mut 0);
    let rows = |batch: Vec<Value>| batch.into_iter().map(|value| value.numbers).collect();
    Outputs { features: rows(features), logits: rows(logits) }
}

fn chain(
    layers: &[Layer],
    params: &Named<'_>,
    batch: Vec<Value>,
    mode: &Mode<'_>,
    dropout: &mut usize,
) -> Vec<Value> {
    layers.iter().fold(batch, |batch, layer| {
        let shape = layer.output(batch[0].shape).expect("a checked network");
        match layer {
            Layer::Residual { body, shortcut } => {
                let long = chain(body, params, batch.clone(), mode, dropout);
                let short = chain(shortcut, params, batch, mode, dropout);
                let sum = |(a, b): (Value, Value)| {
                    let numbers = a.numbers.iter().zip(&b.numbers).map(|(a, b)| a + b).collect();
                    Value { shape, numbers }
                };
                long.into_iter().zip(short).map(sum).collect()
            }
            Layer::BatchNorm { name, .. } => batch_norm(name, params, batch, mode),
            Layer::Dropout(_) => match mode {
                Mode::Evaluation => batch,
                Mode::Training(masks) => {
                    *dropout += 1;
                    let masks = masks[*dropout - 1].chunks(shape.len());
                    let masked = |(x, mask): (Value, &[f32])| {
                        let terms = x.numbers.iter().zip(mask);
                        Value { shape, numbers: terms.map(|(x, m)| x * f64::from(*m)).collect() }
                    };
                    batch.into_iter().zip(masks).map(masked).collect()
                }
            },
            layer => {
                let one = |x| Value { shape, numbers: numbers(layer, params, x, shape) };
                batch.into_iter().map(one).collect()
            }
        }
    })
}

fn batch_norm(
    name: &str,
    params: &Named<'_>,
    mut batch: Vec<Value>,
    mode: &Mode<'_>,
) -> Vec<Value> {
    let tensor = |kind: &str| params(&format!("{name}.{kind}")).expect("there");
    let (channels, height, width) = batch[0].sides();
    let plane = height * width;
    for channel in 0..channels {
        let places = channel * plane..(channel + 1) * plane;
        let all: Vec<f64> = batch.iter().flat_map(|x| x.numbers[places.clone()].to_vec()).collect();
        let count = all.len() as f64;
        let (mean, variance) = match mode {
            Mode::Training(_) if all.len() > 1 => {
                let mean = all.iter().sum::<f64>() / count;
                (mean, all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count)
            }
            _ => (tensor("running_mean")[channel], tensor("running_var")[channel]),
        };
        for x in batch.iter_mut().flat_map(|x| &mut x.numbers[places.clone()]) {
            let normal = (*x - mean) / (variance + 1e-5).sqrt();
            *x = normal * tensor("weight")[channel] + tensor("bias")[channel];
        }
    }
    batch
}

/// The error function by its series, which converges everywhere.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= -x * x / n as f64;
        sum += term / (2 * n + 1) as f64;
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn numbers(layer: &Layer, params: &Named<'_>, x: Value, shape: Shape) -> Vec<f64> {
    let (_, height, width) = x.sides();
    let tensor = |name: &str, kind: &str| params(&format!("{name}.{kind}"));
    match layer {
        Layer::Linear { name, .. } => {
            let weight = tensor(name, "weight").expect("there");
            let rows = weight.chunks(x.numbers.len()).zip(tensor(name, "bias").expect("there"));
            rows.map(|(row, bias)| {
                bias + row.iter().zip(&x.numbers).map(|(w, x)| w * x).sum::<f64>()
            })
            .collect()
        }
        Layer::Conv { name, stride, padding, kernel, inputs, .. } => {
            let (weight, bias) = (tensor(name, "weight").expect("there"), tensor(name, "bias"));
            let mut out = vec![0.0; shape.len()];
            let Shape::Image(outputs, out_height, out_width) = shape else { unreachable!() };
            for (o, i, ky, kx) in four(outputs, *inputs, *kernel, *kernel) {
                for (y, x_) in (0..out_height).flat_map(|y| (0..out_width).map(move |x| (y, x))) {
                    let (row, column) = (
                        (y * stride + ky).wrapping_sub(*padding),
                        (x_ * stride + kx).wrapping_sub(*padding),
                    );
                    if row < height && column < width {
                        let w = weight[((o * inputs + i) * kernel + ky) * kernel + kx];
                        out[(o * out_height + y) * out_width + x_] +=
                            w * x.numbers[(i * height + row) * width + column];
                    }
                }
            }
            let plane = out_height * out_width;
            out.iter()
                .enumerate()
                .map(|(at, v)| v + bias.map_or(0.0, |bias| bias[at / plane]))
                .collect()
        }
        Layer::Relu => x.numbers.iter().map(|value| value.max(0.0)).collect(),
        Layer::MaxPool(size) => {
            let Shape::Image(channels, out_height, out_width) = shape else { unreachable!() };
            let mut out = vec![f64::NEG_INFINITY; shape.len()];
            for (c, y, ky, kx) in four(channels, out_height, *size, *size) {
                for column in 0..out_width {
                    let at = (c * height + y * size + ky) * width + column * size + kx;
                    let best = &mut out[(c * out_height + y) * out_width + column];
                    *best = best.max(x.numbers[at]);
                }
            }
            out
        }
        Layer::GlobalAvgPool => {
            let plane = height * width;
            x.numbers
                .chunks(plane)
                .map(|plane_| plane_.iter().sum::<f64>() / plane as f64)
                .collect()
        }
        Layer::Flatten => x.numbers,
        Layer::GroupNorm { name, groups, .. } => {
            let (scale, shift) =
                (tensor(name, "weight").expect("there"), tensor(name, "bias").expect("there"));
            let size = x.numbers.len() / groups;
            let mut out = x.numbers.clone();
            for group in out.chunks_mut(size) {
                let mean = group.iter().sum::<f64>() / size as f64;
                let variance = group.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / size as f64;
                group.iter_mut().for_each(|v| *v = (*v - mean) / (variance + 1e-5).sqrt());
            }
            let channel = |at: usize| at / (height * width);
            out.iter()
                .enumerate()
                .map(|(at, v)| v * scale[channel(at)] + shift[channel(at)])
                .collect()
        }
        Layer::Cosine { name, .. } => {
            let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
            let weight = tensor(name, "weight").expect("there");
            let rows = weight.chunks(x.numbers.len()).map(|row| {
                let dot = row.iter().zip(&x.numbers).map(|(w, x)| w * x).sum::<f64>();
                dot / length(row) / length(&x.numbers)
            });
            rows.collect()
        }
        Layer::Depthwise { name, channels, kernel, padding } => {
            let (weight, bias) =
                (tensor(name, "weight").expect("there"), tensor(name, "bias").expect("there"));
            let Shape::Image(_, out_height, out_width) = shape else { unreachable!() };
            let mut out = Vec::new();
            for (c, y, x_, _) in four(*channels, out_height, out_width, 1) {
                let taps = four(*kernel, *kernel, 1, 1).filter_map(|(ky, kx, ..)| {
                    let (row, column) =
                        ((y + ky).checked_sub(*padding)?, (x_ + kx).checked_sub(*padding)?);
                    let inside = row < height && column < width;
                    let w = weight[(c * kernel + ky) * kernel + kx];
                    inside.then(|| w * x.numbers[(c * height + row) * width + column])
                });
                out.push(bias[c] + taps.sum::<f64>());
            }
            out
        }
        Layer::Sigmoid => x.numbers.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect(),
        Layer::Gelu => x.numbers.iter().map(|x| x * 0.5 * (1.0 + erf(x / 2f64.sqrt()))).collect(),
        Layer::OverlapMaxPool { kernel, stride, padding } => {
            let Shape::Image(channels, out_height, out_width) = shape else { unreachable!() };
            let mut out = vec![f64::NEG_INFINITY; shape.len()];
            for (at, tap) in
                (0..shape.len()).flat_map(|at| (0..kernel * kernel).map(move |t| (at, t)))
            {
                let (c, y, x_) =
                    (at / (out_height * out_width), at / out_width % out_height, at % out_width);
                assert!(c < channels);
                let row = (y * stride + tap / kernel).wrapping_sub(*padding);
                let column = (x_ * stride + tap % kernel).wrapping_sub(*padding);
                if row < height && column < width {
                    out[at] = out[at].max(x.numbers[(c * height + row) * width + column]);
                }
            }
            out
        }
        Layer::LayerNorm { name, channels } => {
            let (scale, shift) =
                (tensor(name, "weight").expect("there"), tensor(name, "bias").expect("there"));
            let (plane, count) = (height * width, *channels as f64);
            let mut out = x.numbers.clone();
            for place in 0..plane {
                let column = || (0..*channels).map(|c| x.numbers[c * plane + place]);
                let mean = column().sum::<f64>() / count;
                let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
                for c in 0..*channels {
                    let normal = (x.numbers[c * plane + place] - mean) / (variance + 1e-6).sqrt();
                    out[c * plane + place] = normal * scale[c] + shift[c];
                }
            }
            out
        }
        Layer::Grn { name, channels } => {
            let (gamma, beta) =
                (tensor(name, "gamma").expect("there"), tensor(name, "beta").expect("there"));
            let planes = x.numbers.chunks(height * width);
            let norms: Vec<f64> =
                planes.clone().map(|p| p.iter().map(|v| v * v).sum::<f64>().sqrt()).collect();
            let level = norms.iter().sum::<f64>() / *channels as f64 + 1e-6;
            let mut out = Vec::new();
            for (c, plane) in planes.enumerate() {
                out.extend(plane.iter().map(|x| gamma[c] * x * norms[c] / level + beta[c] + x));
            }
            out
        }
        Layer::BatchNorm { .. } | Layer::Dropout(_) | Layer::Residual { .. } => {
            unreachable!("these need the batch")
        }
    }
}

fn four(
    a: usize,
    b: usize,
    c: usize,
    d: usize,
) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..a * b * c * d).map(move |i| (i / (b * c * d), i / (c * d) % b, i / d % c, i % d))
}
