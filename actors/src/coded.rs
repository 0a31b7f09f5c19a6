//! How models and updates are written for the links: which codec in which direction, how many bytes that
//! takes, and what the other end reads.
//!
//! Down travels the model, up its change by training; the server adds the change that it decodes to the
//! version it had sent. Buffers, such as running variances, travel as they are: a variance that a codec moves
//! below zero is none. So do vectors beside the parameters, such as control variates.

use crate::message::{Invite, Message};
use crate::wire;
use offbeat_kernel::{ClientId, Purpose, SeedTree, Stream};
use offbeat_learning::codec::{Codec, EncodedLen, Feedback, layers};
use offbeat_learning::layout::{Layout, Part};
use offbeat_learning::{Flat, LearnError};
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;

/// The codecs of a run.
#[derive(Clone, Debug, Default)]
pub struct Coded {
    up: Codec,
    down: Codec,
    /// Lengths of the layers that are encoded.
    layers: Vec<usize>,
    /// Where the numbers are that travel as they are.
    buffers: Range<usize>,
    blur: Blur,
    /// Bytes of every model and update where they travel encrypted.
    sealed: Option<u64>,
}

/// What a client does to its change before it is encoded, so that less can be read from it. No privacy budget is
/// kept of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Blur {
    /// A longer change is scaled to this Euclidean length.
    pub clip_norm: Option<f64>,
    /// Standard deviation of the normal noise on each number.
    pub noise_sigma: f64,
}

impl Blur {
    /// Whether changes stay as they are.
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Cuts and blurs the numbers.
    fn apply(&self, numbers: &mut [f32], stream: &mut Stream) {
        let norm = numbers.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let scale = match self.clip_norm {
            Some(most) if norm > most => most / norm,
            _ => 1.0,
        };
        for number in numbers {
            let noise: f64 = match self.noise_sigma > 0.0 {
                true => StandardNormal.sample(stream),
                false => 0.0,
            };
            *number = (f64::from(*number) * scale + noise * self.noise_sigma) as f32;
        }
    }
}

impl Coded {
    /// Codecs for the first `shared` numbers of `layout`: what travels.
    pub fn new(up: Codec, down: Codec, layout: &Layout, shared: usize) -> Self {
        let all = layout.range(Part::Buffer);
        let buffers = all.start.min(shared)..all.end.min(shared);
        let mut lengths = layers(layout, 0..buffers.start);
        lengths.extend(layers(layout, buffers.end..shared));
        let blur = Blur::default();
        Self { up, down, layers: lengths, buffers, blur, sealed: None }
    }

    /// The same with changes that are cut and blurred before they are encoded.
    pub fn blurred(mut self, blur: Blur) -> Self {
        self.blur = blur;
        self
    }

    /// The same where models and updates travel encrypted, in so many bytes.
    pub fn sealed(mut self, bytes: Option<u64>) -> Self {
        self.sealed = bytes;
        self
    }

    /// Whether clients keep what they have not sent yet.
    pub fn keeps_errors(&self) -> bool {
        self.up.keeps_errors()
    }

    /// Bytes of an update's `elements` parameters, if they do not depend on their values; an upper bound if
    /// they do.
    pub fn up_len(&self, elements: usize) -> EncodedLen {
        match (self.len(self.up, elements), self.up.encoded_len(&self.layers)) {
            (bytes, EncodedLen::Exactly(_)) => EncodedLen::Exactly(bytes),
            (bytes, EncodedLen::AtMost(_)) => EncodedLen::AtMost(bytes),
        }
    }

    /// Bytes of an invitation as a message.
    pub fn invite_len(&self, invite: &Invite) -> u64 {
        let elements = invite.model.len();
        if invite.assignment.is_judging() {
            let plain =
                invite.extras.values().map(|model| wire::flat_len(model.len())).sum::<u64>();
            let models = invite.extras.len() as u64;
            let sealed = self.sealed.map(|bytes| models * wire::counted(bytes));
            return invite.bytes() - plain + sealed.unwrap_or(plain);
        }
        invite.bytes() - wire::flat_len(elements) + self.len(self.down, elements)
    }

