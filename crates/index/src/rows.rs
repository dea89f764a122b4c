//! The memberships of all users, packed: sorted by user, so that ids share their beginnings, sixteen users a block.
//!
//! A user's ordinal is the place among all. A block holds, for each of its users, what the id does not share with the one
//! before it, and the segments by ordinal, each as the distance from the one before it. Deadlines stand behind their
//! segments, as the distance from the block's first one, in the coarsest unit and the fewest bytes that hold them all.

use std::{cmp::Ordering, fmt};

use crate::numbers::{Unpacker, pack, pack_fixed, pack_part, width_of};

/// How many users share a block. More share more bytes, and take longer to be passed over.
const BLOCK_USERS: usize = 16;
/// Of so many blocks, one is sampled.
const SAMPLED: usize = 16;
/// Units of deadlines, in microseconds.
const UNITS: [i64; 4] = [60_000_000, 1_000_000, 1_000, 1];

/// A user's membership of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    /// The segment's ordinal.
    pub(crate) segment: u32,
    /// The deadline, in microseconds since 1970; an open membership has none.
    pub(crate) until: Option<i64>,
}

impl Held {
    /// A membership is live up to, and not at, its deadline.
    pub(crate) fn is_live_at(&self, micros: i64) -> bool {
        self.until.is_none_or(|until| micros < until)
    }
}

/// Never changed once it is built.
#[derive(Default, Clone, PartialEq, Eq)]
pub(crate) struct Rows {
    bytes: Vec<u8>,
    landmarks: Landmarks,
    users: u32,
    memberships: u64,
}

/// Where blocks are, and their first ids in short and side by side: to look for a block in the bytes of all is to wait for
/// memory.
#[derive(Default, Clone, PartialEq, Eq)]
struct Landmarks {
    /// What the first ids of all blocks begin with.
    prefix: Vec<u8>,
    /// One for each block.
    blocks: Vec<Landmark>,
    /// The key of every so manieth block: few enough to stay near the processor.
    sampled: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Landmark {
    /// The eight bytes behind the prefix, with zeros where there are fewer, in an order that is that of the ids.
    key: u64,
    /// Where the block begins.
    begin: u64,
}

/// One user's memberships, by segment.
#[derive(Clone, Copy)]
pub(crate) struct Row<'r> {
    unpacker: Unpacker<'r>,
    deadlines: Deadlines,
    segment: u64,
}

/// Builds rows out of users that come in their order.
#[derive(Default)]
pub(crate) struct RowsBuilder {
    rows: Rows,
    /// Where each block begins.
    begins: Vec<u64>,
    /// The users of the block that is being filled, and all their memberships.
    users: Vec<(String, usize)>,
    held: Vec<Held>,
}

/// How a block's deadlines are written.
#[derive(Clone, Copy)]
struct Deadlines {
    unit: i64,
    width: usize,
    first: i64,
}

/// The users of a block, one by one.
struct Block<'r> {
    unpacker: Unpacker<'r>,
    deadlines: Deadlines,
    /// The id of the user whose row was read last.
    user: Vec<u8>,
}

impl Rows {
    pub(crate) fn users(&self) -> u32 {
        self.users
    }

    pub(crate) fn memberships(&self) -> u64 {
        self.memberships
    }

    /// Where each block begins.
    pub(crate) fn begins(&self) -> impl ExactSizeIterator<Item = u64> {
        self.landmarks.blocks.iter().map(|block| block.begin)
    }

