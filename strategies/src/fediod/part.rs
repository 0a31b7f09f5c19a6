//! The server's side: generator, student, and the dialogue with the teachers.

use super::{COUNTS, Ensemble, FedIodSettings, GRADIENT, INPUTS, LOGITS, SHARE, SLOPES};
use crate::guard::{Fault, Finding};
use crate::resources::Resources;
use crate::seams::{Dialogue, Learnt, Question, Turn, View};
use crate::signal::Duty;
use crate::update::Update;
use offbeat_kernel::codec::{self, CodecError};
use offbeat_kernel::{ClientId, Purpose, Stream, Version};
use offbeat_learning::Flat;
use offbeat_learning::iod::terms::distil;
use offbeat_learning::iod::{Adam, ClassWeights, Generator, Probe, shares};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// Momentum and weight decay of the student.
const MOMENTUM: f32 = 0.9;
const DECAY: f32 = 3e-5;

/// Ids of the streams of first weights and of noise: far from those of models, which are versions.
const FIRST: u64 = u64::MAX;
const NOISE: u64 = u64::MAX - 1;

/// The dialogue. Its model is the student; nobody is ever sent it.
#[derive(Debug)]
pub struct FedIod {
    settings: FedIodSettings,
    generator: Generator,
    probe: Probe,
    /// Whether nothing is learnt: only time and bytes count.
    idle: bool,
    state: State,
}

/// What is kept between two signals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct State {
    /// Whom it talks to; empty before they were chosen.
    clients: Vec<ClientId>,
    /// Samples of each class of those that have a teacher.
    counts: BTreeMap<ClientId, Vec<f64>>,
    maker: Option<Maker>,
    /// The student's momentum; empty before its first step.
    velocity: Option<Flat>,
    /// Rounds that were begun.
    round: u64,
    phase: Phase,
}

/// The generator as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Maker {
    params: Flat,
    adam: Adam,
}

/// What was asked last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
enum Phase {
    #[default]
    Nothing,
    /// What the teachers say of these inputs.
    Answers { inputs: Flat },
    /// How the inputs of the first batch should change; `own` is what the student says, learnt from `version`.
    Gradients { own: Flat, version: Version },
}

/// An answer that fits, by its position among those that were heard.
struct Heard {
    place: usize,
    client: ClientId,
    values: std::sync::Arc<Vec<f32>>,
}

impl FedIod {
    /// The part.
    ///
    /// # Errors
    /// In words, when the network or the data do not fit.
    pub fn new(settings: FedIodSettings, resources: &Resources) -> Result<Self, String> {
        let trainer = resources.trainer.as_ref();
        let trainer =
            trainer.ok_or("strategy.pace.fediod learns at the server and has no trainer")?;
        let (network, device) = (trainer.network().clone(), trainer.device());
        let duties = settings.duties(&network).map_err(|error| error.to_string())?;
        let image = duties.critic.image;
        let range = settings.pixels.map(|value| value as f32);
        let generator =
            Generator::new(image, (settings.noise, settings.generator_width), range, &device)
                .map_err(|error| error.to_string())?;
        let probe = Probe::new(network, &device).map_err(|error| error.to_string())?;
        let idle = resources.timing_only;
        Ok(Self { settings, generator, probe, idle, state: State::default() })
    }

    fn classes(&self) -> usize {
        self.probe.network().classes()
    }

    fn pixels(&self) -> usize {
        self.probe.network().input().len()
    }

    /// Inputs of one round.
    fn inputs(&self) -> usize {
        self.settings.batch * (1 + self.settings.student_batches)
    }

    /// The answers to `duty` that have the vector `name` of `len` numbers; the others are refused.
    fn heard(
        &self,
        answers: &[Update],
        duty: Duty,
        (name, len): (&str, usize),
        turn: &mut Turn,
    ) -> Vec<Heard> {
        let mut fit = Vec::new();
        for (place, answer) in answers.iter().enumerate() {
            let arrival = &answer.arrival;
            if Duty::of_tag(arrival.tag) != duty {
                continue;
            }
            let got = answer.extras.get(name).map_or(0, Flat::len);
            match answer.extras.get(name).filter(|vector| vector.len() == len) {
                Some(vector) => {
                    fit.push(Heard { place, client: arrival.client, values: vector.host() });
                }
                None => {
                    let reason = format!("returned {got} numbers as {name}, expected {len}");
                    let finding = Finding::refuse(Fault::Shape, reason);
                    turn.refused.push((arrival.task, arrival.client, finding));
                }
            }
        }
        fit
    }

