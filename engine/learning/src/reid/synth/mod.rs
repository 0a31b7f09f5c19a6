//! Synthetic pedestrians: persons recognisable by their clothes, cameras with eyes of their own, domains that
//! differ as public data sets do.
//!
//! Everything is drawn from the seed tree: a person from the domain and the person's number, a camera from the
//! domain and the camera's, a picture from both and its place. The same seed gives the same bytes.

mod camera;
mod canvas;
mod colour;
mod domains;
mod figure;
mod person;
mod picture;
mod plan;
mod style;

pub use domains::{all_domains, nine_domains, public_domain, unseen_domains};
pub use style::{Floor, Style, Wall};

mod scene;

use super::images::{Pictures, ReIdSet, Size};
use crate::LearnError;
use camera::Camera;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use person::Person;
use plan::{Plan, Shot};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Pictures of one domain may not take more memory than this.
const LARGEST: u64 = 4 << 30;

/// How large a domain is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Cameras, at least 2.
    pub cameras: u32,
    /// Persons to learn from.
    pub train_identities: u32,
    /// Pictures of them, at least two of each.
    pub train_images: u32,
    /// Persons to find; none of them is learnt from.
    pub query_identities: u32,
    /// Pictures that are searched for, at least one of each.
    pub query_images: u32,
    /// Persons in the gallery: those to find and, beyond them, persons that one camera alone has seen.
    pub gallery_identities: u32,
    /// Pictures that are searched.
    pub gallery_images: u32,
    /// Share of the gallery that is nobody: cuts of the scene and of bodies.
    pub distractors: f64,
    /// Share of the gallery that is junk.
    pub junk: f64,
}

/// A synthetic domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// What sets its random streams apart from those of other domains.
    pub number: u16,
    /// How large it is.
    pub volume: Volume,
    /// Height and width of its pictures.
    pub size: Size,
    /// How it looks.
    pub style: Style,
}

/// What a stream of a domain is drawn for. Never renumber.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
enum Draw {
    Plan = 0,
    Person = 1,
    Camera = 2,
    Train = 3,
    Query = 4,
    Gallery = 5,
}

impl Domain {
    /// Draws the domain: the training pictures, queries and gallery, each ordered by who and camera.
    ///
    /// # Errors
    /// [`LearnError::Invalid`] for a volume that has no domain, or more than 4 GiB of pictures.
    pub fn generate(&self, seeds: SeedTree) -> Result<ReIdSet, LearnError> {
        self.check()?;
        let plan = Plan::draw(&self.volume, &mut self.stream(seeds, Draw::Plan, 0));
        let cameras: Vec<Camera> = (1..=self.volume.cameras)
            .map(|c| Camera::draw(&self.style, &mut self.stream(seeds, Draw::Camera, u64::from(c))))
            .collect();
        let part = |shots: &[Shot], draw| self.part(seeds, &cameras, shots, draw);
        Ok(ReIdSet {
            name: self.name.clone(),
            train: part(&plan.train, Draw::Train),
            query: part(&plan.query, Draw::Query),
            gallery: part(&plan.gallery, Draw::Gallery),
        })
    }

    fn part(&self, seeds: SeedTree, cameras: &[Camera], shots: &[Shot], draw: Draw) -> Pictures {
        let mut persons: BTreeMap<u32, Person> = BTreeMap::new();
        let mut pictures = Pictures::new(self.size);
        for shot in shots {
            let camera = &cameras[shot.mark.camera as usize - 1];
            let mut stream = self.stream(seeds, draw, u64::from(shot.serial));
            let bytes = match shot.mark.person() {
                Some(number) => {
                    let person = persons.entry(number).or_insert_with(|| {
                        let mut stream = self.stream(seeds, Draw::Person, u64::from(number));
                        Person::draw(&self.style, &mut stream)
                    });
                    picture::of_person(self, camera, person, &mut stream)
                }
                None => picture::of_nobody(self, camera, &mut stream),
            };
            pictures.push(shot.mark, &bytes);
        }
        pictures
    }

    fn stream(&self, seeds: SeedTree, draw: Draw, counter: u64) -> Stream {
        // Other synthetic sets count clients from 0: these ids lie far above.
        let id = 1 << 48 | u64::from(self.number) << 8 | draw as u64;
        seeds.stream(Purpose::Synthesis, id, counter)
    }

    fn check(&self) -> Result<(), LearnError> {
        let v = &self.volume;
        let pictures =
            u64::from(v.train_images) + u64::from(v.query_images) + u64::from(v.gallery_images);
        let side = 16..=1024;
        let reason = if v.cameras < 2 {
            "`cameras` must be at least 2, so that persons are seen again elsewhere"
        } else if v.train_images < 2 * v.train_identities || v.query_images < v.query_identities {
            "there must be two pictures of each person to learn from and one query of each person to find"
        } else if v.gallery_identities < v.query_identities
            || v.gallery_images < v.gallery_identities
        {
            "the gallery must hold a picture of each person to find"
        } else if !(v.distractors >= 0.0 && v.junk >= 0.0 && v.distractors + v.junk <= 0.9) {
            "`distractors` and `junk` must be shares that leave a tenth for persons"
        } else if !side.contains(&self.size.height) || !side.contains(&self.size.width) {
            "each side of a picture must be 16 to 1024 pixels"
        } else if pictures * self.size.bytes() as u64 > LARGEST {
            "its pictures take more than 4 GiB: lower the scale or the size"
        } else {
            return Ok(());
        };
        Err(LearnError::Invalid(format!("domain {}: {reason}", self.name)))
    }
}

#[cfg(test)]
mod tests;