    pub(crate) fn packed_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Of what it is made of, as it was told by another.
    pub(crate) fn from_parts(bytes: Vec<u8>, begins: &[u64], users: u32, memberships: u64) -> Option<Rows> {
        let is_whole = begins.len() == (users as usize).div_ceil(BLOCK_USERS)
            && begins.is_sorted()
            && begins.last().is_none_or(|last| *last <= bytes.len() as u64);
        is_whole.then(|| Rows { bytes, landmarks: Landmarks::default(), users, memberships }.with_landmarks(begins))
    }

    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let Landmarks { prefix: _, blocks, sampled } = &self.landmarks;
        self.bytes.len() + size_of_val(blocks.as_slice()) + size_of_val(sampled.as_slice())
    }

    /// The user's ordinal and memberships. Who has no memberships may be known all the same.
    pub(crate) fn find(&self, user: &str) -> Option<(u32, Row<'_>)> {
        let user = user.as_bytes();
        let block = self.block_of(user)?;
        let ordinal = block * BLOCK_USERS;
        let mut users = self.block(block);
        // How many bytes the id before has in common with the user, before whom it stands.
        let mut matched = 0;
        for place in 0..BLOCK_USERS.min(self.users as usize - ordinal) {
            let (shared, rest, row) = users.next_parts();
            match shared.cmp(&matched) {
                // It goes on as the one before where that left the user.
                Ordering::Greater => continue,
                Ordering::Less => return None,
                Ordering::Equal => {}
            }
            let wanted = &user[matched..];
            match rest.cmp(wanted) {
                Ordering::Less => matched += common(rest, wanted),
                Ordering::Equal => return Some(((ordinal + place) as u32, row)),
                Ordering::Greater => return None,
            }
        }
        None
    }

    /// How many users stand up to and with this one.
    pub(crate) fn rank(&self, user: &str) -> u32 {
        let Some(block) = self.block_of(user.as_bytes()) else { return 0 };
        let first = block * BLOCK_USERS;
        let mut users = self.block(block);
        let mut rank = first;
        while rank < (first + BLOCK_USERS).min(self.users as usize) {
            users.next_row();
            if users.user.as_slice() > user.as_bytes() {
                break;
            }
            rank += 1;
        }
        rank as u32
    }

    /// The id of the user with this ordinal.
    pub(crate) fn user(&self, ordinal: u32) -> Option<String> {
        if ordinal >= self.users {
            return None;
        }
        let mut users = self.block(ordinal as usize / BLOCK_USERS);
        for _ in 0..=ordinal as usize % BLOCK_USERS {
            users.next_row();
        }
        Some(text(&users.user))
    }

    /// Every user in order, beginning with the ordinal 0: the bytes of the id, and the memberships.
    pub(crate) fn for_each(&self, mut take: impl FnMut(u32, &[u8], Row<'_>)) {
        for block in 0..self.landmarks.blocks.len() {
            let first = block * BLOCK_USERS;
            let mut users = self.block(block);
            for place in 0..BLOCK_USERS.min(self.users as usize - first) {
                let row = users.next_row();
                take((first + place) as u32, &users.user, row);
            }
        }
    }

    /// The last block that does not begin behind the user.
    fn block_of(&self, user: &[u8]) -> Option<usize> {
        let landmarks = &self.landmarks;
        let among = match user.strip_prefix(landmarks.prefix.as_slice()) {
            None => 0..landmarks.blocks.len(),
            // Where keys are the same, the ids decide.
            Some(rest) => {
                let key = key(rest);
                let first = landmarks.place(|one| one < key);
                let is_one_of_them = landmarks.blocks.get(first).is_some_and(|block| block.key == key);
                let end = if is_one_of_them { landmarks.place(|one| one <= key) } else { first };
                first..end
            }
        };
        let blocks = &landmarks.blocks[among.clone()];
        (among.start + blocks.partition_point(|block| self.first_of(block.begin) <= user)).checked_sub(1)
    }

    fn with_landmarks(mut self, begins: &[u64]) -> Rows {
        let [first, last] = [begins.first(), begins.last()].map(|at| at.map_or(&[][..], |at| self.first_of(*at)));
        // They stand in their order, so what the first and the last have in common all have.
        let prefix = first[..common(first, last)].to_vec();
        let landmark = |begin: &u64| {
            let rest = self.first_of(*begin).strip_prefix(prefix.as_slice()).unwrap_or_default();
            Landmark { key: key(rest), begin: *begin }
        };
        let blocks: Vec<Landmark> = begins.iter().map(landmark).collect();
        let sampled = blocks.iter().step_by(SAMPLED).map(|block| block.key).collect();
        self.landmarks = Landmarks { prefix, blocks, sampled };
        self
    }

    fn block(&self, block: usize) -> Block<'_> {
        let blocks = &self.landmarks.blocks;
        let begin = blocks[block].begin as usize;
        let end = blocks.get(block + 1).map_or(self.bytes.len(), |next| next.begin as usize);
        let mut unpacker = Unpacker::new(&self.bytes[begin..end]);
        let deadlines = Deadlines::unpack(&mut unpacker);
        Block { unpacker, deadlines, user: Vec::new() }
    }

    /// The id of the first user in the block that begins there: it shares nothing with anybody.
    fn first_of(&self, at: u64) -> &[u8] {
        let mut unpacker = Unpacker::new(&self.bytes[at as usize..]);
        Deadlines::unpack(&mut unpacker);
        unpacker.number();
        unpacker.part()
    }
}

