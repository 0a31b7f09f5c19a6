//! Settings out of range, named by their keys.

use super::checker::Checker;
use super::{
    CombinePart, CompanionPart, GroupPart, GuardPart, PacePart, Parts, RefinePart, SelectPart,
    WeighPart,
};
use crate::fediod::FedIodSettings;
use crate::weigh::Staleness;
use offbeat_learning::iod::Aim;

mod guard;
mod privacy;

impl Parts {
    /// One line for every setting that is out of range, naming its key; none when all is well.
    pub fn check(&self) -> Vec<String> {
        let mut found = self.select.check();
        found.extend(self.pace.check());
        found.extend(GuardPart::check_all("strategy.guard", &self.guard));
        found.extend(self.group.check());
        for (index, part) in self.weigh.iter().enumerate() {
            found.extend(part.check(index));
        }
        found.extend(self.combine.check());
        found.extend(self.refine.check());
        found.extend(self.companion.check());
        found.extend(self.privacy.check());
        found.extend(self.check_sums());
        found
    }
}

impl SelectPart {
    fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.select");
        match self {
            Self::Schedule(s) => {
                c.require(!s.rounds.is_empty(), "schedule.rounds", "empty", "a list of rounds");
            }
            Self::PowerOfChoice(p) => {
                c.positive("power-of-choice.candidates", p.candidates as u64);
            }
            Self::Oort(o) => {
                c.share("oort.explore", o.explore).part("oort.decay", o.decay);
                c.share("oort.least", o.least).at_least("oort.penalty", o.penalty, 0.0);
                c.part("oort.clip", o.clip).part("oort.cut_off", o.cut_off);
                c.part("oort.duration", o.duration).share("oort.step", o.step);
                c.positive("oort.window", o.window as u64);
                c.share("oort.blacklist_share", o.blacklist_share);
            }
            Self::Tiers(t) => {
                c.positive("tiers.tiers", t.tiers as u64);
            }
            Self::Tifl(t) => {
                c.positive("tifl.tiers", t.tiers as u64).positive("tifl.interval", t.interval);
                let (credits, tiers) = (t.credits.len(), t.tiers);
                let rule = format!("empty or one number for each of the {tiers} tiers, not all 0");
                let fits = credits == tiers && t.credits.iter().any(|credit| *credit > 0);
                let what = format!("a list of {credits}");
                c.require(credits == 0 || fits, "tifl.credits", what, rule);
            }
            Self::Refl(r) => {
                c.share("refl.memory", r.memory).share("refl.floor", r.floor);
            }
            Self::Pisces(p) => {
                c.at_least("pisces.beta", p.beta, 0.0).share("pisces.explore", p.explore);
                c.part("pisces.decay", p.decay).share("pisces.least", p.least);
                c.at_least("pisces.radius", p.radius, 0.0);
            }
            Self::Uniform
            | Self::Poisson
            | Self::All
            | Self::BySamples
            | Self::Script
            | Self::Custom(_) => {}
        }
        c.found
    }
}

impl PacePart {
    fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.pace");
        match self {
            Self::Synchronous(s) => c.positive("synchronous.clients", s.clients as u64),
            Self::OverSelection(o) => c
                .positive("over-selection.clients", o.clients as u64)
                .at_least("over-selection.factor", o.factor, 1.0),
            Self::Deadline(d) => c
                .positive("deadline.clients", d.clients as u64)
                .above_zero("deadline.seconds", d.seconds)
                .positive("deadline.minimum", d.minimum as u64)
                .require(
                    d.minimum <= d.clients,
                    "deadline.minimum",
                    d.minimum,
                    format!("at most the {} clients of a round", d.clients),
                ),
            Self::Buffered(b) => c
                .positive("buffered.buffer", b.buffer as u64)
                .positive("buffered.concurrency", b.concurrency as u64),
            Self::Immediate(i) => c.positive("immediate.concurrency", i.concurrency as u64),
            Self::Tiers(t) => c
                .positive("tiers.tiers", t.tiers as u64)
                .positive("tiers.clients", t.clients as u64),
            Self::Safa(s) => {
                c.part("safa.fraction", s.fraction).above_zero("safa.seconds", s.seconds);
                c.positive("safa.lag", s.lag)
            }
            Self::Port(p) => c
                .positive("port.buffer", p.buffer as u64)
                .positive("port.concurrency", p.concurrency as u64)
                .positive("port.bound", p.bound),
            Self::FedBoost(f) => c.positive("fedboost.clients", f.clients as u64),
            Self::FedIod(f) => f.check(&mut c),
            Self::FedCompass(f) => c
                .positive("fedcompass.clients", f.clients as u64)
                .positive("fedcompass.min_steps", u64::from(f.min_steps))
                .require(
                    f.max_steps >= f.min_steps,
                    "fedcompass.max_steps",
                    f.max_steps,
                    format!("at least min_steps, which is {}", f.min_steps),
                )
                .at_least("fedcompass.latest", f.latest, 1.0)
                .part("fedcompass.momentum", f.momentum),
            Self::Pisces(p) => c
                .positive("pisces.concurrency", p.concurrency as u64)
                .positive("pisces.bound", p.bound),
            Self::Custom(_) => &mut c,
        };
        c.found
    }
}

