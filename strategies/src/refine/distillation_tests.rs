use super::*;
use crate::select::testing::{World, update};
use offbeat_kernel::SeedTree;
use offbeat_learning::data::{Shard, digits};
use offbeat_learning::network::{Network, NetworkSpec};
use offbeat_learning::train::{DirectTrainer, Trainer};

/// Public digits, a perceptron with 12 features, and models of it without their heads.
fn resources(threads: usize) -> (Resources, Vec<Flat>) {
    let data = digits().train;
    let shard = Shard { rows: (0..64).collect(), data: Arc::new(data) };
    let spec = NetworkSpec::Mlp { hidden: vec![12] };
    let network = Arc::new(Network::new(&spec, &shard.data.shape, 10).expect("a valid network"));
    let body = network.layout().body();
    let model = |seed| {
        let mut stream = SeedTree::new(seed).stream(Purpose::ModelInit, 0, 0);
        network.init(&mut stream).slice(body.clone())
    };
    let models = (0..3).map(model).collect();
    let trainer: Arc<dyn Trainer> = Arc::new(DirectTrainer::new(network.clone()));
    let (trainer, public) = (Some(trainer), Some(Arc::new(shard)));
    (Resources { trainer, public, threads, ..Resources::default() }, models)
}

fn part(settings: DistillationSettings, threads: usize) -> (Distillation, Vec<Flat>) {
    let (resources, models) = resources(threads);
    (Distillation::new(settings, &resources).expect("public samples"), models)
}

fn updates(models: &[Flat]) -> Vec<Update> {
    let one =
        |(client, model): (u32, &Flat)| update(client, &vec![0.0; model.len()], &model.to_vec());
    (0..).zip(models).map(one).collect()
}

/// Distance of a model's features from the targets, mean of squares.
fn loss(part: &Distillation, model: &Flat, targets: &[f32]) -> f64 {
    let found = part.public.features(&[model], &part.public.shard).remove(0).expect("they fit");
    let square = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
    found.iter().zip(targets).map(square).sum::<f64>() / found.len() as f64
}

#[test]
fn teachers_like_the_student_teach_nothing() {
    let settings = DistillationSettings { weight_decay: 0.0, ..DistillationSettings::default() };
    let (mut part, models) = part(settings, 1);
    let same = vec![models[0].clone(), models[0].clone()];
    let targets = part.targets(&same.iter().collect::<Vec<_>>()).expect("they fit");
    assert_eq!(loss(&part, &models[0], &targets), 0.0);
    let world = World::new(2);
    let refined = part.refine(models[0].clone(), &updates(&same), &world.view());
    assert_eq!(refined, models[0]);
}

#[test]
fn the_student_comes_nearer_to_its_teachers_and_threads_change_nothing() {
    let settings = DistillationSettings { rate: 0.5, ..DistillationSettings::default() };
    let (mut one, models) = part(settings, 1);
    let (mut three, _) = part(settings, 3);
    let targets = one.targets(&models.iter().collect::<Vec<_>>()).expect("they fit");
    let world = World::new(3);
    let refined = one.refine(models[0].clone(), &updates(&models), &world.view());
    assert!(loss(&one, &refined, &targets) < 0.9 * loss(&one, &models[0], &targets));
    assert_eq!(three.refine(models[0].clone(), &updates(&models), &world.view()), refined);
}

#[test]
fn unit_features_are_averaged_when_asked_for() {
    let settings = DistillationSettings { normalise: true, ..DistillationSettings::default() };
    let (part, models) = part(settings, 1);
    let targets = |models: &[&Flat]| part.targets(models).expect("they fit");
    let each: Vec<_> = models.iter().map(|model| targets(&[model])).collect();
    for row in each.iter().flat_map(|of| of.chunks_exact(12)) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((norm - 1.0).abs() < 1e-5, "one model's features have length 1, got {norm}");
    }
    let all = targets(&models.iter().collect::<Vec<_>>());
    for (place, value) in all.iter().enumerate() {
        let mean = each.iter().map(|of| of[place]).sum::<f32>() / each.len() as f32;
        assert!((value - mean).abs() < 1e-6, "{value} instead of {mean}");
    }
}

#[test]
fn it_runs_after_every_so_many_aggregations_and_needs_public_samples() {
    let settings = DistillationSettings { every: 2, ..DistillationSettings::default() };
    let (mut part, models) = part(settings, 1);
    let world = World::new(3);
    let mut at = |version| {
        let view = View { version: offbeat_kernel::Version(version), ..world.view() };
        part.refine(models[0].clone(), &updates(&models), &view) == models[0]
    };
    assert_eq!([at(0), at(1), at(2)], [true, false, true]);
    let error = Distillation::new(settings, &Resources::default()).expect_err("none").to_string();
    assert!(error.contains("public"), "{error}");
}
