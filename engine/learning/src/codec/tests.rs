//! Round trips, bounds of errors, and bytes.

use super::*;
use crate::layout::Part;
use offbeat_kernel::{Purpose, SeedTree};
use proptest::prelude::*;
use rand_distr::{Distribution, StandardNormal};

fn stream() -> Stream {
    SeedTree::new(5).stream(Purpose::Training, 0, 0)
}

fn normal(count: usize, scale: f32) -> Vec<f32> {
    let mut stream = SeedTree::new(11).stream(Purpose::Custom, 1, 0);
    let draw = |_| {
        let value: f32 = StandardNormal.sample(&mut stream);
        scale * value
    };
    (0..count).map(draw).collect()
}

fn uniform(bits: u32, rounding: Rounding) -> Codec {
    Codec::Uniform(Uniform { bits, rounding })
}

fn top_k(share: f64) -> Codec {
    Codec::TopK(TopK { share, error_feedback: true })
}

fn there_and_back(codec: &Codec, values: &[f32], layers: &[usize]) -> (usize, Vec<f32>) {
    let bytes = codec.encode(values, layers, &mut stream()).expect("finite values");
    let back = codec.decode(&bytes, layers).expect("its own bytes");
    assert_eq!(back.len(), values.len());
    match codec.encoded_len(layers) {
        EncodedLen::Exactly(len) => assert_eq!(bytes.len() as u64, len, "{codec:?}"),
        EncodedLen::AtMost(len) => assert!(bytes.len() as u64 <= len, "{codec:?}"),
    }
    (bytes.len(), back)
}

#[test]
fn bytes_by_hand() {
    let (values, layers) = (normal(610, 0.1), [600, 10]);
    let bytes = |codec: &Codec| there_and_back(codec, &values, &layers).0;
    assert_eq!(bytes(&Codec::Float32), 2440);
    assert_eq!(bytes(&Codec::Float16), 1220);
    assert_eq!(bytes(&uniform(8, Rounding::Nearest)), 8 + 600 + 8 + 10);
    assert_eq!(bytes(&uniform(3, Rounding::Stochastic)), 8 + 225 + 8 + 4);
    // 7 of 610: ten bits for a place; half of them: a map is shorter.
    assert_eq!(bytes(&top_k(0.01)), 7 * 4 + 9);
    assert_eq!(bytes(&top_k(0.5)), 305 * 4 + 77);
    assert_eq!(bytes(&top_k(1e-9)), 4 + 2);
    // Four bits reach a hundredth of the variance; three numbers travel as they are.
    let codebook = Codec::Codebook(Codebook { tolerance: 0.012 });
    let coded = there_and_back(&codebook, &values, &[607, 3]).0;
    assert_eq!(coded, 2 + 4 * 16 + 304 + 1 + 12);
}

#[test]
fn values_by_hand() {
    let values = [-1.0, 0.0, 0.4, 2.0];
    let back = |codec: Codec| there_and_back(&codec, &values, &[4]).1;
    assert_eq!(back(uniform(2, Rounding::Nearest)), [-1.0, 0.0, 0.0, 2.0]);
    assert_eq!(back(top_k(0.5)), [-1.0, 0.0, 0.0, 2.0]);
    assert_eq!(back(Codec::Float16), [-1.0, 0.0, 0.399_902_34, 2.0]);
    let large = there_and_back(&Codec::Float16, &[1e9, -7e4, 1e-9], &[3]).1;
    assert_eq!(large, [65504.0, -65504.0, 0.0]);
    let same = there_and_back(&uniform(4, Rounding::Stochastic), &[0.3; 5], &[5]).1;
    assert_eq!(same, [0.3; 5]);
    let ties = there_and_back(&top_k(0.5), &[1.0, -1.0, 1.0, -1.0], &[4]).1;
    assert_eq!(ties, [1.0, -1.0, 0.0, 0.0]);
}

