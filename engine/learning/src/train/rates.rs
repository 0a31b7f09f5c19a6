//! Learning rates of the parts of a flat vector.

use crate::layout::{Layout, Part};
use crate::objective::Loss;
use crate::plan::Sgd;
use std::ops::Range;

/// Stretches of the flat vector with their learning rates, in order; what gradients do not change is
/// left out: buffers, and the head under a loss that does not read it.
pub(super) fn rates(layout: &Layout, sgd: &Sgd, loss: Loss) -> Vec<(Range<usize>, f32)> {
    let mut stretches: Vec<(Range<usize>, f32)> = Vec::new();
    let trained = |part| match part {
        Part::Backbone => true,
        Part::Buffer => false,
        Part::Head => loss.uses_head(),
    };
    for entry in layout.entries().iter().filter(|entry| trained(entry.part)) {
        let rate = sgd.rate * factor(&entry.name, &sgd.groups);
        match stretches.last_mut() {
            Some((range, same)) if *same == rate && range.end == entry.offset => {
                range.end = entry.range().end;
            }
            _ => stretches.push((entry.range(), rate)),
        }
    }
    stretches
}

/// The factor of the longest prefix of `name`; 1 without any. Of equal prefixes the last counts.
fn factor(name: &str, groups: &[(String, f32)]) -> f32 {
    let matching = groups.iter().filter(|(prefix, _)| name.starts_with(prefix.as_str()));
    matching.max_by_key(|(prefix, _)| prefix.len()).map_or(1.0, |(_, factor)| *factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_wins_and_neighbours_join() {
        let layout = Layout::new([
            ("c1.weight".into(), vec![2, 2], Part::Backbone),
            ("c1.bias".into(), vec![2], Part::Backbone),
            ("c10.weight".into(), vec![3], Part::Backbone),
            ("bn.mean".into(), vec![5], Part::Buffer),
            ("f.weight".into(), vec![4], Part::Head),
        ]);
        let groups = vec![("c1".to_string(), 0.5), ("c1.b".into(), 0.0), ("c10".into(), 2.0)];
        let sgd = Sgd { rate: 2.0, groups, ..Sgd::default() };
        let expected = [(0..4, 1.0), (4..6, 0.0), (6..9, 4.0), (14..18, 2.0)];
        assert_eq!(rates(&layout, &sgd, Loss::CrossEntropy), expected);
        let plain = Sgd { rate: 2.0, ..Sgd::default() };
        assert_eq!(rates(&layout, &plain, Loss::CrossEntropy), [(0..9, 2.0), (14..18, 2.0)]);
        assert_eq!(rates(&layout, &plain, Loss::FeatureMse), [(0..9, 2.0)]);
    }
}
