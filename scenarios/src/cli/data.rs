//! `offbeat data`: what data sets of persons and faces look like, and synthetic ones as files.

use super::{Failure, print};
use crate::complaint::{complain, hung};
use crate::rundir::WriteError;
use crate::suggest;
use crate::units::count;
use clap::{Args, Subcommand};
use offbeat_kernel::SeedTree;
use offbeat_learning::LearnError;
use offbeat_learning::faces::{OrlFaces, SyntheticFaces};
use offbeat_learning::reid::sheet::Sheet;
use offbeat_learning::reid::synth::{Domain, all_domains};
use offbeat_learning::reid::{Colours, ReIdSet, RetrievalOptions, Size, Trial, folder};
use std::path::{Path, PathBuf};

/// Name for the first nine domains together, and for all twelve.
const NINE: &str = "nine-domains";
const ALL: &str = "all-domains";

/// Name of the synthetic faces.
const FACES: &str = "synthetic-faces";

/// Arguments of `data`.
#[derive(Clone, Debug, Args)]
pub struct DataArgs {
    /// What to do with the data.
    #[command(subcommand)]
    pub command: DataCommand,
}

/// What can be done with data.
#[derive(Clone, Debug, Subcommand)]
pub enum DataCommand {
    /// Draw a contact sheet: rows are persons, columns are cameras
    Preview(PreviewArgs),
    /// Say what the bare pixels find in each domain: the least that learning has to beat
    Baseline(SourceArgs),
    /// Write a synthetic domain as PNG files in the layout of Market-1501
    Export(ExportArgs),
}

/// Which data.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// A synthetic domain such as market1501-like, nine-domains, all-domains, synthetic-faces, or a
    /// folder in the layout of Market-1501, MSMT17 or the ORL faces
    pub dataset: String,
    /// Size of synthetic domains against the data sets that they are modelled on
    #[arg(long, value_name = "FACTOR", default_value_t = 0.02)]
    pub scale: f64,
    /// Seed of synthetic domains
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Height and width of the pictures [default: 64x32; of faces 48x48]
    #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = size)]
    pub size: Option<Size>,
}

/// Arguments of `data preview`.
#[derive(Clone, Debug, Args)]
pub struct PreviewArgs {
    /// Which data.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The PNG file
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Persons of each data set, at most
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub persons: usize,
    /// Cameras of each data set, at most
    #[arg(long, value_name = "N", default_value_t = 15)]
    pub cameras: usize,
    /// Times by which pictures are enlarged
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub zoom: u8,
}

/// Arguments of `data export`.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// Which data.
    #[command(flatten)]
    pub source: SourceArgs,
    /// The folder; several domains get a folder each in it
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Reads `64x32`.
fn size(text: &str) -> Result<Size, String> {
    let sides = text.split_once('x').and_then(|(h, w)| Some((h.parse().ok()?, w.parse().ok()?)));
    let (height, width) = sides.ok_or("expected height and width such as 64x32")?;
    Ok(Size { height, width })
}

/// Previews or exports.
pub(super) fn data(args: &DataArgs) -> Result<(), Failure> {
    match &args.command {
        DataCommand::Preview(args) => preview(args),
        DataCommand::Baseline(source) => baseline(source),
        DataCommand::Export(args) => export(args),
    }
}

fn preview(args: &PreviewArgs) -> Result<(), Failure> {
    let sets = sets(&args.source)?;
    let shown: Vec<&ReIdSet> = sets.iter().collect();
    let sheet = Sheet::of(&shown, args.persons, args.cameras, usize::from(args.zoom));
    if let Some(folder) = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        writable(folder)?;
    }
    sheet.write(&args.out).map_err(failed)?;
    let lines: Vec<String> = sets.iter().map(line).collect();
    let (width, height, out) = (sheet.width, sheet.height, args.out.display());
    print(&format!("{}sheet: {out} ({width} x {height})\n", lines.concat()))
}

/// Rank-1, -5, -10 and mean average precision of pictures compared pixel by pixel, by the rules of the
/// benchmarks.
fn baseline(source: &SourceArgs) -> Result<(), Failure> {
    let mut found = Vec::new();
    // Faces of all sites are searched together; the sites' own sets have no queries.
    for set in sets(source)?.into_iter().filter(|set| !set.query.is_empty()) {
        let trial = Trial::new(set, true, Colours::default());
        let figures = trial.raw_pixels(RetrievalOptions::default()).map_err(failed)?;
        found.push((trial.name, figures.cmc, figures.map_trapezoid));
    }
    let share = 1.0 / found.len() as f64;
    let cmc = [0, 1, 2].map(|rank| share * found.iter().map(|f| f.1[rank]).sum::<f64>());
    let map = share * found.iter().map(|f| f.2).sum::<f64>();
    if found.len() > 1 {
        found.push(("mean".into(), cmc, map));
    }
    print("raw pixels, cosine       rank-1  rank-5 rank-10     mAP\n")?;
    for (name, [one, five, ten], map) in found {
        print(&format!("{name:<23} {one:7.3} {five:7.3} {ten:7.3} {map:7.3}\n"))?;
    }
    Ok(())
}