#[test]
fn stochastic_rounding_is_right_on_average() {
    // A third of a step above a level: the mean of n draws lies within 4 standard errors of it.
    let mut values = vec![0.1f32; 40_000];
    values.extend([0.0, 0.9]);
    let (_, back) = there_and_back(&uniform(2, Rounding::Stochastic), &values, &[40_002]);
    let mean = back[..40_000].iter().map(|v| f64::from(*v)).sum::<f64>() / 4e4;
    let error = 0.3 * (1.0f64 / 3.0 * 2.0 / 3.0 / 4e4).sqrt();
    assert!((mean - 0.1).abs() < 4.0 * error, "{mean}");
    let (_, nearest) = there_and_back(&uniform(2, Rounding::Nearest), &values, &[40_002]);
    assert!(nearest[..40_000].iter().all(|value| *value == 0.0));
}

#[test]
fn a_codebook_takes_more_bits_where_they_are_needed() {
    let (few, many) = ([0.5f32, -0.5, 0.0].repeat(400), normal(1200, 1e-4));
    let values: Vec<f32> = few.iter().chain(&many).copied().collect();
    let bits_of = |tolerance: f64| {
        let codec = Codec::Codebook(Codebook { tolerance });
        let bytes = codec.encode(&values, &[1200, 1200], &mut stream()).expect("finite");
        let second = 2 + 3 * 4 + 300;
        let back = codec.decode(&bytes, &[1200, 1200]).expect("its own bytes");
        assert_eq!(back[..1200], few);
        let error: f64 =
            back[1200..].iter().zip(&many).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let whole: f64 = many.iter().map(|value| f64::from(*value).powi(2)).sum();
        assert!(error <= 1.01 * tolerance * whole, "{error} of {whole}");
        (bytes[0], bytes[second])
    };
    assert_eq!(bits_of(0.13), (2, 2));
    assert_eq!(bits_of(0.038), (2, 3));
    assert_eq!(bits_of(0.0028), (2, 5));
}

/// The fewest bits that are good enough, whatever the scale of a layer: fewer would miss the tolerance.
#[test]
fn a_codebook_takes_the_fewest_bits_that_do() {
    for scale in [1e-6f32, 1.0, 1e4] {
        let values = normal(3000, scale);
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / 3000.0;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / 3000.0;
        for tolerance in [0.2, 0.05, 0.02, 0.004, 1e-3, 2e-4] {
            let codec = Codec::Codebook(Codebook { tolerance });
            let (len, back) = there_and_back(&codec, &values, &[3000]);
            let bits = codec.encode(&values, &[3000], &mut stream()).expect("finite")[0];
            // n bits for a number, and 2^n means.
            assert_eq!(len, 2 + 4 * (1 << bits) + (3000 * usize::from(bits)).div_ceil(8));
            let error: f64 =
                values.iter().zip(&back).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
                    / 3000.0;
            assert!(error <= 1.001 * tolerance * variance, "{bits} bits: {error}");
            if bits > 2 {
                let fewer = super::kmeans::means(&sorted, 1 << (bits - 1)).error;
                assert!(fewer > tolerance * variance, "{} bits would do", bits - 1);
            }
        }
    }
}

