//! L-BFGS with a weak-Wolfe line search.
//!
//! Sources: Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5; line search by bisection: Lewis and
//! Overton, "Nonsmooth optimization via quasi-Newton methods", 2013, algorithm 2.6.

use std::collections::VecDeque;

/// Settings of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lbfgs {
    /// Steps, at most.
    pub steps: usize,
    /// Pairs that are remembered.
    pub memory: usize,
    /// Evaluations of one line search, at most.
    pub tries: usize,
    /// The search ends below this value.
    pub enough: f64,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self { steps: 300, memory: 20, tries: 25, enough: 1e-12 }
    }
}

/// Where the search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The place.
    pub place: Vec<f32>,
    /// The value there.
    pub value: f64,
    /// Evaluations of the function.
    pub evaluations: usize,
}

/// What must fall by, and how flat it must get, as shares of the slope at the start of a line.
const FALL: f64 = 1e-4;
const FLAT: f64 = 0.9;

/// A step and the change of the gradient over it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    curvature: f64,
}

/// A place with value and gradient.
struct Point {
    place: Vec<f32>,
    value: f64,
    gradient: Vec<f64>,
}

impl Lbfgs {
    /// Looks for a minimum from `start`. `function` gives value and gradient; a value that is not finite counts as
    /// too far. Ends early where no step goes down.
    pub fn minimise(
        &self,
        start: Vec<f32>,
        mut function: impl FnMut(&[f32]) -> (f64, Vec<f32>),
    ) -> Minimum {
        let mut evaluations = 0;
        let mut at = |place: Vec<f32>| {
            evaluations += 1;
            let (value, gradient) = function(&place);
            Point { place, value, gradient: gradient.into_iter().map(f64::from).collect() }
        };
        let mut here = at(start);
        let mut pairs: VecDeque<Pair> = VecDeque::new();
        for _ in 0..self.steps {
            if here.value <= self.enough || !here.value.is_finite() {
                break;
            }
            let mut direction = direction(&pairs, &here.gradient);
            if dot(&direction, &here.gradient) >= 0.0 {
                pairs.clear();
                direction = here.gradient.iter().map(|slope| -slope).collect();
            }
            // Without memory the length of the first step is unknown: at most 1.
            let first = if pairs.is_empty() { (1.0 / norm(&direction)).min(1.0) } else { 1.0 };
            match self.line(&here, &direction, first, &mut at) {
                Some(next) => {
                    remember(&mut pairs, self.memory, &here, &next);
                    here = next;
                }
                None if pairs.is_empty() => break,
                None => pairs.clear(),
            }
        }
        Minimum { place: here.place, value: here.value, evaluations }
    }

    /// A point on the line that is low and flat enough; else the last one that is low enough.
    fn line(
        &self,
        here: &Point,
        direction: &[f64],
        first: f64,
        at: &mut impl FnMut(Vec<f32>) -> Point,
    ) -> Option<Point> {
        let slope = dot(direction, &here.gradient);
        let (mut short, mut long, mut length) = (0.0, f64::INFINITY, first);
        let mut low = None;
        for _ in 0..self.tries {
            let place =
                here.place.iter().zip(direction).map(|(x, d)| (f64::from(*x) + length * d) as f32);
            let point = at(place.collect());
            let fallen = point.value <= here.value + FALL * length * slope;
            if !(fallen && point.gradient.iter().all(|slope| slope.is_finite())) {
                long = length;
            } else if dot(direction, &point.gradient) < FLAT * slope {
                short = length;
                low = Some(point);
            } else {
                return Some(point);
            }
            length = if long.is_finite() { (short + long) / 2.0 } else { 2.0 * short };
        }
        low
    }
}

/// The two-loop recursion: minus the inverse Hessian's estimate times the gradient.
fn direction(pairs: &VecDeque<Pair>, gradient: &[f64]) -> Vec<f64> {
    let mut along: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let share = dot(&pair.step, &along) / pair.curvature;
        add(&mut along, -share, &pair.change);
        shares.push(share);
    }
    if let Some(last) = pairs.back() {
        let scale = last.curvature / dot(&last.change, &last.change);
        along.iter_mut().for_each(|x| *x *= scale);
    }
    for (pair, share) in pairs.iter().zip(shares.into_iter().rev()) {
        let back = dot(&pair.change, &along) / pair.curvature;
        add(&mut along, share - back, &pair.step);
    }
    along
}

fn remember(pairs: &mut VecDeque<Pair>, memory: usize, from: &Point, to: &Point) {
    let step: Vec<f64> =
        to.place.iter().zip(&from.place).map(|(b, a)| f64::from(*b) - f64::from(*a)).collect();
    let change: Vec<f64> = to.gradient.iter().zip(&from.gradient).map(|(b, a)| b - a).collect();
    let curvature = dot(&step, &change);
    if curvature > 1e-12 * norm(&step) * norm(&change) {
        if pairs.len() == memory.max(1) {
            pairs.pop_front();
        }
        pairs.push_back(Pair { step, change, curvature });
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add(a: &mut [f64], factor: f64, b: &[f64]) {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += factor * b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quadratic_ends_at_its_centre() {
        let centre = [1.0f32, -2.0, 0.5, 3.0];
        let stretch = [1.0f32, 10.0, 100.0, 0.1];
        let found = Lbfgs::default().minimise(vec![0.0; 4], |x| {
            let off: Vec<f32> = x.iter().zip(centre).map(|(x, c)| x - c).collect();
            let value = off.iter().zip(stretch).map(|(o, s)| f64::from(s * o * o)).sum();
            (value, off.iter().zip(stretch).map(|(o, s)| 2.0 * s * o).collect())
        });
        for (x, c) in found.place.iter().zip(centre) {
            assert!((x - c).abs() < 1e-4, "{found:?}");
        }
        assert!(found.evaluations < 60, "{found:?}");
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        let found = Lbfgs::default().minimise(vec![-1.2, 1.0], |p| {
            let (x, y) = (f64::from(p[0]), f64::from(p[1]));
            let (a, b) = (1.0 - x, y - x * x);
            let gradient = [-2.0 * a - 400.0 * x * b, 200.0 * b];
            (a * a + 100.0 * b * b, gradient.map(|slope| slope as f32).to_vec())
        });
        assert!(
            (found.place[0] - 1.0).abs() < 1e-3 && (found.place[1] - 1.0).abs() < 2e-3,
            "{found:?}"
        );
    }
}
