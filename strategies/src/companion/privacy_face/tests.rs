use super::mechanism::Noise;
use super::*;
use crate::select::testing::{World, update};
use offbeat_kernel::{Purpose, SeedTree, Stream};
use offbeat_learning::reid::similarity::unit_rows;
use rand::RngExt;
use rand_distr::StandardNormal;

fn stream(seed: u64) -> Stream {
    SeedTree::new(seed).stream(Purpose::Custom, 0, 0)
}

fn points(count: usize, width: usize, stream: &mut Stream) -> Vec<f32> {
    let draws: Vec<f32> = (0..count * width).map(|_| stream.sample(StandardNormal)).collect();
    unit_rows(&draws, width)
}

fn mechanism() -> Mechanism {
    Mechanism { clusters: 3, radius: 0.9, minimum: 5, pivots: 40, noise: None, random: false }
}

/// Points around directions, `each` around every one.
fn groups(directions: &[[f32; 4]], each: usize, stream: &mut Stream) -> Vec<f32> {
    let mut rows = Vec::new();
    for direction in directions {
        for _ in 0..each {
            rows.extend(direction.map(|x| x + 0.15 * stream.sample::<f32, _>(StandardNormal)));
        }
    }
    unit_rows(&rows, 4)
}

/// The same whatever the centres are, unit vectors in all directions, and free.
#[test]
fn random_caps_say_nothing_of_the_centres() {
    let mechanism = Mechanism { random: true, ..mechanism() };
    let release = |centres: &[f32], seed| {
        let pivots = mechanism.pivots(4, &mut stream(8));
        mechanism.release(centres, 4, &pivots, &mut stream(seed))
    };
    let (some, others) = (points(30, 4, &mut stream(1)), points(7, 4, &mut stream(2)));
    let caps = release(&some, 3);
    assert_eq!(caps, release(&others, 3));
    assert_ne!(caps, release(&some, 4));
    assert_eq!(caps.len(), mechanism.len(4));
    for row in caps.chunks_exact(5) {
        assert!((apart(&row[..4], &[0.0; 4]) - 1.0).abs() < 1e-6 && row[4] == 0.9);
    }
    let settings = PrivacyFaceSettings { random: true, ..PrivacyFaceSettings::default() };
    assert_eq!(PrivacyFace::new(settings).budget().expect("told").epsilon, Some(0.0));
}

