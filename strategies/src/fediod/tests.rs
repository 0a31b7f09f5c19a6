//! The dialogue, with clients played by hand.

use super::{COUNTS, Ensemble, FedIod, FedIodSettings, GRADIENT, INPUTS, LOGITS, SHARE, SLOPES};
use crate::guard::Fault;
use crate::resources::Resources;
use crate::seams::{Dialogue, Question, Turn};
use crate::select::testing::{World, update};
use crate::signal::Duty;
use crate::update::Update;
use offbeat_kernel::{ClientId, Purpose, SeedTree, Version};
use offbeat_learning::Flat;
use offbeat_learning::device::Device;
use offbeat_learning::iod::Probe;
use offbeat_learning::network::{Network, NetworkSpec};
use offbeat_learning::train::{DirectTrainer, Trainer};
use std::sync::Arc;

const CLASSES: usize = 3;
const BATCH: usize = 4;
const PIXELS: usize = 64;
/// Inputs of a round: one batch for the generator and two for the student.
const ASKED: usize = 3 * BATCH;

fn settings() -> FedIodSettings {
    FedIodSettings {
        clients: 2,
        batch: BATCH,
        student_batches: 2,
        noise: 5,
        generator_width: 2,
        critic_width: 2,
        student_rate: 0.05,
        generator_rate: 0.01,
        ..FedIodSettings::default()
    }
}

fn network() -> Arc<Network> {
    Arc::new(Network::new(&NetworkSpec::Lenet, &[1, 8, 8], CLASSES).expect("fits"))
}

fn resources(timing_only: bool) -> Resources {
    let trainer: Arc<dyn Trainer> = Arc::new(DirectTrainer::new(network()));
    Resources { trainer: Some(trainer), timing_only, ..Resources::default() }
}

fn part(settings: FedIodSettings) -> FedIod {
    let mut part = FedIod::new(settings, &resources(false)).expect("pictures");
    assert_eq!(part.wants(), 2);
    part.meet(&[ClientId(1), ClientId(0)]);
    assert_eq!(part.wants(), 0);
    part
}

fn params(id: u64) -> Flat {
    network().init(&mut SeedTree::new(9).stream(Purpose::PrivateInit, id, 0))
}

fn told(client: u32, duty: Duty, name: &str, values: Vec<f32>) -> Update {
    let mut told = update(client, &[], &[]);
    told.arrival.tag = duty.assignment().tag;
    told.extras.insert(name.to_string(), Flat::new(values));
    told
}

/// What each client holds of each class.
fn counts() -> Vec<Update> {
    let held = [vec![4.0, 1.0, 0.0], vec![0.0, 1.0, 6.0]];
    (0..).zip(held).map(|(client, held)| told(client, Duty::Teach, COUNTS, held)).collect()
}

/// The honest answer of a client whose teacher has the weights of its number.
fn answer(question: &Question) -> Update {
    let (client, probe) =
        (question.client.0, Probe::new(network(), &Device::flex()).expect("fits"));
    let teacher = params(u64::from(client));
    match question.assignment.duty() {
        Duty::Teach => counts().swap_remove(client as usize),
        Duty::Answer => {
            let logits = probe.logits(&teacher, &question.extras[INPUTS].host());
            told(client, Duty::Answer, LOGITS, logits)
        }
        _ => {
            // A gradient of the right kind, if not of the inputs.
            let slopes: Vec<f64> =
                question.extras[SLOPES].host().iter().map(|slope| f64::from(*slope)).collect();
            let inputs = vec![0.5; BATCH * PIXELS];
            let pulled = probe.pull_back(&teacher, &inputs, |_| slopes);
            told(client, Duty::PullBack, GRADIENT, pulled.inputs)
        }
    }
}

fn hear(part: &mut FedIod, answers: &[Update], model: &Flat, version: u64) -> Turn {
    let mut world = World::new(2);
    world.version = Version(version);
    part.hear(answers, model, &world.view())
}

fn answers(turn: &Turn) -> Vec<Update> {
    turn.questions.iter().map(answer).collect()
}

fn duties(turn: &Turn) -> Vec<(u32, Duty)> {
    turn.questions.iter().map(|q| (q.client.0, q.assignment.duty())).collect()
}

