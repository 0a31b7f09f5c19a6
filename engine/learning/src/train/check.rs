//! Whether a request fits the network.

use super::TrainRequest;
use crate::data::Shard;
use crate::error::LearnError;
use crate::masked::Masked;
use crate::network::{Layer, Network, Shape};
use crate::objective::Loss;
use crate::plan::Augment;
use std::ops::Range;

/// Checks a training request.
///
/// # Errors
/// [`LearnError::Invalid`], which says what does not fit.
pub(super) fn check_request(network: &Network, request: &TrainRequest) -> Result<(), LearnError> {
    let length = network.layout().len();
    check_length("the start", request.start.len(), length)?;
    if let Some(correction) = &request.correction {
        check_length("the correction", correction.len(), length)?;
    }
    if request.received > length {
        return Err(LearnError::Invalid(format!(
            "{} parameters are said to come from the server, but the network has {length}",
            request.received
        )));
    }
    let (plan, sgd) = (&request.plan, &request.plan.sgd);
    if plan.batch == 0 {
        return Err(LearnError::Invalid("the batch has 0 samples; give at least 1".into()));
    }
    let numbers = [
        ("rate", sgd.rate),
        ("momentum", sgd.momentum),
        ("weight_decay", sgd.weight_decay),
        ("proximal", plan.objective.proximal),
    ];
    let factors = sgd.groups.iter().map(|(prefix, factor)| (prefix.as_str(), *factor));
    if let Some((name, value)) =
        numbers.into_iter().chain(factors).find(|(_, value)| !value.is_finite())
    {
        return Err(LearnError::Invalid(format!("{name} = {value}; give a finite number")));
    }
    check_augment(network, &plan.augment)?;
    check_loss(network, plan.objective.loss)?;
    check_foreign(network, request)?;
    if plan.instances > plan.batch || plan.instances == 1 {
        return Err(LearnError::Invalid(format!(
            "{} samples of each identity in a batch of {}; give at least 2 and at most the batch, or 0 \
             for plain batches",
            plan.instances, plan.batch
        )));
    }
    let rows = 0..request.shard.len();
    if plan.objective.loss.uses_labels() {
        return check_shard(network, &request.shard, rows);
    }
    if plan.objective.loss == Loss::FeatureMse {
        check_targets(network, request)?;
    }
    check_inputs(network, &request.shard, rows)
}

fn check_augment(network: &Network, augment: &Augment) -> Result<(), LearnError> {
    for (name, value) in [("mirror", augment.mirror), ("erase", augment.erase)] {
        if !(0.0..=1.0).contains(&value) {
            let reason = format!("augment: {name} = {value}; give a probability from 0 to 1");
            return Err(LearnError::Invalid(reason));
        }
    }
    match network.input() {
        Shape::Vector(length) if !augment.is_off() => Err(LearnError::Invalid(format!(
            "augmentation changes images, but the data have vectors of length {length}; leave it off"
        ))),
        Shape::Image(_, height, width) if augment.pad_crop > height.min(width) => {
            Err(LearnError::Invalid(format!(
                "augment: pad_crop = {}, but the images have {height} x {width} pixels; pad less",
                augment.pad_crop
            )))
        }
        _ => Ok(()),
    }
}

fn check_loss(network: &Network, loss: Loss) -> Result<(), LearnError> {
    let refuse = |reason: String| Err(LearnError::Invalid(reason));
    let (scale, margin) = match loss {
        Loss::CrossEntropy | Loss::FeatureMse => (1.0, 0.0),
        Loss::Masked(masked) => return check_masked(network, masked),
        Loss::Cosface { scale, margin } => (scale, margin),
        Loss::Arcface { scale, margin } if margin <= std::f32::consts::FRAC_PI_2 => (scale, margin),
        Loss::Arcface { margin, .. } => {
            return refuse(format!("arcface: margin = {margin}; give an angle of at most pi/2"));
        }
        Loss::Triplet { margin, cross_entropy } if cross_entropy >= 0.0 => (1.0, margin),
        Loss::Triplet { .. } => (0.0, 0.0),
    };
    if !(scale > 0.0 && scale.is_finite() && margin >= 0.0 && margin.is_finite()) {
        return refuse(format!(
            "{loss:?}: scales must be above 0, margins and weights at least 0, and all finite"
        ));
    }
    if loss.uses_cosines() && !matches!(network.layers().last(), Some(Layer::Cosine { .. })) {
        return refuse(format!(
            "{loss:?} needs a head that gives cosines; set `head = \"cosine\"` in the network `reid`"
        ));
    }
    if loss.uses_features() && network.layout().body().is_empty() {
        let reason = "trains what lies below the head, but the network is all head";
        return refuse(format!("{loss:?} {reason}"));
    }
    Ok(())
}