    /// Notes who has a teacher now.
    fn note_teachers(&mut self, answers: &[Update], turn: &mut Turn) {
        let asked = (COUNTS, self.classes());
        for Heard { client, values, place } in self.heard(answers, Duty::Teach, asked, turn) {
            let counts: Vec<f64> = values.iter().map(|count| f64::from(*count)).collect();
            if counts.iter().any(|count| *count < 0.0) {
                let finding = Finding::refuse(Fault::Samples, "says it has less than no sample");
                turn.refused.push((answers[place].arrival.task, client, finding));
                continue;
            }
            self.state.counts.insert(client, counts);
        }
    }

    fn noise(&self, view: &View<'_>) -> Vec<f32> {
        let mut stream = view.seeds.stream(Purpose::Refinement, NOISE, self.state.round);
        self.generator.noise(self.inputs(), &mut stream)
    }

    fn maker(&mut self, view: &View<'_>) -> Maker {
        self.state.maker.take().unwrap_or_else(|| {
            let mut stream: Stream = view.seeds.stream(Purpose::Refinement, FIRST, 0);
            let params = self.generator.init(&mut stream);
            Maker { adam: Adam::new(params.len()), params }
        })
    }

    /// Asks all teachers for their answers to new inputs, and trains those that are missing.
    fn ask(&mut self, view: &View<'_>, turn: &mut Turn) {
        let missing =
            self.state.clients.iter().filter(|client| !self.state.counts.contains_key(client));
        turn.questions.extend(missing.map(|client| Question {
            client: *client,
            assignment: Duty::Teach.assignment(),
            extras: BTreeMap::new(),
        }));
        if self.state.counts.is_empty() {
            return;
        }
        let maker = self.maker(view);
        let inputs = Flat::new(match self.idle {
            true => vec![0.0; self.inputs() * self.pixels()],
            false => self.generator.make(&maker.params, &self.noise(view), self.settings.batch),
        });
        self.state.maker = Some(maker);
        turn.questions.extend(self.state.counts.keys().map(|client| Question {
            client: *client,
            assignment: Duty::Answer.assignment(),
            extras: BTreeMap::from([(INPUTS.to_string(), inputs.clone())]),
        }));
        self.state.phase = Phase::Answers { inputs };
    }

