//! Which pictures of persons a scenario asks for.

use super::colours::Colours;
use super::folder;
use super::images::{ReIdSet, Size};
use super::people::Sets;
use super::synth::{Domain, nine_domains, public_domain, unseen_domains};
use crate::LearnError;
use offbeat_kernel::SeedTree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Synthetic domains after the published benchmark of nine data sets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NineDomains {
    /// Factor on the published numbers of persons and pictures, above 0 and at most 1.
    pub scale: f64,
    /// Height and width of the pictures.
    pub size: Size,
    /// Names of those that are wanted, in this order, such as `market1501-like`; all nine when empty.
    pub domains: Vec<String>,
    /// Whether models are also tried on the two domains that nobody learns from.
    pub unseen: bool,
    /// Most pictures of the public domain that the server looks at; all when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<usize>,
    /// How pixels become numbers.
    pub colours: Colours,
}

impl Default for NineDomains {
    fn default() -> Self {
        Self {
            scale: 0.02,
            size: Size::default(),
            domains: Vec::new(),
            unseen: false,
            public: None,
            colours: Colours::default(),
        }
    }
}

/// Real data sets in folders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonFolders {
    /// A folder with `bounding_box_train`, `query` and `bounding_box_test` (Market-1501 and its kin) or
    /// MSMT17's list files, or, with `domains`, the folder that holds such folders; a relative path starts at
    /// the data directory.
    pub dir: PathBuf,
    /// Names of the folders in `dir`, one for each data set; empty: `dir` itself is the data set.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Names of folders in `dir` that models are also tried on and nobody learns from.
    #[serde(default)]
    pub unseen: Vec<String>,
    /// Name of the folder in `dir` whose training pictures the server may look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Height and width that pictures are brought to.
    #[serde(default = "real_size")]
    pub size: Size,
    /// How pixels become numbers.
    #[serde(default)]
    pub colours: Colours,
}

fn real_size() -> Size {
    Size { height: 256, width: 128 }
}

impl NineDomains {
    /// Draws the domains; the public domain when `public` says that somebody looks at it.
    ///
    /// # Errors
    /// A scale out of range, a name that no domain has, or a size that cannot be drawn.
    pub fn load(&self, seeds: SeedTree, public: bool) -> Result<Sets, LearnError> {
        if !(self.scale > 0.0 && self.scale <= 1.0) {
            return Err(LearnError::Invalid(format!(
                "nine-domains: scale = {} must be above 0 and at most 1; 0.02 is a fiftieth",
                self.scale
            )));
        }
        let draw = |domain: Domain| Domain { size: self.size, ..domain }.generate(seeds);
        let public = match public {
            true => Some(draw(public_domain(self.scale))?.train.thinned(self.public)),
            false => None,
        };
        let unseen = if self.unseen { unseen_domains(self.scale) } else { Vec::new() };
        Ok(Sets {
            domains: self.chosen()?.into_iter().map(draw).collect::<Result<_, _>>()?,
            unseen: unseen.into_iter().map(draw).collect::<Result<_, _>>()?,
            together: None,
            public,
            colours: self.colours,
        })
    }

    fn chosen(&self) -> Result<Vec<Domain>, LearnError> {
        let all = nine_domains(self.scale);
        if self.domains.is_empty() {
            return Ok(all);
        }
        refuse_twice(&self.domains)?;
        let find = |name: &String| {
            all.iter().find(|domain| domain.name == *name).cloned().ok_or_else(|| {
                let known: Vec<&str> = all.iter().map(|domain| domain.name.as_str()).collect();
                LearnError::Invalid(format!(
                    "nine-domains: there is no domain `{name}`; there are {}",
                    known.join(", ")
                ))
            })
        };
        self.domains.iter().map(find).collect()
    }
}

impl PersonFolders {
    /// Reads and decodes the pictures; those of the public folder when `public` says that somebody looks at
    /// them.
    ///
    /// # Errors
    /// Folders or files that are missing or malformed, by name.
    pub fn load(&self, data_dir: &Path, public: bool) -> Result<Sets, LearnError> {
        let dir = data_dir.join(&self.dir);
        if !dir.is_dir() {
            let missing = "this folder is missing: download the data set (Market-1501: \
                           https://www.kaggle.com/datasets/pengcw1/market-1501, after the conditions of its authors) \
                           and unpack it here, or say where it is with --data-dir";
            let source = std::io::Error::new(std::io::ErrorKind::NotFound, missing);
            return Err(LearnError::Io { path: dir, source });
        }
        let all: Vec<String> = [&self.domains[..], &self.unseen[..]].concat();
        refuse_twice(&all)?;
        let within = |names: &[String]| -> Result<Vec<ReIdSet>, LearnError> {
            names.iter().map(|name| read(&dir.join(name), self.size)).collect()
        };
        let domains = match self.domains.is_empty() {
            true => vec![read(&dir, self.size)?],
            false => within(&self.domains)?,
        };
        let public = match (&self.public, public) {
            (Some(name), true) => {
                Some(folder::load_part(&dir.join(name).join("bounding_box_train"), self.size)?)
            }
            _ => None,
        };
        let unseen = within(&self.unseen)?;
        Ok(Sets { domains, unseen, together: None, public, colours: self.colours })
    }
}

fn read(dir: &Path, size: Size) -> Result<ReIdSet, LearnError> {
    let lists = dir.join("list_train.txt").exists();
    if lists { folder::load_msmt17(dir, size) } else { folder::load(dir, size) }
}

fn refuse_twice(names: &[String]) -> Result<(), LearnError> {
    let twice = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    match twice {
        Some((_, name)) => Err(LearnError::Invalid(format!(
            "re-ID: the domain `{name}` is named twice; name each once"
        ))),
        None => Ok(()),
    }
}
