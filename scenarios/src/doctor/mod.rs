//! What this build can compute with on this machine, how fast, and whether all of it agrees.

mod libtorch;
mod speed;
mod text;

pub use libtorch::{LibTorch, WANTED, find};
pub use speed::{Speed, Work};

use crate::bench::Machine;
use offbeat_learning::device::{Backend, Device, DeviceName};
use offbeat_learning::train::TrainerKind;
use serde::Serialize;
use std::time::Duration;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub struct Findings {
    /// Version of Offbeat.
    pub version: &'static str,
    /// The machine.
    pub machine: Machine,
    /// Memory that is free for a run, in bytes, if the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_bytes: Option<u64>,
    /// Vector instructions of the processor that kernels know, the widest last.
    pub vectors: Vec<&'static str>,
    /// What gives out memory.
    pub allocator: &'static str,
    /// Devices by name.
    pub devices: Vec<Found>,
    /// LibTorch on this machine.
    pub libtorch: LibTorch,
}

/// A device.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Its name on the command line.
    pub name: String,
    /// Why it cannot be used; `None` when it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// How fast it is, by trainer.
    pub trainers: Vec<Tried>,
}

/// A trainer on a device.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// How it trains: `direct`, `autodiff` or `cohort` (autodiff, several clients at once).
    pub name: &'static str,
    /// Its speed by network.
    pub speeds: Vec<Speed>,
}

/// Largest difference from the hand-written trainer, relative to the change of the parameters, with which two
/// backends count as agreeing after a few steps: both round every sum of 32-bit numbers in an order of their own.
pub const AGREEMENT: f64 = 1e-3;

/// Looks at everything; each speed test takes about `each`.
pub fn examine(each: Duration) -> Findings {
    let works = speed::works();
    let present = Backend::ALL.into_iter().flat_map(DeviceName::present);
    Findings {
        version: env!("CARGO_PKG_VERSION"),
        machine: Machine::here(),
        available_bytes: crate::bench::available_bytes(),
        vectors: vectors(),
        allocator: "mimalloc",
        devices: present.map(|name| look(name, &works, each)).collect(),
        libtorch: find(),
    }
}

/// Opens a device and times every trainer on it.
fn look(name: DeviceName, works: &[Work], each: Duration) -> Found {
    let (opened, missing) = match name.open() {
        Ok(device) => (Some(device), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let tried = |device: &Device| {
        let direct = ("direct", TrainerKind::Direct, false);
        let autodiff =
            [("autodiff", TrainerKind::Autodiff, false), ("cohort", TrainerKind::Autodiff, true)];
        let direct = name.is_processor().then_some(direct);
        let time = |(name, kind, together): (&'static str, TrainerKind, bool)| Tried {
            name,
            speeds: works.iter().map(|work| work.time(kind, device, together, each)).collect(),
        };
        direct.into_iter().chain(autodiff).map(time).collect()
    };
    let trainers = opened.as_ref().map(tried).unwrap_or_default();
    Found { name: name.to_string(), missing, trainers }
}

/// The vector instructions that the kernels choose from at run time.
fn vectors() -> Vec<&'static str> {
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("sse2", true),
            ("avx2", is_x86_feature_detected!("avx2")),
            ("fma", is_x86_feature_detected!("fma")),
            ("avx512f", is_x86_feature_detected!("avx512f")),
        ];
        known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
    #[cfg(target_arch = "aarch64")]
    {
        vec!["neon"]
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there_and_its_trainers_agree() {
        let findings = examine(Duration::ZERO);
        let flex = &findings.devices[0];
        assert_eq!((flex.name.as_str(), &flex.missing), ("flex", &None));
        assert_eq!(flex.trainers.len(), 3);
        // Every device that this build has, on a machine that lets it be opened.
        let built = findings.devices.iter().filter(|found| found.missing.is_none());
        for tried in built.flat_map(|found| &found.trainers) {
            for speed in &tried.speeds {
                assert!(speed.samples_per_second > 0.0);
                assert!(speed.failed.is_none(), "{speed:?}");
                assert!(speed.difference < AGREEMENT, "{}: {speed:?}", tried.name);
            }
        }
        let text = findings.text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
