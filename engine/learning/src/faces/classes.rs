//! Faces as classes of one common label space: which of so many persons is this? What attacks on updates are judged by.

use super::{OrlFaces, SyntheticFaces};
use crate::LearnError;
use crate::data::{Dataset, Groups, Split};
use crate::reid::{Colours, ReIdSet, Sets};
use offbeat_kernel::SeedTree;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Faces with one class for each identity, of all sites together. Samples are `[3, height, width]` from 0 to 1, natural
/// owners the sites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FaceClasses {
    /// Which faces: their identities to learn from. The unseen ones are left out, and `colours` must be.
    pub faces: FaceSource,
    /// Pictures of each identity that nobody learns from, its last ones, at least 1: the test samples, and the gallery
    /// in which reconstructed faces are looked up.
    #[schemars(range(min = 1))]
    pub test_pictures: u32,
}

/// Where faces come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaceSource {
    /// Drawn.
    Synthetic(SyntheticFaces),
    /// The ORL (AT&T) faces.
    Orl(OrlFaces),
}

impl Default for FaceClasses {
    fn default() -> Self {
        Self { faces: FaceSource::Synthetic(SyntheticFaces::default()), test_pictures: 1 }
    }
}

impl FaceClasses {
    /// Reads or draws the faces.
    ///
    /// # Errors
    /// As the faces do; [`LearnError::Invalid`] when an identity has too few pictures, or `colours` are given.
    pub fn load(&self, data_dir: &Path, seeds: SeedTree) -> Result<Split, LearnError> {
        let (sets, colours, usual) = match &self.faces {
            FaceSource::Synthetic(spec) => {
                (spec.load(seeds)?, spec.colours, SyntheticFaces::default().colours)
            }
            FaceSource::Orl(spec) => {
                (spec.load(data_dir)?, spec.colours, OrlFaces::at(spec.dir.clone()).colours)
            }
        };
        plain(colours, usual)?;
        self.split(&sets)
    }

    fn split(&self, sets: &Sets) -> Result<Split, LearnError> {
        let kept = self.test_pictures.max(1) as usize;
        let shape = sets.domains.first().map_or([0; 2], |set| {
            let size = set.train.size();
            [size.height as usize, size.width as usize]
        });
        let classes = sets.domains.iter().map(|set| set.train.persons().len()).sum();
        let empty = || Dataset {
            features: Vec::new(),
            shape: vec![3, shape[0], shape[1]],
            labels: Vec::new(),
            classes,
            groups: None,
        };
        let (mut train, mut test) = (empty(), empty());
        let mut owners = [Vec::new(), Vec::new()];
        let mut first = 0;
        for (site, set) in sets.domains.iter().enumerate() {
            for (label, rows) in by_person(set).into_values().enumerate() {
                if rows.len() <= kept {
                    return Err(LearnError::Invalid(format!(
                        "{}: a person with {} pictures, of which `test_pictures = {kept}` are for tests: none is left \
                         to learn from",
                        set.name,
                        rows.len()
                    )));
                }
                let cut = rows.len() - kept;
                for (place, row) in rows.into_iter().enumerate() {
                    let (part, of) = if place < cut { (&mut train, 0) } else { (&mut test, 1) };
                    set.train.push_planes(row, &mut part.features);
                    part.labels.push(first + label as u32);
                    owners[of].push(site as u32);
                }
            }
            first += set.train.persons().len() as u32;
        }
        let names: Vec<String> = sets.domains.iter().map(|set| set.name.clone()).collect();
        let [of_train, of_test] = owners;
        train.groups = Some(Groups { of: of_train, names: names.clone() });
        test.groups = Some(Groups { of: of_test, names });
        Ok(Split { train, test })
    }
}

/// The rows of each person, in their order.
fn by_person(set: &ReIdSet) -> BTreeMap<u32, Vec<usize>> {
    let mut rows: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, mark) in set.train.marks().iter().enumerate() {
        if let Some(person) = mark.person() {
            rows.entry(person).or_default().push(row);
        }
    }
    rows
}

fn plain(colours: Colours, usual: Colours) -> Result<(), LearnError> {
    if colours == usual {
        return Ok(());
    }
    let reason = "face-classes: pixels are numbers from 0 to 1 here; leave `colours` out";
    Err(LearnError::Invalid(reason.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reid::Size;

    fn spec() -> FaceClasses {
        let faces = SyntheticFaces {
            sites: 2,
            identities: 3,
            pictures: 4,
            unseen_identities: 2,
            unseen_pictures: 2,
            size: Size { height: 16, width: 16 },
            ..SyntheticFaces::default()
        };
        FaceClasses { faces: FaceSource::Synthetic(faces), test_pictures: 1 }
    }

    #[test]
    fn every_identity_is_a_class_and_keeps_a_picture_for_tests() {
        let split = spec().load(Path::new(""), SeedTree::new(3)).expect("possible");
        assert_eq!((split.train.classes, split.test.classes), (6, 6));
        assert_eq!((split.train.labels.len(), split.test.labels.len()), (18, 6));
        assert_eq!(split.test.labels, [0, 1, 2, 3, 4, 5]);
        assert_eq!(split.train.shape, [3, 16, 16]);
        assert_eq!(split.train.features.len(), 18 * 3 * 16 * 16);
        assert!(split.train.features.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        let owners = &split.train.groups.as_ref().expect("sites").of;
        let labels = split.train.labels.iter().zip(owners);
        assert!(labels.clone().all(|(label, site)| *site == label / 3), "{owners:?}");
    }

    #[test]
    fn what_leaves_nothing_to_learn_is_refused() {
        let none = FaceClasses { test_pictures: 4, ..spec() };
        let error = none.load(Path::new(""), SeedTree::new(3)).expect_err("too many");
        assert!(error.to_string().contains("none is left to learn from"), "{error}");
        let FaceSource::Synthetic(mut faces) = spec().faces else { return };
        faces.colours.mean = [0.0; 3];
        let odd = FaceClasses { faces: FaceSource::Synthetic(faces), test_pictures: 1 };
        assert!(odd.load(Path::new(""), SeedTree::new(3)).is_err());
    }
}
