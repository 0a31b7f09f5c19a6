//! One device by its name.

use super::Device;
use crate::error::LearnError;
use std::fmt;
use std::str::FromStr;

/// A family of devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// The processor, pure Rust.
    #[default]
    Flex,
    /// LibTorch: the processor, or with a number an Nvidia card. Needs the feature `tch`.
    Tch,
    /// Graphics cards through WebGPU. Needs the feature `wgpu`.
    Wgpu,
    /// Nvidia cards. Needs the feature `cuda`.
    Cuda,
}

impl Backend {
    /// All families, the processor first.
    pub const ALL: [Self; 4] = [Self::Flex, Self::Tch, Self::Wgpu, Self::Cuda];

    /// Its name on the command line, and that of its cargo feature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Tch => "tch",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether this build can compute with it.
    pub fn is_built_in(self) -> bool {
        match self {
            Self::Flex => true,
            Self::Tch => cfg!(feature = "tch"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// The cards of this family that the machine has, in the order of their numbers. Empty for the processor
    /// and for what is not built in.
    fn cards(self) -> Vec<Device> {
        match self {
            #[cfg(feature = "tch")]
            Self::Tch => {
                let count = usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
                (0..count).map(|card| libtorch(Some(card))).collect()
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::enumerate(burn::tensor::DeviceType::Wgpu).into_vec(),
            #[cfg(feature = "cuda")]
            Self::Cuda => quietly(|| Device::enumerate(burn::tensor::DeviceType::Cuda).into_vec())
                .unwrap_or_default(),
            _ => Vec::new(),
        }
    }
}

/// One device: `flex` and `tch` are the processor, `wgpu` the card that WebGPU prefers, `cuda` the first Nvidia
/// card; `wgpu:1`, `cuda:1` and `tch:1` are the second card of their family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceName {
    backend: Backend,
    card: Option<usize>,
}

impl DeviceName {
    /// The usual device of a family.
    pub fn usual(backend: Backend) -> Self {
        Self { backend, card: None }
    }

    /// Its family.
    pub fn backend(self) -> Backend {
        self.backend
    }

    /// Whether it computes in host memory: then several workers share it, as they share the processor.
    pub fn is_processor(self) -> bool {
        match self.backend {
            Backend::Flex => true,
            Backend::Tch => self.card.is_none(),
            Backend::Wgpu | Backend::Cuda => false,
        }
    }

    /// The devices of a family that this build can name on this machine: the usual one, and all cards beside it.
    pub fn present(backend: Backend) -> Vec<Self> {
        let cards = backend.cards().len();
        // A single card is the usual one, but for LibTorch, whose usual device is the processor.
        let alone = cards == 1 && backend != Backend::Tch;
        let numbered = if alone { 0..0 } else { 0..cards };
        let numbered = numbered.map(|card| Self { backend, card: Some(card) });
        std::iter::once(Self::usual(backend)).chain(numbered).collect()
    }

    /// Opens the device, and computes one sum on it to see that it is there.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] naming the feature that this build lacks, the cards there are, or what the
    /// backend says.
    pub fn open(self) -> Result<Device, LearnError> {
        if !self.backend.is_built_in() {
            return Err(LearnError::Invalid(format!(
                "this build cannot compute on `{self}`: build it with `--features {}`",
                self.backend.name()
            )));
        }
        let wrong = |why: String| LearnError::Invalid(format!("cannot compute on `{self}`: {why}"));
        let opened = quietly(|| {
            let device = self.find()?;
            let sum: f32 =
                burn::tensor::Tensor::<1>::from_data([1.0f32, 2.0], &device).sum().into_scalar();
            if sum == 3.0 { Ok(device) } else { Err(format!("1 + 2 gives {sum} there")) }
        });
        opened.and_then(|found| found).map_err(wrong)
    }

    fn find(self) -> Result<Device, String> {
        match (self.backend, self.card) {
            (Backend::Flex, _) => Ok(Device::flex()),
            #[cfg(feature = "tch")]
            (Backend::Tch, None) => {
                one_thread();
                Ok(libtorch(None))
            }

            #[cfg(feature = "wgpu")]
            (Backend::Wgpu, None) => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(feature = "cuda")]
            (Backend::Cuda, None) => Ok(Device::cuda(0)),
            (backend, card) => {
                let cards = backend.cards();
                let (name, count) = (backend.name(), cards.len());
                let found = card.and_then(|card| cards.into_iter().nth(card));
                found.ok_or_else(|| match count {
                    0 => "this machine has no such card".to_string(),
                    1 => format!("this machine has one card, `{name}:0`"),
                    count => format!("this machine has `{name}:0` to `{name}:{}`", count - 1),
                })
            }
        }
    }
}

#[cfg(feature = "tch")]
#[expect(deprecated, reason = "LibTorch is asked for by name; Burn means to drop it one day")]
pub(super) fn libtorch(card: Option<usize>) -> Device {
    match card {
        None => Device::libtorch(),
        Some(card) => Device::libtorch_cuda(card),
    }
}

/// Every worker of a run is one thread, so LibTorch gets no threads of its own.
#[cfg(feature = "tch")]
fn one_thread() {
    tch::set_num_threads(1);
}

/// What `work` gives, or what its panic says: backends panic when a driver or a card is missing.
fn quietly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).map_err(|panic| {
        let text = offbeat_kernel::panic::panic_text(&*panic);
        text.lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or("it does not say why")
            .to_string()
    })
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.card {
            None => f.write_str(self.backend.name()),
            Some(card) => write!(f, "{}:{card}", self.backend.name()),
        }
    }
}

