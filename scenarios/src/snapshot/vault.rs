//! The folder of snapshots: what is in it, adding one, removing what nobody needs.

use super::state_file::{self, Header, Place};
use super::{FOLDER, Fingerprint, Settings};
use crate::rundir::{WriteError, write_file};
use offbeat_actors::{Occasion, Snapshot};
use offbeat_kernel::Digest;
use offbeat_learning::intern::{self, Interned};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The snapshots of one run directory.
#[derive(Debug)]
pub struct Vault {
    dir: PathBuf,
    /// The kept snapshots by number.
    kept: BTreeMap<u64, Header>,
    next: u64,
}

/// A snapshot that can be used.
#[derive(Debug)]
pub struct Found {
    /// What is known of it.
    pub header: Header,
    /// The snapshot itself.
    pub snapshot: Snapshot,
    /// What is wrong with those that come after it.
    pub passed_over: Vec<String>,
}

impl Vault {
    /// The folder below `run_dir`; it is made when the first snapshot is added. Files that cannot be read
    /// are left alone.
    pub fn open(run_dir: &Path) -> Self {
        let dir = run_dir.join(FOLDER);
        let numbers = numbers(&dir, "state-");
        let next =
            numbers.iter().chain(&self::numbers(&dir, "vectors-")).max().map_or(1, |n| n + 1);
        let header = |number: &u64| Some((*number, read_header(&dir, *number).ok()?));
        let kept = numbers.iter().filter_map(header).collect();
        Self { dir, kept, next }
    }

    /// What is known of the snapshots that are kept, by number.
    pub fn headers(&self) -> impl DoubleEndedIterator<Item = &Header> {
        self.kept.values()
    }

    /// Adds a snapshot and removes those before the last `keep`. Gives its size in bytes.
    ///
    /// # Errors
    /// When it cannot be written; those before are then still there.
    pub fn add(
        &mut self,
        snapshot: &Snapshot,
        occasion: Occasion,
        (fingerprint, settings): (&Fingerprint, &Settings),
        keep: usize,
    ) -> Result<u64, WriteError> {
        let number = self.next;
        fs::create_dir_all(&self.dir).map_err(|error| WriteError::new(&self.dir, error))?;
        let (places, pack) = self.pack(number, &snapshot.vectors)?;
        let header = Header {
            number,
            now: snapshot.now,
            events: snapshot.events,
            version: snapshot.version,
            occasion,
            fingerprint: fingerprint.clone(),
            settings: settings.clone(),
            vectors: places,
        };
        let name = file_name("state-", number);
        let path = self.dir.join(&name);
        let bytes =
            state_file::write(&header, snapshot).map_err(|error| WriteError::new(&path, error))?;
        self.next += 1;
        if !pack.is_empty() {
            write_file(&self.dir, &file_name("vectors-", number), &pack)?;
        }
        write_file(&self.dir, &name, &bytes)?;
        self.kept.insert(number, header);
        self.tidy(keep);
        Ok((bytes.len() + pack.len()) as u64)
    }

    /// Where each vector lies, and the new file with those that lie nowhere yet. Vectors of files that are
    /// hardly used any more are written anew, so that the files can go one day.
    fn pack(&self, number: u64, vectors: &[Interned]) -> Result<(Vec<Place>, Vec<u8>), WriteError> {
        let known = self.places(vectors);
        let (mut places, mut bytes) = (Vec::with_capacity(vectors.len()), Vec::new());
        for vector in vectors {
            let place = match known.get(&vector.digest.0) {
                Some(place) => *place,
                None => {
                    let path = self.dir.join(file_name("vectors-", number));
                    let stored = state_file::pack(&vector.values)
                        .map_err(|error| WriteError::new(&path, error))?;
                    let offset = bytes.len() as u64;
                    bytes.extend_from_slice(&stored);
                    let (stored, len) = (stored.len() as u64, vector.values.len() as u64);
                    Place { digest: vector.digest, pack: number, offset, stored, len }
                }
            };
            places.push(place);
        }
        Ok((places, bytes))
    }

    /// Where those of `vectors` lie that lie in files of which at least half is used by them.
    fn places(&self, vectors: &[Interned]) -> BTreeMap<[u8; 32], Place> {
        let wanted: BTreeSet<[u8; 32]> = vectors.iter().map(|vector| vector.digest.0).collect();
        let mut used: BTreeMap<u64, u64> = BTreeMap::new();
        let mut places: BTreeMap<[u8; 32], Place> = BTreeMap::new();
        for place in self.kept.values().flat_map(|header| &header.vectors) {
            if wanted.contains(&place.digest.0) && places.insert(place.digest.0, *place).is_none() {
                *used.entry(place.pack).or_default() += place.stored;
            }
        }
        let size = |pack: u64| {
            fs::metadata(self.dir.join(file_name("vectors-", pack)))
                .map_or(u64::MAX, |file| file.len())
        };
        let worth: BTreeSet<u64> = used
            .iter()
            .filter(|(pack, used)| **used >= size(**pack) / 2)
            .map(|(pack, _)| *pack)
            .collect();
        places.retain(|_, place| worth.contains(&place.pack));
        places
    }

