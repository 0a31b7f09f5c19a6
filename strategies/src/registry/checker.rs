//! Collects settings out of range.

use std::fmt::Display;

/// Collects what is out of range under one key prefix.
#[derive(Debug)]
pub(super) struct Checker {
    prefix: String,
    pub(super) found: Vec<String>,
}

impl Checker {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_string(), found: Vec::new() }
    }

    pub(super) fn require(
        &mut self,
        holds: bool,
        key: &str,
        value: impl Display,
        rule: impl Display,
    ) -> &mut Self {
        if !holds {
            self.found.push(format!("{}.{key} is {value}; it must be {rule}", self.prefix));
        }
        self
    }

    /// A whole number of at least 1.
    pub(super) fn positive(&mut self, key: &str, value: u64) -> &mut Self {
        self.require(value >= 1, key, value, "at least 1")
    }

    /// A finite number above 0.
    pub(super) fn above_zero(&mut self, key: &str, value: f64) -> &mut Self {
        self.require(value > 0.0 && value.is_finite(), key, value, "a number above 0")
    }

    /// A finite number of at least `low`.
    pub(super) fn at_least(&mut self, key: &str, value: f64, low: f64) -> &mut Self {
        self.require(value >= low && value.is_finite(), key, value, format!("at least {low}"))
    }

    /// In [0, 1].
    pub(super) fn share(&mut self, key: &str, value: f64) -> &mut Self {
        self.require((0.0..=1.0).contains(&value), key, value, "between 0 and 1")
    }

    /// In (0, 1].
    pub(super) fn part(&mut self, key: &str, value: f64) -> &mut Self {
        self.require(value > 0.0 && value <= 1.0, key, value, "above 0 and at most 1")
    }

    /// In [0, 1).
    pub(super) fn decay(&mut self, key: &str, value: f64) -> &mut Self {
        self.require((0.0..1.0).contains(&value), key, value, "at least 0 and below 1")
    }

    /// A window of at least 1, and a warm-up inside it.
    pub(super) fn looks_back(&mut self, part: &str, window: usize, warm_up: usize) -> &mut Self {
        let (fits, key) = (warm_up <= window, format!("{part}.warm_up"));
        self.positive(&format!("{part}.window"), window as u64);
        self.require(fits, &key, warm_up, format!("at most the window, which is {window}"))
    }
}