impl Landmarks {
    /// How many blocks stand before, all of which come first.
    fn place(&self, stands_before: impl Fn(u64) -> bool) -> usize {
        let samples = self.sampled.partition_point(|key| stands_before(*key));
        let from = samples.saturating_sub(1) * SAMPLED;
        let to = self.blocks.len().min(samples * SAMPLED);
        // All of these are looked at at once, where a search waits for memory at every step.
        from + self.blocks[from..to].iter().filter(|block| stands_before(block.key)).count()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        self.for_each(|_, user, row| {
            map.entry(&text(user), &row.collect::<Vec<_>>());
        });
        map.finish()
    }
}

impl<'r> Block<'r> {
    /// Goes to the next user.
    fn next_row(&mut self) -> Row<'r> {
        let (shared, rest, row) = self.next_parts();
        self.user.truncate(shared);
        self.user.extend_from_slice(rest);
        row
    }

    /// Goes to the next user: how many bytes of the id are those of the one before, the others, and the memberships.
    fn next_parts(&mut self) -> (usize, &'r [u8], Row<'r>) {
        let shared = usize::try_from(self.unpacker.number()).unwrap_or(usize::MAX);
        let rest = self.unpacker.part();
        (shared, rest, Row { unpacker: Unpacker::new(self.unpacker.part()), deadlines: self.deadlines, segment: 0 })
    }
}

impl Iterator for Row<'_> {
    type Item = Held;

    fn next(&mut self) -> Option<Held> {
        if self.unpacker.is_at_end() {
            return None;
        }
        let number = self.unpacker.number();
        self.segment += number >> 1;
        let until = (number & 1 == 1).then(|| self.deadlines.read(&mut self.unpacker));
        Some(Held { segment: self.segment as u32, until })
    }
}

impl RowsBuilder {
    /// Takes the next user, with the memberships by segment, each once. Returns the ordinal; there is none left after
    /// 4,294,967,295 users.
    pub(crate) fn push(&mut self, user: &str, held: &[Held]) -> Option<u32> {
        debug_assert!(self.users.last().is_none_or(|(last, _)| last.as_str() < user), "users come in their order");
        debug_assert!(held.is_sorted_by(|a, b| a.segment < b.segment), "memberships come by segment");
        let ordinal = self.rows.users;
        self.rows.users = ordinal.checked_add(1)?;
        self.rows.memberships += held.len() as u64;
        self.users.push((user.to_owned(), held.len()));
        self.held.extend_from_slice(held);
        if self.users.len() == BLOCK_USERS {
            self.end_block();
        }
        Some(ordinal)
    }

    pub(crate) fn build(mut self) -> Rows {
        self.end_block();
        self.rows.bytes.shrink_to_fit();
        self.rows.with_landmarks(&self.begins)
    }

