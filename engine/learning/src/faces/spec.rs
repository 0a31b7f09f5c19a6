//! Which faces a scenario asks for.

use super::{orl, synth};
use crate::LearnError;
use crate::reid::{Colours, Sets, Size};
use offbeat_kernel::SeedTree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Synthetic faces, photographed at sites that differ in light and pose. Each site has identities of its own to
/// learn from, and others that models are tried on: those of all sites together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SyntheticFaces {
    /// Sites, at least 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub sites: u32,
    /// Identities of each site to learn from, at least 2.
    pub identities: u32,
    /// Pictures of each identity to learn from, at least 2.
    pub pictures: u32,
    /// Identities of each site that models are tried on, at least 2.
    pub unseen_identities: u32,
    /// Pictures of each of them, at least 2: the first half is searched for among the others.
    pub unseen_pictures: u32,
    /// Height and width of the pictures, each 16 to 256.
    pub size: Size,
    /// How far sites differ in light, colour and pose: 0 for not at all, 1 is usual.
    #[schemars(range(min = 0.0, max = 3.0))]
    pub difference: f64,
    /// How far pictures of one identity differ in pose, expression, light and noise: 1 is usual.
    #[schemars(range(min = 0.0, max = 3.0))]
    pub variety: f64,
    /// How far identities of one site resemble each other: 0 draws them from all faces, near 1 from nearly one.
    #[schemars(range(min = 0.0, max = 0.95))]
    pub kinship: f64,
    /// How pixels become numbers.
    pub colours: Colours,
}

impl Default for SyntheticFaces {
    fn default() -> Self {
        Self {
            sites: 6,
            identities: 40,
            pictures: 6,
            unseen_identities: 20,
            unseen_pictures: 4,
            size: Size { height: 32, width: 32 },
            difference: 1.0,
            variety: 1.0,
            kinship: 0.0,
            colours: half(),
        }
    }
}

/// The ORL (AT&T) faces: 40 persons, ten grey pictures of each (Samaria and Harter, 1994).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrlFaces {
    /// The folder with `s1` to `s40`, each with `1.pgm` to `10.pgm`; a relative path starts at the data
    /// directory.
    pub dir: PathBuf,
    /// Persons that nobody learns from, the last of the folder, at least 2; models are tried on them.
    #[serde(default = "orl_unseen")]
    pub unseen_identities: u32,
    /// Height and width that pictures are brought to.
    #[serde(default = "orl_size")]
    pub size: Size,
    /// How pixels become numbers.
    #[serde(default = "half")]
    pub colours: Colours,
}

fn orl_unseen() -> u32 {
    16
}

fn orl_size() -> Size {
    Size { height: 56, width: 46 }
}

/// Pixels from -2 to 2.
fn half() -> Colours {
    Colours { mean: [0.5; 3], std: [0.25; 3] }
}

impl SyntheticFaces {
    /// Draws the faces.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn load(&self, seeds: SeedTree) -> Result<Sets, LearnError> {
        synth::generate(self, seeds)
    }
}

impl OrlFaces {
    /// The faces in a folder, with the usual settings.
    pub fn at(dir: PathBuf) -> Self {
        Self { dir, unseen_identities: orl_unseen(), size: orl_size(), colours: half() }
    }

    /// Reads the faces.
    ///
    /// # Errors
    /// Folders or files that are missing or malformed, by name; too few persons.
    pub fn load(&self, data_dir: &Path) -> Result<Sets, LearnError> {
        orl::load(&data_dir.join(&self.dir), self)
    }
}
