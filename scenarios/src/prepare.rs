//! From a scenario to its data, its partition and its network: everything that can still be wrong
//! before a run.

mod people;

use crate::diagnose::Problem;
use crate::document::Document;
use crate::files;
use crate::population::Population;
use crate::scenario::Scenario;
use crate::spec::{ScenarioFile, StrategySection};
use offbeat_actors::adversary::Behaviour;
use offbeat_kernel::{ClientId, Purpose, SeedTree};
use offbeat_learning::data::{Dataset, PartitionReport, Shard};
use offbeat_learning::network::{Network, Shape, load_start};
use offbeat_learning::reid::People;
use offbeat_learning::{Flat, LearnError};
use offbeat_strategies::registry::PacePart;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What a federation works with.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Root of all randomness.
    pub seeds: SeedTree,
    /// The clients, and what they suffer.
    pub population: Population,
    /// The network, fitted to the data.
    pub network: Arc<Network>,
    /// First weights, in the network's layout.
    pub initial: Flat,
    /// The common test samples.
    pub test: Arc<Shard>,
    /// The training samples of each part of the data; client `i` holds part `i` modulo their number.
    pub shards: Vec<Arc<Shard>>,
    /// The own test samples that belong to each part; empty when none are kept.
    pub test_shards: Vec<Arc<Shard>>,
    /// The clients' pictures, where persons are re-identified: then `shards` and `test_shards` are empty.
    pub people: Option<People>,
    /// Who got what.
    pub report: PartitionReport,
}

impl Prepared {
    /// How many samples each part of the data trains on.
    pub fn sizes(&self) -> Vec<u32> {
        match &self.people {
            Some(people) => people.clients.iter().map(|client| client.len() as u32).collect(),
            None => self.shards.iter().map(|shard| shard.len() as u32).collect(),
        }
    }

    /// Training and own test samples of all parts of the data.
    pub fn samples(&self) -> u64 {
        let kept = self.test_shards.iter().map(|shard| shard.len() as u64);
        self.sizes().into_iter().map(u64::from).chain(kept).sum()
    }

    /// Memory that the samples take, each data set once.
    pub fn data_bytes(&self) -> u64 {
        let shards = self.shards.iter().chain(&self.test_shards).chain([&self.test]);
        let sets: BTreeMap<*const Dataset, u64> = shards
            .map(|shard| (Arc::as_ptr(&shard.data), 4 * shard.data.features.len() as u64))
            .collect();
        sets.values().sum::<u64>() + self.people.as_ref().map_or(0, People::bytes)
    }

    /// For each part of the data its rows, and the label of each: tells whether data are still the same.
    pub fn who_holds_what(&self) -> Vec<(&[u32], Vec<u32>)> {
        let shards = self.shards.iter().map(|shard| {
            let labels = shard.rows.iter().map(|row| shard.data.labels[*row as usize]);
            (&*shard.rows, labels.collect())
        });
        let people = self.people.iter().flat_map(|people| &people.clients);
        shards.chain(people.map(|client| (client.rows(), client.labels().to_vec()))).collect()
    }

    /// Clients that keep test samples, with their number.
    pub fn test_clients(&self) -> Vec<(ClientId, usize)> {
        let sizes = self.test_shards.iter().enumerate().filter(|(_, shard)| !shard.is_empty());
        sizes.map(|(client, shard)| (ClientId(client as u32), shard.len())).collect()
    }
}

/// Loads and splits the data, and builds the network.
///
/// # Errors
/// What is wrong with the data or does not fit them, pointing at the key of the scenario that asked.
pub fn prepare(scenario: &Scenario, document: &Document) -> Result<Prepared, Problem> {
    prepare_going_on(scenario, document, None)
}

