//! Federations whose models and updates travel with fewer bits.

use crate::honest::rows;
use crate::patchy::every_pace;
use crate::world::World;
use offbeat_actors::wire;
use offbeat_kernel::codec;
use offbeat_learning::codec::{Codebook, Codec, Rounding, TopK, Uniform};

/// Digits, softmax: 64 x 10 weights and 10 biases.
const WEIGHTS: u64 = 640;

fn world(codecs: [Codec; 2], pace: usize) -> World {
    let mut world = World::new(6, every_pace(6).swap_remove(pace));
    world.versions = 12;
    world.codecs = codecs;
    world
}

#[test]
fn counted_bytes_are_those_of_the_real_encoding() {
    for bytes in [0, 1, 250, 251, 65_535, 65_536] {
        let real = codec::encode(&vec![7u8; bytes]).expect("plain").len() as u64;
        assert_eq!(wire::counted(bytes as u64), real);
    }
}

/// Half of the bytes down, an eighth up; for the smallest, both ways by hand.
#[test]
fn links_carry_what_codecs_write() {
    let four = Codec::Uniform(Uniform { bits: 4, rounding: Rounding::Stochastic });
    let plain = rows(&world([Codec::Float32; 2], 0).run().1);
    let coded = rows(&world([four, Codec::Float16], 0).run().1);
    assert_eq!(plain.len(), coded.len());
    for (plain, coded) in plain.iter().zip(&coded) {
        let (up, down) = (4 * (WEIGHTS + 10), 4 * (WEIGHTS + 10));
        // Two layers: smallest, largest, codes.
        assert_eq!(plain.bytes_up - coded.bytes_up, up - (8 + WEIGHTS / 2) - (8 + 5));
        assert_eq!(plain.bytes_down - coded.bytes_down, down - 2 * (WEIGHTS + 10));
    }
}

/// A lossy codec still learns, the same way with one worker and with two, under every pace.
#[test]
fn every_codec_learns_the_same_on_any_number_of_workers() {
    let ups = [
        Codec::Float16,
        Codec::Uniform(Uniform::default()),
        Codec::TopK(TopK { share: 0.1, error_feedback: true }),
        Codec::Codebook(Codebook::default()),
    ];
    for pace in 0..every_pace(6).len() {
        let (plain, _) = world([Codec::Float32; 2], pace).run();
        let best = plain.test.as_ref().expect("evaluated").accuracy;
        for up in ups {
            let mut world = world([up, Codec::Float16], pace);
            let (one, records) = world.run();
            world.workers = 2;
            let (two, again) = world.run();
            assert_eq!(one.digest, two.digest, "{up:?}, pace {pace}");
            assert_eq!(one.model, two.model, "{up:?}, pace {pace}");
            assert_eq!(rows(&records), rows(&again), "{up:?}, pace {pace}");
            assert_eq!(one.counts.failed, 0);
            let accuracy = one.test.as_ref().expect("evaluated").accuracy;
            assert!(accuracy > best - 0.1, "{up:?}, pace {pace}: {accuracy}, plain {best}");
            let most = 4 * (WEIGHTS + 10);
            assert!(rows(&records).iter().all(|row| row.bytes_up < most), "{up:?}, pace {pace}");
        }
    }
}
