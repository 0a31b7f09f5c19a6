//! The protection at work inside a strategy.

use super::*;
use crate::combine::testing::close;
use crate::combine::{FedAvgM, FedAvgMSettings, Mean};
use crate::seams::{Batch, Combine};
use crate::select::testing::{World, update};
use crate::update::Update;
use offbeat_kernel::ClientId;
use offbeat_learning::Flat;

fn central(noise: f64) -> Privacy {
    let central = Central { clip_norm: 5.0, noise_multiplier: noise, adaptive: None };
    Privacy { central: Some(central), ..Privacy::default() }
}

fn protection(privacy: &Privacy, expected: f64, sampled: bool) -> Protection {
    Protection::new(privacy, Plan { expected, sampled, rounds: true })
        .expect("something is protected")
}

/// One release of these updates with equal weights, into a model of zeros.
fn release(part: &mut Protection, inner: &mut dyn Combine, updates: &[Update]) -> Vec<f32> {
    let world = World::new(9);
    let (model, weights) = (Flat::zeros(2), vec![1.0; updates.len()]);
    let arrivals: Vec<_> = updates.iter().map(|update| update.arrival.clone()).collect();
    let paid = part.charge(&arrivals).expect("no budget is set");
    let mut feed = updates.iter().cloned().enumerate();
    let mut batch =
        Batch { model: &model, group: 0, tag: 0, weights: &weights, updates: &mut feed };
    let next = part.combine(inner, &mut batch, 0, &world.view()).expect("nobody dropped out");
    part.paid(paid);
    next.to_vec()
}

fn three() -> Vec<Update> {
    vec![
        update(0, &[0.0; 2], &[3.0, 4.0]),
        update(1, &[0.0; 2], &[30.0, 40.0]),
        update(2, &[1.0; 2], &[1.0, 3.0]),
    ]
}

/// Changes (3, 4) of norm 5, (30, 40) clipped to (3, 4), and (0, 2); divided by the 4 that were expected,
/// not by the 3 that came.
#[test]
fn a_release_without_noise_by_hand() {
    let mut part = protection(&central(0.0), 4.0, false);
    let next = release(&mut part, &mut Mean::default(), &three());
    close(&next, &[6.0 / 4.0, 10.0 / 4.0]);
    let mut momentum = FedAvgM::new(FedAvgMSettings { rate: 0.5, momentum: 0.9 });
    let next = release(&mut part, &mut momentum, &three());
    close(&next, &[0.5 * 6.0 / 4.0, 0.5 * 10.0 / 4.0]);
    assert_eq!(part.spent().central, Some(f64::INFINITY));
}

