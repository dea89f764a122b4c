//! The members of segments as bitmaps of user ordinals, and sets made of them.

use domain::{
    Slug,
    algebra::{Expression, Operator},
};
use roaring::RoaringBitmap;

use crate::rows::Rows;

/// Who is in a segment, by ordinal: those who stay, and those who leave at a deadline.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Members {
    open: RoaringBitmap,
    /// By ordinal, with the deadline in microseconds.
    due: Vec<(u32, i64)>,
}

impl Members {
    /// Those of each of the segments, given by ordinal: the rows are gone through once. `pause` is called for each user.
    pub(crate) fn of(rows: &Rows, segments: &[u32], mut pause: impl FnMut()) -> Vec<Members> {
        let mut members = vec![Members::default(); segments.len()];
        let last = segments.iter().max().copied().unwrap_or(0);
        let mut wanted: Vec<Vec<usize>> = vec![Vec::new(); last as usize + 1];
        for (place, segment) in segments.iter().enumerate() {
            wanted[*segment as usize].push(place);
        }
        rows.for_each(|ordinal, _, row| {
            pause();
            for held in row {
                for place in wanted.get(held.segment as usize).into_iter().flatten() {
                    match held.until {
                        None => {
                            members[*place].open.insert(ordinal);
                        }
                        Some(until) => members[*place].due.push((ordinal, until)),
                    }
                }
            }
        });
        members
    }

    pub(crate) fn live_at(&self, micros: i64) -> RoaringBitmap {
        let mut live = self.open.clone();
        live.extend(self.due.iter().filter(|(_, until)| micros < *until).map(|(ordinal, _)| ordinal));
        live
    }
}

/// The set that an expression says, of `users` users in all; `of` tells who is in a segment.
pub(crate) fn evaluate(
    expression: &Expression,
    users: u32,
    of: &mut impl FnMut(&Slug) -> RoaringBitmap,
) -> RoaringBitmap {
    match expression {
        Expression::All => RoaringBitmap::from_iter(0..users),
        Expression::Segment(slug) => of(slug),
        Expression::Combined(operator, first, second) => {
            let mut first = evaluate(first, users, of);
            let second = evaluate(second, users, of);
            match operator {
                Operator::And => first &= second,
                Operator::Or => first |= second,
                Operator::Minus => first -= second,
                Operator::Xor => first ^= second,
            }
            first
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rows::{Held, RowsBuilder};

    const SLUGS: [&str; 4] = ["A", "B", "C", "D"];
    const EXPRESSIONS: [&str; 7] =
        ["A", "(A & B) - C", "A ^ B | C & D", "ALL - (A | B)", "ALL ^ D", "A - A", "((A | B) & (C | D)) - (A & D)"];

    fn rows(users: &[Vec<(bool, Option<i64>)>]) -> Rows {
        let mut builder = RowsBuilder::default();
        for (number, user) in users.iter().enumerate() {
            let held = user.iter().enumerate().filter(|(_, (is_in, _))| *is_in);
            let held: Vec<Held> = held.map(|(at, (_, until))| Held { segment: at as u32, until: *until }).collect();
            builder.push(&format!("{number:04}"), &held).unwrap();
        }
        builder.build()
    }

    proptest! {
        #[test]
        fn a_set_has_those_of_whom_its_expression_holds(
            users in prop::collection::vec(prop::collection::vec((any::<bool>(), prop::option::of(0..9_i64)), 4), 0..60),
            now in 0..9_i64,
        ) {
            let rows = rows(&users);
            let members = Members::of(&rows, &[0, 1, 2, 3], || ());
            let place = |slug: &Slug| SLUGS.iter().position(|one| *one == slug.as_str()).unwrap();
            for text in EXPRESSIONS {
                let expression = Expression::parse(text).unwrap();
                let set = evaluate(&expression, rows.users(), &mut |slug| members[place(slug)].live_at(now));
                let holds = |user: &[(bool, Option<i64>)]| {
                    expression.holds(&|slug| {
                        let (is_in, until) = user[place(slug)];
                        is_in && until.is_none_or(|until| now < until)
                    })
                };
                let expected: Vec<u32> =
                    (0..).zip(&users).filter(|(_, user)| holds(user)).map(|(ordinal, _)| ordinal).collect();
                prop_assert_eq!(set.into_iter().collect::<Vec<_>>(), expected, "{}", text);
            }
        }
    }

    #[test]
    fn a_segment_that_is_asked_for_twice_is_told_twice() {
        let rows = rows(&[vec![(true, None)], vec![(false, None), (true, Some(5))]]);
        let members = Members::of(&rows, &[1, 0, 1, 7], || ());
        assert_eq!(members[0], members[2]);
        let live: Vec<u64> = members.iter().map(|members| members.live_at(4).len()).collect();
        assert_eq!(live, [1, 1, 1, 0]);
        assert_eq!(members[0].live_at(5).len(), 0);
    }
}
