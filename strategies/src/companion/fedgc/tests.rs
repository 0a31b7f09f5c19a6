use super::*;
use crate::select::testing::{World, update};
use offbeat_kernel::{Purpose, SeedTree, Stream, Version};
use rand::RngExt;
use rand_distr::StandardNormal;

fn stream(seed: u64) -> Stream {
    SeedTree::new(seed).stream(Purpose::Custom, 0, 0)
}

fn draw(count: usize, spread: f32, stream: &mut Stream) -> Vec<f32> {
    (0..count).map(|_| spread * stream.sample::<f32, _>(StandardNormal)).collect()
}

/// Heads of clients with so many classes each, `width` wide.
fn heads(classes: &[usize], width: usize, spread: f32, stream: &mut Stream) -> Heads {
    let rows: Vec<Vec<f32>> = classes.iter().map(|c| draw(c * width, spread, stream)).collect();
    Heads::new(rows.iter().map(Vec::as_slice).zip(classes.iter().copied()), width)
}

const SCALES: [Option<f64>; 2] = [None, Some(8.0)];

#[test]
fn the_gradient_is_that_of_finite_differences() {
    for scale in SCALES {
        let heads = heads(&[3, 2, 4], 5, 0.7, &mut stream(1));
        let regulariser = Regulariser { scale };
        let gradient = regulariser.gradient(&heads);
        for at in 0..heads.rows().len() {
            let moved = |by: f32| {
                let mut rows = heads.rows().to_vec();
                rows[at] += by;
                // Stand-ins stay as they are.
                regulariser.value(&heads.with_rows(rows), &heads)
            };
            let h = 1.0 / 256.0;
            let slope = (moved(h) - moved(-h)) / (2.0 * f64::from(h));
            let got = f64::from(gradient[at]);
            assert!(
                (got - slope).abs() < 2e-4 * (1.0 + slope.abs()),
                "{scale:?} {at}: {got} {slope}"
            );
        }
    }
}

#[test]
fn one_client_is_left_alone() {
    for scale in SCALES {
        let one = heads(&[6], 4, 1.0, &mut stream(2));
        let regulariser = Regulariser { scale };
        assert_eq!(regulariser.value(&one, &one), 0.0);
        assert!(regulariser.gradient(&one).iter().all(|g| *g == 0.0));
    }
}

/// With two clients, plain inner products: the gradient of a row is a mixture, with positive weights, of the
/// other client's embeddings.
#[test]
fn gradients_lie_in_the_span_of_the_others() {
    let width = 6;
    let two = heads(&[3, 2], width, 1.0, &mut stream(3));
    let gradient = Regulariser { scale: None }.gradient(&two);
    let [a, b] = [3, 4].map(|row| &two.rows()[row * width..(row + 1) * width]);
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    for row in 0..3 {
        let g = &gradient[row * width..(row + 1) * width];
        // Least squares onto the two embeddings.
        let (aa, ab, bb, ag, bg) = (dot(a, a), dot(a, b), dot(b, b), dot(a, g), dot(b, g));
        let det = aa * bb - ab * ab;
        let (u, v) = ((bb * ag - ab * bg) / det, (aa * bg - ab * ag) / det);
        let rest: f64 = (0..width)
            .map(|c| (f64::from(g[c]) - u * f64::from(a[c]) - v * f64::from(b[c])).powi(2))
            .sum();
        assert!(rest < 1e-9 && u >= 0.0 && v >= 0.0, "row {row}: {u} {v}, rest {rest}");
    }
}

/// The mean over embeddings of the highest cosine to one of another client.
fn nearest_stranger(heads: &Heads, classes: &[usize], width: usize) -> f64 {
    let owner: Vec<usize> =
        classes.iter().enumerate().flat_map(|(c, n)| std::iter::repeat_n(c, *n)).collect();
    let row = |i: usize| &heads.rows()[i * width..(i + 1) * width];
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    let cosine = |i, j| dot(row(i), row(j)) / (dot(row(i), row(i)) * dot(row(j), row(j))).sqrt();
    let highest = |i: usize| {
        let others = (0..heads.len()).filter(|j| owner[*j] != owner[i]);
        others.map(|j| cosine(i, j)).fold(f64::MIN, f64::max)
    };
    (0..heads.len()).map(highest).sum::<f64>() / heads.len() as f64
}