    fn end_block(&mut self) {
        if self.users.is_empty() {
            return;
        }
        let out = &mut self.rows.bytes;
        self.begins.push(out.len() as u64);
        let deadlines = Deadlines::of(&self.held);
        deadlines.pack(out);
        let (mut before, mut held) = ("", self.held.as_slice());
        let mut row = Vec::new();
        for (user, count) in &self.users {
            let shared = common(before.as_bytes(), user.as_bytes());
            pack(out, shared as u64);
            pack_part(out, &user.as_bytes()[shared..]);
            let (own, rest) = held.split_at(*count);
            row.clear();
            deadlines.pack_row(&mut row, own);
            pack_part(out, &row);
            (before, held) = (user, rest);
        }
        self.users.clear();
        self.held.clear();
    }
}

impl Deadlines {
    /// Of a block without any.
    const NONE: Deadlines = Deadlines { unit: 1, width: 0, first: 0 };

    fn of(held: &[Held]) -> Deadlines {
        let all = || held.iter().filter_map(|held| held.until);
        let Some(first) = all().min() else { return Deadlines::NONE };
        let distances = || all().map(|until| until.wrapping_sub(first).cast_unsigned());
        let fits = |unit: &i64| distances().all(|distance| distance.is_multiple_of(unit.cast_unsigned()));
        let unit = UNITS.into_iter().find(fits).unwrap_or(1);
        let width = width_of(distances().max().unwrap_or(0) / unit.cast_unsigned());
        Deadlines { unit, width, first }
    }

    /// One byte for unit and width, and the first deadline, with its sign in the lowest bit.
    fn pack(self, out: &mut Vec<u8>) {
        let unit = UNITS.iter().position(|unit| *unit == self.unit).unwrap_or(UNITS.len() - 1);
        out.push((unit << 4 | self.width) as u8);
        pack(out, (self.first << 1 ^ self.first >> 63).cast_unsigned());
    }

    fn unpack(unpacker: &mut Unpacker) -> Deadlines {
        let byte = usize::from(unpacker.byte());
        let first = unpacker.number();
        let first = (first >> 1).cast_signed() ^ -(first & 1).cast_signed();
        Deadlines { unit: UNITS.get(byte >> 4).copied().unwrap_or(1), width: byte & 0xf, first }
    }

    fn pack_row(self, out: &mut Vec<u8>, held: &[Held]) {
        let mut before = 0;
        for held in held {
            let distance = u64::from(held.segment - before);
            before = held.segment;
            pack(out, distance << 1 | u64::from(held.until.is_some()));
            if let Some(until) = held.until {
                let distance = until.wrapping_sub(self.first).cast_unsigned();
                pack_fixed(out, distance / self.unit.cast_unsigned(), self.width);
            }
        }
    }

    fn read(self, unpacker: &mut Unpacker) -> i64 {
        let distance = unpacker.fixed(self.width).wrapping_mul(self.unit.cast_unsigned());
        self.first.wrapping_add(distance.cast_signed())
    }
}

/// The first eight bytes, in an order that is that of the texts.
fn key(text: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = text.len().min(8);
    bytes[..length].copy_from_slice(&text[..length]);
    u64::from_be_bytes(bytes)
}

