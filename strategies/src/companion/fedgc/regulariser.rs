//! The softmax regulariser across clients (Niu and Deng 2022): every class embedding stands in for the features of
//! its class, and pushes away the embeddings of all other clients.
//!
//! `Reg(W) = sum_i -ln( e^{s_ii} / ( e^{s_ii} + sum_{j of other clients} e^{s_ji} ) )`, where `s_ji` compares
//! embedding `j` with embedding `i` taken as a constant. Its gradient by `w_j` is
//! `sum_{i of other clients} p_ij ds_ji/dw_j`: what local softmax misses of the softmax over all classes.

use offbeat_learning::reid::similarity::products;
use std::ops::Range;

/// Shares of the softmax below this move nothing.
const NEGLIGIBLE: f32 = 1e-12;

/// The embeddings of several clients, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Heads {
    rows: Vec<f32>,
    width: usize,
    /// Rows of each client.
    of: Vec<Range<usize>>,
}

impl Heads {
    /// The weights of flat heads with their numbers of classes, each embedding `width` long. What lies behind the
    /// weights (biases) is left out.
    ///
    /// # Panics
    /// When a head is too short for its classes.
    pub fn new<'a>(heads: impl Iterator<Item = (&'a [f32], usize)>, width: usize) -> Self {
        let (mut rows, mut of, mut first) = (Vec::new(), Vec::new(), 0);
        for (head, classes) in heads {
            rows.extend_from_slice(&head[..classes * width]);
            of.push(first..first + classes);
            first += classes;
        }
        Self { rows, width, of }
    }

    /// Number of embeddings.
    pub fn len(&self) -> usize {
        self.rows.len() / self.width.max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The numbers, row-major.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// What belongs to each client of numbers laid out like the rows.
    pub fn apart<'a>(&'a self, numbers: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        self.of.iter().map(|rows| &numbers[rows.start * self.width..rows.end * self.width])
    }

    /// The same embeddings with other numbers.
    pub fn with_rows(&self, rows: Vec<f32>) -> Self {
        Self { rows, ..self.clone() }
    }

    fn lengths(&self) -> Vec<f32> {
        let square = |row: &[f32]| row.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        self.rows.chunks_exact(self.width).map(|row| square(row).sqrt().max(1e-12) as f32).collect()
    }
}

/// How embeddings are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regulariser {
    /// Scale of cosines; `None` for plain inner products.
    pub scale: Option<f64>,
}

impl Regulariser {
    /// The regulariser's value with `proxies` as the constant stand-ins of features; they are the embeddings
    /// themselves when a correction is made. By its definition, in doubles: slow, for tests and figures.
    ///
    /// # Panics
    /// When the two are not laid out alike.
    pub fn value(&self, heads: &Heads, proxies: &Heads) -> f64 {
        let width = heads.width;
        let row = |of: &Heads, at: usize| -> Vec<f64> {
            of.rows[at * width..(at + 1) * width].iter().map(|x| f64::from(*x)).collect()
        };
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let similar = |a: &[f64], b: &[f64]| match self.scale {
            None => dot(a, b),
            Some(scale) => scale * dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(1e-24),
        };
        let mut sum = 0.0;
        for own in &heads.of {
            for i in own.clone() {
                let proxy = row(proxies, i);
                let right = similar(&proxy, &proxy);
                let others = (0..heads.len()).filter(|j| !own.contains(j));
                let each = others.map(|j| (similar(&row(heads, j), &proxy) - right).exp());
                sum += each.sum::<f64>().ln_1p();
            }
        }
        sum
    }

    /// The gradient by all embeddings, laid out like the rows; stand-ins and numerators are constants.
    /// Time is embeddings squared times width.
    pub fn gradient(&self, heads: &Heads) -> Vec<f32> {
        let (width, count) = (heads.width, heads.len());
        let lengths = match self.scale {
            Some(_) => heads.lengths(),
            None => vec![1.0; count],
        };
        let scaled = heads.rows.chunks_exact(width.max(1)).zip(&lengths);
        let points: Vec<f32> =
            scaled.flat_map(|(row, length)| row.iter().map(move |x| x / length)).collect();
        let factor = self.scale.unwrap_or(1.0) as f32;
        let mut gradient = vec![0.0f32; heads.rows.len()];
        // How far each embedding is drawn along itself, which changes no cosine.
        let mut along = vec![0.0f32; count];
        let mut similar = vec![0.0f32; count];
        for own in &heads.of {
            for i in own.clone() {
                let proxy = &points[i * width..(i + 1) * width];
                products(proxy, &points, width, &mut similar);
                let shares = shares(&similar, factor, i, own);
                for (j, share) in shares {
                    along[j] += share * similar[j];
                    let slope = &mut gradient[j * width..(j + 1) * width];
                    slope.iter_mut().zip(proxy).for_each(|(slope, x)| *slope += share * x);
                }
            }
        }
        if self.scale.is_some() {
            for j in 0..count {
                let own = j * width..(j + 1) * width;
                let slopes = gradient[own.clone()].iter_mut().zip(&points[own]);
                slopes
                    .for_each(|(slope, w)| *slope = factor / lengths[j] * (*slope - along[j] * w));
            }
        }
        gradient
    }
}

/// The share `p_ij` of every embedding `j` of other clients in the softmax of stand-in `i`.
fn shares(similar: &[f32], factor: f32, i: usize, own: &Range<usize>) -> Vec<(usize, f32)> {
    let others = || (0..similar.len()).filter(|j| !own.contains(j));
    let top = others().map(|j| similar[j]).fold(similar[i], f32::max);
    let power = |j: usize| (factor * (similar[j] - top)).exp();
    let each: Vec<(usize, f32)> = others().map(|j| (j, power(j))).collect();
    let all = power(i) + each.iter().map(|(_, power)| power).sum::<f32>();
    let shares = each.into_iter().map(|(j, power)| (j, power / all));
    shares.filter(|(_, share)| *share > NEGLIGIBLE).collect()
}
