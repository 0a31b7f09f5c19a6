//! Synthetic faces: identities recognisable by the shape and colours of their features, photographed at sites with
//! light and pose of their own.
//!
//! All is drawn from the seed tree: an identity from its number, a site from its own, a picture from both and its
//! place. The same seed gives the same bytes. Nothing here is modelled on a real person.

mod face;
mod paint;
mod site;

use super::spec::SyntheticFaces;
use crate::LearnError;
use crate::reid::{Mark, Pictures, ReIdSet, Sets, Who};
use face::Face;
use offbeat_kernel::{Purpose, SeedTree, Stream};
use site::Site;

/// Pictures may not take more memory than this.
const LARGEST: u64 = 4 << 30;

/// Numbers of identities of one site; those of the next begin after them.
const ROOM: u32 = 1 << 17;

/// What a stream is drawn for. Never renumber.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
enum Draw {
    Site = 0,
    Family = 1,
    Identity = 2,
    Picture = 3,
}

/// Draws the faces of all sites.
///
/// # Errors
/// [`LearnError::Invalid`] for settings out of range or more than 4 GiB of pictures.
pub(super) fn generate(spec: &SyntheticFaces, seeds: SeedTree) -> Result<Sets, LearnError> {
    check(spec)?;
    let empty = || Pictures::new(spec.size);
    let (mut query, mut gallery) = (empty(), empty());
    let mut domains = Vec::with_capacity(spec.sites as usize);
    for number in 0..spec.sites {
        let site = Studio::open(spec, seeds, number);
        let mut train = empty();
        for identity in 0..spec.identities {
            for shot in 0..spec.pictures {
                site.photograph(identity, shot, &mut train);
            }
        }
        for identity in spec.identities..spec.identities + spec.unseen_identities {
            for shot in 0..spec.unseen_pictures {
                let searched = shot < spec.unseen_pictures / 2;
                site.photograph(identity, shot, if searched { &mut query } else { &mut gallery });
            }
        }
        let name = format!("site-{}", number + 1);
        domains.push(ReIdSet { name, train, query: empty(), gallery: empty() });
    }
    let together = ReIdSet { name: "unseen faces".into(), train: empty(), query, gallery };
    let (unseen, together) = (Vec::new(), Some(together));
    Ok(Sets { domains, unseen, together, public: None, colours: spec.colours })
}

/// A site at work.
struct Studio<'a> {
    spec: &'a SyntheticFaces,
    seeds: SeedTree,
    number: u32,
    site: Site,
    /// The face that the site's identities resemble.
    family: Face,
}

impl<'a> Studio<'a> {
    fn open(spec: &'a SyntheticFaces, seeds: SeedTree, number: u32) -> Self {
        let own = u64::from(number);
        let site = Site::draw(spec.difference as f32, &mut stream(seeds, Draw::Site, own, 0));
        let family = Face::draw(&mut stream(seeds, Draw::Family, own, 0));
        Self { spec, seeds, number, site, family }
    }

    fn photograph(&self, identity: u32, shot: u32, pictures: &mut Pictures) {
        let person = self.number * ROOM + identity;
        let own = &mut stream(self.seeds, Draw::Identity, u64::from(person), 0);
        let face = Face::draw(own).towards(&self.family, self.spec.kinship as f32);
        let mut moment = stream(self.seeds, Draw::Picture, u64::from(person), u64::from(shot));
        let bytes = self.site.picture(&face, self.spec.variety as f32, self.spec.size, &mut moment);
        // Every picture of a person is another moment, hence of another camera to the rules of retrieval.
        pictures.push(Mark { who: Who::Person(person), camera: shot }, &bytes);
    }
}

fn stream(seeds: SeedTree, draw: Draw, id: u64, counter: u64) -> Stream {
    // Other synthetic sets count from 0, and pedestrians from 2^48: these ids lie above.
    seeds.stream(Purpose::Synthesis, 1 << 52 | (draw as u64) << 40 | id, counter)
}

fn check(spec: &SyntheticFaces) -> Result<(), LearnError> {
    let each = u64::from(spec.identities) * u64::from(spec.pictures)
        + u64::from(spec.unseen_identities) * u64::from(spec.unseen_pictures);
    let pictures = u64::from(spec.sites) * each;
    let side = 16..=256;
    let within = |value: f64, most: f64| (0.0..=most).contains(&value);
    let reason = if !(1..=10_000).contains(&spec.sites) {
        "`sites` must be 1 to 10,000"
    } else if spec.identities < 2 || spec.pictures < 2 {
        "`identities` and `pictures` must be at least 2"
    } else if spec.unseen_identities < 2 || spec.unseen_pictures < 2 {
        "`unseen_identities` and `unseen_pictures` must be at least 2"
    } else if u64::from(spec.identities) + u64::from(spec.unseen_identities) > u64::from(ROOM) {
        "a site has room for 131,072 identities"
    } else if !side.contains(&spec.size.height) || !side.contains(&spec.size.width) {
        "each side of a picture must be 16 to 256 pixels"
    } else if !within(spec.difference, 3.0) || !within(spec.variety, 3.0) {
        "`difference` and `variety` must be 0 to 3"
    } else if !within(spec.kinship, 0.95) {
        "`kinship` must be 0 to 0.95"
    } else if pictures.saturating_mul(spec.size.bytes() as u64) > LARGEST {
        "the pictures take more than 4 GiB: fewer identities, or smaller pictures"
    } else {
        return Ok(());
    };
    Err(LearnError::Invalid(format!("synthetic-faces: {reason}")))
}

#[cfg(test)]
mod tests;
