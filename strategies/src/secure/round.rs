//! A whole round, with all its members in one place.

use super::SecureError;
use super::curve::Key;
use super::field::Element;
use super::member::{Kept, Member};
use super::server::Collector;
use super::shamir::Share;
use offbeat_kernel::{Purpose, SeedTree};
use std::collections::BTreeMap;

/// Streams of members lie beyond those of clients.
const MEMBERS: u64 = 1 << 40;

/// The members of a round, who have exchanged keys and shares.
#[derive(Debug)]
pub struct Round {
    members: Vec<Member>,
    /// What each keeps for each: by owner, then by holder.
    kept: Vec<Vec<Kept>>,
    agreed: BTreeMap<(usize, usize), Key>,
    collector: Collector,
}

impl Round {
    /// The `number`-th round of a run, of `members` clients who send `len` numbers each; the sum can be read
    /// when `threshold` of them answer.
    pub fn new(
        seeds: SeedTree,
        number: u64,
        (members, threshold): (usize, usize),
        len: usize,
    ) -> Self {
        let mut streams: Vec<_> = (0..members as u64)
            .map(|member| seeds.stream(Purpose::Privacy, MEMBERS + member, number))
            .collect();
        let members: Vec<Member> = (1u32..)
            .zip(&mut streams)
            .map(|(number, stream)| Member::new(number, stream))
            .collect();
        let pairs = members.iter().zip(&mut streams);
        let kept = pairs.map(|(m, stream)| m.share(threshold, members.len(), stream)).collect();
        let publics = members.iter().map(|member| (member.number, member.public)).collect();
        let collector = Collector::new(publics, threshold, len);
        Self { members, kept, agreed: BTreeMap::new(), collector }
    }

    /// Both of a pair compute the same key; here it is computed once.
    fn agreed(&mut self, one: usize, other: usize) -> Key {
        let pair = (one.min(other), one.max(other));
        let members = &self.members;
        *self.agreed.entry(pair).or_insert_with(|| members[one].agree(&members[other].public))
    }

    /// What the member at `place`, from 0, sends in place of `values`.
    pub fn masked(&mut self, place: usize, mut values: Vec<Element>) -> Vec<Element> {
        let others: Vec<(u32, Key)> = (0..self.members.len())
            .filter(|other| *other != place)
            .map(|other| (self.members[other].number, self.agreed(place, other)))
            .collect();
        self.members[place].mask(&mut values, others.into_iter());
        values
    }

    /// The member at `place` sends `values`, masked, to the server.
    pub fn send(&mut self, place: usize, values: Vec<Element>) {
        let masked = self.masked(place, values);
        self.collector.receive(self.members[place].number, &masked);
    }

    /// The sum of what was sent; everybody who has not sent anything has dropped out.
    ///
    /// # Errors
    /// [`SecureError::TooFew`].
    pub fn sum(self) -> Result<Vec<Element>, SecureError> {
        let request = self.collector.request()?;
        let shares = |owners: &[u32], pick: fn(&Kept) -> Share| -> BTreeMap<u32, Vec<Share>> {
            let of = |owner: &u32| {
                let kept = &self.kept[*owner as usize - 1];
                let held = request.arrived.iter().map(|holder| pick(&kept[*holder as usize - 1]));
                (*owner, held.collect())
            };
            owners.iter().map(of).collect()
        };
        let seeds = shares(&request.arrived, |kept| kept.seed);
        let secrets = shares(&request.dropped, |kept| kept.secret);
        self.collector.unmask(&seeds, &secrets)
    }
}
