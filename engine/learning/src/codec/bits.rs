//! Codes of a few bits, one after the other, lowest bit first.

/// Bytes that `count` codes of `width` bits take.
pub(super) fn packed_len(count: usize, width: u32) -> usize {
    (count * width as usize).div_ceil(8)
}

/// Bits that are needed to tell `count` things apart.
pub(super) fn width_of(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

/// Appends the codes, each below `2^width`, with `width` at most 32; the last byte is filled up with zeros.
pub(super) fn pack(codes: impl Iterator<Item = u32>, width: u32, bytes: &mut Vec<u8>) {
    let (mut held, mut filled) = (0u64, 0);
    for code in codes {
        held |= u64::from(code) << filled;
        filled += width;
        while filled >= 8 {
            bytes.push(held as u8);
            held >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        bytes.push(held as u8);
    }
}

/// The first `count` codes of `width` bits in `bytes`, which hold at least so many.
pub(super) fn unpack(bytes: &[u8], width: u32, count: usize) -> impl Iterator<Item = u32> {
    let (mut held, mut filled) = (0u64, 0);
    let mut rest = bytes.iter();
    let mask = (1u64 << width) - 1;
    (0..count).map(move |_| {
        while filled < width {
            held |= u64::from(rest.next().copied().unwrap_or(0)) << filled;
            filled += 8;
        }
        let code = held & mask;
        held >>= width;
        filled -= width;
        code as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_bits_by_hand() {
        let mut bytes = Vec::new();
        pack([1, 7, 2].into_iter(), 3, &mut bytes);
        assert_eq!(bytes, [0b1011_1001, 0b0]);
        assert_eq!([0, 1, 2, 3, 4, 5, 256, 257].map(width_of), [0, 0, 1, 2, 2, 3, 8, 9]);
    }

    proptest! {
        #[test]
        fn codes_come_back(width in 1u32..=32, codes in proptest::collection::vec(any::<u32>(), 0..60)) {
            let mask = ((1u64 << width) - 1) as u32;
            let codes: Vec<u32> = codes.into_iter().map(|code| code & mask).collect();
            let mut bytes = Vec::new();
            pack(codes.iter().copied(), width, &mut bytes);
            prop_assert_eq!(bytes.len(), packed_len(codes.len(), width));
            prop_assert_eq!(unpack(&bytes, width, codes.len()).collect::<Vec<_>>(), codes);
        }
    }
}
