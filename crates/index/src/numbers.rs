//! Numbers in few bytes: seven bits a byte, the lowest first (LEB128).

/// Reads what was packed. Behind its end there are only zeros: whoever packed knew how much there is.
#[derive(Clone, Copy)]
pub(crate) struct Unpacker<'b> {
    bytes: &'b [u8],
}

impl<'b> Unpacker<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Unpacker<'b> {
        Unpacker { bytes }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    #[inline]
    pub(crate) fn take(&mut self, length: usize) -> &'b [u8] {
        let (taken, rest) = self.bytes.split_at(length.min(self.bytes.len()));
        self.bytes = rest;
        taken
    }

    #[inline]
    pub(crate) fn number(&mut self) -> u64 {
        let first = self.byte();
        // Most are small.
        if first & 0x80 == 0 { u64::from(first) } else { self.large_number(u64::from(first & 0x7f)) }
    }

    fn large_number(&mut self, mut number: u64) -> u64 {
        for shift in (7..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    /// A number of which every byte stands there.
    pub(crate) fn fixed(&mut self, width: usize) -> u64 {
        self.take(width).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// What stands as a length and as many bytes.
    pub(crate) fn part(&mut self) -> &'b [u8] {
        let length = usize::try_from(self.number()).unwrap_or(usize::MAX);
        self.take(length)
    }
}

pub(crate) fn pack(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn pack_fixed(out: &mut Vec<u8>, number: u64, width: usize) {
    out.extend_from_slice(&number.to_le_bytes()[..width]);
}

pub(crate) fn pack_part(out: &mut Vec<u8>, part: &[u8]) {
    pack(out, part.len() as u64);
    out.extend_from_slice(part);
}

/// How many bytes a number has that is written with every byte.
pub(crate) fn width_of(number: u64) -> usize {
    8 - number.leading_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_they_were_packed(numbers: Vec<u64>, part: Vec<u8>) {
            let mut packed = Vec::new();
            for number in &numbers {
                pack(&mut packed, *number);
                pack_fixed(&mut packed, *number, width_of(*number));
            }
            pack_part(&mut packed, &part);
            let mut unpacker = Unpacker::new(&packed);
            for number in numbers {
                prop_assert_eq!((unpacker.number(), unpacker.fixed(width_of(number))), (number, number));
            }
            prop_assert_eq!(unpacker.part(), &part[..]);
            prop_assert!(unpacker.is_at_end());
        }

        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
            let mut unpacker = Unpacker::new(&bytes);
            for _ in 0..bytes.len() {
                unpacker.number();
                unpacker.part();
            }
            prop_assert!(unpacker.is_at_end());
            prop_assert_eq!((unpacker.byte(), unpacker.number()), (0, 0));
        }
    }

    #[test]
    fn a_width_holds_its_number() {
        for (number, width) in [(0, 0), (1, 1), (255, 1), (256, 2), (u64::MAX, 8)] {
            assert_eq!(width_of(number), width);
        }
    }
}
