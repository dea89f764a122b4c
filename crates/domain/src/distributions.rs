//! Distribution: giving a segment to a share of all users, fairly, stably and verifiably.

use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::UserId;

/// A share of all users, exact to four decimals of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    /// Ten-thousandths of a percent: 1,000,000 is everybody.
    parts: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PercentError {
    #[error("`{}` is not a decimal number", .0.escape_debug())]
    Unreadable(String),
    #[error("a percent is from 0 to 100, not {0}")]
    OutOfRange(String),
    #[error("a percent has at most 4 decimals, {0} has more")]
    TooFine(String),
}

impl Percent {
    pub const ZERO: Percent = Percent { parts: 0 };
    pub const PARTS_MAX: u32 = 1_000_000;

    /// From ten-thousandths of a percent.
    pub fn from_parts(parts: u32) -> Option<Percent> {
        (parts <= Percent::PARTS_MAX).then_some(Percent { parts })
    }

    pub fn parts(self) -> u32 {
        self.parts
    }

    /// Reads the decimal text of a number, exactly: `30`, `33.3333`, `1e1`.
    pub fn parse(text: &str) -> Result<Percent, PercentError> {
        let start = || text.chars().take(32).collect::<String>();
        let unreadable = || PercentError::Unreadable(start());
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().map_err(|_| unreadable())?),
            None => (text, 0),
        };
        let (negative, number) = match number.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, number),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        if whole.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) || number.ends_with('.') {
            return Err(unreadable());
        }
        // The value is `significant` × 10^power, in ten-thousandths of a percent.
        let significant = digits.trim_start_matches('0').trim_end_matches('0');
        if significant.is_empty() {
            return Ok(Percent::ZERO);
        }
        let zeros = digits.len() - digits.trim_end_matches('0').len();
        let power = exponent.saturating_add(zeros as i64).saturating_sub(fraction.len() as i64).saturating_add(4);
        if negative || (significant.len() as i64).saturating_add(power) > 7 {
            return Err(PercentError::OutOfRange(start()));
        }
        if power < 0 {
            return Err(PercentError::TooFine(start()));
        }
        let parts = significant.parse::<u32>().map_err(|_| unreadable())? * 10_u32.pow(power as u32);
        Percent::from_parts(parts).ok_or_else(|| PercentError::OutOfRange(start()))
    }

    /// This share of `users`, rounded half up.
    pub fn of(self, users: u64) -> u64 {
        let max = u128::from(Percent::PARTS_MAX);
        let target = (u128::from(users) * u128::from(self.parts) + max / 2) / max;
        u64::try_from(target).expect("a share of a number is no larger than the number")
    }

    /// Whether a user who comes later, with this position, joins.
    pub fn takes(self, position: Position) -> bool {
        u128::from(position.0) * u128::from(Percent::PARTS_MAX) < u128::from(self.parts) << 64
    }
}

/// Writes the number with as many decimals as it needs: `30`, `33.3333`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.parts / 10_000, self.parts % 10_000);
        match fraction {
            0 => write!(f, "{whole}"),
            _ => f.write_str(format!("{whole}.{fraction:04}").trim_end_matches('0')),
        }
    }
}

/// What makes one segment's positions independent of another's: 16 hexadecimal digits, drawn at creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seed(pub u64);

impl Seed {
    pub fn parse(text: &str) -> Option<Seed> {
        let plain = text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        plain.then(|| u64::from_str_radix(text, 16).ok().map(Seed)).flatten()
    }

