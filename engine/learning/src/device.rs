//! What computes: devices by name, and what travels between them and host memory.
//!
//! Nothing outside this crate knows a backend's details. A [`DeviceName`] names a device, a [`DeviceList`]
//! the devices of a run, one entry for each worker; [`HomeDevice`] says where the vectors of a strategy live.

mod home;
mod list;
mod name;
mod transfers;

pub use burn::tensor::Device;
pub use home::HomeDevice;
pub use list::DeviceList;
pub use name::{Backend, DeviceName};
pub use transfers::{Moved, Transfers};

pub(crate) use home::is_host;
#[cfg(feature = "tch")]
pub(crate) use home::is_libtorch;
pub(crate) use transfers::{download, passed, upload};

use crate::error::LearnError;

/// The device called `name`, such as `flex`, `tch`, `wgpu:1` or `cuda:0`; see [`DeviceName`].
///
/// # Errors
/// As [`DeviceName::open`], and when there is no such name.
pub fn device(name: &str) -> Result<Device, LearnError> {
    name.parse::<DeviceName>().map_err(LearnError::Invalid)?.open()
}
