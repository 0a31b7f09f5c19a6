//! Re-identification in a federation: heads of different widths, distances that training moved, and models
//! tried on the persons of each domain.

use crate::client::{Homes, settle};
use crate::promise::Book;
use crate::record::Record;
use crate::rules::RetrievalRules;
use offbeat_kernel::{ClientId, JobId, Time, Version};
use offbeat_learning::faces::FaceFigures;
use offbeat_learning::reid::{Found, Retrieval, RetrievalOptions, Trial};
use offbeat_learning::{Flat, Trainer};
use offbeat_strategies::companion::Mechanism;
use offbeat_strategies::signal::Clusters;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

/// What re-identification adds to the workers' bench; empty for everything else.
#[derive(Clone, Default)]
pub struct ReIdBench {
    /// A trainer for every width of a head but the usual one.
    pub trainers: BTreeMap<usize, Arc<dyn Trainer>>,
    /// Where models are tried.
    pub trials: Vec<Arc<Trial>>,
    /// By which rules.
    pub options: RetrievalOptions,
    /// Whether clients say how far training moved their answers.
    pub cosine_distance: bool,
    /// How clients cluster their class centres when they are asked for it.
    pub clustering: Option<Mechanism>,
    /// Whether clients keep the model that their training gave.
    pub local_models: bool,
    /// The domains that each client holds pictures of, as places among the trials.
    pub domains: Vec<Vec<usize>>,
}

impl Debug for ReIdBench {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReIdBench")
            .field("widths", &self.trainers.keys())
            .field("trials", &self.trials.len())
            .finish_non_exhaustive()
    }
}

/// The trial of one model on one domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetrieveJob {
    /// The parameters below the head.
    pub body: Flat,
    /// Which trial.
    pub domain: usize,
}

impl ReIdBench {
    /// Tries a model.
    ///
    /// # Errors
    /// In words, as [`Trial::run`].
    pub fn retrieve(&self, trainer: &dyn Trainer, job: &RetrieveJob) -> Result<Found, String> {
        let trial = self.trials.get(job.domain).ok_or("there is no such domain")?;
        let found = trial.run(trainer, &job.body, self.options);
        found.map_err(|error| format!("{}: {error}", trial.name))
    }
}

/// Whose model was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Model {
    /// The global model.
    Global,
    /// The model of a group (cluster).
    Group(u32),
    /// The model that a client's last training gave, before the server merged it.
    Local(ClientId),
}

/// What a model found in a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Whose model.
    pub model: Model,
    /// Place of the domain.
    pub domain: usize,
    /// Name of the domain.
    pub name: String,
    /// Whether a client learns from the domain.
    pub seen: bool,
    /// The figures.
    pub figures: Retrieval,
    /// Those of verification and identification, where the pictures are faces.
    pub faces: Option<FaceFigures>,
}

/// Mean rank-1 and mean average precision (trapezoid form) over the domains that are learnt from, each domain
/// counting once: of the global model or the groups' models, or of the local ones where no other was tried.
pub fn means(tried: &[Tried]) -> Option<(f64, f64)> {
    let local = |t: &Tried| matches!(t.model, Model::Local(_));
    let common = tried.iter().any(|t| t.seen && !local(t));
    let mut domains: BTreeMap<usize, Vec<&Retrieval>> = BTreeMap::new();
    for found in tried.iter().filter(|t| t.seen && local(t) != common) {
        domains.entry(found.domain).or_default().push(&found.figures);
    }
    let mean = |of: fn(&Retrieval) -> f64| {
        let each = domains
            .values()
            .map(|all| all.iter().map(|figures| of(figures)).sum::<f64>() / all.len() as f64);
        each.sum::<f64>() / domains.len() as f64
    };
    (!domains.is_empty()).then(|| (mean(|f| f.cmc[0]), mean(|f| f.map_trapezoid)))
}

/// Names of the trials and who holds which domain: what the evaluator needs of a [`ReIdBench`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Trials {
    names: Vec<(String, bool)>,
    domains: Vec<Vec<usize>>,
    /// Length of the parameters below the head.
    body: usize,
}

/// A trial under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Open {
    model: Model,
    domain: usize,
    job: JobId,
}

impl Trials {
    pub(crate) fn of(bench: &ReIdBench, body: usize) -> Self {
        let names = bench.trials.iter().map(|trial| (trial.name.clone(), trial.seen)).collect();
        Self { names, domains: bench.domains.clone(), body }
    }

