//! What federations that re-identify persons need beyond the rest.

use super::Ever;
use crate::diagnose::Problem;
use crate::document::Document;
use crate::prepare::Prepared;
use crate::spec::{Buffers, EvaluateOn, ScenarioFile};
use offbeat_actors::retrieval::ReIdBench;
use offbeat_kernel::Purpose;
use offbeat_learning::data::Shard;
use offbeat_learning::reid::ClientPictures;
use offbeat_learning::{Part, Trainer};
use offbeat_strategies::companion::FirstHeads;
use offbeat_strategies::registry::{CompanionPart, Registry};
use offbeat_strategies::resources::{BufferPolicy, Resources, RootPool};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Trainers by head, trials, and what clients are asked to measure.
pub(super) fn bench(
    sections: &ScenarioFile,
    prepared: &Prepared,
    (trainer, ever): (&Arc<dyn Trainer>, &Ever),
    document: &Document,
) -> Result<ReIdBench, Problem> {
    let mut bench = ReIdBench {
        cosine_distance: ever.cosine_distance,
        clustering: match &sections.strategy.companion {
            CompanionPart::PrivacyFace(settings) => Some(settings.mechanism()),
            _ => None,
        },
        local_models: sections.evaluation.on.contains(&EvaluateOn::RetrievalLocal),
        options: sections.evaluation.retrieval,
        ..ReIdBench::default()
    };
    let Some(people) = &prepared.people else { return Ok(bench) };
    bench.trials.clone_from(&people.trials);
    bench.domains = people.clients.iter().map(|client| client.domains.clone()).collect();
    let mut trainers: BTreeMap<usize, Arc<dyn Trainer>> = BTreeMap::new();
    for client in &people.clients {
        let width = client.classes;
        if width != prepared.network.classes() && !trainers.contains_key(&width) {
            let wider = trainer.with_classes(width).map_err(|error| {
                Problem::new("value", error.to_string())
                    .at(document.place("network.model"), "cannot have another head")
                    .about("network.model")
            })?;
            trainers.insert(width, wider);
        }
    }
    bench.trainers = trainers;
    Ok(bench)
}

/// The heads that a server which keeps them begins with: for each client the one that it would draw itself.
fn first_heads(sections: &ScenarioFile, prepared: &Prepared) -> Option<Arc<FirstHeads>> {
    if !matches!(sections.strategy.companion, CompanionPart::FedGc(_)) {
        return None;
    }
    let people = prepared.people.as_ref()?;
    let head = |(id, client): (u64, &ClientPictures)| {
        let network = prepared.network.with_classes(client.classes).ok()?;
        let drawn = network.init(&mut prepared.seeds.stream(Purpose::PrivateInit, id, 0));
        Some((drawn.slice(network.layout().range(Part::Head)), client.classes))
    };
    let heads = (0..).zip(&people.clients).map(head).collect::<Option<Vec<_>>>()?;
    let width = prepared.network.feature_width();
    let rate = f64::from(sections.training.sgd.rate);
    Some(Arc::new(FirstHeads { heads, width, rate }))
}

/// The registered parts, with what the built-in ones need beyond updates.
pub(super) fn registry(
    sections: &ScenarioFile,
    prepared: &Prepared,
    (registry, ever): (&Registry, &Ever),
    trainer: &Arc<dyn Trainer>,
    (workers, timing_only): (usize, bool),
) -> Registry {
    let mut registry = registry.clone();
    let buffers = match sections.strategy.buffers {
        Buffers::Average | Buffers::KeepLocal => BufferPolicy::Average,
        Buffers::First => BufferPolicy::First,
    };
    registry.resources = Resources {
        trainer: Some(trainer.clone()),
        root: if ever.root { root_pool(sections, prepared) } else { None },
        public: prepared.people.as_ref().and_then(|people| people.public.clone()),
        // What stays with the clients is not in what is merged.
        buffers: match sections.strategy.buffers {
            Buffers::KeepLocal => 0..0,
            _ => prepared.network.layout().range(Part::Buffer),
        },
        buffer_policy: buffers,
        heads: first_heads(sections, prepared),
        threads: workers,
        timing_only,
    };
    registry
}

/// Where samples of the server's own are drawn from: those of all clients whose data are as the data set has them.
fn root_pool(sections: &ScenarioFile, prepared: &Prepared) -> Option<RootPool> {
    let data = &prepared.shards.first()?.data;
    let alike = prepared.shards.iter().filter(|shard| Arc::ptr_eq(&shard.data, data));
    let mut rows: Vec<u32> = alike.flat_map(|shard| shard.rows.iter().copied()).collect();
    rows.sort_unstable();
    rows.dedup();
    let stream = prepared.seeds.stream(Purpose::Refinement, u64::MAX, 0);
    let plan = Arc::new(sections.training.plan());
    let shard = Arc::new(Shard { data: data.clone(), rows: rows.into() });
    Some(RootPool { shard, plan, stream })
}
