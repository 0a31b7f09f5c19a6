//! The chain from a loss on logits to the generator, and what comes of training.

use super::{CLASSES, drawn, stream};
use crate::flat::Flat;
use crate::iod::terms::{Aimed, balance, distil, entropy};
use crate::iod::{Adam, Aim, ClassWeights, Critic, CriticSize, Generator, Probe, shares};
use crate::network::{Network, NetworkSpec};
use burn::tensor::Device;
use rand::RngExt;
use std::sync::Arc;

/// A small federation: smooth teachers and a student, critics and a generator of 8 x 8.
struct World {
    teachers: Vec<(Probe, Flat, Critic)>,
    student: (Probe, Flat),
    critic: CriticSize,
    generator: (Generator, Flat),
    noise: Vec<f32>,
    counts: Vec<Vec<f64>>,
    aim: Aim,
}

fn world() -> World {
    let device = Device::flex();
    let network = Network::new(&NetworkSpec::Lenet, &[1, 8, 8], CLASSES).expect("fits");
    let probe = Probe::new(Arc::new(network), &device).expect("plain layers");
    let critic = CriticSize::new([1, 8, 8], 4).expect("fits");
    let teachers = (0..3)
        .map(|id| {
            let mut stream = stream(20 + id);
            let params = probe.network().init(&mut stream);
            (probe.clone(), params, critic.init(&mut stream))
        })
        .collect();
    let student = probe.network().init(&mut stream(30));
    let generator = Generator::new([1, 8, 8], (6, 3), [-0.5, 1.5], &device).expect("fits");
    let params = generator.init(&mut stream(31));
    let noise = generator.noise(5, &mut stream(32));
    World {
        teachers,
        student: (probe, student),
        critic,
        generator: (generator, params),
        noise,
        counts: vec![vec![9.0, 1.0, 0.0, 2.0], vec![3.0, 4.0, 5.0, 0.0], vec![0.0, 2.0, 2.0, 2.0]],
        aim: Aim { gan: 0.7, adversarial: 2.0, confidence: 0.9, balance: 3.0, consensus: 1.3 },
    }
}

impl World {
    fn aimed(&self, made: &[f32]) -> Aimed {
        let answers: Vec<Vec<f32>> =
            self.teachers.iter().map(|(probe, params, _)| probe.logits(params, made)).collect();
        let answers: Vec<&[f32]> = answers.iter().map(Vec::as_slice).collect();
        let weights = ClassWeights::by_class(&self.counts, CLASSES);
        let student = self.student.0.logits(&self.student.1, made);
        self.aim.on_logits(&student, &answers, &weights, &shares(&self.counts))
    }

    /// The whole loss of the generator.
    fn loss(&self, params: &Flat) -> f64 {
        let made = self.generator.0.make(params, &self.noise, 5);
        let device = Device::flex();
        let looks: f64 = self
            .teachers
            .iter()
            .zip(shares(&self.counts))
            .map(|((_, _, critic), share)| share * self.critic.wish(critic, &made, &device).0)
            .sum();
        self.aimed(&made).value + self.aim.gan * looks
    }

    /// Its gradient by the pictures, put together of what each side can compute alone.
    fn by_pictures(&self, made: &[f32]) -> Vec<f32> {
        let aimed = self.aimed(made);
        let mut sum = self.student.0.pull_back(&self.student.1, made, |_| aimed.student).inputs;
        let device = Device::flex();
        let clients = self.teachers.iter().zip(aimed.teachers).zip(shares(&self.counts));
        for (((probe, params, critic), slope), share) in clients {
            let own = probe.pull_back(params, made, |_| slope).inputs;
            let (_, looks) = self.critic.wish(critic, made, &device);
            for ((sum, own), looks) in sum.iter_mut().zip(own).zip(looks) {
                *sum += own + (self.aim.gan * share) as f32 * looks;
            }
        }
        sum
    }
}

#[test]
fn the_generators_gradient_passes_through_frozen_teachers() {
    let world = world();
    let (generator, params) = &world.generator;
    let made = generator.make(params, &world.noise, 5);
    let gradient = generator.pull_back(params, &world.noise, &world.by_pictures(&made));
    along_directions(params, &gradient, |params| world.loss(params));
}

