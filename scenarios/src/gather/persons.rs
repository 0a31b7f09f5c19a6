//! Trials on the persons of each domain, as the report shows them.

use crate::report::retrieval::{DomainFigures, RetrievalPoint, Whose};
use offbeat_actors::retrieval::{Model, Tried};
use offbeat_kernel::{Time, Version};
use offbeat_learning::faces::FaceFigures;
use offbeat_strategies::companion::Budget;
use std::collections::BTreeMap;

/// One evaluation: the mean over the models that were tried on the same domain.
pub(super) fn point(
    (at, version): (Time, Version),
    budget: Option<Budget>,
    tried: &[Tried],
) -> RetrievalPoint {
    let mut groups: BTreeMap<(Whose, usize), Vec<&Tried>> = BTreeMap::new();
    for one in tried {
        let whose = match one.model {
            Model::Global | Model::Group(_) => Whose::Global,
            Model::Local(_) => Whose::Local,
        };
        groups.entry((whose, one.domain)).or_default().push(one);
    }
    let figures = |((whose, _), all): ((Whose, usize), Vec<&Tried>)| {
        let mean = |of: &dyn Fn(&Tried) -> f64| {
            all.iter().map(|one| of(one)).sum::<f64>() / all.len() as f64
        };
        DomainFigures {
            domain: all[0].name.clone(),
            seen: all[0].seen,
            whose,
            cmc: [0, 1, 2].map(|rank| mean(&|one| one.figures.cmc[rank])),
            map: mean(&|one| one.figures.map_trapezoid),
            map_standard: mean(&|one| one.figures.map_standard),
            faces: FaceFigures::mean(all.iter().filter_map(|one| one.faces.as_ref())),
        }
    };
    let domains = groups.into_iter().map(figures).collect();
    RetrievalPoint { virtual_seconds: at.seconds(), version: version.0, budget, domains }
}