fn check_masked(network: &Network, masked: Masked) -> Result<(), LearnError> {
    let pixels: usize = masked.image(network.input())?.iter().product();
    let outputs = network.classes();
    if outputs != pixels || matches!(network.layers().last(), Some(Layer::Cosine { .. })) {
        return Err(LearnError::Invalid(format!(
            "masked: a network that paints pictures of {pixels} numbers needs so many linear outputs, and this one has \
             {outputs}"
        )));
    }
    Ok(())
}

fn check_foreign(network: &Network, request: &TrainRequest) -> Result<(), LearnError> {
    let Some(caps) = request.foreign.as_ref().filter(|caps| !caps.is_empty()) else {
        return Ok(());
    };
    let (loss, width) = (request.plan.objective.loss, network.feature_width());
    if !loss.uses_cosines() {
        let reason =
            format!("{loss:?} has no room for foreign clusters; use `cosface` or `arcface`");
        return Err(LearnError::Invalid(reason));
    }
    if caps.width() != width || network.layout().body().is_empty() {
        let reason =
            format!("foreign clusters have {} coordinates, features {width}", caps.width());
        return Err(LearnError::Invalid(reason));
    }
    Ok(())
}

fn check_targets(network: &Network, request: &TrainRequest) -> Result<(), LearnError> {
    let want = request.shard.len() * network.feature_width();
    match &request.targets {
        Some(targets) if targets.len() == want => Ok(()),
        other => Err(LearnError::Invalid(format!(
            "feature-mse needs {want} numbers as targets ({} samples x {}), but the request has {}",
            request.shard.len(),
            network.feature_width(),
            other.as_ref().map_or(0, |targets| targets.len())
        ))),
    }
}

/// Checks that parameters, of the body alone or of the whole network, and the inputs of the rows of a
/// shard fit the network; labels do not matter.
///
/// # Errors
/// [`LearnError::Invalid`], which says what does not fit.
pub(super) fn check_features(
    network: &Network,
    params: usize,
    shard: &Shard,
    rows: Range<usize>,
    mirrored: bool,
) -> Result<(), LearnError> {
    if params != network.layout().body().len() {
        check_length("the model", params, network.layout().len())?;
    }
    if mirrored && matches!(network.input(), Shape::Vector(_)) {
        let reason = "only images can be mirrored, but the data are vectors";
        return Err(LearnError::Invalid(reason.into()));
    }
    check_range(shard, &rows)?;
    check_inputs(network, shard, rows)
}

/// Checks that parameters and the rows of a shard fit the network.
///
/// # Errors
/// [`LearnError::Invalid`], which says what does not fit.
pub(super) fn check_rows(
    network: &Network,
    params: usize,
    shard: &Shard,
    rows: Range<usize>,
) -> Result<(), LearnError> {
    check_length("the model", params, network.layout().len())?;
    check_range(shard, &rows)?;
    check_shard(network, shard, rows)
}

fn check_range(shard: &Shard, rows: &Range<usize>) -> Result<(), LearnError> {
    if rows.start > rows.end || rows.end > shard.len() {
        return Err(LearnError::Invalid(format!(
            "rows {rows:?} of a shard that has {} rows",
            shard.len()
        )));
    }
    Ok(())
}

fn check_length(what: &str, have: usize, want: usize) -> Result<(), LearnError> {
    if have == want {
        return Ok(());
    }
    Err(LearnError::Invalid(format!("{what} has {have} parameters, but the network has {want}")))
}

fn check_inputs(network: &Network, shard: &Shard, rows: Range<usize>) -> Result<(), LearnError> {
    let (data, inputs) = (&shard.data, network.input().len());
    if rows.is_empty() {
        return Ok(());
    }
    if data.inputs() != inputs || data.features.len() < data.len() * inputs {
        return Err(LearnError::Invalid(format!(
            "the data have samples of shape {:?}, but the network takes {:?}",
            data.shape,
            network.input()
        )));
    }
    match shard.rows[rows].iter().find(|row| **row as usize >= data.len()) {
        None => Ok(()),
        Some(row) => Err(LearnError::Invalid(format!(
            "the shard names sample {row}, but the data set has {} samples",
            data.len()
        ))),
    }
}

fn check_shard(network: &Network, shard: &Shard, rows: Range<usize>) -> Result<(), LearnError> {
    check_inputs(network, shard, rows.clone())?;
    let labels = shard.rows[rows].iter().map(|row| (row, shard.data.labels[*row as usize]));
    for (row, label) in labels {
        if label as usize >= network.classes() {
            return Err(LearnError::Invalid(format!(
                "sample {row} has the label {label}, but the network has {} classes",
                network.classes()
            )));
        }
    }
    Ok(())
}