    /// Bytes of a message from the server or an edge server.
    pub fn message_len(&self, message: &Message) -> u64 {
        match message {
            Message::Invite(invite) => self.invite_len(invite),
            message => message.bytes(),
        }
    }

    fn len(&self, codec: Codec, elements: usize) -> u64 {
        if let Some(bytes) = self.sealed {
            return wire::counted(bytes);
        }
        match codec.is_lossless() {
            true => wire::flat_len(elements),
            false => {
                let plain = 4 * self.buffers.len() as u64;
                wire::counted(codec.encoded_len(&self.layers).most() + plain)
            }
        }
    }

    /// The model as the client reads it.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub fn received(&self, model: &Flat, draw: Draw<'_>) -> Result<Flat, LearnError> {
        if self.down.is_lossless() || !self.fits(model) {
            return Ok(model.clone());
        }
        let mut stream = draw.stream(DOWN);
        let bytes = self.down.encode(&self.coded(model), &self.layers, &mut stream)?;
        Ok(self.with_buffers(self.down.decode(&bytes, &self.layers)?, model))
    }

    /// The parameters as the server reads them from a client that was sent `sent`, read `received` and ended with
    /// `params`, and the bytes they took; `left` is what the client had not sent before, and has not sent now.
    /// What is not finite or has another length is left to the server's guard; who is not `honest` neither cuts nor
    /// blurs.
    ///
    /// # Errors
    /// When the change cannot be encoded.
    pub fn answered(
        &self,
        [sent, received, params]: [&Flat; 3],
        honest: bool,
        left: &mut Feedback,
        draw: Draw<'_>,
    ) -> Result<(Flat, u64), LearnError> {
        let bytes = self.sealed.map_or_else(|| wire::flat_len(params.len()), wire::counted);
        let blurred = honest && !self.blur.is_nothing();
        let plain = self.up.is_lossless() && self.down.is_lossless() && !blurred;
        if plain || params.len() != sent.len() || !self.fits(params) {
            return Ok((params.clone(), bytes));
        }
        let mut change = params.minus(received);
        if blurred {
            let mut numbers = self.coded(&change);
            self.blur.apply(&mut numbers, &mut draw.stream(BLUR));
            change = self.with_buffers(numbers, &change);
        }
        if self.up.is_lossless() {
            let mut read = sent.clone();
            read.add_scaled(1.0, &change);
            return Ok((read, bytes));
        }
        let mut stream = draw.stream(UP);
        let numbers = self.coded(&change);
        let encoded = match self.up.keeps_errors() {
            true => left.encode(&self.up, &numbers, &self.layers, &mut stream)?,
            false => self.up.encode(&numbers, &self.layers, &mut stream)?,
        };
        let mut read = self.with_buffers(self.up.decode(&encoded, &self.layers)?, &change);
        read.add_scaled(1.0, sent);
        let plain = 4 * self.buffers.len() as u64;
        Ok((read, wire::counted(encoded.len() as u64 + plain)))
    }

    fn fits(&self, model: &Flat) -> bool {
        let elements = self.layers.iter().sum::<usize>() + self.buffers.len();
        model.len() == elements && model.is_finite()
    }

    /// The numbers that are encoded.
    fn coded(&self, model: &Flat) -> Vec<f32> {
        let values = model.host();
        let (before, after) = (&values[..self.buffers.start], &values[self.buffers.end..]);
        [before, after].concat()
    }

    /// Puts the buffers of `plain` between the decoded numbers.
    fn with_buffers(&self, decoded: Vec<f32>, plain: &Flat) -> Flat {
        let (before, after) = decoded.split_at(self.buffers.start);
        let plain = plain.host();
        Flat::new([before, &plain[self.buffers.clone()], after].concat())
    }
}

/// Names the random stream of one task's codecs.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// Root of all randomness.
    pub seeds: &'a SeedTree,
    /// Whose message.
    pub client: ClientId,
    /// The task's number among the client's streams.
    pub draw: u64,
}

const DOWN: u64 = 0;
const UP: u64 = 1;
const BLUR: u64 = 2;
/// Ids of blurring lie above those of both ways.
const BLURS: u64 = 1 << 40;