#[test]
fn a_round_is_two_questions_and_a_better_student() {
    let mut part = part(settings());
    let mut student = params(7);
    let turn = hear(&mut part, &[], &student, 0);
    assert_eq!(duties(&turn), [(0, Duty::Teach), (1, Duty::Teach)]);
    assert!(turn.questions.iter().all(|question| question.extras.is_empty()));
    let mut turn = hear(&mut part, &answers(&turn), &student, 0);
    let mut losses = Vec::new();
    let mut before = None;
    for version in 0..40 {
        assert_eq!(duties(&turn), [(0, Duty::Answer), (1, Duty::Answer)]);
        let inputs = turn.questions[0].extras[INPUTS].clone();
        assert_eq!((inputs.len(), &inputs), (ASKED * PIXELS, &turn.questions[1].extras[INPUTS]));
        assert_ne!(before.replace(inputs.clone()), Some(inputs), "new inputs in every round");
        turn = hear(&mut part, &answers(&turn), &student, version);
        let learnt = turn.learnt.take().expect("a student");
        assert_eq!(learnt.used, [(0, 5.0 / 12.0), (1, 7.0 / 12.0)]);
        (student, losses) = (learnt.model, [losses, vec![learnt.loss]].concat());
        assert_eq!(duties(&turn), [(0, Duty::PullBack), (1, Duty::PullBack)]);
        for (question, share) in turn.questions.iter().zip([5.0f32 / 12.0, 7.0 / 12.0]) {
            assert_eq!(question.extras[SLOPES].len(), BATCH * CLASSES);
            assert_eq!(question.extras[SHARE].to_vec(), [share]);
        }
        turn = hear(&mut part, &answers(&turn), &student, version + 1);
        assert!(turn.learnt.is_none() && turn.refused.is_empty());
    }
    assert!(losses[39] < 0.2 * losses[0], "{losses:?}");
}

/// Nobody holds anything of what the other one knows best.
#[test]
fn weights_by_class_and_by_samples_differ() {
    let slopes = |ensemble| {
        let mut part = part(FedIodSettings { ensemble, ..settings() });
        let student = params(7);
        let turn = hear(&mut part, &counts(), &student, 0);
        let turn = hear(&mut part, &answers(&turn), &student, 0);
        turn.learnt.expect("a student").model
    };
    assert_ne!(slopes(Ensemble::ByClass), slopes(Ensemble::BySamples));
}

#[test]
fn answers_of_another_shape_are_refused() {
    let mut part = part(settings());
    let student = params(7);
    let negative = told(0, Duty::Teach, COUNTS, vec![1.0, -1.0, 0.0]);
    let short = told(1, Duty::Teach, COUNTS, vec![1.0]);
    let turn = hear(&mut part, &[negative, short], &student, 0);
    let faults: Vec<Fault> = turn.refused.iter().map(|(.., found)| found.fault).collect();
    assert!(faults.contains(&Fault::Samples) && faults.contains(&Fault::Shape));
    assert_eq!(duties(&turn), [(0, Duty::Teach), (1, Duty::Teach)], "asked again");
    let turn = hear(&mut part, &counts(), &student, 0);
    let mut all = answers(&turn);
    all[1] = told(1, Duty::Answer, LOGITS, vec![0.0; 5]);
    let turn = hear(&mut part, &all, &student, 0);
    assert_eq!(turn.refused.len(), 1);
    assert_eq!(turn.refused[0].2.reason, "returned 5 numbers as logits, expected 36");
    assert_eq!(turn.learnt.as_ref().expect("of client 0").used, [(0, 1.0)]);
    assert_eq!(duties(&turn), [(0, Duty::PullBack)], "who did not answer is not asked on");
    let unasked = told(0, Duty::PullBack, "other", vec![0.0; 256]);
    let turn = hear(&mut part, &[unasked], &student, 1);
    assert_eq!((turn.refused.len(), turn.questions.len()), (1, 2));
}

#[test]
fn lost_answers_are_asked_for_again_and_nothing_is_learnt() {
    let mut part = part(settings());
    let student = params(7);
    let turn = hear(&mut part, &counts()[..1], &student, 0);
    assert_eq!(duties(&turn), [(1, Duty::Teach), (0, Duty::Answer)]);
    let first = turn.questions[1].extras[INPUTS].clone();
    let turn = hear(&mut part, &[], &student, 0);
    assert!(turn.learnt.is_none());
    assert_eq!(turn.questions[1].extras[INPUTS], first, "the same inputs");
}

