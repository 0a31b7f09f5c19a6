//! A flat parameter vector, where the strategies' arithmetic happens.

mod blocks;

use self::blocks::{add_differences, all_finite, first_beyond};
use crate::device::{download, passed, upload};
use crate::intern;
use burn::tensor::{Device, Tensor, TensorData};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ops::Range;
use std::sync::Arc;

/// A vector of `f32` on a device. Cheap to clone: clones share their memory until one is changed.
///
/// On the processor device memory is host memory, so the vector is a slice that algorithms read
/// without a copy. On any other device it is a Burn tensor and stays there. Sums run in a fixed order,
/// so that results do not depend on the number of workers.
#[derive(Clone, Debug)]
pub struct Flat(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Host(Arc<Vec<f32>>),
    Device(Box<Tensor<1>>),
}

impl Flat {
    /// A vector in host memory.
    pub fn new(values: Vec<f32>) -> Self {
        Self(Repr::Host(Arc::new(values)))
    }

    /// A vector in host memory that shares `values`.
    pub fn from_shared(values: Arc<Vec<f32>>) -> Self {
        Self(Repr::Host(values))
    }

    /// `len` zeros in host memory.
    pub fn zeros(len: usize) -> Self {
        Self::new(vec![0.0; len])
    }

    /// A vector that lives where `tensor` lives.
    pub fn from_tensor(tensor: Tensor<1>) -> Self {
        Self(Repr::Device(Box::new(tensor)))
    }

    /// The same vector as a tensor on `device`.
    pub fn tensor(&self, device: &Device) -> Tensor<1> {
        match &self.0 {
            Repr::Host(values) => upload(TensorData::new(values.to_vec(), [values.len()]), device),
            Repr::Device(tensor) => passed((**tensor).clone(), device),
        }
    }

    /// The same vector, moved to `device`.
    pub fn on(&self, device: &Device) -> Self {
        Self::from_tensor(self.tensor(device))
    }

    /// The same vector in host memory.
    pub fn into_host(self) -> Self {
        match &self.0 {
            Repr::Host(_) => self,
            Repr::Device(tensor) => Self::new(download((**tensor).clone())),
        }
    }

    /// Whether it lives in the memory of a device.
    pub fn is_on_device(&self) -> bool {
        matches!(self.0, Repr::Device(_))
    }

    /// As many zeros, living where this vector lives.
    pub fn zeros_like(&self) -> Self {
        match &self.0 {
            Repr::Host(values) => Self::zeros(values.len()),
            Repr::Device(tensor) => Self::from_tensor((**tensor).zeros_like()),
        }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        match &self.0 {
            Repr::Host(values) => values.len(),
            Repr::Device(tensor) => tensor.dims()[0],
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values in host memory; shared when they are there already, read from the device otherwise.
    pub fn host(&self) -> Arc<Vec<f32>> {
        match &self.0 {
            Repr::Host(values) => values.clone(),
            Repr::Device(tensor) => Arc::new(download((**tensor).clone())),
        }
    }

    /// A copy of the values.
    pub fn to_vec(&self) -> Vec<f32> {
        match &self.0 {
            Repr::Host(values) => values.to_vec(),
            Repr::Device(tensor) => download((**tensor).clone()),
        }
    }

    /// The elements in `range`.
    ///
    /// # Panics
    /// When the range goes beyond the end.
    pub fn slice(&self, range: Range<usize>) -> Self {
        match &self.0 {
            Repr::Host(values) if range == (0..values.len()) => self.clone(),
            Repr::Host(values) => Self::new(values[range].to_vec()),
            Repr::Device(tensor) => Self::from_tensor((**tensor).clone().slice(range)),
        }
    }

    /// This vector followed by `tail`.
    pub fn concat(&self, tail: &Flat) -> Self {
        match (&self.0, &tail.0) {
            (Repr::Device(head), _) => {
                let tail = tail.tensor(&head.device());
                Self::from_tensor(Tensor::cat(vec![(**head).clone(), tail], 0))
            }
            (Repr::Host(head), _) if tail.is_empty() => Self(Repr::Host(head.clone())),
            (Repr::Host(head), _) => {
                let tail = tail.host();
                let mut values = Vec::with_capacity(head.len() + tail.len());
                values.extend_from_slice(head);
                values.extend_from_slice(&tail);
                Self::new(values)
            }
        }
    }

    /// `self += factor * other`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add_scaled(&mut self, factor: f32, other: &Flat) {
        assert_eq!(self.len(), other.len(), "flat vectors of different length");
        match &mut self.0 {
            Repr::Host(values) => {
                let other = other.host();
                for (value, other) in Arc::make_mut(values).iter_mut().zip(other.iter()) {
                    *value += factor * other;
                }
            }
            Repr::Device(tensor) => {
                let other = other.tensor(&tensor.device());
                **tensor = (**tensor).clone() + other * factor;
            }
        }
    }

    /// `self += factor * (a - b)` in one pass: how a change against a base version is added up.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add_scaled_difference(&mut self, factor: f32, a: &Flat, b: &Flat) {
        self.add_scaled_differences(&[(factor, a, b)]);
    }

