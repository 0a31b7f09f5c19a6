//! What there is to choose from, with a line on each.

use crate::document::{Document, names};
use crate::spec::ScenarioFile;
use offbeat_learning::data::DatasetSpec;
use offbeat_learning::network::NetworkSpec;
use serde::Serialize;

/// A name and a line about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The name as a scenario or a command line takes it.
    pub name: String,
    /// What it is.
    pub about: String,
}

/// The scenarios that come with Offbeat: path and content.
pub const LIBRARY: &[(&str, &str)] = &[
    ("scenarios/library/quickstart.toml", include_str!("../library/quickstart.toml")),
    ("scenarios/library/hospitals.toml", include_str!("../library/hospitals.toml")),
    ("scenarios/library/fashion-mnist.toml", include_str!("../library/fashion-mnist.toml")),
    ("scenarios/library/stragglers.toml", include_str!("../library/stragglers.toml")),
    ("scenarios/library/slow-classes.toml", include_str!("../library/slow-classes.toml")),
    ("scenarios/library/delays.toml", include_str!("../library/delays.toml")),
    ("scenarios/library/attacks.toml", include_str!("../library/attacks.toml")),
    ("scenarios/library/codecs.toml", include_str!("../library/codecs.toml")),
    ("scenarios/library/private.toml", include_str!("../library/private.toml")),
    ("scenarios/library/secure.toml", include_str!("../library/secure.toml")),
    ("scenarios/library/fedboost.toml", include_str!("../library/fedboost.toml")),
    ("scenarios/library/fedboost-heart.toml", include_str!("../library/fedboost-heart.toml")),
    ("scenarios/library/fediod.toml", include_str!("../library/fediod.toml")),
    ("scenarios/library/fediod-study.toml", include_str!("../library/fediod-study.toml")),
    ("scenarios/library/masked.toml", include_str!("../library/masked.toml")),
    ("scenarios/library/leakage.toml", include_str!("../library/leakage.toml")),
    ("scenarios/library/leakage-faces.toml", include_str!("../library/leakage-faces.toml")),
    ("scenarios/library/diurnal.toml", include_str!("../library/diurnal.toml")),
    ("scenarios/library/fedreid.toml", include_str!("../library/fedreid.toml")),
    ("scenarios/library/fedreid-study.toml", include_str!("../library/fedreid-study.toml")),
    ("scenarios/library/fedreid-async.toml", include_str!("../library/fedreid-async.toml")),
    ("scenarios/library/fedreid-by-camera.toml", include_str!("../library/fedreid-by-camera.toml")),
    ("scenarios/library/fedreid-edges.toml", include_str!("../library/fedreid-edges.toml")),
    ("scenarios/library/fedreid-market.toml", include_str!("../library/fedreid-market.toml")),
    ("scenarios/library/fedgc.toml", include_str!("../library/fedgc.toml")),
    ("scenarios/library/fedgc-orl.toml", include_str!("../library/fedgc-orl.toml")),
    ("scenarios/library/privacyface.toml", include_str!("../library/privacyface.toml")),
    ("scenarios/library/paillier.toml", include_str!("../library/paillier.toml")),
    ("scenarios/library/partition.toml", include_str!("../library/partition.toml")),
    ("scenarios/library/outage.toml", include_str!("../library/outage.toml")),
    ("scenarios/library/script-hooks.toml", include_str!("../library/script-hooks.toml")),
    ("scenarios/library/edges.toml", include_str!("../library/edges.toml")),
];

/// The scenarios of the library with their own descriptions.
pub fn scenarios() -> Vec<Item> {
    LIBRARY
        .iter()
        .map(|(path, text)| Item { name: (*path).into(), about: description(path, text) })
        .collect()
}

fn description(path: &str, text: &str) -> String {
    let mut problems = Vec::new();
    let document = Document::parse(path, text, &[], &mut problems);
    let file: Option<ScenarioFile> = document.read(&mut problems);
    file.map(|file| file.description).unwrap_or_default()
}

/// The networks.
pub fn networks() -> Vec<Item> {
    named(names::<NetworkSpec>(), |name| match name {
        "softmax" => "softmax regression: one linear layer",
        "mlp" => "linear layers with ReLU between them; `hidden = [64, 32]` gives their widths",
        "cnn" => "the FedAvg paper's network: conv 5x5x32, pool, conv 5x5x64, pool, 512 units",
        "lenet" => {
            "three strided 5x5 convolutions with sigmoids: what attacks on gradients are tried on"
        }
        "resnet" => "residual network with group normalisation for small images; depth 8 or 20",
        "reid" => "persons and faces: backbone, bottleneck, head; `backbone = \"resnet-50\"`",
        _ => "",
    })
}

/// The data sets.
pub fn datasets() -> Vec<Item> {
    named(names::<DatasetSpec>(), |name| match name {
        "digits" => "1,797 handwritten digits, 8x8, 10 classes (UCI; embedded)",
        "heart" => "heart disease, 920 patients of 4 hospitals, 2 classes (UCI; embedded)",
        "fashion-mnist" => "70,000 images of clothes, 28x28, 10 classes (IDX files)",
        "mnist" => "70,000 handwritten digits, 28x28, 10 classes (IDX files)",
        "cifar10" => "60,000 colour images, 32x32, 10 classes (binary files)",
        "cifar100" => "60,000 colour images, 32x32, 100 classes (binary files)",
        "csv" => "tables of your own with a label column",
        "synthetic" => "Gaussian clusters of any size and difficulty",
        "nine-domains" => {
            "synthetic persons in nine domains after a public re-ID benchmark, any scale"
        }
        "persons" => {
            "pictures of persons in folders: Market-1501, DukeMTMC-reID, MSMT17 and the like"
        }
        "synthetic-faces" => "synthetic faces at sites of their own light and pose, any number",
        "orl-faces" => "the ORL (AT&T) faces, 40 persons with 10 pictures each (PGM files)",
        "face-classes" => "the same faces, one class for each identity: what attacks are judged by",
        "synthetic-clients" => "Synthetic(alpha, beta) of the FedProx paper, split by client",
        _ => "",
    })
}

/// The parts of strategies: `pace.buffered` and so on.
pub fn strategies() -> Vec<Item> {
    crate::spec::strategy_parts()
}

/// Items for `names`, described by `about`.
pub(crate) fn named(names: &[&str], about: impl Fn(&str) -> &'static str) -> Vec<Item> {
    names.iter().map(|name| Item { name: (*name).into(), about: about(name).into() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_described() {
        let all = [scenarios(), strategies(), networks(), datasets()];
        for item in all.iter().flatten() {
            assert!(!item.about.trim().is_empty(), "`{}` has no description", item.name);
        }
        assert!(all.iter().all(|items| !items.is_empty()));
    }

    #[test]
    fn the_library_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/library");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the library is in the repository")
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        let mut listed: Vec<_> = LIBRARY
            .iter()
            .filter_map(|(path, _)| path.rsplit('/').next())
            .map(String::from)
            .collect();
        files.retain(|name| name.ends_with(".toml"));
        files.sort();
        listed.sort();
        assert_eq!(files, listed);
    }
}
