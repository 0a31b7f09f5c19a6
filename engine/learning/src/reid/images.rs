//! Labelled pictures of persons: what re-identification learns from and is tested on.

use crate::LearnError;
use crate::data::{Dataset, Groups};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who is seen in a picture. The order is that of the benchmarks' numbers: -1, 0, then persons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    /// A useless detection (number -1): evaluation takes it out of every ranking.
    Junk,
    /// A detection that is nobody's (number 0): it stays in the ranking and is never right.
    Distractor,
    /// A person by number.
    Person(u32),
}

/// Who is seen, and by which camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// Who is seen.
    pub who: Who,
    /// Number of the camera, as the benchmark counts.
    pub camera: u32,
}

/// Height and width of pictures in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Size {
    /// Rows, at least 1.
    pub height: u32,
    /// Columns, at least 1.
    pub width: u32,
}

impl Default for Size {
    /// 64 x 32: a quarter of the side of the usual 256 x 128.
    fn default() -> Self {
        Self { height: 64, width: 32 }
    }
}

impl Size {
    /// Bytes of one RGB picture.
    pub fn bytes(self) -> usize {
        self.height as usize * self.width as usize * 3
    }
}

/// Pictures of one size with their marks, decoded, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pictures {
    size: Size,
    pixels: Vec<u8>,
    marks: Vec<Mark>,
}

impl Pictures {
    /// No pictures yet.
    pub fn new(size: Size) -> Self {
        Self { size, pixels: Vec::new(), marks: Vec::new() }
    }

    /// Memory that the pixels take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.pixels.len() as u64
    }

    /// Adds a picture: `height x width x 3` bytes, rows from the top, red first.
    ///
    /// # Panics
    /// When `pixels` is not of the size.
    pub fn push(&mut self, mark: Mark, pixels: &[u8]) {
        assert_eq!(pixels.len(), self.size.bytes(), "bytes of a picture");
        self.pixels.extend_from_slice(pixels);
        self.marks.push(mark);
    }

    /// At most `most` of the pictures, spread evenly over all of them; all when there is no limit.
    pub fn thinned(self, most: Option<usize>) -> Self {
        let Some(most) = most.filter(|most| *most < self.len()) else { return self };
        let mut picked = Self::new(self.size);
        for place in 0..most {
            let index = place * self.len() / most;
            picked.push(self.marks[index], self.pixels(index));
        }
        picked
    }

    /// Height and width of every picture.
    pub fn size(&self) -> Size {
        self.size
    }

    /// Number of pictures.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there are no pictures.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Who is seen in each picture, and by which camera.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The bytes of one picture, `height x width x 3`.
    ///
    /// # Panics
    /// When `index` is not below [`Pictures::len`].
    pub fn pixels(&self, index: usize) -> &[u8] {
        let bytes = self.size.bytes();
        &self.pixels[index * bytes..(index + 1) * bytes]
    }

    /// The numbers of the persons that occur, ascending.
    pub fn persons(&self) -> Vec<u32> {
        let mut persons: Vec<u32> = self.marks.iter().filter_map(|mark| mark.person()).collect();
        persons.sort_unstable();
        persons.dedup();
        persons
    }

    /// The numbers of the cameras that occur, ascending.
    pub fn cameras(&self) -> Vec<u32> {
        let mut cameras: Vec<u32> = self.marks.iter().map(|mark| mark.camera).collect();
        cameras.sort_unstable();
        cameras.dedup();
        cameras
    }

    /// A hash of size, marks and pixels, as 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        let mut hash = blake3::Hasher::new();
        for number in [self.size.height, self.size.width] {
            hash.update(&number.to_le_bytes());
        }
        for mark in &self.marks {
            hash.update(&mark.number().to_le_bytes());
            hash.update(&mark.camera.to_le_bytes());
        }
        hash.update(&self.pixels);
        hash.finalize().to_string()
    }

    /// One picture as a network takes it: `3 x height x width` numbers in [0, 1], appended to `out`.
    pub fn push_planes(&self, index: usize, out: &mut Vec<f32>) {
        let pixels = self.pixels(index);
        for channel in 0..3 {
            let plane = pixels.iter().skip(channel).step_by(3);
            out.extend(plane.map(|&value| f32::from(value) / 255.0));
        }
    }

    /// The pictures of persons as a classification set: samples `[3, height, width]` in [0, 1]; class =
    /// place of the person's number among [`Pictures::persons`]; owner of a sample = its camera. Junk and
    /// distractors are left out.
    ///
    /// # Errors
    /// When nobody is seen.
    pub fn dataset(&self) -> Result<Dataset, LearnError> {
        let class = index_of(&self.persons());
        let cameras = self.cameras();
        let owner = index_of(&cameras);
        let mut data = Dataset {
            features: Vec::with_capacity(self.len() * self.size.bytes()),
            shape: vec![3, self.size.height as usize, self.size.width as usize],
            labels: Vec::new(),
            classes: class.len(),
            groups: None,
        };
        let mut of = Vec::new();
        for (index, mark) in self.marks.iter().enumerate() {
            let Some(person) = mark.person() else { continue };
            self.push_planes(index, &mut data.features);
            data.labels.push(class[&person]);
            of.push(owner[&mark.camera]);
        }
        if data.is_empty() {
            return Err(LearnError::Invalid("re-ID pictures: no picture shows a person".into()));
        }
        let names = cameras.iter().map(|camera| format!("camera {camera}")).collect();
        data.groups = Some(Groups { of, names });
        Ok(data)
    }
}