    /// [`Flat::add_scaled_difference`] for each of `terms`, in their order; the same bits, but the vector and
    /// what all terms have in common stay in the cache while the terms pass by.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn add_scaled_differences(&mut self, terms: &[(f32, &Flat, &Flat)]) {
        let len = self.len();
        for (_, a, b) in terms {
            assert_eq!((len, len), (a.len(), b.len()), "flat vectors of different length");
        }
        match &mut self.0 {
            Repr::Host(values) => {
                let host = |(factor, a, b): &(f32, &Flat, &Flat)| (*factor, a.host(), b.host());
                let terms: Vec<_> = terms.iter().map(host).collect();
                let terms = terms.iter().map(|(factor, a, b)| (*factor, &a[..], &b[..]));
                let terms: Vec<_> = terms.collect();
                let values: &mut Vec<f32> = Arc::make_mut(values);
                add_differences(values, &terms);
            }
            Repr::Device(tensor) => {
                let device = tensor.device();
                for (factor, a, b) in terms {
                    let change = a.tensor(&device) - b.tensor(&device);
                    **tensor = (**tensor).clone() + change * *factor;
                }
            }
        }
    }

    /// `self *= factor`.
    pub fn scale(&mut self, factor: f32) {
        match &mut self.0 {
            Repr::Host(values) => Arc::make_mut(values).iter_mut().for_each(|v| *v *= factor),
            Repr::Device(tensor) => **tensor = (**tensor).clone() * factor,
        }
    }

    /// `self - other`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn minus(&self, other: &Flat) -> Flat {
        let mut difference = self.clone();
        difference.add_scaled(-1.0, other);
        difference
    }

    /// Applies `f(own, other)` to every pair of elements, in host memory: for server optimizers and
    /// other rules that are cheap beside the training.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn zip_mut(&mut self, other: &Flat, f: impl Fn(&mut f32, f32)) {
        assert_eq!(self.len(), other.len(), "flat vectors of different length");
        let other = other.host();
        let mut values = self.take_values();
        values.iter_mut().zip(other.iter()).for_each(|(value, other)| f(value, *other));
        self.put_back(values);
    }

    /// The inner product, summed in `f64` in index order.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn dot(&self, other: &Flat) -> f64 {
        assert_eq!(self.len(), other.len(), "flat vectors of different length");
        let (a, b) = (self.host(), other.host());
        a.iter().zip(b.iter()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    /// The Euclidean norm.
    pub fn norm(&self) -> f64 {
        self.dot(self).sqrt()
    }

    /// The cosine of the angle between two vectors; 0 when one of them is zero.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn cosine(&self, other: &Flat) -> f64 {
        let norms = self.norm() * other.norm();
        if norms > 0.0 { self.dot(other) / norms } else { 0.0 }
    }

    /// Whether every element is a finite number.
    pub fn is_finite(&self) -> bool {
        all_finite(&self.host())
    }

    /// The first place where the absolute value, or that of the difference to `from`, is not at most `most`;
    /// one that is no number is not.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn first_beyond(&self, from: &Flat, most: f32) -> Option<usize> {
        assert_eq!(self.len(), from.len(), "flat vectors of different length");
        first_beyond(&self.host(), &from.host(), most)
    }

    fn take_values(&mut self) -> Vec<f32> {
        match &mut self.0 {
            Repr::Host(values) => std::mem::take(Arc::make_mut(values)),
            Repr::Device(tensor) => download((**tensor).clone()),
        }
    }

    fn put_back(&mut self, values: Vec<f32>) {
        self.0 = match &self.0 {
            Repr::Host(_) => Repr::Host(Arc::new(values)),
            Repr::Device(tensor) => {
                let len = values.len();
                let data = TensorData::new(values, [len]);
                Repr::Device(Box::new(upload(data, &tensor.device())))
            }
        };
    }
}

