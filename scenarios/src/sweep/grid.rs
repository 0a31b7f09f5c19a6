//! The grid that `[sweep]` names.

use super::point::Point;
use crate::document::{Node, Place};
use crate::report::Target;
use crate::units::count;

/// What is swept over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grid {
    /// What the runs race for in the comparison.
    pub target: Option<Target>,
    /// Settings that go together; none is as good as one that sets nothing.
    pub variants: Vec<Variant>,
    /// Keys with several values.
    pub axes: Vec<Axis>,
}

/// Settings that go together.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// What it is called; empty when left out.
    pub label: String,
    /// Where it was written.
    pub place: Place,
    /// What it sets, in the order of the text.
    pub set: Vec<Setting>,
}

/// A key with several values.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Path of the key.
    pub path: String,
    /// Where it was written.
    pub place: Place,
    /// The values, at least one.
    pub values: Vec<Node>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Path of the key.
    pub path: String,
    /// Where it was written.
    pub place: Place,
    /// The value.
    pub value: Node,
}

/// The path that `seed` stands for.
pub(super) const SEED: &str = "run.seed";

impl Grid {
    /// Number of points.
    pub fn len(&self) -> usize {
        let sizes = self.axes.iter().map(|axis| axis.values.len());
        sizes.fold(self.variants.len().max(1), usize::saturating_mul)
    }

    /// The runs in words: `18 runs: 6 variants, 3 seeds`; empty without a sweep.
    pub fn in_words(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let counted = |number: usize, one: &str| match number {
            1 => format!("1 {one}"),
            number => format!("{} {one}s", count(number as u64)),
        };
        let mut parts = Vec::new();
        if !self.variants.is_empty() {
            parts.push(counted(self.variants.len(), "variant"));
        }
        let (seeds, others): (Vec<&Axis>, _) = self.axes.iter().partition(|axis| axis.path == SEED);
        let values =
            |axis: &Axis| format!("{} of `{}`", counted(axis.values.len(), "value"), axis.path);
        parts.extend(others.into_iter().map(values));
        parts.extend(seeds.iter().map(|axis| counted(axis.values.len(), "seed")));
        format!("{}: {}", counted(self.len(), "run"), parts.join(", "))
    }

    /// Whether nothing is varied.
    pub fn is_empty(&self) -> bool {
        self.variants.is_empty() && self.axes.is_empty()
    }

    /// The same grid for one seed, which comes from elsewhere.
    pub fn without_seeds(mut self) -> Self {
        self.axes.retain(|axis| axis.path != SEED);
        self
    }

    /// All points: variants, then the values of the keys in the order of the text, seeds fastest.
    pub fn points(&self) -> Vec<Point> {
        let mut axes: Vec<&Axis> = self.axes.iter().collect();
        axes.sort_by_key(|axis| axis.path == SEED);
        let mut points: Vec<Point> = match self.variants.is_empty() {
            true => vec![Point::default()],
            false => self.variants.iter().map(Point::of).collect(),
        };
        for axis in axes {
            points = points
                .iter()
                .flat_map(|point| axis.values.iter().map(move |value| point.with(axis, value)))
                .collect();
        }
        points
    }
}
