//! Federations that re-identify persons: each client has persons, labels and a head of its own.

use super::{Prepared, first_weights, problem};
use crate::diagnose::Problem;
use crate::document::Document;
use crate::population::Population;
use crate::scenario::Scenario;
use crate::spec::StrategySection;
use offbeat_kernel::{Purpose, SeedTree};
use offbeat_learning::data::{Dataset, Shard};
use offbeat_learning::network::Network;
use offbeat_learning::reid::{Architecture, People};
use std::sync::Arc;

/// Loads and splits the pictures, and builds the network with the head of the first client.
pub(super) fn prepare(
    scenario: &Scenario,
    document: &Document,
    population: Population,
    begun_with: Option<&StrategySection>,
) -> Result<Prepared, Problem> {
    let sections = scenario.sections();
    let data = &sections.data;
    let seeds = SeedTree::new(scenario.seed());
    let Some(architecture) = data.partition.architecture() else {
        return Err(Problem::new("conflict", "pictures of persons are not split like this")
            .at(document.place("data.partition"), "knows no persons")
            .help("write `partition = \"by-dataset\"`, `\"by-camera\"` or `\"by-identity\"`")
            .about("data.partition"));
    };
    let public =
        sections.ever_looks_at_public() || begun_with.is_some_and(StrategySection::looks_at_public);
    let sets = data
        .dataset
        .load_people(&data.dir, seeds, public)
        .map_err(|error| problem(error, "data.dataset", document))?;
    if public && sets.public.is_none() {
        return Err(Problem::new(
            "conflict",
            "the strategy looks at public pictures, and there are none",
        )
        .at(document.place("data.dataset"), "names no `public` folder")
        .help("add `public = \"NAME\"`, a folder beside the domains, to `[data.dataset.persons]`")
        .about("data.dataset"));
    }
    let mut stream = seeds.stream(Purpose::Partition, 0, 0);
    let clients = sections.population.clients;
    let mut people = People::new(sets, architecture, clients, &mut stream)
        .map_err(|error| problem(error, "data.partition", document))?;
    fitting(architecture, clients, people.clients.len(), document)?;
    let (first, shape) = (&people.clients[0], people.shape());
    let network = Network::new(&sections.network.model, &shape, first.classes)
        .map_err(|error| problem(error, "network.model", document))?;
    let initial = first_weights(sections, &network, seeds, document)?;
    let report = people.report.clone();
    let none = Dataset {
        features: Vec::new(),
        shape,
        labels: Vec::new(),
        classes: network.classes(),
        groups: None,
    };
    if !public {
        people.public = None;
    }
    Ok(Prepared {
        seeds,
        population,
        network: Arc::new(network),
        initial,
        test: Arc::new(Shard::whole(Arc::new(none))),
        shards: Vec::new(),
        test_shards: Vec::new(),
        people: Some(people),
        report,
    })
}

/// Data sets and cameras say how many clients there are.
fn fitting(
    architecture: Architecture,
    asked: u32,
    found: usize,
    document: &Document,
) -> Result<(), Problem> {
    if asked as usize == found {
        return Ok(());
    }
    let what = match architecture {
        Architecture::Datasets => "data sets",
        Architecture::Cameras => "cameras with pictures to learn from",
        Architecture::Identities => "parts",
    };
    Err(Problem::new("conflict", format!("{asked} clients, but the data have {found} {what}"))
        .at(document.place("population.clients"), "one client for each")
        .help(format!("write `clients = {found}`"))
        .about("population.clients"))
}
