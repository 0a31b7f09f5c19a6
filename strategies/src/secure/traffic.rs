//! What the rounds of secure aggregation weigh on a link.

use super::curve::KEY_BYTES;
use super::shamir::SHARE_BYTES;

/// Bytes beyond those of an invitation and an answer, for one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the server to the client.
    pub down: u64,
    /// From the client to the server.
    pub up: u64,
}

/// Bytes of the number of a member.
const NUMBER: u64 = 4;
/// Bytes that authenticated encryption adds to a message.
const SEAL: u64 = 16;

impl Traffic {
    /// In a round of `members` clients with `len` numbers each (Bonawitz et al. 2017, figure 4):
    ///
    /// | round | up | down |
    /// |---|---|---|
    /// | advertise keys | two public keys | those of all others |
    /// | share keys | two sealed shares for each other | those from all others |
    /// | masked input | 8 bytes a number instead of 4 | |
    /// | unmasking | a share of each member | who answered |
    pub fn of(members: usize, len: usize) -> Self {
        let others = (members as u64).saturating_sub(1);
        let sealed = others * (2 * (SHARE_BYTES + NUMBER) + SEAL);
        Self {
            down: others * (2 * KEY_BYTES + NUMBER) + sealed + others * NUMBER,
            up: 2 * KEY_BYTES + sealed + 4 * len as u64 + (others + 1) * (SHARE_BYTES + NUMBER),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three members, ten numbers: 2 sealed pairs of shares of 2 * 44 + 16 = 104 bytes either way.
    #[test]
    fn bytes_by_hand() {
        let expected = Traffic { down: 2 * 68 + 208 + 8, up: 64 + 208 + 40 + 3 * 44 };
        assert_eq!(Traffic::of(3, 10), expected);
    }
}