impl From<Vec<f32>> for Flat {
    fn from(values: Vec<f32>) -> Self {
        Self::new(values)
    }
}

impl PartialEq for Flat {
    /// Bit for bit: NaN equals the same NaN, 0 differs from -0.
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.host(), other.host());
        a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
    }
}

impl Serialize for Flat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let values = self.host();
        match intern::number(&values, self.is_on_device()) {
            Some(number) => number.serialize(serializer),
            None => values.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Flat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !intern::is_scattering() {
            return Ok(Self::new(Vec::deserialize(deserializer)?));
        }
        let number = u32::deserialize(deserializer)?;
        intern::vector(number)
            .ok_or_else(|| D::Error::custom(format!("there is no vector of number {number}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(values: &[f32]) -> [Flat; 2] {
        let host = Flat::new(values.to_vec());
        let device = host.on(&Device::flex());
        [host, device]
    }

    #[test]
    fn host_and_device_do_the_same_arithmetic() {
        let expected = [3.0f32, -1.0, 9.0];
        for mut flat in both(&[1.0, 2.0, 3.0]) {
            for other in both(&[1.0, -1.5, 3.0]) {
                let mut sum = flat.clone();
                sum.add_scaled(2.0, &other);
                assert_eq!(sum.to_vec(), expected);
                assert_eq!(flat.minus(&other).to_vec(), [0.0, 3.5, 0.0]);
                assert!((flat.dot(&other) - 7.0).abs() < 1e-12);
            }
            let zero = Flat::zeros(3);
            let mut sum = flat.clone();
            sum.add_scaled_difference(0.5, &flat, &zero);
            assert_eq!(sum.to_vec(), [1.5, 3.0, 4.5]);
            sum.zip_mut(&flat, |own, other| *own -= other);
            assert_eq!(sum.to_vec(), [0.5, 1.0, 1.5]);
            assert_eq!(flat.slice(1..3).to_vec(), [2.0, 3.0]);
            assert_eq!(flat.zeros_like().to_vec(), [0.0; 3]);
            assert_eq!(flat.zeros_like().is_on_device(), flat.is_on_device());
            let host = flat.clone().into_host();
            assert!(host == flat && !host.is_on_device());
            assert_eq!(flat.slice(0..1).concat(&flat.slice(1..3)), flat);
            flat.scale(2.0);
            assert_eq!(flat.to_vec(), [2.0, 4.0, 6.0]);
        }
        let [a, b] = both(&[3.0, 4.0]);
        assert_eq!(a, b);
        assert_eq!((a.norm(), a.cosine(&b)), (5.0, 1.0));
        assert_eq!(a.cosine(&Flat::zeros(2)), 0.0);
    }

    #[test]
    fn clones_do_not_see_later_changes() {
        let mut a = Flat::new(vec![1.0, 2.0]);
        let b = a.clone();
        a.scale(10.0);
        assert_eq!(b.to_vec(), [1.0, 2.0]);
    }
}