/// The same for a run that began with another strategy, which may need more of the data.
pub(crate) fn prepare_going_on(
    scenario: &Scenario,
    document: &Document,
    begun_with: Option<&StrategySection>,
) -> Result<Prepared, Problem> {
    let at = |path: &'static str| move |error: LearnError| problem(error, path, document);
    let sections = scenario.sections();
    let seeds = SeedTree::new(scenario.seed());
    let population = Population::new(&sections.population, document)?;
    if sections.data.dataset.is_people() {
        return people::prepare(scenario, document, population, begun_with);
    }
    let split =
        sections.data.dataset.load(&sections.data.dir, seeds).map_err(at("data.dataset"))?;
    refuse_missing_numbers(&split.train, "training").map_err(at("data.dataset"))?;
    refuse_missing_numbers(&split.test, "test").map_err(at("data.dataset"))?;
    let mut stream = seeds.stream(Purpose::Partition, 0, 0);
    let clients = sections.data.parts.unwrap_or(sections.population.clients);
    let partition = sections
        .data
        .partition
        .split(&split.train, clients, &mut stream, Path::new(""))
        .map_err(at("data.partition"))?;
    let report = PartitionReport::new(&partition, &split.train);
    let loss = sections.training.objective.loss;
    let outputs = loss.outputs(split.train.inputs(), split.train.classes);
    let network = Network::new(&sections.network.model, &split.train.shape, outputs)
        .map_err(at("network.model"))?;
    if let Some(masked) = loss.masked() {
        masked.image(network.input()).map_err(at("training.objective.loss"))?;
    }
    if let PacePart::FedIod(settings) = &sections.strategy.pace {
        settings.duties(&network).map_err(at("strategy.pace"))?;
    }
    aims_are_there(sections, split.train.classes, document)?;
    let initial = first_weights(sections, &network, seeds, document)?;
    let train = Arc::new(split.train);
    let (mut shards, mut test_shards) = (Vec::new(), Vec::new());
    for (client, rows) in partition.iter().enumerate() {
        let (kept, tested) = hold_out(rows, sections.data.client_test_share, seeds, client as u64);
        let kept = Shard { data: train.clone(), rows: kept.into() };
        let tested = Shard { data: train.clone(), rows: tested.into() };
        let id = ClientId(client as u32);
        let (kept, tested) = population
            .shift_of(id)
            .apply(&seeds, id, &kept, &tested)
            .map_err(|error| problem(error, &shift_path(&population, id), document))?;
        shards.push(Arc::new(kept));
        test_shards.push(Arc::new(tested));
    }
    let test = Arc::new(Shard::whole(Arc::new(split.test)));
    Ok(Prepared {
        seeds,
        population,
        network: Arc::new(network),
        initial,
        test,
        shards,
        test_shards,
        people: None,
        report,
    })
}

/// The first weights: from a file, or drawn.
fn first_weights(
    sections: &ScenarioFile,
    network: &Network,
    seeds: SeedTree,
    document: &Document,
) -> Result<Flat, Problem> {
    refuse_unknown_prefixes(sections, network, document)?;
    refuse_unfit_changes(sections, network, document)?;
    let drawn = network.init(&mut seeds.stream(Purpose::ModelInit, 0, 0));
    match &sections.network.weights {
        Some(path) => load_start(path, network, &drawn)
            .map_err(|error| problem(error, "network.weights", document)),
        None => Ok(drawn),
    }
}

/// The key that says how the data of `client` differ.
fn shift_path(population: &Population, client: ClientId) -> String {
    let group = population.group_of(client);
    if population.groups()[group].shift == population.shift {
        return "population.data_shift".into();
    }
    format!("population.group.{group}.data_shift")
}

/// Splits a client's rows into those it trains on and those it tests on, each in their first order.
fn hold_out(rows: &[u32], share: f64, seeds: SeedTree, client: u64) -> (Vec<u32>, Vec<u32>) {
    if share <= 0.0 || rows.len() < 2 {
        return (rows.to_vec(), Vec::new());
    }
    let wanted = (rows.len() as f64 * share).round() as usize;
    let wanted = wanted.clamp(1, rows.len() - 1);
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // Counter 0 of this purpose splits the data over clients; 1 splits a client's own.
    order.shuffle(&mut seeds.stream(Purpose::Partition, client, 1));
    let mut tests = vec![false; rows.len()];
    order[..wanted].iter().for_each(|index| tests[*index] = true);
    let pick = |kind: bool| {
        rows.iter().zip(&tests).filter(move |(_, test)| **test == kind).map(|(row, _)| *row)
    };
    (pick(false).collect(), pick(true).collect())
}

/// A factor on the rate of tensors that the network does not have is a slip of the pen.
fn refuse_unknown_prefixes(
    sections: &ScenarioFile,
    network: &Network,
    document: &Document,
) -> Result<(), Problem> {
    let names: Vec<&str> =
        network.layout().entries().iter().map(|entry| entry.name.as_str()).collect();
    for (index, group) in sections.training.sgd.groups.iter().enumerate() {
        if !names.iter().any(|name| name.starts_with(&group.prefix)) {
            let path = format!("training.sgd.groups.{index}.prefix");
            let message = format!("no tensor of the network begins with `{}`", group.prefix);
            return Err(Problem::new("value", message)
                .at(document.place(&path), "asked for here")
                .help(format!("the network has {}", names.join(", ")))
                .about(&path));
        }
    }
    Ok(())
}

