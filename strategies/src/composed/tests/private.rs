//! Protection inside the strategy: draws of nobody, crashes, budgets, and rounds with too few answers.

use super::*;
use crate::guard::Scalars;
use crate::privacy::{Accountant, Central, Local, Privacy};
use crate::registry::{GuardPart, SelectPart};
use crate::secure::Secure;

fn parts(select: SelectPart, clients: usize, privacy: Privacy) -> Parts {
    let pace = PacePart::Synchronous(pace::Synchronous { clients });
    Parts { select, pace, weigh: vec![WeighPart::Uniform], privacy, ..Parts::default() }
}

fn central(noise_multiplier: f64) -> Privacy {
    let central = Central { clip_norm: 1.0, noise_multiplier, adaptive: None };
    Privacy { central: Some(central), ..Privacy::default() }
}

fn spent(play: &Play) -> f64 {
    let protection = play.strategy.seams.protection.as_ref().expect("noise is added");
    protection.spent().central.expect("at the server")
}

/// Epsilon after `steps` releases with each client in each with probability `rate`.
fn sampled(rate: f64, noise: f64, steps: u64) -> f64 {
    let mut expected = Accountant::default();
    (0..steps).for_each(|_| expected.add(rate, noise, 1.0));
    expected.epsilon(1e-5)
}

/// With one of five clients expected, a third of all draws find nobody. All are released, and counted.
#[test]
fn a_draw_of_nobody_is_released_as_noise() {
    let mut play = Play::with(&parts(SelectPart::Poisson, 1, central(2.0)), 5);
    let mut published = play.on(Signal::Start);
    while play.strategy.version().0 < 60 {
        published.extend(play.end(0, true));
        play.ring();
    }
    let empty = published.iter().filter(|publication| publication.used.is_empty()).count();
    // 60 draws, each of nobody with probability 0.8^5 = 0.33: 19.7, standard deviation 3.6.
    assert!((9..=31).contains(&empty), "{empty} of {}", published.len());
    assert_eq!(spent(&play), sampled(0.2, 2.0, play.strategy.version().0));
    let models: BTreeSet<u32> = published.iter().map(|p| p.model.to_vec()[0].to_bits()).collect();
    assert_eq!(models.len(), published.len(), "noise moves the model every time");
}

/// A draw that everybody of was lost is released before the next is made.
#[test]
fn a_lost_round_is_released_as_noise() {
    let mut play = Play::with(&parts(SelectPart::Poisson, 5, central(2.0)), 5);
    play.on(Signal::Start);
    assert_eq!((play.invited.len(), play.strategy.version().0), (5, 0));
    (0..5).for_each(|_| drop(play.end(0, false)));
    assert_eq!((play.invited.len(), play.strategy.version().0), (5, 1));
    assert_eq!(spent(&play), sampled(1.0, 2.0, 1));
}

#[test]
fn a_crash_takes_nothing_back_that_was_published() {
    let mut play = Play::with(&parts(SelectPart::Uniform, 2, central(3.0)), 4);
    play.strategy.keep_durable(10).expect("plain data");
    play.on(Signal::Start);
    for _ in 0..6 {
        play.end(0, true);
    }
    let before = spent(&play);
    assert_eq!(play.strategy.version().0, 3);
    let mut cx = Context {
        now: play.now,
        seeds: SeedTree::new(1),
        roster: &play.clients,
        promises: &mut play.promises,
    };
    play.strategy.crash(&mut cx).expect("the parts take their state back");
    assert_eq!((play.strategy.version().0, spent(&play)), (0, before));
}

#[test]
fn the_run_ends_before_the_budget_is_exceeded() {
    let budget = sampled(1.0, 3.0, 4);
    let privacy = Privacy { epsilon_budget: Some(budget), ..central(3.0) };
    let mut play = Play::with(&parts(SelectPart::All, 3, privacy), 3);
    play.on(Signal::Start);
    while play.finished.is_none() {
        play.end(0, true);
    }
    assert_eq!(play.strategy.version().0, 4);
    assert!(spent(&play) <= budget);
    let reason = play.finished.expect("it ended");
    assert!(reason.contains("the privacy budget is spent"), "{reason}");
}

/// A client is asked twice, and not a third time.
#[test]
fn nobody_is_asked_beyond_the_local_budget() {
    let local = Local { clip_norm: 1.0, noise_multiplier: 6.0 };
    let budget = sampled(1.0, 3.0, 2);
    let privacy =
        Privacy { local: Some(local), epsilon_budget: Some(budget), ..Privacy::default() };
    let mut play = Play::with(&parts(SelectPart::All, 3, privacy), 3);
    play.on(Signal::Start);
    while play.finished.is_none() && !play.invited.is_empty() {
        play.end(0, true);
    }
    assert_eq!((play.strategy.version().0, play.promises.taken), (2, 6));
    assert!(play.finished.expect("it ended").contains("the privacy budget is spent"));
}

/// Ten clients of which seven must answer: six answers are a lost round, whose model stays.
#[test]
fn a_hidden_sum_with_too_few_answers_is_a_lost_round() {
    let secure = Secure { threshold: 0.7, range: 100.0, ..Secure::default() };
    let privacy = Privacy { secure: Some(secure), ..Privacy::default() };
    let mut play = Play::with(&parts(SelectPart::All, 10, privacy), 10);
    play.on(Signal::Start);
    let mut round = |lost: usize| {
        let ends = (0..10).map(|place| play.end(0, place >= lost));
        ends.flatten().map(|publication| publication.used.len()).collect::<Vec<_>>()
    };
    assert_eq!(round(3), [7]);
    assert_eq!(round(4), Vec::<usize>::new());
    assert_eq!(round(0), [10], "the next round is whole again");
}

/// Of ten clients nine have to answer. Those whose count of samples is refused when they arrive are members of the
/// round as the others are: with two of them too few are left, and the sum stays hidden.
#[test]
fn clients_refused_on_arrival_count_against_the_threshold() {
    for (liars, published) in [(0, 1), (1, 1), (2, 0)] {
        let secure = Secure { threshold: 0.9, range: 1e4, ..Secure::default() };
        let privacy = Privacy { secure: Some(secure), ..Privacy::default() };
        let guard = vec![GuardPart::Scalars(Scalars::default())];
        let parts = Parts { guard, ..parts(SelectPart::All, 10, privacy) };
        let mut play = Play::with(&parts, 10);
        play.on(Signal::Start);
        play.lie_about_samples(liars);
        let came: Vec<Publication> = (0..10).flat_map(|_| play.end(0, true)).collect();
        assert_eq!(came.len(), published, "{liars} of ten lie");
        assert!(came.iter().all(|publication| publication.used.len() == 10 - liars));
    }
}
