//! Whole rounds: exact sums, drop-outs, and what the server sees.

use super::*;
use offbeat_kernel::SeedTree;
use proptest::prelude::*;

/// Values of `members` clients, all different, in the field.
fn vectors(members: usize, len: usize, seed: u64) -> Vec<Vec<Element>> {
    let mut stream = crate::select::testing::stream(seed);
    (0..members).map(|_| (0..len).map(|_| Element::draw(&mut stream)).collect()).collect()
}

fn plain_sum<'a>(vectors: impl Iterator<Item = &'a Vec<Element>>, len: usize) -> Vec<Element> {
    let mut sum = vec![Element::ZERO; len];
    for vector in vectors {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += *value);
    }
    sum
}

/// The sum of a round from which the members at `dropped` never send.
fn summed(
    vectors: &[Vec<Element>],
    dropped: &[usize],
    threshold: usize,
) -> Result<Vec<Element>, SecureError> {
    let (members, len) = (vectors.len(), vectors[0].len());
    let mut round = Round::new(SeedTree::new(3), 7, (members, threshold), len);
    for (place, vector) in vectors.iter().enumerate().filter(|(place, _)| !dropped.contains(place))
    {
        round.send(place, vector.clone());
    }
    round.sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_sum_is_the_plain_sum_to_the_bit(
        members in 2usize..9, len in 0usize..30, seed: u64, lost in any::<u16>(),
    ) {
        let vectors = vectors(members, len, seed);
        let threshold = members / 2 + 1;
        let dropped: Vec<usize> = (0..members).filter(|m| lost >> m & 1 == 1)
            .take(members - threshold).collect();
        let left = vectors.iter().enumerate().filter(|(m, _)| !dropped.contains(m));
        let expected = plain_sum(left.map(|(_, vector)| vector), len);
        prop_assert_eq!(summed(&vectors, &dropped, threshold), Ok(expected));
    }
}

/// Thirty of a hundred... of twenty clients, six drop out after the keys were exchanged: 30 %.
#[test]
fn thirty_percent_may_drop_out() {
    let vectors = vectors(20, 50, 11);
    let dropped = [0, 4, 9, 10, 17, 19];
    let left = (0..20).filter(|member| !dropped.contains(member)).map(|member| &vectors[member]);
    let expected = plain_sum(left, 50);
    assert_eq!(summed(&vectors, &dropped, 14), Ok(expected));
    println!("20 clients, 6 dropped out, 14 needed: the sum of the 14 others is exact");
}

#[test]
fn fewer_than_the_threshold_fail_clearly() {
    let vectors = vectors(10, 4, 5);
    let error = summed(&vectors, &[1, 2, 3, 4], 7).expect_err("six of ten answered");
    assert_eq!(error, SecureError::TooFew { arrived: 6, threshold: 7, members: 10 });
    let said = error.to_string();
    println!("{said}");
    assert!(said.contains("6 of 10 clients answered, but 7 are needed"), "{said}");
    // Without the other members' shares the sum that the server holds is no sum of anybody's vectors.
    let mut round = Round::new(SeedTree::new(3), 7, (10, 7), 4);
    let mut seen = vec![Element::ZERO; 4];
    for (place, vector) in vectors.iter().enumerate().skip(4) {
        let masked = round.masked(place, vector.clone());
        seen.iter_mut().zip(&masked).for_each(|(sum, value)| *sum += *value);
    }
    assert_ne!(seen, plain_sum(vectors.iter().skip(4), 4));
}

/// What a member sends is spread evenly over the field whatever it holds: chi-square over 64 equal parts with
/// 63 degrees of freedom, above 103.4 once in a thousand times.
#[test]
fn what_the_server_sees_is_uniform() {
    let len = 20_000;
    let extremes = [Element::ZERO, Element::ONE, Element::new(MODULUS / 2), Element::signed(-1)];
    for (number, held) in (0u64..).zip(extremes) {
        let mut round = Round::new(SeedTree::new(9), number, (3, 2), len);
        let views = [0, 1].map(|place| round.masked(place, vec![held; len]));
        let together: Vec<Element> = views[0].iter().zip(&views[1]).map(|(a, b)| *a + *b).collect();
        for (name, seen) in [("one", &views[0]), ("another", &views[1]), ("two", &together)] {
            let chi = chi_square(seen);
            println!("holding {}: {name} of three gives chi-square {chi:.1}", held.value());
            assert!(chi < 103.4, "{name}: {chi}");
        }
    }
}

fn chi_square(values: &[Element]) -> f64 {
    let mut counts = [0u32; 64];
    values.iter().for_each(|value| counts[(value.value() >> 55) as usize] += 1);
    let expected = values.len() as f64 / 64.0;
    counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum()
}

/// The same vectors in the next round are masked anew.
#[test]
fn masks_are_never_used_twice() {
    let held = vec![Element::ONE; 8];
    let masked = |number| Round::new(SeedTree::new(9), number, (3, 2), 8).masked(0, held.clone());
    assert_eq!(masked(1), masked(1));
    assert_ne!(masked(1), masked(2));
}

#[test]
fn a_collector_takes_each_member_once() {
    let publics = [(1, public(&[1; 32])), (2, public(&[2; 32]))].into();
    let mut collector = Collector::new(publics, 2, 2);
    assert!(collector.receive(1, &[Element::ONE; 2]));
    assert!(!collector.receive(1, &[Element::ONE; 2]), "a second time");
    assert!(!collector.receive(2, &[Element::ONE; 3]), "another length");
    assert!(!collector.receive(3, &[Element::ONE; 2]), "nobody of the round");
    let error = collector.request().expect_err("one of two answered");
    assert_eq!(error, SecureError::TooFew { arrived: 1, threshold: 2, members: 2 });
}

#[test]
fn how_many_are_needed() {
    let secure = Secure { threshold: 0.7, ..Secure::default() };
    assert_eq!([1, 2, 3, 10, 20].map(|members| secure.needed(members)), [1, 2, 3, 7, 14]);
}