impl FedIodSettings {
    fn check<'a>(&self, c: &'a mut Checker) -> &'a mut Checker {
        let [low, high] = self.pixels;
        let range = format!("[{low}, {high}]");
        let fits = low < high && low.is_finite() && high.is_finite();
        c.positive("fediod.clients", self.clients as u64)
            .require(self.batch >= 2, "fediod.batch", self.batch, "at least 2")
            .positive("fediod.student_batches", self.student_batches as u64)
            .positive("fediod.noise", self.noise as u64)
            .positive("fediod.generator_width", self.generator_width as u64)
            .positive("fediod.critic_width", self.critic_width as u64)
            .require(fits, "fediod.pixels", range, "two numbers, the smaller first")
            .above_zero("fediod.student_rate", self.student_rate)
            .above_zero("fediod.generator_rate", self.generator_rate)
            .above_zero("fediod.critic_rate", self.critic_rate)
            .positive("fediod.cosine_rounds", self.cosine_rounds.unwrap_or(1));
        let Aim { gan, adversarial, confidence, balance, consensus } = self.terms;
        c.at_least("fediod.terms.gan", gan, 0.0)
            .at_least("fediod.terms.adversarial", adversarial, 0.0)
            .at_least("fediod.terms.confidence", confidence, 0.0)
            .at_least("fediod.terms.balance", balance, 0.0)
            .at_least("fediod.terms.consensus", consensus, 0.0)
    }
}

impl GroupPart {
    fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.group");
        match self {
            Self::Finch(f) => {
                let most = f.max_distance.unwrap_or(2.0);
                let fits = most > 0.0 && most <= 2.0;
                c.positive("finch.steps", u64::from(f.steps));
                c.part("finch.accept_below", f.accept_below.unwrap_or(1.0));
                c.require(fits, "finch.max_distance", most, "above 0 and at most 2");
            }
            Self::KMeans(k) => {
                c.positive("k-means.clusters", u64::from(k.clusters.unwrap_or(1)));
                c.part("k-means.accept_below", k.accept_below);
            }
            Self::ValidityIndex(v) => {
                c.positive("validity-index.min_size", u64::from(v.min_size));
                c.part("validity-index.accept_below", v.accept_below);
            }
            Self::One | Self::ByTag | Self::ByClient | Self::Custom(_) => {}
        }
        c.found
    }
}

impl WeighPart {
    fn check(&self, index: usize) -> Vec<String> {
        let mut c = Checker::new(&format!("strategy.weigh[{index}]"));
        match self {
            Self::Staleness(Staleness::Polynomial { a }) => {
                c.at_least("staleness.polynomial.a", *a, 0.0)
            }
            Self::Staleness(Staleness::Hinge { a, b }) => {
                c.at_least("staleness.hinge.a", *a, 0.0).at_least("staleness.hinge.b", *b, 0.0)
            }
            Self::Staleness(Staleness::Exponential { base }) => {
                c.at_least("staleness.exponential.base", *base, 1.0)
            }
            Self::Staleness(Staleness::Threshold { cutoff, value }) => c
                .at_least("staleness.threshold.cutoff", *cutoff, 0.0)
                .share("staleness.threshold.value", *value),
            Self::Flsim(f) => c
                .share("flsim.exponent", f.exponent)
                .at_least("flsim.average_staleness", f.average_staleness, 0.0)
                .above_zero("flsim.average_samples", f.average_samples.unwrap_or(1.0)),
            Self::Pisces(p) => c.at_least("pisces.beta", p.beta, 0.0),
            Self::Refl(r) => c.share("refl.beta", r.beta),
            Self::Port(p) => c
                .at_least("port.similarity", p.similarity, 0.0)
                .at_least("port.staleness", p.staleness, 0.0)
                .above_zero("port.bound", p.bound),
            Self::FedBoost(f) => c.positive("fedboost.slices", f.slices),
            _ => &mut c,
        };
        c.found
    }
}

