//! What travels between host memory and devices with memory of their own.
//!
//! Every such copy of this crate's trainers and vectors goes through [`upload`] and [`download`], which count
//! for the calling thread. The processor's memory is host memory: there nothing is counted.

use super::home::is_host;
use burn::tensor::{Device, Tensor, TensorData, kind};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::ops::{AddAssign, Sub};

/// Copies in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// How many.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Moved {
    fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes as u64;
    }
}

/// Copies between host memory and devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfers {
    /// From host memory to a device.
    pub to_devices: Moved,
    /// From a device to host memory.
    pub to_host: Moved,
}

impl Transfers {
    /// What the calling thread has copied since it began.
    pub fn so_far() -> Self {
        HERE.get()
    }

    /// Whether nothing was copied.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Sub for Transfers {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        let less =
            |a: Moved, b: Moved| Moved { count: a.count - b.count, bytes: a.bytes - b.bytes };
        Self {
            to_devices: less(self.to_devices, earlier.to_devices),
            to_host: less(self.to_host, earlier.to_host),
        }
    }
}

impl AddAssign for Transfers {
    fn add_assign(&mut self, more: Self) {
        for (own, more) in
            [(&mut self.to_devices, more.to_devices), (&mut self.to_host, more.to_host)]
        {
            own.count += more.count;
            own.bytes += more.bytes;
        }
    }
}

thread_local! {
    static HERE: Cell<Transfers> = const {
        let none = Moved { count: 0, bytes: 0 };
        Cell::new(Transfers { to_devices: none, to_host: none })
    };
}

fn count(change: impl FnOnce(&mut Transfers)) {
    let mut here = HERE.get();
    change(&mut here);
    HERE.set(here);
}

/// `data` as a tensor on `device`.
pub(crate) fn upload<const D: usize, K: kind::Basic>(
    data: TensorData,
    device: &Device,
) -> Tensor<D, K> {
    if !is_host(device) {
        count(|here| here.to_devices.add(data.as_bytes().len()));
    }
    Tensor::from_data(data, device)
}

/// The values of a tensor of `f32`, in host memory.
pub(crate) fn download<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    if !is_host(&tensor.device()) {
        count(|here| here.to_host.add(4 * tensor.shape().num_elements()));
    }
    match tensor.into_data().try_into_vec::<f32>() {
        Ok(values) => values,
        Err(error) => panic!("a tensor of parameters holds f32 only: {error:?}"),
    }
}

/// A tensor of `f32` on another device, by way of host memory where both have memory of their own.
pub(crate) fn passed<const D: usize>(tensor: Tensor<D>, device: &Device) -> Tensor<D> {
    let (from, bytes) = (tensor.device(), 4 * tensor.shape().num_elements());
    if from == *device {
        return tensor;
    }
    if !is_host(&from) {
        count(|here| here.to_host.add(bytes));
    }
    if !is_host(device) {
        count(|here| here.to_devices.add(bytes));
    }
    tensor.to_device(device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Backend, DeviceName};
    use crate::flat::Flat;

    /// Copies a vector of 3 to `device` and back, and says what was counted.
    fn there_and_back(device: &Device) -> Transfers {
        let before = Transfers::so_far();
        let flat = Flat::new(vec![1.0, 2.0, 3.0]).on(device);
        assert_eq!(flat.to_vec(), [1.0, 2.0, 3.0]);
        Transfers::so_far() - before
    }

    #[test]
    fn copies_are_counted_where_a_device_has_memory_of_its_own() {
        assert!(there_and_back(&Device::flex()).is_none());
        let built = Backend::ALL.into_iter().map(DeviceName::usual);
        for name in built.filter(|name| name.backend().is_built_in()) {
            let Ok(device) = name.open() else { continue };
            let mut twice = there_and_back(&device);
            twice += twice;
            let each = if name.is_processor() { 0 } else { 2 };
            let moved = Moved { count: each, bytes: 12 * each };
            assert_eq!((twice.to_devices, twice.to_host), (moved, moved), "{name}");
        }
    }
}
