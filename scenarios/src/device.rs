//! What computes.

use crate::diagnose::Problem;
use crate::document::Document;
use crate::spec::RunSection;
pub use offbeat_learning::device::DeviceList;
use offbeat_learning::device::DeviceName;
use offbeat_learning::network::Network;
use offbeat_learning::train::{self, TrainerKind};
use offbeat_learning::{LearnError, Trainer};
use std::sync::Arc;

/// The devices of a run: those asked for, or else those that its scenario names, or the processor.
pub fn devices(asked: Option<&DeviceList>, run: &RunSection) -> DeviceList {
    asked.or(run.device.as_ref()).cloned().unwrap_or_default()
}

/// A trainer for `network` on `device`: the one that was asked for, or the one that fits (the direct one
/// on processors, autodiff elsewhere).
///
/// # Errors
/// [`LearnError::Invalid`] when the device cannot be opened.
pub fn trainer(
    device: DeviceName,
    asked: Option<TrainerKind>,
    network: &Arc<Network>,
) -> Result<Arc<dyn Trainer>, LearnError> {
    let kind = asked.unwrap_or(match device.is_processor() {
        true => TrainerKind::Direct,
        false => TrainerKind::Autodiff,
    });
    Ok(train::trainer(kind, network.clone(), &device.open()?))
}

/// As [`trainer`] for each device of a list once, with what is wrong as a problem of the scenario in `document`.
///
/// # Errors
/// When a device cannot be opened, or the trainer that was asked for cannot use it.
pub fn open(
    list: &DeviceList,
    asked: Option<TrainerKind>,
    network: &Arc<Network>,
    document: &Document,
) -> Result<Vec<Arc<dyn Trainer>>, Problem> {
    let devices = list.distinct();
    let path = "training.trainer";
    let other = devices.iter().find(|device| !device.is_processor());
    if let (Some(other), Some(TrainerKind::Direct)) = (other, asked) {
        let message = format!("the direct trainer cannot compute on `{other}`");
        return Err(Problem::new("conflict", message)
            .at(document.place(path), "works with `--device flex` and `--device tch` alone")
            .help("write `trainer = \"autodiff\"`, or leave the key out")
            .about(path));
    }
    devices.into_iter().map(|device| trainer(device, asked, network).map_err(problem)).collect()
}

/// A device that cannot be opened, as a problem.
pub(crate) fn problem(error: LearnError) -> Problem {
    let text = error.to_string();
    let (problem, help) = text.split_once(": ").unwrap_or((&text, "choose another"));
    Problem::new("device", problem).help(format!("{help}, or use `--device flex`"))
}