#[test]
fn what_was_left_out_is_sent_later() {
    let codec = top_k(0.1);
    let (mut feedback, mut sent) = (Feedback::default(), vec![0.0f32; 40]);
    let values = normal(40, 1.0);
    for _ in 0..30 {
        let bytes = feedback.encode(&codec, &values, &[40], &mut stream()).expect("finite");
        let part = codec.decode(&bytes, &[40]).expect("its own bytes");
        sent.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    for ((value, sent), left) in values.iter().zip(&sent).zip(feedback.residual()) {
        assert!((30.0 * value - sent - left).abs() < 1e-4);
    }
    // Without the memory the same four would be sent each time.
    assert!(sent.iter().filter(|sent| **sent != 0.0).count() > 12);
    assert!(feedback.encode(&codec, &[1.0], &[1], &mut stream()).is_err());
}

#[test]
fn wrong_settings_values_and_bytes_are_refused() {
    let refused = |codec: Codec| codec.check().expect_err("out of range").to_string();
    assert!(refused(uniform(1, Rounding::Nearest)).contains("2 to 8 bits"));
    assert!(refused(top_k(0.0)).contains("above 0"));
    assert!(refused(top_k(f64::NAN)).contains("above 0"));
    assert!(refused(Codec::Codebook(Codebook { tolerance: 1.0 })).contains("below 1"));
    let encode = |values: &[f32], layers: &[usize]| {
        Codec::Float16.encode(values, layers, &mut stream()).map_err(|error| error.to_string())
    };
    assert!(encode(&[1.0, f32::NAN], &[2]).expect_err("not finite").contains("number 1"));
    assert!(encode(&[1.0], &[2]).expect_err("another layout").contains("the vector has 1"));
    assert!(Codec::Float32.decode(&[0; 9], &[2]).is_err());
    assert!(Codec::Float32.decode(&[0; 7], &[2]).is_err());
}

#[test]
fn the_layers_of_a_part_are_its_tensors() {
    let layout = Layout::new([
        ("a.weight".into(), vec![4, 3], Part::Backbone),
        ("head.weight".into(), vec![2, 4], Part::Head),
        ("head.bias".into(), vec![2], Part::Head),
    ]);
    assert_eq!(layers(&layout, 0..22), [12, 8, 2]);
    assert_eq!(layers(&layout, layout.body()), [12]);
}

#[test]
fn settings_are_read_as_they_are_written_in_scenarios() {
    let read = |text: &str| {
        #[derive(Deserialize)]
        struct Holder {
            codec: Codec,
        }
        toml::from_str::<Holder>(text).map(|holder| holder.codec)
    };
    assert_eq!(read("codec = \"float16\"").expect("known"), Codec::Float16);
    let four = uniform(4, Rounding::Nearest);
    assert_eq!(read("codec.uniform = { bits = 4, rounding = \"nearest\" }").expect("known"), four);
    assert_eq!(read("[codec.top-k]\nshare = 0.05").expect("known"), top_k(0.05));
    assert!(read("[codec.top-k]\nshares = 0.05").is_err());
}

fn any_codec() -> impl Strategy<Value = Codec> {
    prop_oneof![
        Just(Codec::Float32),
        Just(Codec::Float16),
        (2u32..=8, any::<bool>()).prop_map(|(bits, nearest)| {
            uniform(bits, if nearest { Rounding::Nearest } else { Rounding::Stochastic })
        }),
        (1e-3..=1.0).prop_map(top_k),
        (1e-5..0.9).prop_map(|tolerance| Codec::Codebook(Codebook { tolerance })),
    ]
}

proptest! {
    #[test]
    fn errors_stay_within_their_bounds(
        codec in any_codec(),
        parts in proptest::collection::vec(proptest::collection::vec(-1e3f32..1e3, 0..90), 1..4),
    ) {
        let layers: Vec<usize> = parts.iter().map(Vec::len).collect();
        let values = parts.concat();
        let (_, back) = there_and_back(&codec, &values, &layers);
        let pairs = || split(&values, &layers).zip(split(&back, &layers));
        for (layer, back) in pairs() {
            let width = layer.iter().copied().reduce(f32::max).unwrap_or(0.0)
                - layer.iter().copied().reduce(f32::min).unwrap_or(0.0);
            let worst = layer.iter().zip(back).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            let largest = layer.iter().map(|value| value.abs()).fold(0.0, f32::max);
            let bound = match codec {
                Codec::Float32 => 0.0,
                Codec::Float16 => largest / 2048.0 + 1e-7,
                Codec::Uniform(Uniform { bits, rounding }) => {
                    let step = width / ((1u32 << bits) - 1) as f32;
                    let share = if rounding == Rounding::Nearest { 0.5 } else { 1.0 };
                    share * step * 1.001 + 1e-4
                }
                Codec::TopK(_) => largest,
                Codec::Codebook(_) => width,
            };
            prop_assert!(worst <= bound, "{:?}: {} over {}", codec, worst, bound);
        }
        if let Codec::TopK(top_k) = codec {
            let same = values.iter().zip(&back).filter(|(a, b)| a.to_bits() == b.to_bits());
            prop_assert!(same.count() >= top_k.kept(values.len()));
        }
    }

    #[test]
    fn strange_bytes_never_panic(
        codec in any_codec(),
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        layers in proptest::collection::vec(0usize..50, 0..4),
    ) {
        let _ = codec.decode(&bytes, &layers);
    }
}