    /// Has a version tried: one job for each model and domain, the larger domains first where they come first.
    pub(crate) fn start(
        &self,
        rules: RetrievalRules,
        (model, clusters): (&Flat, Option<&Clusters>),
        (homes, book): (&Homes, &Book),
        now: Time,
    ) -> Vec<Open> {
        let mut wanted: Vec<(usize, Model, Flat)> = Vec::new();
        for domain in (0..self.names.len()).filter(|_| rules.global) {
            for group in self.groups_of(domain, clusters) {
                let other = clusters.and_then(|clusters| clusters.models.get(&group));
                let named = if clusters.is_some() { Model::Group(group) } else { Model::Global };
                wanted.push((domain, named, other.unwrap_or(model).clone()));
            }
        }
        for (client, domains) in (0..).map(ClientId).zip(&self.domains).filter(|_| rules.local) {
            let private = settle(homes, book, client);
            let Some(local) = private.local else { continue };
            let whole = private.kept.map_or_else(|| local.clone(), |kept| local.concat(&kept));
            let body = whole.slice(0..self.body);
            wanted.extend(domains.iter().map(|d| (*d, Model::Local(client), body.clone())));
        }
        wanted.sort_by_key(|(domain, model, _)| (*domain, *model));
        let open = |(domain, model, body): (usize, Model, Flat)| Open {
            model,
            domain,
            job: book.retrieve(now, RetrieveJob { body, domain }),
        };
        wanted.into_iter().map(open).collect()
    }

    /// The groups whose members hold a domain; where nobody holds it, all that have members: whose model a new
    /// place should get is not known, so that all of them are tried there and the mean counts.
    fn groups_of(&self, domain: usize, clusters: Option<&Clusters>) -> BTreeSet<u32> {
        let holders = (0..).map(ClientId).zip(&self.domains).filter(|(_, d)| d.contains(&domain));
        let group =
            |client| clusters.and_then(|clusters| clusters.of.get(&client)).copied().unwrap_or(0);
        let mut groups: BTreeSet<u32> = holders.map(|(client, _)| group(client)).collect();
        if groups.is_empty() {
            groups.extend(clusters.iter().flat_map(|clusters| clusters.of.values()));
        }
        if groups.is_empty() { BTreeSet::from([0]) } else { groups }
    }

    /// Waits for what was started.
    pub(crate) fn read(
        &self,
        open: Vec<Open>,
        book: &Book,
        (at, version): (Time, Version),
    ) -> Result<Option<Record>, String> {
        let read = |Open { model, domain, job }| {
            let (name, seen) = self.names[domain].clone();
            let Found { retrieval: figures, faces } = book.take_retrieval(job)?;
            Ok(Tried { model, domain, name, seen, figures, faces })
        };
        let tried: Vec<Tried> = open.into_iter().map(read).collect::<Result<_, String>>()?;
        Ok((!tried.is_empty()).then_some(Record::Retrieval { at, version, tried }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_of_nobody_is_tried_with_the_model_of_every_group() {
        let trials = Trials {
            names: vec![("own".into(), true), ("other".into(), true), ("new".into(), false)],
            domains: vec![vec![0], vec![1], vec![0, 1]],
            body: 0,
        };
        let of = BTreeMap::from([(ClientId(0), 3), (ClientId(1), 5), (ClientId(2), 5)]);
        let clusters = Clusters { of, ..Clusters::default() };
        let groups = |domain, clusters| Vec::from_iter(trials.groups_of(domain, clusters));
        assert_eq!(groups(0, Some(&clusters)), [3, 5]);
        assert_eq!(groups(1, Some(&clusters)), [5]);
        assert_eq!(groups(2, Some(&clusters)), [3, 5]);
        assert_eq!(groups(2, None), [0]);
    }

    #[test]
    fn means_count_each_domain_once_and_prefer_the_common_model() {
        let tried = |model, domain, rank: f64, seen| Tried {
            model,
            domain,
            name: String::new(),
            seen,
            figures: Retrieval {
                cmc: [rank; 3],
                map_trapezoid: rank / 2.0,
                ..Retrieval::default()
            },
            faces: None,
        };
        let local = Model::Local(ClientId(0));
        let mut all = vec![tried(local, 0, 0.9, true)];
        assert_eq!(means(&all), Some((0.9, 0.45)));
        all.extend([
            tried(Model::Group(0), 0, 0.2, true),
            tried(Model::Group(1), 0, 0.4, true),
            tried(Model::Group(1), 1, 0.5, true),
            tried(Model::Group(0), 2, 1.0, false),
        ]);
        let (rank, map) = means(&all).expect("two domains");
        assert!((rank - 0.4).abs() < 1e-12 && (map - 0.2).abs() < 1e-12);
        assert_eq!(means(&[]), None);
    }
}
