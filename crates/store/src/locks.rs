//! Locks: who may change what meanwhile.
//!
//! PostgreSQL's advisory locks share one space of 64-bit keys. Every transaction takes them in one order, which is what
//! makes a deadlock among them impossible: the answer to be given once, if any, then, by ascending keys, the population,
//! segments, accounts, users, and at the very end the audit log.

use std::collections::BTreeMap;

use diesel::RunQueryDsl;
use domain::{Slug, UserId};
use sha2::{Digest, Sha256};
use usecases::ports::{Access, Hold, Locks, StoreError};

use crate::{
    DieselUnit,
    connection::AnyConnection,
    statements::{Column, Statement},
};

const POPULATION: i64 = i64::MIN;
/// Segments share 256 keys, so that a change of a thousand of them fits PostgreSQL's table of locks.
const SEGMENTS: i64 = i64::MIN + 1;
const ACCOUNTS: i64 = i64::MIN + 900;
const AUDIT: i64 = i64::MIN + 901;
pub(crate) const MIGRATION: i64 = i64::MIN + 1_000;
/// Users have the keys from 0 up to this one, answers those from it on.
const ANSWERS: i64 = 1 << 62;

impl DieselUnit<'_> {
    /// In SQLite a writing unit stands alone anyway.
    pub(crate) fn take_locks(&mut self, locks: &Locks) -> Result<(), StoreError> {
        let keys = keys(locks);
        if keys.is_empty() {
            return Ok(());
        }
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                let alone = keys.values().map(|hold| *hold == Hold::Alone).collect();
                let statement = match locks.patience {
                    // Both in one question: the first stands before the second is carried out.
                    Some(patience) => {
                        Statement::<()>::new("SELECT set_config('lock_timeout', ?, TRUE), strata_lock(?, ?)")
                            .text(patience.as_millis().max(1).to_string())
                    }
                    None => Statement::<()>::new("SELECT strata_lock(?, ?)"),
                };
                statement
                    .column(Column::Ints(keys.into_keys().collect()))
                    .column(Column::Flags(alone))
                    .execute(conn)
                    .map(drop)
            }
            AnyConnection::Sqlite(_) => Ok(()),
        })
    }

    pub(crate) fn lock_answer(&mut self, key: &str) -> Result<(), StoreError> {
        self.lock_key(ANSWERS | hash(&format!("answer:{key}")))
    }

    pub(crate) fn lock_audit(&mut self) -> Result<(), StoreError> {
        match self.access {
            Access::Write => self.lock_key(AUDIT),
            Access::Read => Ok(()),
        }
    }

    fn lock_key(&mut self, key: i64) -> Result<(), StoreError> {
        self.query(|conn| match conn {
            AnyConnection::Pg(conn) => {
                Statement::<()>::new("SELECT pg_advisory_xact_lock(?)").int(key).execute(conn).map(drop)
            }
            AnyConnection::Sqlite(_) => Ok(()),
        })
    }
}

/// Each key once, ascending; wanted in both ways, it is had alone.
fn keys(locks: &Locks) -> BTreeMap<i64, Hold> {
    let population = locks.population.map(|hold| (POPULATION, hold));
    let every_segment =
        locks.every_segment.into_iter().flat_map(|hold| (0..256).map(move |key| (SEGMENTS + key, hold)));
    let segments = locks.segments.iter().map(|(slug, hold)| (segment_key(slug), *hold));
    let accounts = locks.accounts.map(|hold| (ACCOUNTS, hold));
    let users = locks.users.iter().map(|user| (user_key(user), Hold::Alone));
    let mut keys = BTreeMap::new();
    for (key, hold) in population.into_iter().chain(every_segment).chain(segments).chain(accounts).chain(users) {
        let held = keys.entry(key).or_insert(hold);
        *held = hold.max(*held);
    }
    keys
}

fn segment_key(slug: &Slug) -> i64 {
    SEGMENTS + i64::from(Sha256::digest(slug.as_str())[0])
}

fn user_key(user: &UserId) -> i64 {
    hash(&format!("user:{user}"))
}

/// The first 62 bits of SHA-256.
fn hash(text: &str) -> i64 {
    let digest = Sha256::digest(text);
    let (first, _) = digest.split_first_chunk::<8>().expect("a SHA-256 digest has 32 bytes");
    i64::try_from(u64::from_be_bytes(*first) >> 2).expect("62 bits fit into 63")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_taken_in_one_order_and_the_stronger_of_two() {
        let vip = Slug::parse("VIP").unwrap();
        let user = UserId::parse("1000").unwrap();
        let locks =
            Locks::new().user(&user).segment(&vip, Hold::Alone).segment(&vip, Hold::Shared).population(Hold::Shared);
        let keys = Vec::from_iter(keys(&locks));
        assert_eq!(
            keys,
            [(POPULATION, Hold::Shared), (segment_key(&vip), Hold::Alone), (user_key(&user), Hold::Alone)]
        );
        assert!(segment_key(&vip) < MIGRATION && (0..ANSWERS).contains(&user_key(&user)));
    }
}