    /// The student learns from the teachers' answers; then they are asked how the first batch should change.
    fn answered(
        &mut self,
        inputs: &Flat,
        answers: &[Update],
        model: &Flat,
        (view, turn): (&View<'_>, &mut Turn),
    ) {
        let asked = (LOGITS, self.inputs() * self.classes());
        let heard = self.heard(answers, Duty::Answer, asked, turn);
        if heard.is_empty() {
            self.ask(view, turn);
            return;
        }
        let counts: Vec<Vec<f64>> =
            heard.iter().map(|heard| self.state.counts[&heard.client].clone()).collect();
        let parts = shares(&counts);
        let weights = match self.settings.ensemble {
            Ensemble::ByClass => ClassWeights::by_class(&counts, self.classes()),
            Ensemble::BySamples => ClassWeights::by_volume(&counts, self.classes()),
        };
        let used = heard.iter().zip(&parts).map(|(heard, part)| (heard.place, *part)).collect();
        let teachers: Vec<&[f32]> = heard.iter().map(|heard| heard.values.as_slice()).collect();
        let inputs = inputs.host();
        let (student, loss) = self.distil(model, &inputs, (&teachers, &weights), view);
        if !student.is_finite() {
            // It is refused, and nobody is asked what such a student should have seen.
            turn.learnt = Some(Learnt { model: student, loss, used });
            self.state.round += 1;
            self.ask(view, turn);
            return;
        }
        let first = 0..self.settings.batch;
        let (own, slopes) = self.aim(
            &student,
            &inputs[self.pixels_of(&first)],
            &self.part(&teachers, first),
            (&weights, &parts),
        );
        self.state.phase = Phase::Gradients { own, version: view.version };
        turn.learnt = Some(Learnt { model: student, loss, used });
        let gan = self.settings.terms.gan;
        let questions = heard.iter().zip(slopes).zip(&parts).map(|((heard, slopes), part)| {
            let slopes: Vec<f32> = slopes.into_iter().map(|slope| slope as f32).collect();
            let share = Flat::new(vec![(gan * part) as f32]);
            Question {
                client: heard.client,
                assignment: Duty::PullBack.assignment(),
                extras: BTreeMap::from([
                    (SLOPES.to_string(), Flat::new(slopes)),
                    (SHARE.to_string(), share),
                ]),
            }
        });
        turn.questions.extend(questions);
    }

    /// Steps of the student towards the ensemble, one for each of its batches; and its mean loss before each.
    fn distil(
        &mut self,
        model: &Flat,
        inputs: &[f32],
        (teachers, weights): (&[&[f32]], &ClassWeights),
        view: &View<'_>,
    ) -> (Flat, f64) {
        let mut student = model.clone();
        if self.idle {
            return (student, 0.0);
        }
        let (batch, classes) = (self.settings.batch, self.classes());
        let fresh = || Flat::zeros(student.len());
        let mut velocity = self.state.velocity.clone().unwrap_or_else(fresh);
        let rate = (self.settings.student_rate * self.settings.left(view.version)) as f32;
        let mut loss = 0.0;
        for round in 1..=self.settings.student_batches {
            let rows = round * batch..(round + 1) * batch;
            let ensemble = weights.combine(&self.part(teachers, rows.clone()));
            let made = &inputs[self.pixels_of(&rows)];
            let pulled = self.probe.pull_back(&student, made, |own| {
                let apart = distil(own, &ensemble, classes);
                loss += apart.value;
                apart.gradient
            });
            velocity.scale(MOMENTUM);
            velocity.add_scaled(1.0, &pulled.params);
            velocity.add_scaled(DECAY, &student);
            student.add_scaled(-rate, &velocity);
        }
        // A student that is lost in infinity is refused, and takes no momentum along.
        if student.is_finite() && velocity.is_finite() {
            self.state.velocity = Some(velocity);
        }
        (student, loss / self.settings.student_batches as f64)
    }

    /// What the generator's terms on logits say of the first batch: the slope by the inputs through the student, and
    /// those by the teachers' logits.
    fn aim(
        &self,
        student: &Flat,
        made: &[f32],
        teachers: &[&[f32]],
        (weights, parts): (&ClassWeights, &[f64]),
    ) -> (Flat, Vec<Vec<f64>>) {
        if self.idle {
            let slopes = vec![0.0; self.settings.batch * self.classes()];
            return (Flat::zeros(made.len()), vec![slopes; teachers.len()]);
        }
        let mut slopes = Vec::new();
        let pulled = self.probe.pull_back(student, made, |own| {
            let aimed = self.settings.terms.on_logits(own, teachers, weights, parts);
            slopes = aimed.teachers;
            aimed.student
        });
        (Flat::new(pulled.inputs), slopes)
    }

    /// The generator takes its step with the gradients that arrived, at the rate of the version that the student learnt
    /// from, and a new round begins.
    fn pulled(
        &mut self,
        (mut own, version): (Flat, Version),
        answers: &[Update],
        (view, turn): (&View<'_>, &mut Turn),
    ) {
        let asked = (GRADIENT, self.settings.batch * self.pixels());
        let heard = self.heard(answers, Duty::PullBack, asked, turn);
        if !self.idle && !heard.is_empty() {
            heard
                .iter()
                .for_each(|heard| own.add_scaled(1.0, &Flat::from_shared(heard.values.clone())));
            let mut maker = self.maker(view);
            let first = self.settings.batch * self.settings.noise;
            let rate = (self.settings.generator_rate * self.settings.left(version)) as f32;
            let noise = &self.noise(view)[..first];
            let mut adam = maker.adam.clone();
            let next = self.generator.step((&maker.params, &mut adam), noise, &own.host(), rate);
            // A step to nowhere is not taken, nor remembered.
            if next.is_finite() && adam.is_finite() {
                (maker.params, maker.adam) = (next, adam);
            }
            self.state.maker = Some(maker);
        }
        self.state.round += 1;
        self.ask(view, turn);
    }

    fn pixels_of(&self, rows: &Range<usize>) -> Range<usize> {
        rows.start * self.pixels()..rows.end * self.pixels()
    }

    /// The teachers' answers to some of the inputs.
    fn part<'a>(&self, teachers: &[&'a [f32]], rows: Range<usize>) -> Vec<&'a [f32]> {
        let place = rows.start * self.classes()..rows.end * self.classes();
        teachers.iter().map(|logits| &logits[place.clone()]).collect()
    }
}

impl Dialogue for FedIod {
    fn wants(&self) -> usize {
        if self.state.clients.is_empty() { self.settings.clients } else { 0 }
    }

    fn meet(&mut self, clients: &[ClientId]) {
        self.state.clients = clients.to_vec();
        self.state.clients.sort_unstable();
    }

    fn hear(&mut self, answers: &[Update], model: &Flat, view: &View<'_>) -> Turn {
        let mut turn = Turn::default();
        self.note_teachers(answers, &mut turn);
        match std::mem::take(&mut self.state.phase) {
            Phase::Nothing => self.ask(view, &mut turn),
            Phase::Answers { inputs } => self.answered(&inputs, answers, model, (view, &mut turn)),
            Phase::Gradients { own, version } => {
                self.pulled((own, version), answers, (view, &mut turn));
            }
        }
        turn
    }

    fn save(&self) -> Result<Vec<u8>, CodecError> {
        codec::encode(&self.state)
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), CodecError> {
        self.state = codec::decode(bytes)?;
        Ok(())
    }
}