impl RefinePart {
    fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.refine");
        if let Self::Distillation(d) = self {
            c.positive("distillation.every", d.every)
                .positive("distillation.batch", d.batch as u64);
            c.above_zero("distillation.rate", d.rate);
            c.decay("distillation.momentum", d.momentum);
            c.at_least("distillation.weight_decay", d.weight_decay, 0.0);
        }
        c.found
    }
}

impl CompanionPart {
    fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.companion");
        if let Self::FedGc(f) = self {
            c.at_least("fedgc.strength", f.strength, 0.0);
            c.above_zero("fedgc.scale", f.scale.unwrap_or(1.0));
        }
        if let Self::PrivacyFace(p) = self {
            c.positive("privacy-face.clusters", u64::from(p.clusters));
            let fits = p.radius > 0.0 && p.radius <= std::f64::consts::FRAC_PI_2;
            c.require(fits, "privacy-face.radius", p.radius, "above 0 and at most pi / 2");
            c.positive("privacy-face.minimum", u64::from(p.minimum));
            c.positive("privacy-face.pivots", u64::from(p.pivots));
            c.above_zero("privacy-face.epsilon", p.epsilon);
            let fits = p.delta > 0.0 && p.delta < 1.0;
            c.require(fits, "privacy-face.delta", p.delta, "above 0 and below 1");
            c.positive("privacy-face.every_versions", p.every_versions);
        }
        c.found
    }
}

impl CombinePart {
    fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.combine");
        match self {
            Self::Mean(m) => c.above_zero("mean.rate", m.rate),
            Self::Mix(m) => c.part("mix.alpha", m.alpha),
            Self::FedAvgM(f) => {
                c.above_zero("fedavgm.rate", f.rate).decay("fedavgm.momentum", f.momentum)
            }
            Self::FedAdagrad(f) => c
                .above_zero("fedadagrad.rate", f.rate)
                .decay("fedadagrad.beta1", f.beta1)
                .above_zero("fedadagrad.tau", f.tau),
            Self::FedAdam(f) => c
                .above_zero("fedadam.rate", f.rate)
                .decay("fedadam.beta1", f.beta1)
                .decay("fedadam.beta2", f.beta2)
                .above_zero("fedadam.tau", f.tau),
            Self::FedYogi(f) => c
                .above_zero("fedyogi.rate", f.rate)
                .decay("fedyogi.beta1", f.beta1)
                .decay("fedyogi.beta2", f.beta2)
                .above_zero("fedyogi.tau", f.tau),
            Self::Mifa(m) => c.above_zero("mifa.rate", m.rate).share("mifa.start", m.start),
            Self::Ca2fl { rate } => c.above_zero("ca2fl.rate", *rate),
            Self::Fadas(f) => c
                .above_zero("fadas.rate", f.rate)
                .decay("fadas.beta1", f.beta1)
                .decay("fadas.beta2", f.beta2)
                .above_zero("fadas.epsilon", f.epsilon),
            Self::FedNova(f) => {
                c.above_zero("fednova.rate", f.rate).decay("fednova.momentum", f.momentum)
            }
            Self::TrimmedMean(t) => c.require(
                (0.0..0.5).contains(&t.trim),
                "trimmed-mean.trim",
                t.trim,
                "at least 0 and below 0.5",
            ),
            Self::MultiKrum { keep, .. } => c.positive("multi-krum.keep", *keep as u64),
            Self::FlTrust(f) => {
                c.above_zero("fltrust.rate", f.rate).positive("fltrust.samples", f.samples as u64)
            }
            Self::FedAt
            | Self::Safa
            | Self::Median
            | Self::Krum { .. }
            | Self::Bulyan { .. }
            | Self::Custom(_) => &mut c,
        };
        c.found
    }
}
