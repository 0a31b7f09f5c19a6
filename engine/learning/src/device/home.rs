//! Where the vectors of a strategy live.

use super::{Device, DeviceName};
use crate::error::LearnError;
use crate::flat::Flat;

/// Where vectors are put that jobs give: in host memory, or on the first device of a run if that has memory of
/// its own.
#[derive(Clone, Debug, Default)]
pub struct HomeDevice(Option<Device>);

impl HomeDevice {
    /// The home of a run whose first device is `name`: host memory where that is the processor.
    ///
    /// # Errors
    /// As [`DeviceName::open`].
    pub fn of(name: DeviceName) -> Result<Self, LearnError> {
        Ok(Self(if name.is_processor() { None } else { Some(name.open()?) }))
    }

    /// The same vector, here.
    pub fn put(&self, flat: Flat) -> Flat {
        match &self.0 {
            None => flat.into_host(),
            Some(device) => flat.on(device),
        }
    }
}

/// Whether the memory of `device` is host memory.
pub(crate) fn is_host(device: &Device) -> bool {
    if *device == Device::flex() {
        return true;
    }
    #[cfg(feature = "tch")]
    {
        is_libtorch(device)
    }
    #[cfg(not(feature = "tch"))]
    false
}

/// Whether `device` is LibTorch's processor.
#[cfg(feature = "tch")]
pub(crate) fn is_libtorch(device: &Device) -> bool {
    *device == super::name::libtorch(None)
}