impl FromStr for DeviceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (family, card) = match text.split_once(':') {
            Some((family, card)) => (family, Some(card)),
            None => (text, None),
        };
        let backend = Backend::ALL.into_iter().find(|backend| backend.name() == family);
        let Some(backend) = backend else {
            let names = Backend::ALL.map(Backend::name).join("`, `");
            return Err(format!("there is no device `{text}`: use one of `{names}`"));
        };
        let card = match card {
            None => None,
            Some(_) if backend == Backend::Flex => {
                return Err(format!(
                    "`{text}` has a number: `flex` is the processor, of which there is one; `flex*2` are two workers"
                ));
            }
            Some(card) => Some(card.parse::<u16>().map(usize::from).map_err(|_| {
                format!("`{text}` names no card: write its number, such as `{family}:0`")
            })?),
        };
        Ok(Self { backend, card })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<DeviceName>().expect_err("not a device").to_string()
    }

    #[test]
    fn names_are_read_and_written() {
        for name in ["flex", "tch", "tch:0", "wgpu", "wgpu:12", "cuda:1"] {
            let read: DeviceName = name.parse().expect("a device");
            assert_eq!(read.to_string(), name);
            assert_eq!(read.is_processor(), ["flex", "tch"].contains(&name));
        }
        assert!(refused("gpu").contains("`wgpu`, `cuda`"));
        assert!(refused("flex:0").contains("`flex*2`"));
        assert!(refused("cuda:one").contains("such as `cuda:0`"));
        assert!(refused("wgpu:").contains("such as `wgpu:0`"));
        assert!(refused("wgpu:-1").contains("`wgpu:-1`"));
    }

    #[test]
    fn devices_are_there_or_say_what_is_missing() {
        let flex = DeviceName::default();
        assert_eq!(flex.open().expect("always there"), Device::flex());
        assert_eq!(DeviceName::present(Backend::Flex), [flex]);
        for backend in Backend::ALL.into_iter().filter(|backend| !backend.is_built_in()) {
            let error = DeviceName::usual(backend).open().expect_err("not built in").to_string();
            assert!(error.contains(&format!("--features {}", backend.name())), "{error}");
        }
        if Backend::Wgpu.is_built_in() {
            let error = "wgpu:999".parse::<DeviceName>().expect("a name").open();
            assert!(error.expect_err("no such card").to_string().contains("this machine has"));
        }
    }
}