/// Only pictures can be changed at random, and only by less than their size.
fn refuse_unfit_changes(
    sections: &ScenarioFile,
    network: &Network,
    document: &Document,
) -> Result<(), Problem> {
    let augment = &sections.training.augment;
    let (path, message, help) = match network.input() {
        Shape::Vector(length) if !augment.is_off() => (
            "training.augment",
            format!("`augment` changes pictures, but the samples are vectors of length {length}"),
            "leave `augment` out",
        ),
        Shape::Image(_, height, width) if augment.pad_crop > height.min(width) => (
            "training.augment.pad_crop",
            format!(
                "{} pixels on each side of pictures of {height} x {width}: a window could miss the picture",
                augment.pad_crop
            ),
            "pad less: FedReID pads 10 pixels where pictures have 256 x 128",
        ),
        _ => return Ok(()),
    };
    Err(Problem::new("conflict", message)
        .at(document.place(path), "asked for here")
        .help(help)
        .about(path))
}

/// Data that are not numbers would only show up as a loss that is not a number.
fn refuse_missing_numbers(data: &Dataset, which: &str) -> Result<(), LearnError> {
    let Some(index) = data.features.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    let (sample, feature) = (index / data.inputs().max(1), index % data.inputs().max(1));
    Err(LearnError::Invalid(format!(
        "{which} sample {sample}, feature {feature} is {}: every feature must be a finite number",
        data.features[index]
    )))
}

/// Whether attacks name only classes that the data have.
fn aims_are_there(
    sections: &ScenarioFile,
    classes: usize,
    document: &Document,
) -> Result<(), Problem> {
    for (index, section) in sections.adversary.iter().enumerate() {
        let named = match section.behaviour {
            Behaviour::LabelFlip { source, target } => [source, target],
            Behaviour::ModelReplacement { target, .. } => [None, Some(target)],
            _ => [None, None],
        };
        let beyond = named.into_iter().flatten().find(|class| *class as usize >= classes);
        if let Some(class) = beyond {
            let path = format!("adversary.{index}.behaviour");
            return Err(Problem::new("value", format!("there is no class {class}"))
                .at(document.place(&path), "the data have none of that number")
                .help(format!("classes are numbered from 0 to {}", classes - 1))
                .about(&path));
        }
    }
    Ok(())
}

/// A learning error as a problem of the scenario, at the key that led to it.
fn problem(error: LearnError, path: &str, document: &Document) -> Problem {
    let code = match &error {
        LearnError::Malformed { .. } => "malformed_data",
        _ => "value",
    };
    let text = files::shorten(&error.to_string());
    if let LearnError::Io { path: file, source } = &error {
        let kind = if path.starts_with("data.dataset") {
            "a relative path counts from `data.dir`, which counts from where the command is called; \
             `--data-dir` names another folder"
        } else {
            "a relative path counts from the folder of the scenario"
        };
        let problem = files::unreadable(file, source, kind);
        return problem.at(document.place(path), "asked for here").about(path);
    }
    // Errors say what is wrong, a colon or semicolon, and what to do: the last part is the hint.
    let problem = match text.rsplit_once("; ").or_else(|| {
        let cut = [": use ", ": for ", ": ask "].iter().find_map(|word| text.find(word));
        cut.map(|at| (&text[..at], &text[at + 2..]))
    }) {
        Some((what, hint)) => Problem::new(code, what).help(hint),
        None => Problem::new(code, text.clone())
            .help(format!("`offbeat explain {path}` tells what it takes")),
    };
    problem.at(document.place(path), "asked for here").about(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_keeps_samples_of_both_kinds() {
        let seeds = SeedTree::new(3);
        let rows: Vec<u32> = (10..20).collect();
        let (train, test) = hold_out(&rows, 0.2, seeds, 4);
        assert_eq!((train.len(), test.len()), (8, 2));
        let mut all = [train, test].concat();
        all.sort_unstable();
        assert_eq!(all, rows);
        assert_eq!(hold_out(&[7, 8], 0.01, seeds, 0).1.len(), 1);
        assert_eq!(hold_out(&[7, 8], 0.99, seeds, 0).0.len(), 1);
        assert_eq!(hold_out(&[7], 0.5, seeds, 0), (vec![7], vec![]));
        assert_ne!(hold_out(&rows, 0.5, seeds, 0), hold_out(&rows, 0.5, seeds, 1));
    }
}