/// A student's step: the distance to its teachers by its parameters, along the gradient and along random directions.
#[test]
fn a_students_gradient_is_that_of_finite_differences() {
    let world = world();
    let made = world.generator.0.make(&world.generator.1, &world.noise, 5);
    let (probe, student) = &world.student;
    let teacher = world.teachers[0].0.logits(&world.teachers[0].1, &made);
    let apart = |student: &Flat| distil(&probe.logits(student, &made), &teacher, CLASSES).value;
    let pulled = probe.pull_back(student, &made, |own| distil(own, &teacher, CLASSES).gradient);
    along_directions(student, &pulled.params, apart);
}

/// A discriminator's loss by its parameters.
#[test]
fn a_critics_gradient_is_that_of_finite_differences() {
    let World { critic: size, teachers, .. } = world();
    let (made, real) = (drawn(6 * 64, 62), drawn(6 * 64, 63));
    let params = &teachers[0].2.params;
    let of = |params: &Flat| size.graded(params, (&made, &real), &Device::flex());
    along_directions(params, &of(params).1, |params| of(params).0);
}

/// Central differences of `value` along its gradient and along random directions.
fn along_directions(params: &Flat, gradient: &Flat, value: impl Fn(&Flat) -> f64) {
    let length = gradient.norm();
    assert!(length > 0.01, "{length}");
    let mut stream = stream(40);
    let mut directions = vec![gradient.clone()];
    directions.extend(
        (0..3).map(|_| {
            Flat::new((0..gradient.len()).map(|_| stream.random::<f32>() - 0.5).collect())
        }),
    );
    for direction in directions {
        let unit = 1.0 / direction.norm();
        let moved = |by: f64| {
            let mut params = params.clone();
            params.add_scaled((by * unit) as f32, &direction);
            value(&params)
        };
        let expected = gradient.dot(&direction) * unit;
        let found = (moved(0.01) - moved(-0.01)) / 0.02;
        assert!((found - expected).abs() < 0.01 * length, "{found} {expected} of {length}");
    }
}

#[test]
fn a_teachers_pull_back_is_the_difference_quotient_at_each_pixel() {
    let world = world();
    let made = world.generator.0.make(&world.generator.1, &world.noise, 5);
    let (probe, params, _) = &world.teachers[0];
    let slope: Vec<f64> = drawn(5 * CLASSES, 50).into_iter().map(f64::from).collect();
    let pulled = probe.pull_back(params, &made, |_| slope.clone());
    assert_eq!(pulled.logits, probe.logits(params, &made));
    let value = |made: &[f32]| -> f64 {
        let logits = probe.logits(params, made);
        logits.iter().zip(&slope).map(|(l, s)| f64::from(*l) * s).sum()
    };
    for place in [0, 17, 64, 150, 319] {
        let moved = |by: f32| {
            let mut made = made.clone();
            made[place] += by;
            value(&made)
        };
        let expected = (moved(0.05) - moved(-0.05)) / 0.1;
        let have = f64::from(pulled.inputs[place]);
        assert!((have - expected).abs() < 1e-3 + 0.01 * expected.abs(), "{have} {expected}");
    }
}

#[test]
fn a_critic_learns_to_tell_made_from_real() {
    let size = CriticSize::new([1, 8, 8], 4).expect("fits");
    let device = Device::flex();
    let mut critic = size.init(&mut stream(60));
    let start = critic.params.clone();
    let real: Vec<f32> = (0..16 * 64).map(|at| if at % 8 < 4 { 1.0 } else { 0.0 }).collect();
    let made: Vec<f32> = drawn(16 * 64, 61);
    let first = size.learn(&mut critic, (&made, &real), 0.01, &device);
    assert_ne!(critic.params, start);
    let mut last = first;
    for _ in 0..300 {
        last = size.learn(&mut critic, (&made, &real), 0.01, &device);
    }
    assert!(last < 0.3 * first, "{first} {last}");
    // What it wishes for moves pictures towards real ones.
    let (before, slope) = size.wish(&critic, &made, &device);
    let moved: Vec<f32> = made.iter().zip(&slope).map(|(m, s)| m - 0.5 * s).collect();
    assert!(size.wish(&critic, &moved, &device).0 < before);
}

