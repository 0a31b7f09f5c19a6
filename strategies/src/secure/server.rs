//! The server's side of a round: masked vectors come in, their sum comes out.

use super::SecureError;
use super::curve::{Key, multiply};
use super::field::Element;
use super::member::{Role, add_mask};
use super::shamir::{Share, join};
use std::collections::{BTreeMap, BTreeSet};

/// What the server knows of a round: public keys, and the sum of the masked vectors that arrived.
#[derive(Clone, Debug)]
pub struct Collector {
    threshold: usize,
    publics: BTreeMap<u32, Key>,
    arrived: BTreeSet<u32>,
    sum: Vec<Element>,
}

/// What the server asks the members who answered: for each member either shares of its seed, or of its
/// secret. It learns a vector if it gets both of one member, so nobody gives both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who answered: shares of the seeds of their own masks are needed.
    pub arrived: Vec<u32>,
    /// Who dropped out: shares of the secrets of their pairwise masks are needed.
    pub dropped: Vec<u32>,
}

impl Collector {
    /// A round of members with these public keys and vectors of `len` numbers; so many answers are needed.
    pub fn new(publics: BTreeMap<u32, Key>, threshold: usize, len: usize) -> Self {
        Self { threshold, publics, arrived: BTreeSet::new(), sum: vec![Element::ZERO; len] }
    }

    /// Takes a member's masked vector. A second one is not counted, nor one of another length or of nobody
    /// of the round.
    pub fn receive(&mut self, number: u32, masked: &[Element]) -> bool {
        let fits = masked.len() == self.sum.len() && self.publics.contains_key(&number);
        if !fits || !self.arrived.insert(number) {
            return false;
        }
        self.sum.iter_mut().zip(masked).for_each(|(sum, value)| *sum += *value);
        true
    }

    /// Whom to ask for what, once no more vectors come.
    ///
    /// # Errors
    /// [`SecureError::TooFew`] when fewer answered than are needed: the sum stays masked.
    pub fn request(&self) -> Result<Request, SecureError> {
        let (members, threshold) = (self.publics.len(), self.threshold);
        if self.arrived.len() < threshold {
            return Err(SecureError::TooFew { arrived: self.arrived.len(), threshold, members });
        }
        let dropped = self.publics.keys().filter(|number| !self.arrived.contains(number));
        let arrived = self.arrived.iter().copied().collect();
        Ok(Request { arrived, dropped: dropped.copied().collect() })
    }

    /// The sum of the vectors that arrived. `seeds` holds shares of the seeds of all who answered, `secrets`
    /// of the secrets of all who dropped out.
    ///
    /// # Errors
    /// [`SecureError::TooFew`] as before, and [`SecureError::Shares`] when a secret cannot be put together.
    pub fn unmask(
        mut self,
        seeds: &BTreeMap<u32, Vec<Share>>,
        secrets: &BTreeMap<u32, Vec<Share>>,
    ) -> Result<Vec<Element>, SecureError> {
        let Request { arrived, dropped } = self.request()?;
        for number in &arrived {
            let seed = self.recover(*number, seeds)?;
            add_mask(&mut self.sum, &seed, Role::Own, false);
        }
        for lost in &dropped {
            let secret = self.recover(*lost, secrets)?;
            for number in &arrived {
                let key = multiply(&secret, &self.publics[number]);
                // The member with the lower number had added it.
                add_mask(&mut self.sum, &key, Role::Pair, number > lost);
            }
        }
        Ok(self.sum)
    }

    fn recover(&self, of: u32, shares: &BTreeMap<u32, Vec<Share>>) -> Result<Key, SecureError> {
        let held = shares.get(&of).map(Vec::as_slice).unwrap_or_default();
        let some = held.get(..self.threshold).ok_or(SecureError::Shares { of })?;
        join(some).ok_or(SecureError::Shares { of })
    }
}