/// 4,000 releases of nothing: noise of deviation 2 * 5 / 4 on each parameter, never the same twice.
#[test]
fn noise_has_the_deviation_of_its_multiplier() {
    let mut part = protection(&central(2.0), 4.0, false);
    let drawn: Vec<f32> =
        (0..4_000).flat_map(|_| release(&mut part, &mut Mean::default(), &[])).collect();
    let variance = drawn.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / 8_000.0;
    assert!((variance / 6.25 - 1.0).abs() < 0.07, "{variance}");
    assert!(drawn.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn the_books_go_on_after_a_snapshot() {
    let mut part = protection(&central(3.0), 3.0, false);
    release(&mut part, &mut Mean::default(), &three());
    let bytes = part.save().expect("plain data");
    let mut restored = protection(&central(3.0), 3.0, false);
    restored.restore(&bytes).expect("what was saved");
    assert_eq!(restored.spent(), part.spent());
    let next = release(&mut part, &mut Mean::default(), &three());
    assert_eq!(release(&mut restored, &mut Mean::default(), &three()), next);
    assert_eq!(restored.spent(), part.spent());
}

/// A draw by chance counts as one sampled release; everything else counts for its clients.
#[test]
fn draws_by_chance_reveal_less() {
    let mut drawn = protection(&central(3.0), 3.0, true);
    drawn.drew(0.1);
    assert!(drawn.open_draw());
    release(&mut drawn, &mut Mean::default(), &three());
    assert!(!drawn.open_draw());
    let mut expected = Accountant::default();
    expected.add(0.1, 3.0, 1.0);
    assert_eq!(drawn.spent().central, Some(expected.epsilon(1e-5)));
    let mut chosen = protection(&central(3.0), 3.0, false);
    chosen.drew(0.1);
    release(&mut chosen, &mut Mean::default(), &three());
    assert!(chosen.spent().central > drawn.spent().central);
}

#[test]
fn a_budget_is_never_exceeded() {
    let mut one = Accountant::default();
    one.add(1.0, 3.0, 2.0);
    let budget = one.epsilon(1e-5);
    let mut part =
        protection(&Privacy { epsilon_budget: Some(budget), ..central(3.0) }, 3.0, false);
    release(&mut part, &mut Mean::default(), &three());
    release(&mut part, &mut Mean::default(), &three());
    let arrivals: Vec<_> = three().into_iter().map(|update| update.arrival).collect();
    let reason = part.charge(&arrivals).expect_err("the third exceeds it");
    assert!(reason.contains("the privacy budget is spent"), "{reason}");
    assert_eq!(part.spent().central, Some(budget));
    let local = Local { clip_norm: 1.0, noise_multiplier: 6.0 };
    let privacy =
        Privacy { local: Some(local), epsilon_budget: Some(budget), ..Privacy::default() };
    let mut part = protection(&privacy, 1.0, false);
    assert!(part.ask(ClientId(4)).is_ok() && part.ask(ClientId(4)).is_ok());
    assert!(part.ask(ClientId(5)).is_ok());
    part.ask(ClientId(4)).expect_err("noise 6 at twice the distance is noise 3");
    assert_eq!(part.spent().local, Some(budget));
}

/// The clip norm follows the changes: far too large a start comes down to their norms.
#[test]
fn the_clip_norm_adapts() {
    let adaptive = Adaptive { quantile: 0.5, rate: 0.5, count_noise: Some(0.2) };
    let central = Central { clip_norm: 100.0, noise_multiplier: 0.1, adaptive: Some(adaptive) };
    let privacy = Privacy { central: Some(central), ..Privacy::default() };
    let mut part = protection(&privacy, 3.0, false);
    for _ in 0..60 {
        release(&mut part, &mut Mean::default(), &three());
    }
    // Norms 5, 50 and 2: the median is 5.
    let next = release(&mut part, &mut Mean::default(), &three()[1..2]);
    let norm = f64::from(next[0]).hypot(f64::from(next[1])) * 3.0;
    assert!((2.0..20.0).contains(&norm), "{norm}");
}

fn secure(threshold: f64) -> Privacy {
    let secure = crate::secure::Secure { threshold, ..Default::default() };
    Privacy { secure: Some(secure), ..Privacy::default() }
}

/// The mean of a release whose sum is hidden, with weights 3, 1 and 2 and `dropped` clients.
fn hidden(
    updates: Vec<(usize, Update)>,
    threshold: f64,
    dropped: usize,
) -> Result<Vec<f32>, String> {
    let mut part = protection(&secure(threshold), 3.0, false);
    let (world, model) = (World::new(9), Flat::zeros(2));
    let mut feed = updates.into_iter();
    let weights = [3.0, 1.0, 2.0];
    let mut batch =
        Batch { model: &model, group: 0, tag: 0, weights: &weights, updates: &mut feed };
    let next = part.combine(&mut Mean::default(), &mut batch, dropped, &world.view())?;
    Ok(next.to_vec())
}

/// Changes (1, 2), (4, 0) and (0, -3) with weights 3, 1 and 2: all are multiples of the step, but for a third.
#[test]
fn a_hidden_sum_is_the_weighted_mean() {
    let updates = || {
        let changes = [[1.0, 2.0], [4.0, 0.0], [0.0, -3.0]];
        changes.into_iter().enumerate().map(|(c, to)| (c, update(c as u32, &[0.0; 2], &to)))
    };
    let mean = hidden(updates().collect(), 0.6, 0).expect("all answered");
    close(&mean, &[7.0 / 6.0, 0.0]);
    // One that was to come failed, another never answered: the weights of those who came are left.
    let mean = hidden(updates().take(2).collect(), 0.5, 0).expect("two of three are enough");
    close(&mean, &[7.0 / 4.0, 6.0 / 4.0]);
    let mean = hidden(updates().collect(), 0.6, 2).expect("three of five are enough");
    close(&mean, &[7.0 / 6.0, 0.0]);
    let reason = hidden(updates().collect(), 0.6, 3).expect_err("three of six");
    assert!(reason.contains("3 of 6 clients answered, but 4 are needed"), "{reason}");
    let far = vec![(0, update(0, &[0.0; 2], &[99.0, 0.0]))];
    assert!(hidden(far, 0.6, 0).expect_err("beyond the range").contains("outside of +-16"));
}

/// Both at once: the sum of the clipped changes is hidden, and noise covers it.
#[test]
fn hidden_and_noisy() {
    let both = Privacy { secure: secure(0.6).secure, ..central(0.0) };
    let mut part = protection(&both, 4.0, false);
    close(&release(&mut part, &mut Mean::default(), &three()), &[6.0 / 4.0, 10.0 / 4.0]);
}
