//! Which data set a scenario asks for.

use super::image_set::{FASHION_MNIST, MNIST};
use super::normalise::MeanStd;
use super::{
    Cifar100Labels, CsvSpec, ImageDir, Normalise, Split, SyntheticClientsSpec, SyntheticSpec,
    cifar, digits, heart,
};
use crate::LearnError;
use crate::faces::{FaceClasses, OrlFaces, SyntheticFaces};
use crate::reid::{NineDomains, PersonFolders, Sets};
use offbeat_kernel::SeedTree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A data set by name. In TOML: `data = "digits"`, or `[data.csv]` with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum DatasetSpec {
    /// The embedded handwritten digits: 1,797 images of 8x8, 10 classes.
    Digits,
    /// The embedded heart-disease records: 920 patients of four hospitals.
    Heart,
    /// Fashion-MNIST from four IDX files.
    FashionMnist(ImageDir),
    /// MNIST from four IDX files.
    Mnist(ImageDir),
    /// CIFAR-10, binary version.
    Cifar10(Cifar10Dir),
    /// CIFAR-100, binary version.
    Cifar100(Cifar100Dir),
    /// CSV files.
    Csv(Box<CsvSpec>),
    /// Gaussian clusters.
    Synthetic(SyntheticSpec),
    /// Synthetic(alpha, beta), with clients as natural owners.
    SyntheticClients(SyntheticClientsSpec),
    /// Synthetic pictures of persons in up to nine domains, for re-identification.
    NineDomains(NineDomains),
    /// Pictures of persons in folders: Market-1501 and its kin.
    Persons(PersonFolders),
    /// Synthetic faces at sites of their own light and pose.
    SyntheticFaces(SyntheticFaces),
    /// The ORL (AT&T) faces: 40 persons, ten grey pictures of each.
    OrlFaces(OrlFaces),
    /// Faces as classes of one common label space.
    FaceClasses(FaceClasses),
}

/// Where CIFAR-10 is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cifar10Dir {
    /// Folder with `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`; a relative path starts
    /// at the data directory.
    pub dir: PathBuf,
    /// Scale of pixels; by default standardised, measured on the training images.
    #[serde(default = "measured")]
    pub normalise: Normalise,
}

/// Where CIFAR-100 is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cifar100Dir {
    /// Folder with `train.bin` and `test.bin`; a relative path starts at the data directory.
    pub dir: PathBuf,
    /// Classes or superclasses.
    #[serde(default)]
    pub labels: Cifar100Labels,
    /// Scale of pixels; by default standardised, measured on the training images.
    #[serde(default = "measured")]
    pub normalise: Normalise,
}

fn measured() -> Normalise {
    Normalise::Standardise(MeanStd::default())
}

impl DatasetSpec {
    /// Reads or draws the data. Relative paths start at `data_dir`; only synthetic sets use `seeds`.
    ///
    /// # Errors
    /// Files that are missing (with where to get them) or malformed, and settings that cannot work.
    pub fn load(&self, data_dir: &Path, seeds: SeedTree) -> Result<Split, LearnError> {
        match self {
            Self::Digits => Ok(digits()),
            Self::Heart => Ok(heart()),
            Self::FashionMnist(at) => FASHION_MNIST.load(at, data_dir),
            Self::Mnist(at) => MNIST.load(at, data_dir),
            Self::Cifar10(at) => {
                let split = cifar::read_cifar10(&data_dir.join(&at.dir))?;
                scaled(split, &at.normalise)
            }
            Self::Cifar100(at) => {
                let split = cifar::read_cifar100(&data_dir.join(&at.dir), at.labels)?;
                scaled(split, &at.normalise)
            }
            Self::Csv(spec) => spec.load(data_dir),
            Self::Synthetic(spec) => spec.load(seeds),
            Self::SyntheticClients(spec) => spec.load(seeds),
            Self::FaceClasses(spec) => spec.load(data_dir, seeds),
            Self::NineDomains(_)
            | Self::Persons(_)
            | Self::SyntheticFaces(_)
            | Self::OrlFaces(_) => Err(LearnError::Invalid(
                "pictures of persons are no classification set: the persons of every client are its own; \
                 split them `by-dataset`, `by-camera` or `by-identity`"
                    .into(),
            )),
        }
    }

    /// Whether these are faces.
    pub fn is_faces(&self) -> bool {
        matches!(self, Self::SyntheticFaces(_) | Self::OrlFaces(_))
    }

    /// Whether these are pictures of persons, which [`DatasetSpec::load_people`] reads.
    pub fn is_people(&self) -> bool {
        self.is_faces() || matches!(self, Self::NineDomains(_) | Self::Persons(_))
    }

    /// Reads or draws pictures of persons; those that the server may look at when `public` says that it does.
    ///
    /// # Errors
    /// As [`DatasetSpec::load`]; [`LearnError::Invalid`] for every other data set.
    pub fn load_people(
        &self,
        data_dir: &Path,
        seeds: SeedTree,
        public: bool,
    ) -> Result<Sets, LearnError> {
        match self {
            Self::NineDomains(spec) => spec.load(seeds, public),
            Self::Persons(spec) => spec.load(data_dir, public),
            Self::SyntheticFaces(spec) => spec.load(seeds),
            Self::OrlFaces(spec) => spec.load(data_dir),
            _ => Err(LearnError::Invalid(
                "this data set has no persons and no cameras; take `nine-domains`, `persons`, \
                 `synthetic-faces` or `orl-faces`"
                    .into(),
            )),
        }
    }
}

fn scaled(mut split: Split, normalise: &Normalise) -> Result<Split, LearnError> {
    normalise.images(&mut split)?;
    Ok(split)
}
