//! Settings of `[strategy.privacy]` out of range.

use crate::paillier::Paillier;
use crate::privacy::Privacy;
use crate::registry::checker::Checker;

impl Privacy {
    pub(super) fn check(&self) -> Vec<String> {
        let mut c = Checker::new("strategy.privacy");
        let fits = self.delta > 0.0 && self.delta < 1.0;
        c.require(fits, "delta", self.delta, "above 0 and below 1");
        c.above_zero("epsilon_budget", self.epsilon_budget.unwrap_or(1.0));
        let noises = [
            self.central.map(|part| ("central", part.clip_norm, part.noise_multiplier)),
            self.local.map(|part| ("local", part.clip_norm, part.noise_multiplier)),
        ];
        if let (Some(budget), [None, None]) = (self.epsilon_budget, noises) {
            let rule = "left out where neither `central` nor `local` adds noise";
            c.require(false, "epsilon_budget", budget, rule);
        }
        for (key, clip, noise) in noises.into_iter().flatten() {
            c.above_zero(&format!("{key}.clip_norm"), clip);
            c.at_least(&format!("{key}.noise_multiplier"), noise, 0.0);
            let silent = noise == 0.0 && self.epsilon_budget.is_some();
            let rule =
                "above 0 where there is an `epsilon_budget`: without noise epsilon is infinite";
            c.require(!silent, &format!("{key}.noise_multiplier"), noise, rule);
        }
        if let Some(secure) = self.secure {
            let fits = secure.threshold > 0.5 && secure.threshold <= 1.0;
            c.require(fits, "secure.threshold", secure.threshold, "above 0.5 and at most 1");
            c.above_zero("secure.range", secure.range);
            let bits = secure.fraction_bits;
            c.require((1..=48).contains(&bits), "secure.fraction_bits", bits, "from 1 to 48");
            let clip = self.central.map_or(0.0, |central| central.clip_norm);
            let rule = format!("at least the clip norm, which is {clip}");
            c.require(secure.range >= clip, "secure.range", secure.range, rule);
        }
        if let Some(paillier) = &self.paillier {
            encrypted(paillier, &mut c);
        }
        if let Some((central, adaptive)) = self.central.and_then(|c| Some((c, c.adaptive?))) {
            c.share("central.adaptive.quantile", adaptive.quantile);
            c.above_zero("central.adaptive.rate", adaptive.rate);
            let least = central.noise_multiplier / 2.0;
            let count = adaptive.count_noise.unwrap_or(f64::INFINITY);
            let rule = format!("above {least}, half of the noise multiplier");
            c.require(count > least, "central.adaptive.count_noise", count, rule);
        }
        c.found
    }
}

/// Keys that protect something, and slots that the sums fit into.
fn encrypted(p: &Paillier, c: &mut Checker) {
    let rule = "2048, 3072 or 4096: shorter keys protect nothing";
    c.require(p.key_size().is_ok(), "paillier.key_bits", p.key_bits, rule);
    c.require(
        (1..=40).contains(&p.fraction_bits),
        "paillier.fraction_bits",
        p.fraction_bits,
        "from 1 to 40",
    );
    c.require(p.integer_bits <= 12, "paillier.integer_bits", p.integer_bits, "from 0 to 12");
    c.positive("paillier.slices", p.slices);
    let room = 62u32.saturating_sub(p.fraction_bits).saturating_sub(p.integer_bits);
    let most = 1u64 << room;
    let rule = format!("at most {most}, so that a sum and its sign fit into 64 bits");
    c.require(p.slices <= most, "paillier.slices", p.slices, rule);
    let seconds = [
        ("paillier.encrypt_seconds", p.encrypt_seconds),
        ("paillier.decrypt_seconds", p.decrypt_seconds),
        ("paillier.add_seconds", p.add_seconds),
    ];
    for (key, seconds) in seconds {
        c.at_least(key, seconds.unwrap_or(0.0), 0.0);
    }
}
