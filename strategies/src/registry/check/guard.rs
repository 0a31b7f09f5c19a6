//! Settings of guards out of range, wherever guards are listed.

use crate::registry::GuardPart;
use crate::registry::checker::Checker;

impl GuardPart {
    /// One line for every setting out of range of the guards listed under `key`, such as `strategy.guard`.
    pub fn check_all(key: &str, parts: &[Self]) -> Vec<String> {
        let listed = parts.iter().enumerate();
        listed.flat_map(|(index, part)| part.check(&format!("{key}[{index}]"))).collect()
    }

    fn check(&self, key: &str) -> Vec<String> {
        let mut c = Checker::new(key);
        match self {
            Self::Norm(n) => c.above_zero("norm.most", n.most),
            Self::RelativeNorm(r) => c.above_zero("relative-norm.factor", r.factor).looks_back(
                "relative-norm",
                r.window,
                r.warm_up,
            ),
            Self::Scalars(s) => {
                let distance = s.most_cosine_distance.unwrap_or(2.0);
                let fits = distance > 0.0 && distance <= 2.0;
                c.positive("scalars.most_samples", s.most_samples.unwrap_or(1)).require(
                    fits,
                    "scalars.most_cosine_distance",
                    distance,
                    "above 0 and at most 2",
                )
            }
            Self::RelativeScalars(r) => c
                .above_zero("relative-scalars.deviations", r.deviations)
                .at_least("relative-scalars.ratio", r.ratio, 1.0)
                .looks_back("relative-scalars", r.window, r.warm_up),
            Self::Custom(_) => &mut c,
        };
        c.found
    }
}
