//! Pictures of persons as a federation holds them: who trains on which, and where models are tried.

use super::clients::{by_camera, by_dataset, by_identity};
use super::colours::Colours;
use super::images::{Pictures, ReIdSet};
use super::trial::Trial;
use crate::LearnError;
use crate::data::{Dataset, Partition, PartitionReport, Shard};
use offbeat_kernel::Stream;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Below this all training pictures are kept as numbers; above it they are kept as bytes, a quarter of the
/// memory, and made numbers whenever a client trains.
const KEPT_BYTES: u64 = 1 << 30;

/// Who the clients are (Zhuang et al., TOMM 2022, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Each data set is a client: an edge server that holds what its cameras send.
    Datasets,
    /// Each camera is a client.
    Cameras,
    /// Persons are dealt to clients in equal numbers, whatever their data set and cameras.
    Identities,
}

/// The sets that a data specification gives.
#[derive(Clone, Debug)]
pub struct Sets {
    /// The domains that clients learn from and are tried on.
    pub domains: Vec<ReIdSet>,
    /// Domains that models are tried on and nobody learns from.
    pub unseen: Vec<ReIdSet>,
    /// Faces: queries and gallery of all domains together, on which models are tried in place of the domains'
    /// own, which are empty.
    pub together: Option<ReIdSet>,
    /// Pictures that the server may look at, without their labels.
    pub public: Option<Pictures>,
    /// How pixels become numbers.
    pub colours: Colours,
}

/// One client's pictures with labels of its own: class = place of the person's number among its persons.
#[derive(Clone, Debug)]
pub struct ClientPictures {
    /// What it is called: the data set, the camera, or its number.
    pub name: String,
    /// Places of the domains whose pictures it holds, ascending.
    pub domains: Vec<usize>,
    /// How many persons it knows: the width of its head.
    pub classes: usize,
    pictures: Arc<Pictures>,
    rows: Vec<u32>,
    labels: Vec<u32>,
    colours: Colours,
    kept: Option<Arc<Shard>>,
}

impl ClientPictures {
    fn new(
        name: String,
        domains: Vec<usize>,
        pictures: &Arc<Pictures>,
        rows: &[u32],
        colours: Colours,
    ) -> Self {
        let persons: Vec<u32> =
            rows.iter().filter_map(|row| pictures.marks()[*row as usize].person()).collect();
        let mut numbers = persons.clone();
        numbers.sort_unstable();
        numbers.dedup();
        let class: BTreeMap<u32, u32> = numbers.iter().copied().zip(0..).collect();
        let labels = persons.iter().map(|person| class[person]).collect();
        let (pictures, rows, classes) = (pictures.clone(), rows.to_vec(), numbers.len());
        Self { name, domains, classes, pictures, rows, labels, colours, kept: None }
    }

    /// How many pictures it trains on.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its pictures, as rows of all pictures that are learnt from.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The class of each of its pictures.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Its training samples, `[3, height, width]`, normalised.
    pub fn shard(&self) -> Arc<Shard> {
        self.kept.clone().unwrap_or_else(|| Arc::new(self.numbers()))
    }

    fn numbers(&self) -> Shard {
        let size = self.pictures.size();
        let mut features = Vec::with_capacity(self.len() * size.bytes());
        self.rows
            .iter()
            .for_each(|row| self.colours.push(&self.pictures, *row as usize, &mut features));
        Shard::whole(Arc::new(Dataset {
            features,
            shape: vec![3, size.height as usize, size.width as usize],
            labels: self.labels.clone(),
            classes: self.classes,
            groups: None,
        }))
    }
}

/// A federation's pictures.
#[derive(Clone, Debug)]
pub struct People {
    /// What each client holds.
    pub clients: Vec<ClientPictures>,
    /// Where models are tried: the domains in their order, or all together, then the unseen ones.
    pub trials: Vec<Arc<Trial>>,
    /// What the server may look at; the labels mean nothing.
    pub public: Option<Arc<Shard>>,
    /// Who got what; the classes are the persons of all domains.
    pub report: PartitionReport,
}

impl People {
    /// Shape of a sample: `[3, height, width]`.
    pub fn shape(&self) -> Vec<usize> {
        let size = self.trials[0].query.size();
        vec![3, size.height as usize, size.width as usize]
    }

    /// Memory that the pictures take, in bytes.
    pub fn bytes(&self) -> u64 {
        let numbers = |shard: &Arc<Shard>| 4 * shard.data.features.len() as u64;
        let kept = self.clients.iter().filter_map(|client| client.kept.as_ref());
        let held = self.clients.first().map_or(0, |client| client.pictures.bytes());
        let tried = self.trials.iter().map(|trial| trial.query.bytes() + trial.gallery.bytes());
        held + tried.sum::<u64>() + kept.chain(&self.public).map(numbers).sum::<u64>()
    }