fn apart(a: &[f32], b: &[f32]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// One centre that comes or goes never moves a mean by more than the sensitivity, over many random sets and sizes below
/// and above the least; and it comes near to it.
#[test]
fn one_centre_moves_a_mean_by_the_sensitivity_at_most() {
    let mut stream = stream(1);
    let mut most = 0.0f64;
    for radius in [0.3, 0.9, 1.4, std::f64::consts::FRAC_PI_2] {
        let mechanism = Mechanism { radius, ..mechanism() };
        let mut reached = 0.0f64;
        for trial in 0..4000 {
            let width = 2 + trial % 3;
            let pivot = points(1, width, &mut stream);
            let all = points(40, width, &mut stream);
            let caps = mechanism.caps(&all, width, &pivot);
            let size = stream.random_range(0..12usize).min(caps[0].len());
            let (some, Some(more)) = (&caps[0][..size], caps[0].get(size)) else { continue };
            let before = mechanism.mean(&all, width, some, &mut stream);
            let with = [some, &[*more]].concat();
            let after = mechanism.mean(&all, width, &with, &mut stream);
            reached = reached.max(apart(&before, &after));
        }
        let bound = mechanism.sensitivity();
        assert!(reached <= bound * (1.0 + 1e-6), "radius {radius}: {reached} above {bound}");
        most = most.max(reached / bound);
    }
    assert!(most > 0.75, "the bound is never nearly reached: {most}");
    let wide = Mechanism { radius: 1.2, minimum: 32, ..mechanism() };
    assert!((wide.sensitivity() - 2.0 * 1.2f64.sin() / 32.0).abs() < 1e-12);
}

/// Standard deviation and mean of every coordinate's noise.
#[test]
fn noise_is_as_large_as_it_says() {
    let noise = Noise { selection: 1.0, count: 1.0, multiplier: 1.5 };
    let mechanism = Mechanism { noise: Some(noise), ..mechanism() };
    let clean = Mechanism { noise: None, ..mechanism };
    let mut stream = stream(2);
    let all = groups(&[[1.0, 0.0, 0.0, 0.0]], 9, &mut stream);
    let members: Vec<usize> = (0..9).collect();
    let mean = clean.mean(&all, 4, &members, &mut stream);
    let runs = 20_000;
    let (mut sum, mut squares) = ([0.0f64; 4], [0.0f64; 4]);
    for _ in 0..runs {
        for (at, x) in mechanism.mean(&all, 4, &members, &mut stream).into_iter().enumerate() {
            let noise = f64::from(x - mean[at]);
            sum[at] += noise;
            squares[at] += noise * noise;
        }
    }
    let sigma = mechanism.sigma();
    assert!((sigma - 1.5 * 2.0 * 0.9f64.sin() / 5.0).abs() < 1e-12);
    for at in 0..4 {
        let found = (squares[at] / f64::from(runs)).sqrt();
        // Five standard errors of either.
        assert!((found / sigma - 1.0).abs() < 0.025, "{found}, not {sigma}");
        assert!((sum[at] / f64::from(runs)).abs() < 5.0 * sigma / f64::from(runs).sqrt());
    }
}

#[test]
fn planted_groups_are_found_and_nobody_is_in_two() {
    let mut stream = stream(3);
    let directions =
        [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
    let all = groups(&directions[..3], 12, &mut stream);
    let mechanism = Mechanism { radius: 0.7, pivots: 400, clusters: 5, ..mechanism() };
    let pivots = mechanism.pivots(4, &mut stream);
    let released = mechanism.release(&all, 4, &pivots, &mut stream);
    assert_eq!(released.len(), mechanism.len(4));
    let rows: Vec<&[f32]> = released.chunks_exact(5).filter(|row| row[4] != 0.0).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    for direction in &directions[..3] {
        let unit = |row: &[f32]| unit_rows(&row[..4], 4);
        let near = rows.iter().filter(|row| apart(&unit(row), direction) < 0.25).count();
        assert_eq!(near, 1, "{direction:?} {rows:?}");
    }
    // Too few are no cluster, and nothing says how many there were.
    let few = mechanism.release(&all[..4 * 4], 4, &pivots, &mut stream);
    assert_eq!(few, vec![0.0; mechanism.len(4)]);
}

/// What adjacent inputs release, as a histogram of one coordinate: its log ratios stay within the budget. Without noise
/// the same test tells them apart.
#[test]
fn adjacent_inputs_look_alike() {
    let mut stream = stream(4);
    let all = groups(&[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]], 6, &mut stream);
    let neighbour = &all[..11 * 4];
    let base = Mechanism { clusters: 1, minimum: 3, pivots: 6, ..mechanism() };
    let pivots = base.pivots(4, &mut stream);
    let mut histogram = |mechanism: &Mechanism, centres: &[f32]| {
        let mut counts = vec![1.0f64; 12];
        for _ in 0..30_000 {
            let released = mechanism.release(centres, 4, &pivots, &mut stream);
            let bin = if released[4] == 0.0 {
                0
            } else {
                ((f64::from(released[1]) + 2.0) * 2.5).clamp(1.0, 11.0) as usize
            };
            counts[bin] += 1.0;
        }
        counts
    };
    let mut worst = |mechanism: &Mechanism| {
        let (a, b) = (histogram(mechanism, &all), histogram(mechanism, neighbour));
        let filled = a.iter().zip(&b).filter(|(a, b)| a.max(**b) > 600.0);
        filled.map(|(a, b)| (a / b).ln().abs()).fold(0.0, f64::max)
    };
    let epsilon = 1.0;
    let noisy = Mechanism { noise: Some(noise_for(epsilon, 1e-4, 1, 1)), ..base };
    let found = worst(&noisy);
    // Three standard errors of the log of two counts of 600.
    assert!(found < epsilon + 0.18, "{found}");
    assert!(worst(&base) > 5.0, "without noise they are told apart");
}

#[test]
fn budgets_are_kept_and_used() {
    for (epsilon, clusters, releases) in [(1.0, 1, 1), (8.0, 4, 1), (8.0, 4, 5), (0.1, 10, 3)] {
        let noise = noise_for(epsilon, 1e-5, clusters, releases);
        let used = spent(Some(noise), clusters, releases, 1e-5);
        assert!(used <= epsilon && used > 0.98 * epsilon, "{used} of {epsilon}");
        let half = spent(Some(noise), clusters, releases.div_ceil(2), 1e-5);
        assert!(half <= used);
    }
    let sigma = |epsilon, releases| noise_for(epsilon, 1e-5, 4, releases).multiplier;
    assert!(sigma(1.0, 1) > sigma(8.0, 1) && sigma(8.0, 4) > sigma(8.0, 1));
    assert_eq!(spent(None, 4, 0, 1e-5), 0.0);
    assert_eq!(spent(None, 4, 1, 1e-5), f64::INFINITY);
    // One Gaussian release alone is what the accountant says of it.
    let gaussian = Noise { selection: 1e-9, count: 1e-9, multiplier: 2.0 };
    let mut accountant = crate::privacy::Accountant::default();
    accountant.add(1.0, 2.0, 3.0);
    assert!((spent(Some(gaussian), 4, 3, 1e-5) - accountant.epsilon(1e-5)).abs() < 1e-6);
}

#[test]
fn an_endless_budget_is_no_noise() {
    let mut stream = stream(5);
    let all = groups(&[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]], 9, &mut stream);
    let clean = mechanism();
    let pivots = clean.pivots(4, &mut stream);
    let rich = Mechanism { noise: Some(noise_for(1e9, 1e-5, 3, 1)), ..clean };
    let want = clean.release(&all, 4, &pivots, &mut stream);
    let got = rich.release(&all, 4, &pivots, &mut stream);
    assert!(apart(&want, &got) < 0.01, "{want:?} {got:?}");
}

