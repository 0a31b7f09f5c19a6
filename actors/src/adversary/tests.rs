//! What hostile clients do, by hand.

use super::*;
use offbeat_learning::data::Dataset;

fn shard(features: &[f32], shape: &[usize], labels: &[u32]) -> Shard {
    let (features, labels) = (features.to_vec(), labels.to_vec());
    Shard::whole(Arc::new(Dataset {
        features,
        shape: shape.to_vec(),
        labels,
        classes: 3,
        groups: None,
    }))
}

fn labels(shard: &Shard) -> Vec<u32> {
    (0..shard.len()).map(|place| shard.label(place)).collect()
}

fn band(behaviour: Behaviour, members: &[u32]) -> Band {
    let members = members.iter().map(|id| ClientId(*id)).collect();
    Band { behaviour, members, sybil: false, from_version: Version(2) }
}

#[test]
fn labels_are_flipped_by_hand() {
    let data = shard(&[0.0; 4], &[1], &[0, 1, 2, 1]);
    assert_eq!(labels(&flip_labels(&data, None, None)), [2, 1, 0, 1]);
    assert_eq!(labels(&flip_labels(&data, Some(1), Some(2))), [0, 2, 2, 2]);
}

#[test]
fn a_trigger_is_laid_over_images_and_vectors() {
    let trigger = Trigger { size: 2, value: 9.0 };
    let images = shard(&[0.0; 18], &[1, 3, 3], &[0, 1]);
    let poisoned = data::backdoored(&images, 2, trigger, 0.5);
    assert_eq!(labels(&poisoned), [2, 1]);
    assert_eq!(poisoned.features(0), [0.0, 0.0, 0.0, 0.0, 9.0, 9.0, 0.0, 9.0, 9.0]);
    assert_eq!(poisoned.features(1), [0.0; 9]);
    let vectors = data::aimed(&shard(&[0.0; 6], &[3], &[0, 2]), 2, |l| l != 2, Some(trigger));
    assert_eq!((labels(&vectors), vectors.features(0)), (vec![2], &[0.0, 9.0, 9.0][..]));
}

#[test]
fn bands_begin_at_their_version_and_get_their_factors() {
    let replacement = Behaviour::ModelReplacement {
        target: 1,
        trigger: Trigger::default(),
        poisoned: 0.5,
        boost: None,
    };
    let adversaries = Adversaries::new(vec![band(replacement, &[3, 7])], 10);
    assert_eq!(adversaries.len(), 2);
    assert_eq!(adversaries.band(ClientId(3), Version(1)), None);
    assert_eq!(adversaries.band(ClientId(4), Version(9)), None);
    let found = adversaries.band(ClientId(7), Version(2)).expect("hostile from then on");
    assert!(
        matches!(found.behaviour, Behaviour::ModelReplacement { boost: Some(boost), .. } if boost == 5.0)
    );
    let aim = adversaries.aim(&shard(&[0.0; 9], &[3], &[0, 1, 2])).expect("two samples");
    assert_eq!(labels(&aim), [1, 1]);
    let liar = band(Behaviour::FalseSamples { factor: 100.0 }, &[0]);
    assert_eq!(liar.claimed_samples(7), 700);
    assert!(Adversaries::new(vec![liar], 3).aim(&shard(&[0.0], &[1], &[0])).is_none());
}

#[test]
fn sybils_work_as_one() {
    let mut sybils = band(Behaviour::SignFlip { scale: 1.0 }, &[4, 6]);
    assert_eq!(sybils.worker(ClientId(6), TaskId(50), Version(8)), (ClientId(6), 50));
    sybils.sybil = true;
    assert_eq!(sybils.worker(ClientId(6), TaskId(50), Version(8)), (ClientId(4), 8));
}