    /// Splits `sets` over clients. `clients` is how many persons are dealt to; the other architectures
    /// follow from the data.
    ///
    /// # Errors
    /// When there is no domain, pictures differ in size, a domain shows nobody to learn from, or there are
    /// too few persons.
    pub fn new(
        sets: Sets,
        architecture: Architecture,
        clients: u32,
        stream: &mut Stream,
    ) -> Result<Self, LearnError> {
        let Sets { domains, unseen, together, public, colours } = sets;
        colours.check()?;
        let (all, by_set) = by_dataset(&domains.iter().map(|set| &set.train).collect::<Vec<_>>())?;
        let all = Arc::new(all);
        let (partition, names) = match architecture {
            Architecture::Datasets => {
                (by_set.clone(), domains.iter().map(|set| set.name.clone()).collect())
            }
            Architecture::Cameras => (by_camera(all.marks()), camera_names(&domains)),
            Architecture::Identities => {
                let names = (0..clients).map(|client| format!("part {client}")).collect();
                (by_identity(all.marks(), clients, stream)?, names)
            }
        };
        let mut held = clients_of(&all, &partition, &by_set, names, colours);
        if let Some(empty) = held.iter().find(|client| client.is_empty()) {
            let name = &empty.name;
            return Err(LearnError::Invalid(format!(
                "re-ID: {name} has no picture of a person to learn from"
            )));
        }
        let bytes: u64 = held.iter().map(|c| 4 * (c.len() * all.size().bytes()) as u64).sum();
        if bytes <= KEPT_BYTES {
            held.iter_mut().for_each(|client| client.kept = Some(client.shard()));
        }
        let report = report(&all, &partition);
        let trial = |set: ReIdSet, seen| Arc::new(Trial::new(set, seen, colours));
        let seen: Vec<_> = match together {
            Some(set) => {
                held.iter_mut().for_each(|client| client.domains = vec![0]);
                vec![Arc::new(Trial::new(set, true, colours).of_faces())]
            }
            None => domains.into_iter().map(|set| trial(set, true)).collect(),
        };
        let unseen = unseen.into_iter().map(|set| trial(set, false));
        let trials = seen.into_iter().chain(unseen).collect();
        let public = public.map(|pictures| Arc::new(unlabelled(&pictures, colours)));
        Ok(Self { clients: held, trials, public, report })
    }
}

/// The cameras of the merged domains, as [`by_dataset`] numbers them, without those that see nobody.
fn camera_names(domains: &[ReIdSet]) -> Vec<String> {
    let of = |set: &ReIdSet| {
        let mut cameras: Vec<u32> = set
            .train
            .marks()
            .iter()
            .filter(|mark| mark.person().is_some())
            .map(|mark| mark.camera)
            .collect();
        cameras.sort_unstable();
        cameras.dedup();
        let name = set.name.clone();
        cameras.into_iter().map(move |camera| format!("{name} c{camera}")).collect::<Vec<_>>()
    };
    domains.iter().flat_map(of).collect()
}

fn clients_of(
    all: &Arc<Pictures>,
    partition: &Partition,
    by_set: &Partition,
    names: Vec<String>,
    colours: Colours,
) -> Vec<ClientPictures> {
    let mut set_of = vec![usize::MAX; all.len()];
    for (set, rows) in by_set.iter().enumerate() {
        rows.iter().for_each(|row| set_of[*row as usize] = set);
    }
    let client = |(rows, name): (&[u32], String)| {
        let mut domains: Vec<usize> = rows.iter().map(|row| set_of[*row as usize]).collect();
        domains.sort_unstable();
        domains.dedup();
        ClientPictures::new(name, domains, all, rows, colours)
    };
    partition.iter().zip(names).map(client).collect()
}

/// The partition in figures: classes are all persons.
fn report(all: &Pictures, partition: &Partition) -> PartitionReport {
    let persons: BTreeMap<u32, u32> = all.persons().into_iter().zip(0..).collect();
    let mut kept = vec![u32::MAX; all.len()];
    let mut labels = Vec::new();
    for (row, mark) in all.marks().iter().enumerate() {
        if let Some(person) = mark.person() {
            kept[row] = labels.len() as u32;
            labels.push(persons[&person]);
        }
    }
    let rows = |rows: &[u32]| rows.iter().map(|row| kept[*row as usize]).collect::<Vec<_>>();
    let dense = Partition::from_lists(partition.iter().map(rows));
    let (features, shape, classes) = (Vec::new(), vec![0], persons.len());
    PartitionReport::new(&dense, &Dataset { features, shape, labels, classes, groups: None })
}

/// Pictures as samples of one class.
fn unlabelled(pictures: &Pictures, colours: Colours) -> Shard {
    let size = pictures.size();
    let mut features = Vec::with_capacity(pictures.len() * size.bytes());
    (0..pictures.len()).for_each(|index| colours.push(pictures, index, &mut features));
    Shard::whole(Arc::new(Dataset {
        features,
        shape: vec![3, size.height as usize, size.width as usize],
        labels: vec![0; pictures.len()],
        classes: 1,
        groups: None,
    }))
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