#[test]
fn steps_part_the_clients() {
    for (scale, spread, step) in [(None, 0.5, 0.1f32), (Some(4.0), 1.0, 1.0)] {
        let (classes, width) = ([6, 6, 6, 6], 16);
        let mut all = heads(&classes, width, spread, &mut stream(4));
        let before = nearest_stranger(&all, &classes, width);
        for _ in 0..20 {
            let gradient = Regulariser { scale }.gradient(&all);
            let rows = all.rows().iter().zip(&gradient).map(|(w, g)| w - step * g);
            all = all.with_rows(rows.collect());
        }
        let after = nearest_stranger(&all, &classes, width);
        assert!(after < before - 0.05, "{scale:?}: {before} to {after}");
    }
}

/// Direction and size of the regulariser's gradient against what it stands for: the part of the softmax over all classes
/// that local training misses, the mean over the samples of each class. `trained` says how much of the embeddings is
/// their class mean; the rest is drawn at random.
fn against_the_whole_softmax(trained: f32) -> (f64, f64) {
    let (classes, width, samples) = ([8usize, 8, 8, 8], 24, 6);
    let mut stream = stream(5);
    let centres = draw(32 * width, 0.45, &mut stream);
    let features: Vec<(usize, Vec<f32>)> = (0..32)
        .flat_map(|class| (0..samples).map(move |_| class))
        .map(|class| {
            let noise = draw(width, 0.15, &mut stream);
            let centre = &centres[class * width..(class + 1) * width];
            (class, centre.iter().zip(noise).map(|(c, n)| c + n).collect())
        })
        .collect();
    let drawn = draw(32 * width, 0.45, &mut stream);
    let mixed = |(c, r): (&f32, f32)| trained * c + (1.0 - trained) * r;
    let weights: Vec<f32> = centres.iter().zip(drawn).map(mixed).collect();
    let all = Heads::new(weights.chunks_exact(8 * width).zip(classes), width);
    let ours = Regulariser { scale: None }.gradient(&all);
    let mut missing = vec![0.0f64; ours.len()];
    for (class, feature) in &features {
        let dot = |j: usize| -> f64 {
            let row = &weights[j * width..(j + 1) * width];
            row.iter().zip(feature).map(|(w, f)| f64::from(w * f)).sum()
        };
        let powers: Vec<f64> = (0..32).map(|j| dot(j).exp()).collect();
        let sum: f64 = powers.iter().sum();
        for j in (0..32).filter(|j| j / 8 != class / 8) {
            let slope = &mut missing[j * width..(j + 1) * width];
            let share = powers[j] / sum / f64::from(samples);
            slope.iter_mut().zip(feature).for_each(|(s, f)| *s += share * f64::from(*f));
        }
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let ours: Vec<f64> = ours.into_iter().map(f64::from).collect();
    let (own, whole) = (dot(&ours, &ours).sqrt(), dot(&missing, &missing).sqrt());
    (dot(&ours, &missing) / (own * whole), own / whole)
}

/// Embeddings that are class means nearly give the direction of what is missing; half-trained ones still point there, with
/// a shorter step.
#[test]
fn it_approximates_the_softmax_over_all_classes() {
    let ((aligned, long), (half, short)) =
        (against_the_whole_softmax(1.0), against_the_whole_softmax(0.5));
    assert!(aligned > 0.9 && (0.5..2.0).contains(&long), "{aligned} {long}");
    assert!(half > 0.5 && half < aligned && short < long, "{half} {short}");
}

/// Two clients, one class each, two wide.
fn part(strength: f64) -> FedGc {
    let heads = vec![(Flat::new(vec![1.0, 0.0]), 1), (Flat::new(vec![0.0, 1.0, 9.0]), 1)];
    let first = FirstHeads { heads, width: 2, rate: 0.5 };
    let resources = Resources { heads: Some(Arc::new(first)), ..Resources::default() };
    FedGc::new(FedGcSettings { strength, scale: None }, &resources).expect("there are heads")
}

fn returned(client: u32, change: &[f32], base: u64) -> Update {
    let mut update = update(client, &[0.0], &[0.0]);
    update.arrival.base_version = Version(base);
    update.extras.insert(EMBEDDINGS.into(), Flat::new(change.to_vec()));
    update
}

#[test]
fn a_client_gets_its_own_embeddings_and_no_others() {
    let mut part = part(1.0);
    let model = Flat::zeros(1);
    let first = part.outfit(ClientId(0), &model);
    assert_eq!(
        first.into_iter().collect::<Vec<_>>(),
        [(EMBEDDINGS.into(), Flat::new(vec![1.0, 0.0]))]
    );
    assert_eq!(part.outfit(ClientId(1), &model)[EMBEDDINGS].to_vec(), [0.0, 1.0, 9.0]);
    assert!(part.outfit(ClientId(2), &model).is_empty());
}

/// The step by hand: w_0 = (1, 0) and w_1 = (0, 1) have the similarities 0 and 1, so that p = 1 / (1 + e) of either
/// is drawn away from the other, times lambda 1 and rate 0.5. A bias stays.
#[test]
fn one_step_of_correction_by_hand() {
    let mut part = part(1.0);
    let world = World::new(2);
    for (client, change) in [(0, &[0.0, 0.0][..]), (1, &[0.0, 0.0, 1.0])] {
        part.absorb(&returned(client, change, 0), &world.view());
    }
    part.merged(&world.view());
    let p = 0.5 / (1.0 + 1f32.exp());
    let near = |got: Vec<f32>, want: &[f32]| {
        got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6) && got.len() == want.len()
    };
    let model = Flat::zeros(1);
    assert!(near(part.outfit(ClientId(0), &model)[EMBEDDINGS].to_vec(), &[1.0, -p]));
    assert!(near(part.outfit(ClientId(1), &model)[EMBEDDINGS].to_vec(), &[-p, 1.0, 10.0]));
    // Without strength, or alone, nobody is corrected.
    let mut alone = self::part(1.0);
    alone.absorb(&returned(0, &[0.5, 0.5], 0), &world.view());
    alone.merged(&world.view());
    assert_eq!(alone.outfit(ClientId(0), &model)[EMBEDDINGS].to_vec(), [1.5, 0.5]);
}