#[test]
fn pictures_stay_in_their_range_and_come_in_batches() {
    let World { generator: (generator, params), .. } = world();
    let noise = generator.noise(6, &mut stream(70));
    let made = generator.make(&params, &noise, 3);
    assert_eq!(made.len(), 6 * generator.pixels());
    assert!(made.iter().all(|pixel| (-0.5..=1.5).contains(pixel)));
    let half = noise.len() / 2;
    assert_eq!(made[..3 * 64], generator.make(&params, &noise[..half], 3));
    assert_eq!(made[3 * 64..], generator.make(&params, &noise[half..], 3));
}

#[test]
fn a_student_comes_to_agree_with_its_teacher() {
    let World { student: (probe, mut student), generator: (generator, made_by), teachers, .. } =
        world();
    let teacher = &teachers[0].1;
    let agreement = |student: &Flat, made: &[f32]| {
        let best = |logits: Vec<f32>| -> Vec<usize> {
            let rows = logits.chunks(CLASSES);
            rows.map(|row| (0..CLASSES).fold(0, |b, c| if row[c] > row[b] { c } else { b }))
                .collect()
        };
        let (own, its) = (best(probe.logits(student, made)), best(probe.logits(teacher, made)));
        own.iter().zip(&its).filter(|(a, b)| a == b).count() as f64 / own.len() as f64
    };
    let mut stream = stream(80);
    let unseen = generator.make(&made_by, &generator.noise(200, &mut stream), 50);
    let (before, mut adam) = (agreement(&student, &unseen), Adam::new(student.len()));
    for _ in 0..300 {
        let made = generator.make(&made_by, &generator.noise(32, &mut stream), 32);
        let answers = probe.logits(teacher, &made);
        let pulled =
            probe.pull_back(&student, &made, |own| distil(own, &answers, CLASSES).gradient);
        student = adam.step(&student, &pulled.params, 0.01);
    }
    let after = agreement(&student, &unseen);
    assert!(after > 0.95 && after > before, "{before} {after}");
}

/// The ablation of the balance term: sure answers alone leave a generator with fewer classes.
#[test]
fn without_balance_the_generator_loses_a_class() {
    let spread = |weight: f64| {
        let World { teachers, generator: (generator, mut params), .. } = world();
        let (probe, teacher, _) = &teachers[0];
        let mut stream = stream(90);
        let mut adam = Adam::new(params.len());
        for _ in 0..600 {
            let noise = generator.noise(32, &mut stream);
            let made = generator.make(&params, &noise, 32);
            let pulled = probe.pull_back(teacher, &made, |own| {
                let (sure, even) = (entropy(own, CLASSES), balance(own, CLASSES));
                sure.gradient.iter().zip(even.gradient).map(|(s, e)| s + weight * e).collect()
            });
            params = generator.step((&params, &mut adam), &noise, &pulled.inputs, 0.01);
        }
        let made = generator.make(&params, &generator.noise(128, &mut stream), 32);
        // The entropy of the mean answer, in nats.
        -balance(&probe.logits(teacher, &made), CLASSES).value * std::f64::consts::LN_2
    };
    let (without, with) = (spread(0.0), spread(10.0));
    let all_but_one = (CLASSES as f64 - 1.0).ln();
    assert!(without < all_but_one, "{without} is more than {all_but_one}");
    assert!(with > 0.95 * (CLASSES as f64).ln(), "{with}");
}

#[test]
fn batch_norm_and_dropout_are_refused() {
    let spec = NetworkSpec::Reid(crate::network::ReidSpec::new(crate::network::Backbone::Resnet18));
    let network = Network::new(&spec, &[3, 32, 32], 4).expect("fits");
    assert!(Probe::new(Arc::new(network), &Device::flex()).is_err());
}