/// How many bytes two ids begin with in common.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// Ids were texts when they were packed.
fn text(id: &[u8]) -> String {
    String::from_utf8_lossy(id).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Users = BTreeMap<String, BTreeMap<u32, Option<i64>>>;

    fn held(row: &BTreeMap<u32, Option<i64>>) -> Vec<Held> {
        row.iter().map(|(segment, until)| Held { segment: *segment, until: *until }).collect()
    }

    fn built(users: &Users) -> Rows {
        let mut builder = RowsBuilder::default();
        for (ordinal, (user, row)) in users.iter().enumerate() {
            assert_eq!(builder.push(user, &held(row)), Some(ordinal as u32));
        }
        builder.build()
    }

    fn deadlines() -> impl Strategy<Value = Option<i64>> {
        prop_oneof![
            Just(None),
            any::<i64>().prop_map(Some),
            (0..9_i64).prop_map(|minutes| Some(minutes * 60_000_000)),
            (0..9_i64).prop_map(|millis| Some(1_700_000_000_000_000 + millis * 1_000)),
        ]
    }

    fn users() -> impl Strategy<Value = Users> {
        let row = prop::collection::btree_map(prop_oneof![0..300_u32, any::<u32>()], deadlines(), 0..12);
        prop::collection::btree_map("u?[a-cя0-9]{1,5}", row, 0..70)
    }

    proptest! {
        #[test]
        fn every_user_is_found_as_pushed(users in users(), others in prop::collection::vec("[a-cuя0-9]{0,4}", 0..30)) {
            let rows = built(&users);
            prop_assert_eq!(rows.users() as usize, users.len());
            prop_assert_eq!(rows.memberships() as usize, users.values().map(BTreeMap::len).sum::<usize>());
            for (ordinal, (user, row)) in users.iter().enumerate() {
                let (found, found_row) = rows.find(user).unwrap();
                prop_assert_eq!((found as usize, found_row.collect::<Vec<_>>()), (ordinal, held(row)));
                let told = rows.user(found);
                prop_assert_eq!(told.as_ref(), Some(user));
                prop_assert_eq!(rows.rank(user) as usize, ordinal + 1);
            }
            for other in &others {
                prop_assert_eq!(rows.rank(other) as usize, users.range(..=other.clone()).count());
            }
            for other in others.iter().filter(|other| !users.contains_key(*other)) {
                prop_assert!(rows.find(other).is_none());
            }
            prop_assert_eq!(rows.user(rows.users()), None);
        }

        #[test]
        fn all_are_told_in_order(users in users()) {
            let mut told = Vec::new();
            built(&users).for_each(|ordinal, user, row| {
                told.push((ordinal as usize, text(user), row.collect::<Vec<_>>()));
            });
            let expected: Vec<_> =
                users.iter().enumerate().map(|(ordinal, (user, row))| (ordinal, user.clone(), held(row))).collect();
            prop_assert_eq!(told, expected);
        }
    }

    #[test]
    fn a_deadline_is_over_when_it_comes() {
        let held = Held { segment: 0, until: Some(5) };
        assert!(held.is_live_at(4) && !held.is_live_at(5));
        assert!(Held { segment: 0, until: None }.is_live_at(i64::MAX));
    }

    /// Ten memberships a user among a thousand segments, as the benchmark has them.
    fn crowd(deadline: impl Fn(u64) -> Option<i64>) -> Rows {
        let mut builder = RowsBuilder::default();
        let mut number = 1_u64;
        let mut draw = || {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            number >> 33
        };
        for user in 0..20_000 {
            let mut row: Vec<Held> = Vec::new();
            while row.len() < 10 {
                let segment = (draw() % 1_000) as u32;
                if row.iter().all(|held| held.segment != segment) {
                    row.push(Held { segment, until: deadline(draw()) });
                }
            }
            row.sort();
            builder.push(&format!("user-{user:07}"), &row).unwrap();
        }
        builder.build()
    }

    #[test]
    fn a_membership_takes_three_bytes_and_seven_with_a_deadline() {
        let each = |rows: &Rows| rows.bytes() as f64 / rows.memberships() as f64;
        let open = crowd(|_| None);
        assert!(each(&open) <= 3.0, "{}", each(&open));
        const YEAR_S: u64 = 365 * 86_400;
        let to_the_second = crowd(|draw| Some(1_790_000_000_000_000 + (draw % YEAR_S) as i64 * 1_000_000));
        assert!(each(&to_the_second) <= 7.0, "{}", each(&to_the_second));
    }
}