/// A client that started before a correction returns after it: both count.
#[test]
fn a_late_return_is_merged_not_overwritten() {
    let mut part = part(1.0);
    let mut world = World::new(2);
    let model = Flat::zeros(1);
    for client in 0..2 {
        part.outfit(ClientId(client), &model);
        let change = vec![0.0; 2 + client as usize];
        part.absorb(&returned(client, &change, 0), &world.view());
    }
    part.merged(&world.view());
    let corrected = part.outfit(ClientId(0), &model)[EMBEDDINGS].to_vec();
    world.version = Version(1);
    // Trained from version 0, before the correction.
    part.absorb(&returned(0, &[0.25, 0.5], 0), &world.view());
    let merged = part.embeddings(ClientId(0)).expect("merged").to_vec();
    assert_eq!(merged, [corrected[0] + 0.25, corrected[1] + 0.5]);
}

#[test]
fn what_has_another_shape_is_left_out_and_state_is_kept() {
    let mut part = part(1.0);
    let world = World::new(2);
    part.absorb(&returned(0, &[1.0], 0), &world.view());
    part.absorb(&update(0, &[0.0], &[0.0]), &world.view());
    assert!(part.embeddings(ClientId(0)).is_none());
    part.absorb(&returned(0, &[0.5, 0.0], 0), &world.view());
    part.absorb(&returned(1, &[0.5, 0.0, 0.0], 0), &world.view());
    part.merged(&world.view());
    let mut other = self::part(1.0);
    other.restore(&part.save().expect("plain data")).expect("its own state");
    assert_eq!(other.state, part.state);
    assert!(FedGc::new(FedGcSettings::default(), &Resources::default()).is_err());
}