    /// Removes all but the last `keep` snapshots, and the vectors that nobody needs any more. What cannot
    /// be removed stays: it does no harm.
    fn tidy(&mut self, keep: usize) {
        while self.kept.len() > keep.max(1) {
            let Some((number, _)) = self.kept.pop_first() else { break };
            let _ = fs::remove_file(self.dir.join(file_name("state-", number)));
        }
        let needed: BTreeSet<u64> = self
            .kept
            .values()
            .flat_map(|header| header.vectors.iter().map(|place| place.pack))
            .collect();
        for number in numbers(&self.dir, "vectors-") {
            if !needed.contains(&number) {
                let _ = fs::remove_file(self.dir.join(file_name("vectors-", number)));
            }
        }
    }

    /// Removes snapshots for which `drop` holds; the folder too when it is empty then.
    pub fn remove(&mut self, drop: impl Fn(&Header) -> bool) {
        let gone: Vec<u64> = self
            .kept
            .iter()
            .filter(|(_, header)| drop(header))
            .map(|(number, _)| *number)
            .collect();
        for number in gone {
            self.kept.remove(&number);
            let _ = fs::remove_file(self.dir.join(file_name("state-", number)));
        }
        let left = self.kept.len();
        self.tidy(left.max(1));
        let _ = fs::remove_dir(&self.dir);
    }

    /// The last snapshot at or before `until` events that can be read whole. Damaged ones are passed over.
    ///
    /// # Errors
    /// What is wrong with each, when there is none.
    pub fn latest(run_dir: &Path, fits: impl Fn(&Header) -> bool) -> Result<Found, Vec<String>> {
        let dir = run_dir.join(FOLDER);
        let mut passed_over = Vec::new();
        for number in numbers(&dir, "state-").into_iter().rev() {
            match read(&dir, number, &fits) {
                Ok(Some((header, snapshot))) => return Ok(Found { header, snapshot, passed_over }),
                Ok(None) => {}
                Err(reason) => {
                    passed_over.push(format!("{}: {reason}", file_name("state-", number)))
                }
            }
        }
        Err(passed_over)
    }
}

fn file_name(kind: &str, number: u64) -> String {
    format!("{kind}{number:08}.bin")
}

/// The numbers of the files of one kind, in order.
fn numbers(dir: &Path, kind: &str) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let number = |name: String| name.strip_prefix(kind)?.strip_suffix(".bin")?.parse().ok();
    let mut numbers: Vec<u64> = names.filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

fn read_header(dir: &Path, number: u64) -> Result<Header, String> {
    let file =
        fs::read(dir.join(file_name("state-", number))).map_err(|error| error.to_string())?;
    Ok(state_file::read(&file)?.0)
}

fn read(
    dir: &Path,
    number: u64,
    fits: impl Fn(&Header) -> bool,
) -> Result<Option<(Header, Snapshot)>, String> {
    let file =
        fs::read(dir.join(file_name("state-", number))).map_err(|error| error.to_string())?;
    let (header, body) = state_file::read(&file)?;
    if !fits(&header) {
        return Ok(None);
    }
    let (sink, state) = state_file::body(body)?;
    let vectors = vectors(dir, &header.vectors)?;
    let snapshot = Snapshot {
        now: header.now,
        events: header.events,
        version: header.version,
        sink,
        state,
        vectors,
    };
    Ok(Some((header, snapshot)))
}

fn vectors(dir: &Path, places: &[Place]) -> Result<Vec<Interned>, String> {
    let mut packs: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
    for place in places {
        if let std::collections::btree_map::Entry::Vacant(entry) = packs.entry(place.pack) {
            let name = file_name("vectors-", place.pack);
            let bytes = fs::read(dir.join(&name)).map_err(|error| format!("{name}: {error}"))?;
            entry.insert(bytes);
        }
    }
    places.iter().map(|place| vector(&packs[&place.pack], place)).collect()
}

fn vector(pack: &[u8], place: &Place) -> Result<Interned, String> {
    let name = file_name("vectors-", place.pack);
    let range = place.offset as usize..(place.offset + place.stored) as usize;
    let bytes = pack.get(range).ok_or_else(|| format!("{name} is cut off"))?;
    let values =
        state_file::unpack(bytes, place.len).map_err(|error| format!("{name}: {error}"))?;
    let digest: Digest = intern::digest(&values);
    if digest != place.digest {
        return Err(format!("{name} is damaged: a vector has another digest"));
    }
    Ok(Interned { digest, values: Arc::new(values) })
}