#[test]
fn a_restored_dialogue_goes_on_as_the_first_would() {
    let mut first = part(settings());
    let student = params(7);
    let mut turn = hear(&mut first, &counts(), &student, 0);
    for version in 0..6 {
        let mut second = FedIod::new(settings(), &resources(false)).expect("pictures");
        second.restore(&first.save().expect("plain data")).expect("of such a part");
        let heard = answers(&turn);
        turn = hear(&mut first, &heard, &student, version);
        let other = hear(&mut second, &heard, &student, version);
        assert_eq!(first.save().expect("plain"), second.save().expect("plain"));
        let models = [&turn, &other].map(|t| t.learnt.as_ref().map(|l| l.model.clone()));
        assert_eq!(models[0], models[1]);
        for (a, b) in turn.questions.iter().zip(&other.questions) {
            assert_eq!((a.client, &a.extras), (b.client, &b.extras));
        }
    }
}

#[test]
fn without_learning_the_questions_have_the_same_lengths() {
    let lengths = |timing_only| {
        let mut part = FedIod::new(settings(), &resources(timing_only)).expect("pictures");
        part.meet(&[ClientId(0), ClientId(1)]);
        let student = params(7);
        let mut turn = hear(&mut part, &counts(), &student, 0);
        let mut lengths = Vec::new();
        for version in 0..4 {
            turn = hear(&mut part, &answers(&turn), &student, version);
            let extras = turn.questions.iter().flat_map(|question| &question.extras);
            lengths.push(extras.map(|(name, v)| (name.clone(), v.len())).collect::<Vec<_>>());
            if let Some(learnt) = &turn.learnt {
                assert_eq!(learnt.model == student, timing_only);
            }
        }
        lengths
    };
    assert_eq!(lengths(true), lengths(false));
}

#[test]
fn rates_fall_along_half_a_cosine() {
    let falling = FedIodSettings { cosine_rounds: Some(10), critic_rate: 0.5, ..settings() };
    let duties = falling.duties(&network()).expect("pictures");
    let at = |version| f64::from(duties.rate(Version(version)));
    assert_eq!((at(0), at(10), at(99)), (0.5, 0.0, 0.0));
    assert!((at(5) - 0.25).abs() < 1e-6 && at(1) < 0.5 && at(1) > 0.48);
    assert_eq!(settings().duties(&network()).expect("pictures").rate(Version(99)), 1e-4);
}

#[test]
fn work_and_lengths_by_hand() {
    let duties = settings().duties(&network()).expect("pictures");
    assert_eq!(duties.returned(Duty::Teach, 0, 0), Some((COUNTS, CLASSES)));
    assert_eq!(duties.returned(Duty::Answer, ASKED * PIXELS, 0), Some((LOGITS, ASKED * CLASSES)));
    let slopes = BATCH * CLASSES;
    assert_eq!(duties.returned(Duty::PullBack, 0, slopes), Some((GRADIENT, BATCH * PIXELS)));
    assert_eq!(duties.returned(Duty::Train, 9, 9), None);
    // A discriminator of 8 x 8: 16 places of 2 channels with 16 weights, 4 of 4 with 32, 4 of 1 with 4.
    let critic = 2 * (16 * 2 * 16 + 4 * 4 * 32 + 4 * 4);
    assert_eq!(duties.critic.forward_flops(), critic);
    let ratio = critic as f64 / network().forward_flops() as f64;
    let asked = (ASKED as f64 / 3.0 + 2.0 * BATCH as f64 * ratio).ceil() as usize;
    assert_eq!(duties.effort(Duty::Answer, ASKED), asked);
    // A teacher; then a discriminator with two more numbers for each of its own, and the first batch, too.
    let (teacher, critic) = (network().layout().len(), duties.critic.params());
    assert_eq!((duties.held(Duty::Train), duties.held(Duty::Teach)), (0, teacher));
    assert_eq!(duties.held(Duty::PullBack), teacher + 3 * critic + BATCH * PIXELS);
    let vectors = Network::new(&NetworkSpec::Softmax, &[60], CLASSES).expect("fits");
    let refused = settings().duties(&vectors).expect_err("no pictures").to_string();
    assert!(refused.contains("digits"), "{refused}");
}