fn index_of(numbers: &[u32]) -> BTreeMap<u32, u32> {
    numbers.iter().zip(0..).map(|(&number, index)| (number, index)).collect()
}

impl Mark {
    /// The person's number, when it is a person.
    pub fn person(&self) -> Option<u32> {
        match self.who {
            Who::Person(number) => Some(number),
            Who::Junk | Who::Distractor => None,
        }
    }

    /// The number that stands in a file's name: -1, 0 or the person's.
    pub fn number(&self) -> i64 {
        match self.who {
            Who::Junk => -1,
            Who::Distractor => 0,
            Who::Person(number) => i64::from(number),
        }
    }
}

/// One domain: pictures to learn from, and the retrieval task of other persons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReIdSet {
    /// Name of the domain.
    pub name: String,
    /// Pictures to learn from.
    pub train: Pictures,
    /// Pictures that are searched for.
    pub query: Pictures,
    /// Pictures that are searched.
    pub gallery: Pictures,
}

impl ReIdSet {
    /// A hash of all three parts, as 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        let parts = [&self.train, &self.query, &self.gallery].map(Pictures::digest);
        blake3::hash(parts.join("\n").as_bytes()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Pictures {
        let mut pictures = Pictures::new(Size { height: 1, width: 2 });
        let mark = |who, camera| Mark { who, camera };
        pictures.push(mark(Who::Person(7), 3), &[255, 0, 0, 0, 51, 0]);
        pictures.push(mark(Who::Junk, 1), &[9; 6]);
        pictures.push(mark(Who::Person(2), 1), &[0, 0, 102, 0, 0, 0]);
        pictures
    }

    #[test]
    fn a_classification_set_has_planes_dense_classes_and_cameras() {
        let data = three().dataset().expect("two persons");
        assert_eq!(data.shape, [3, 1, 2]);
        assert_eq!((data.labels.as_slice(), data.classes), ([1, 0].as_slice(), 2));
        assert_eq!(data.row(0), [1.0, 0.0, 0.0, 0.2, 0.0, 0.0]);
        assert_eq!(data.row(1), [0.0, 0.0, 0.0, 0.0, 0.4, 0.0]);
        let groups = data.groups.expect("cameras");
        assert_eq!(
            (groups.of, groups.names),
            (vec![1, 0], vec!["camera 1".into(), "camera 3".into()])
        );
    }

    #[test]
    fn the_digest_sees_pixels_marks_and_order() {
        let base = three().digest();
        assert_eq!(base, three().digest());
        let mut other = three();
        other.marks[1].who = Who::Distractor;
        assert_ne!(base, other.digest());
        let mut other = three();
        other.pixels[0] = 254;
        assert_ne!(base, other.digest());
    }

    #[test]
    fn nobody_is_no_classification_set() {
        let error = Pictures::new(Size::default()).dataset().expect_err("empty").to_string();
        assert!(error.contains("person"), "{error}");
    }
}