fn released(client: u32, rows: &[f32]) -> Update {
    let mut update = update(client, &[0.0], &[0.0]);
    update.extras.insert(CLUSTERS.into(), Flat::new(rows.to_vec()));
    update
}

fn settings() -> PrivacyFaceSettings {
    PrivacyFaceSettings {
        clusters: 2,
        radius: 0.5,
        minimum: 5,
        pivots: 8,
        epsilon: 8.0,
        releases: 2,
        from_version: 1,
        every_versions: 2,
        ..PrivacyFaceSettings::default()
    }
}

#[test]
fn clients_get_the_clusters_of_others_and_are_asked_so_often_at_most() {
    let mut part = PrivacyFace::new(settings());
    let mut world = World::new(3);
    let model = Flat::zeros(1);
    assert!(part.outfit(ClientId(0), &model).is_empty(), "too early");
    assert_eq!(part.budget().map(|budget| budget.epsilon), Some(Some(0.0)));
    let mut asked = Vec::new();
    for version in 0..8 {
        world.version = Version(version);
        part.merged(&world.view());
        // Asked whether the answer comes or not.
        let extras = part.outfit(ClientId(0), &model);
        asked.extend(extras.get(RELEASE).map(|number| (version + 1, number.to_vec()[0])));
    }
    assert_eq!(asked, [(1, 0.0), (3, 1.0)]);
    let budget = part.budget().expect("clusters are released");
    let epsilon = budget.epsilon.expect("with noise");
    assert!(epsilon <= 8.0 && epsilon > 7.8 && budget.releases == 2, "{budget:?}");
    part.absorb(&released(0, &[1.0, 2.0, 0.5, 0.0, 0.0, 0.0]), &world.view());
    part.absorb(&released(1, &[3.0, 4.0, 0.5, 5.0, 6.0, 0.5]), &world.view());
    part.absorb(&released(2, &[1.0]), &world.view());
    let foreign = |part: &mut PrivacyFace, client| {
        let extras = part.outfit(ClientId(client), &model);
        extras.get(CLUSTERS).map(Flat::to_vec).unwrap_or_default()
    };
    assert_eq!(foreign(&mut part, 0), [3.0, 4.0, 0.5, 5.0, 6.0, 0.5]);
    assert_eq!(foreign(&mut part, 1), [1.0, 2.0, 0.5]);
    assert_eq!(foreign(&mut part, 2), [1.0, 2.0, 0.5, 3.0, 4.0, 0.5, 5.0, 6.0, 0.5]);
    let mut other = PrivacyFace::new(settings());
    other.restore(&part.save().expect("plain data")).expect("its own state");
    assert_eq!(other.state, part.state);
}

/// A server that crashes and goes on from what it stored remembers whom it has asked: the budget is spent, and no
/// number of a release comes twice, since noise follows from the number.
#[test]
fn a_crash_takes_back_no_release() {
    let mut part = PrivacyFace::new(settings());
    let mut world = World::new(3);
    let model = Flat::zeros(1);
    part.merged(&world.view());
    let stored = part.save().expect("plain data");
    let number = |part: &mut PrivacyFace| {
        part.outfit(ClientId(0), &model).get(RELEASE).map(|number| number.to_vec()[0])
    };
    assert_eq!(number(&mut part), Some(0.0));
    part.restore(&stored).expect("its own state");
    assert_eq!(part.budget().map(|budget| budget.releases), Some(1));
    for version in 1..4 {
        world.version = Version(version);
        part.merged(&world.view());
    }
    assert_eq!(number(&mut part), Some(1.0));
    assert_eq!(number(&mut part), None);
}