impl Draw<'_> {
    fn stream(&self, way: u64) -> Stream {
        let client = u64::from(self.client.0);
        match way {
            BLUR => self.seeds.stream(Purpose::Codec, BLURS + client, self.draw),
            way => self.seeds.stream(Purpose::Codec, 2 * client + way, self.draw),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offbeat_learning::codec::{TopK, Uniform};

    fn layout() -> Layout {
        Layout::new([
            ("w".to_string(), vec![6], Part::Backbone),
            ("variance".to_string(), vec![2], Part::Buffer),
            ("head".to_string(), vec![4], Part::Head),
        ])
    }

    fn draw(seeds: &SeedTree) -> Draw<'_> {
        Draw { seeds, client: ClientId(3), draw: 8 }
    }

    #[test]
    fn plain_codecs_change_no_bit_and_no_length() {
        let coded = Coded::new(Codec::Float32, Codec::Float32, &layout(), 8);
        let seeds = SeedTree::new(1);
        let model = Flat::new((0..8).map(|i| i as f32 * 0.37 - 1.0).collect());
        assert_eq!(coded.received(&model, draw(&seeds)).expect("plain"), model);
        let sent = Flat::new(vec![0.1; 8]);
        let mut left = Feedback::default();
        let read =
            coded.answered([&sent, &sent, &model], true, &mut left, draw(&seeds)).expect("plain");
        assert_eq!(read, (model, wire::flat_len(8)));
        assert_eq!(coded.up_len(8), EncodedLen::Exactly(wire::flat_len(8)));
    }

    #[test]
    fn the_server_adds_the_decoded_change_to_what_it_sent() {
        let coded = Coded::new(Codec::Float16, Codec::Float16, &layout(), 8);
        let seeds = SeedTree::new(1);
        let sent = Flat::new(vec![1.0 / 3.0; 8]);
        let received = coded.received(&sent, draw(&seeds)).expect("finite");
        let rounded = 0.333_251_95_f32;
        assert_eq!(received.host()[..6], [rounded; 6]);
        assert_eq!(received.host()[6..], [1.0 / 3.0; 2], "buffers travel as they are");
        // The change 0.5 is exact in half precision: nothing of the way down comes back.
        let mut params = received.clone();
        params.add_scaled(1.0, &Flat::new(vec![0.5; 8]));
        let mut left = Feedback::default();
        let (read, bytes) = coded
            .answered([&sent, &received, &params], true, &mut left, draw(&seeds))
            .expect("finite");
        read.host().iter().for_each(|value| assert!((value - (1.0 / 3.0 + 0.5)).abs() < 1e-6));
        assert_eq!(bytes, 1 + 6 * 2 + 2 * 4);
    }

    #[test]
    fn changes_are_cut_and_blurred_before_they_travel() {
        let seeds = SeedTree::new(1);
        let answered = |blur: Blur| {
            let coded = Coded::new(Codec::Float32, Codec::Float32, &layout(), 8).blurred(blur);
            let (sent, mut left) = (Flat::new(vec![1.0; 8]), Feedback::default());
            let params = Flat::new(vec![3.0; 8]);
            let vectors = [&sent, &sent, &params];
            coded.answered(vectors, true, &mut left, draw(&seeds)).expect("finite").0.to_vec()
        };
        // The change is 2 on six numbers, so of length 4.899; buffers stay.
        let cut = answered(Blur { clip_norm: Some(1.0), noise_sigma: 0.0 });
        assert!(cut[..6].iter().all(|v| (v - 1.408_248_3).abs() < 1e-6) && cut[6..] == [3.0; 2]);
        assert_eq!(answered(Blur { clip_norm: Some(5.0), noise_sigma: 0.0 }), [3.0; 8]);
        let noisy = answered(Blur { clip_norm: None, noise_sigma: 0.1 });
        assert!(noisy[..6].iter().all(|v| *v != 3.0), "{noisy:?}");
        assert_eq!(noisy[6..], [3.0; 2]);
        assert_eq!(noisy, answered(Blur { clip_norm: None, noise_sigma: 0.1 }));
    }

    #[test]
    fn the_noise_of_a_link_has_the_deviation_that_was_asked_for() {
        let blur = Blur { clip_norm: None, noise_sigma: 0.1 };
        let coded = Coded::new(Codec::Float32, Codec::Float32, &layout(), 8).blurred(blur);
        let errors = (0..500).flat_map(|seed| {
            let (sent, params, mut left) = (Flat::zeros(8), Flat::zeros(8), Feedback::default());
            let seeds = SeedTree::new(seed);
            let read = coded.answered([&sent, &sent, &params], true, &mut left, draw(&seeds));
            read.expect("finite").0.to_vec()[..6].to_vec()
        });
        let errors: Vec<f64> = errors.map(f64::from).collect();
        let mean = errors.iter().sum::<f64>() / 3000.0;
        let deviation = (errors.iter().map(|e| e * e).sum::<f64>() / 3000.0).sqrt();
        // Standard errors of 3,000 draws: 0.0018 of the mean, 0.0013 of the deviation.
        assert!(mean.abs() < 0.006 && (deviation - 0.1).abs() < 0.004, "{mean} {deviation}");
    }

    #[test]
    fn what_is_left_out_is_sent_later() {
        let codec = Codec::TopK(TopK { share: 0.2, error_feedback: true });
        let coded = Coded::new(codec, Codec::Float32, &layout(), 12);
        assert!(coded.keeps_errors());
        let seeds = SeedTree::new(1);
        let (sent, mut left) = (Flat::zeros(12), Feedback::default());
        let params = Flat::new((1..=12).map(|i| i as f32).collect());
        let mut sum = Flat::zeros(12);
        for _ in 0..3 {
            let (read, _) = coded
                .answered([&sent, &sent, &params], true, &mut left, draw(&seeds))
                .expect("finite");
            sum.add_scaled(1.0, &read);
        }
        let whole: Vec<f32> = (0..12)
            .map(|place: usize| match place {
                0..6 => sum.host()[place] + left.residual()[place],
                6..8 => sum.host()[place],
                _ => sum.host()[place] + left.residual()[place - 2],
            })
            .collect();
        let expected: Vec<f32> = (1..=12).map(|i| 3.0 * i as f32).collect();
        assert_eq!(whole, expected);
    }

    #[test]
    fn encrypted_models_and_updates_have_one_length() {
        let plain = Coded::new(Codec::Float32, Codec::Float32, &layout(), 8);
        let coded = plain.clone().sealed(Some(512));
        let sealed = wire::counted(512);
        assert_eq!(coded.up_len(8), EncodedLen::Exactly(sealed));
        let mut invite = Invite {
            task: offbeat_kernel::TaskId(1),
            version: offbeat_kernel::Version(1),
            invited: offbeat_kernel::Time::ZERO,
            model: Flat::zeros(8),
            extras: std::collections::BTreeMap::new(),
            assignment: offbeat_strategies::signal::Assignment::default(),
        };
        let more = |invite: &Invite| coded.invite_len(invite) - plain.invite_len(invite);
        assert_eq!(more(&invite), sealed - wire::flat_len(8));
        // A judge is sent no model to train, and here three to judge.
        invite.model = Flat::zeros(0);
        invite.assignment = offbeat_strategies::signal::Assignment::to_judge();
        invite.extras = ["a", "b", "c"].map(|name| (name.to_string(), Flat::zeros(8))).into();
        assert_eq!(more(&invite), 3 * (sealed - wire::flat_len(8)));
        let seeds = SeedTree::new(1);
        let (sent, mut left) = (Flat::zeros(8), Feedback::default());
        let params = Flat::new(vec![0.5; 8]);
        let answered = coded.answered([&sent, &sent, &params], true, &mut left, draw(&seeds));
        assert_eq!(answered.expect("finite"), (params, sealed));
    }

    #[test]
    fn malformed_answers_are_left_to_the_guard() {
        let codec = Codec::Uniform(Uniform::default());
        let coded = Coded::new(codec, Codec::Float32, &layout(), 8);
        let seeds = SeedTree::new(1);
        let sent = Flat::zeros(8);
        for params in [Flat::new(vec![f32::NAN; 8]), Flat::zeros(5)] {
            let mut left = Feedback::default();
            let (read, _) = coded
                .answered([&sent, &sent, &params], true, &mut left, draw(&seeds))
                .expect("passed");
            assert_eq!(read.len(), params.len());
            assert_eq!(read.is_finite(), params.is_finite());
        }
    }
}