    /// Where `user` stands in the segment of this seed, always.
    ///
    /// The first 8 bytes, big-endian, of SHA-256 (FIPS 180-4) over the text `seed:user_id` in UTF-8. In Python:
    /// `int.from_bytes(hashlib.sha256(f"{seed}:{user_id}".encode()).digest()[:8], "big") / 2**64`
    pub fn position(self, user: &UserId) -> Position {
        let digest =
            Sha256::new().chain_update(self.to_string()).chain_update(":").chain_update(user.as_str()).finalize();
        let (first, _) = digest.split_first_chunk::<8>().expect("a SHA-256 digest has 32 bytes");
        Position(u64::from_be_bytes(*first))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A user's fixed point in [0, 1) for one segment, as a 64-bit fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(pub u64);

impl Position {
    /// The same in percent, from 0 to and not including 100, cut to 6 decimals. A user whose position is below a percent
    /// has this number below it, and no other user has.
    pub fn to_percent(self) -> String {
        let millionths = (u128::from(self.0) * 100_000_000) >> 64;
        format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERS: usize = 200_000;

    #[test]
    fn a_position_in_percent_is_below_what_takes_it_and_nothing_else() {
        let texts = [0, 1, 1 << 63, u64::MAX].map(|bits| Position(bits).to_percent());
        assert_eq!(texts, ["0.000000", "0.000000", "50.000000", "99.999999"]);
        for text in ["0.0001", "33.3333", "50", "99.9999"] {
            let percent = Percent::parse(text).unwrap();
            let bound = (u128::from(percent.parts()) << 64) / u128::from(Percent::PARTS_MAX);
            for bits in (bound - 2..bound + 3).filter_map(|bits| u64::try_from(bits).ok()) {
                let told: f64 = Position(bits).to_percent().parse().unwrap();
                assert_eq!(told < text.parse().unwrap(), percent.takes(Position(bits)), "{text}: {bits}");
            }
        }
    }

    fn user(n: usize) -> UserId {
        UserId::parse(&n.to_string()).unwrap()
    }

    /// Published in docs/positions.md, and computed there by Python's hashlib.
    #[test]
    fn positions_equal_the_published_vectors() {
        let vectors = include_str!("../../../docs/positions.csv");
        let mut lines = vectors.lines();
        assert_eq!(lines.next(), Some("seed;user_id;position"));
        let mut count = 0;
        for line in lines {
            let [seed, user, position] = line.split(';').collect::<Vec<_>>().try_into().unwrap();
            let actual = Seed::parse(seed).unwrap().position(&UserId::parse(user).unwrap());
            assert_eq!(format!("{:016x}", actual.0), position, "{line}");
            count += 1;
        }
        assert!(count >= 12, "{count} vectors");
    }

    /// 100 equal cells, 99 degrees of freedom: 148.2 is exceeded by chance once in a thousand.
    #[test]
    fn positions_are_uniform() {
        for seed in similar_seeds() {
            let mut cells = [0_u32; 100];
            for n in 0..USERS {
                cells[cell(seed.position(&user(n)), 100)] += 1;
            }
            assert!(chi_square(&cells) < 148.2, "seed {seed}: {}", chi_square(&cells));
        }
    }

    /// 10 × 10 equal cells for each of the 66 pairs; 162.0 is exceeded by chance once in fifteen thousand.
    #[test]
    fn positions_of_similar_seeds_are_independent() {
        let cells: Vec<Vec<u8>> =
            similar_seeds().map(|seed| (0..USERS).map(|n| cell(seed.position(&user(n)), 10) as u8).collect()).collect();
        for (i, first) in cells.iter().enumerate() {
            for (j, second) in cells.iter().enumerate().skip(i + 1) {
                let mut pairs = [0_u32; 100];
                for (a, b) in first.iter().zip(second) {
                    pairs[usize::from(*a) * 10 + usize::from(*b)] += 1;
                }
                assert!(chi_square(&pairs) < 162.0, "seeds {i} and {j}: {}", chi_square(&pairs));
            }
        }
    }

    fn similar_seeds() -> impl Iterator<Item = Seed> {
        (0..12).map(Seed)
    }

    fn cell(position: Position, cells: u128) -> usize {
        ((u128::from(position.0) * cells) >> 64) as usize
    }

    fn chi_square(cells: &[u32]) -> f64 {
        let expected = USERS as f64 / cells.len() as f64;
        cells.iter().map(|&seen| (f64::from(seen) - expected).powi(2) / expected).sum()
    }

    #[test]
    fn shares_round_half_up() {
        let count = |percent: &str, users| Percent::parse(percent).unwrap().of(users);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("0", n)), [0, 0, 0, 0, 0]);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("0.0001", n)), [0, 0, 0, 0, 0]);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("29", n)), [0, 1, 2, 29, 1_705]);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("33.3333", n)), [0, 1, 2, 33, 1_959]);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("58", n)), [1, 2, 4, 58, 3_409]);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("99.9", n)), [1, 3, 7, 100, 5_872]);
        assert_eq!([1, 3, 7, 100, 5_878].map(|n| count("100", n)), [1, 3, 7, 100, 5_878]);
        assert_eq!((count("50", 1), count("50", 3), count("12.5", 4)), (1, 2, 1));
    }

    #[test]
    fn percents_are_read_exactly() {
        for (text, parts) in [
            ("0", 0),
            ("-0", 0),
            ("0.0", 0),
            ("30", 300_000),
            ("33.3333", 333_333),
            ("1e1", 100_000),
            ("5E-1", 5_000),
            ("100.0000000", 1_000_000),
            ("0.0001", 1),
            ("1000e-1", 1_000_000),
            ("0e999", 0),
        ] {
            assert_eq!(Percent::parse(text).map(Percent::parts), Ok(parts), "{text}");
        }
        for text in ["101", "-5", "100.0001", "1e308", "1e99999999999", "1e9223372036854775807", "-0.0001"] {
            assert!(Percent::parse(text).is_err(), "{text}");
        }
        assert!(matches!(Percent::parse("33.33333"), Err(PercentError::TooFine(_))));
        assert!(matches!(Percent::parse("1e-5"), Err(PercentError::TooFine(_))));
        for text in ["", "NaN", "inf", "1.", ".5", "1_0", "0x1", "10 ", "+5"] {
            assert!(matches!(Percent::parse(text), Err(PercentError::Unreadable(_))), "{text:?}");
        }
    }

    #[test]
    fn nobody_at_zero_and_everybody_at_a_hundred() {
        for position in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!Percent::ZERO.takes(Position(position)));
            assert!(Percent::parse("100").unwrap().takes(Position(position)));
        }
        assert!(Percent::parse("50").unwrap().takes(Position((1 << 63) - 1)));
        assert!(!Percent::parse("50").unwrap().takes(Position(1 << 63)));
    }

    proptest! {
        #[test]
        fn a_percent_is_written_as_it_is_read(parts in 0..=Percent::PARTS_MAX) {
            let percent = Percent::from_parts(parts).unwrap();
            prop_assert_eq!(Percent::parse(&percent.to_string()), Ok(percent));
        }

        #[test]
        fn whoever_a_smaller_share_takes_a_larger_takes_too(a in 0..=Percent::PARTS_MAX, b in 0..=Percent::PARTS_MAX, at: u64) {
            let (small, large) = (Percent::from_parts(a.min(b)).unwrap(), Percent::from_parts(a.max(b)).unwrap());
            prop_assert!(!small.takes(Position(at)) || large.takes(Position(at)));
        }
    }
}