fn export(args: &ExportArgs) -> Result<(), Failure> {
    let sets = sets(&args.source)?;
    for set in &sets {
        let own = if sets.len() > 1 { args.out.join(&set.name) } else { args.out.clone() };
        writable(&own)?;
        folder::export(set, &own).map_err(failed)?;
        let digest = hung("  ", &format!("digest {} in {}", set.digest(), own.display()));
        print(&(line(set) + digest.as_str()))?;
    }
    Ok(())
}

/// Makes a folder that something is to be written into.
fn writable(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let error = WriteError::new(folder, error);
        Failure::Failed(format!("{error}\nhelp: `--out` takes another place"))
    })
}

/// What a set holds; parts without pictures are left out.
fn line(set: &ReIdSet) -> String {
    let parts = [("training", &set.train), ("query", &set.query), ("gallery", &set.gallery)];
    let parts = parts.into_iter().filter(|(_, pictures)| !pictures.is_empty());
    let words: Vec<String> = parts
        .map(|(name, pictures)| {
            let (pictures, persons) = (pictures.len() as u64, pictures.persons().len() as u64);
            format!("{name} {} pictures of {} persons", count(pictures), count(persons))
        })
        .collect();
    // Further lines stand a little to the right.
    let text = hung("  ", &format!("{}: {}", set.name, words.join("; ")));
    text.trim_start().to_string()
}

fn sets(source: &SourceArgs) -> Result<Vec<ReIdSet>, Failure> {
    let path = Path::new(&source.dataset);
    if source.dataset == FACES || path.join("s1").is_dir() {
        return faces(source);
    }
    let size = source.size.unwrap_or_default();
    if path.is_dir() {
        let lists = path.join("list_train.txt").exists();
        let read = if lists { folder::load_msmt17 } else { folder::load };
        return read(path, size).map(|set| vec![set]).map_err(failed);
    }
    let scale = source.scale;
    if !(scale > 0.0 && scale <= 1.0) {
        return Err(wrong(&format!("--scale is {scale}"), "it must be above 0 and at most 1"));
    }
    let domains = named(&source.dataset, scale).map_err(|help| {
        wrong(&format!("there is no data set or folder `{}`", source.dataset), &help)
    })?;
    let draw = |domain: Domain| {
        let domain = Domain { size, ..domain };
        domain.generate(SeedTree::new(source.seed)).map_err(failed)
    };
    domains.into_iter().map(draw).collect()
}

/// The sites' faces, then those that models are tried on.
fn faces(source: &SourceArgs) -> Result<Vec<ReIdSet>, Failure> {
    let size = source.size.unwrap_or(Size { height: 48, width: 48 });
    let sets = match source.dataset.as_str() {
        FACES => {
            SyntheticFaces { size, ..SyntheticFaces::default() }.load(SeedTree::new(source.seed))
        }
        folder => OrlFaces { size, ..OrlFaces::at(folder.into()) }.load(Path::new("")),
    }
    .map_err(failed)?;
    Ok(sets.domains.into_iter().chain(sets.together).collect())
}

/// The domains of a name, or a hint.
fn named(name: &str, scale: f64) -> Result<Vec<Domain>, String> {
    let mut all = all_domains(scale);
    match name {
        ALL => return Ok(all),
        NINE => {
            all.truncate(9);
            return Ok(all);
        }
        _ => {}
    }
    let mut known: Vec<&str> = all.iter().map(|domain| domain.name.as_str()).collect();
    known.extend([NINE, ALL, FACES]);
    let hint = suggest::of(name, &known, "synthetic data sets");
    let found: Vec<Domain> = all.iter().filter(|domain| domain.name == name).cloned().collect();
    if found.is_empty() { Err(hint) } else { Ok(found) }
}

fn wrong(what: &str, help: &str) -> Failure {
    complain(&format!("{what}\nhelp: {help}"));
    Failure::Wrong
}

fn failed(error: LearnError) -> Failure {
    match error {
        LearnError::Invalid(reason) => {
            complain(&reason);
            Failure::Wrong
        }
        error => Failure::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_domains() {
        let count = |name| named(name, 0.01).map(|domains| domains.len());
        assert_eq!((count(NINE), count(ALL), count("grid-like")), (Ok(9), Ok(12), Ok(1)));
        let hint = count("market-like").expect_err("no such domain");
        assert!(hint.contains("did you mean `market1501-like`?"), "{hint}");
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(size("128x64"), Ok(Size { height: 128, width: 64 }));
        assert!(size("128").is_err() && size("ax4").is_err() && size("4x-1").is_err());
    }
}
