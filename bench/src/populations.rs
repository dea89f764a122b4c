//! Users with memberships: filled once by SQL that both engines take, kept between runs, and known by heart, so that
//! answers can be checked.

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use crate::{
    Failure, failed,
    stores::{Engine, Store, Workshop},
    suites::Common,
};

/// Raised when what is filled changes: what was kept before is then made anew.
const VERSION: u32 = 1;
/// Which every user is in ten of: one of each hundred.
const SEGMENTS: u64 = 1_000;
const EACH: u64 = 10;
/// Which a part of all users are in beside those, in tenths.
pub(crate) const BIG: [(&str, u64); 3] = [("big-30", 3), ("big-50", 5), ("big-20", 2)];
/// Which nobody is in, for changes: `change-0001` and so on.
pub(crate) const CHANGES: u64 = 100;
/// The first of them.
pub(crate) const FIRST_CHANGE_ID: u64 = SEGMENTS + BIG.len() as u64 + 1;
const DAY_US: u64 = 86_400_000_000;

/// Users from 1 on.
pub(crate) fn user_id(number: u64) -> String {
    format!("user-{number:07}")
}

/// The slugs of a user, sorted.
pub(crate) fn slugs_of(number: u64) -> Vec<String> {
    let big = BIG.iter().zip(EACH..).filter(|((_, tenths), place)| mixed(number, *place) / 10 < *tenths);
    let each = (0..EACH).map(|place| {
        let one = 1 + place * 100 + mixed(number, place);
        format!("segment-{one:04}")
    });
    let mut slugs: Vec<String> = big.map(|((slug, _), _)| (*slug).to_owned()).collect();
    slugs.sort();
    slugs.extend(each);
    slugs
}

/// From 0 to 99, by Knuth's multiplicative hash twice, the first time with another factor for each salt, so that two numbers
/// that agree for one salt do not for another. `mixed_sql` is the same.
fn mixed(number: u64, salt: u64) -> u64 {
    let once = number * (2_654_435_761 + salt * 81_006) % (1 << 32);
    let twice = (once / 32_768 + once) * 1_540_483_477 % (1 << 32);
    twice / 65_536 % 100
}

fn mixed_sql(number: &str, salt: &str) -> String {
    let once = format!("({number} * (2654435761 + {salt} * 81006) % 4294967296)");
    format!("(({once} / 32768 + {once}) * 1540483477 % 4294967296 / 65536 % 100)")
}

/// A workshop with a store of so many users. PostgreSQL's is a copy; SQLite's is the one that is kept, and may only be read.
pub(crate) fn open(engine: Engine, common: &Common, users: u64) -> Result<(Workshop, Store), Failure> {
    open_in(engine, &common.strata, &common.folder, users)
}

/// As `open`, for whoever is no suite.
pub(crate) fn open_in(engine: Engine, strata: &Path, folder: &Path, users: u64) -> Result<(Workshop, Store), Failure> {
    let kept = folder.join("kept");
    fs::create_dir_all(&kept).map_err(failed(kept.display()))?;
    let path = kept.join(format!("{engine:?}-{users}-{VERSION}").to_lowercase());
    if !path.exists() {
        make(Workshop::open(engine, strata, folder)?, users, &path)?;
    }
    Workshop::open_kept(engine, strata, folder, &path)
}

fn make(workshop: Workshop, users: u64, path: &Path) -> Result<(), Failure> {
    eprintln!("filling {} with {users} users; it is kept for other runs", path.display());
    let store = workshop.migrated()?;
    if workshop.engine == Engine::Postgres {
        // Used files of its log are removed instead of waiting for their next use: they would be kept and copied.
        workshop
            .execute(&store, "ALTER SYSTEM SET wal_recycle = off;\nDO $$ BEGIN PERFORM pg_reload_conf(); END $$;\n")?;
    }
    // Indexes are made faster of all rows at once.
    let (drops, creates) = indexes(&workshop, &store)?;
    let script =
        format!("{}{}BEGIN;\n{drops}\n{}{creates}\nCOMMIT;\n", hasty(&workshop), months(&workshop), population(users)?);
    workshop.execute(&store, &script)?;
    workshop.settle(&store)?;
    workshop.keep(store, path)
}

/// Statements that drop the indexes of memberships and history, and statements that make them again.
fn indexes(workshop: &Workshop, store: &Store) -> Result<(String, String), Failure> {
    let (drops, creates) = match workshop.engine {
        Engine::Sqlite => (
            "SELECT 'DROP INDEX ' || name || ';' FROM sqlite_master \
             WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('memberships', 'history');\n",
            "SELECT sql || ';' FROM sqlite_master \
             WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('memberships', 'history');\n",
        ),
        Engine::Postgres => (
            "SELECT 'DROP INDEX ' || indexname || ';' FROM pg_indexes \
             WHERE tablename IN ('memberships', 'history') AND indexname NOT LIKE '%_pkey';\n",
            "SELECT replace(indexdef, ' ON ONLY ', ' ON ') || ';' FROM pg_indexes \
             WHERE tablename IN ('memberships', 'history') AND indexname NOT LIKE '%_pkey';\n",
        ),
    };
    Ok((workshop.ask(store, drops)?, workshop.ask(store, creates)?))
}

/// Nobody times the filling.
pub(crate) fn hasty(workshop: &Workshop) -> &'static str {
    match workshop.engine {
        Engine::Sqlite => "PRAGMA synchronous = OFF;\nPRAGMA cache_size = -4000000;\n",
        Engine::Postgres => {
            "SET synchronous_commit = off;\nSET work_mem = '512MB';\nSET maintenance_work_mem = '1GB';\n"
        }
    }
}

/// What happened long ago finds its part of history, as it would have when it happened.
pub(crate) fn months(workshop: &Workshop) -> &'static str {
    match workshop.engine {
        Engine::Sqlite => "",
        Engine::Postgres => {
            "DO $$ BEGIN PERFORM strata_make_month(month) FROM generate_series(
                 date_trunc('month', now() AT TIME ZONE 'UTC') - INTERVAL '4 months',
                 now() AT TIME ZONE 'UTC' + INTERVAL '2 months', INTERVAL '1 month') AS month; END $$;\n"
        }
    }
}

/// Everything in the order of the keys. One membership in ten ends, in ten years.
fn population(users: u64) -> Result<String, Failure> {
    let began = began()?;
    let ends = began + 3_650 * DAY_US;
    let big = BIG.iter().zip(EACH..).map(|((_, tenths), place)| {
        format!("place = {place} AND {} / 10 < {tenths}", mixed_sql("member", &place.to_string()))
    });
    let big: Vec<String> = big.collect();
    let names = BIG.iter().zip(SEGMENTS + 1..).map(|((slug, _), id)| format!("WHEN value = {id} THEN '{slug}' "));
    let names: String = names.collect();
    let places = EACH + BIG.len() as u64;
    Ok(format!(
        "INSERT INTO segments (slug, name, description, kind, seed, search, created_at, updated_at, version)
         SELECT slug, slug, '', 'manual', n, slug || '\n' || slug, {began}, {began}, 1
         FROM (SELECT value AS n, CASE WHEN value <= {SEGMENTS} THEN 'segment-' || {of_segment} {names}
                                       ELSE 'change-' || {of_change} END AS slug
               FROM generate_series(1, {last}) AS value) AS numbers
         ORDER BY n;
         INSERT INTO segment_names (segment_id, slug, since) SELECT id, slug, created_at FROM segments ORDER BY id;
         INSERT INTO users (user_id, attributes, created_at, updated_at, version)
         SELECT 'user-' || {user}, '{{}}', {began}, {began}, 1 FROM generate_series(1, {users}) AS value;
         INSERT INTO memberships (user_id, segment_id, since, expires_at, source, actor)
         SELECT 'user-' || {member},
                CASE WHEN place < {EACH} THEN 1 + place * 100 + {one} ELSE {SEGMENTS} + 1 + place - {EACH} END,
                {began} + n * 1000, CASE WHEN {end} < 10 THEN {ends} + n END, 'manual', 'bench'
         FROM (SELECT n, n / {places} + 1 AS member, n % {places} AS place
               FROM (SELECT CAST(value AS BIGINT) AS n FROM generate_series(0, {users} * {places} - 1) AS value) AS numbers
              ) AS pairs
         WHERE place < {EACH} OR {big};
         INSERT INTO history (user_id, segment_id, slug, operation, at, expires_at, source, actor)
         SELECT m.user_id, m.segment_id, s.slug, 'add', m.since, m.expires_at, m.source, m.actor
         FROM memberships m CROSS JOIN segments s WHERE s.id = m.segment_id;\n",
        of_segment = digits("value", 4),
        of_change = digits(&format!("(value - {})", FIRST_CHANGE_ID - 1), 4),
        last = FIRST_CHANGE_ID + CHANGES - 1,
        user = digits("value", 7),
        member = digits("member", 7),
        one = mixed_sql("member", "place"),
        end = mixed_sql("n", "0"),
        big = big.join(" OR "),
    ))
}

/// Both engines' way to a number with zeros before it.
pub(crate) fn digits(number: &str, length: u32) -> String {
    format!("substr(CAST({} + {number} AS TEXT), 2)", 10_u64.pow(length))
}

/// Ninety days ago.
pub(crate) fn began() -> Result<u64, Failure> {
    Ok(now_us()? - 90 * DAY_US)
}

pub(crate) fn now_us() -> Result<u64, Failure> {
    let since: Duration = UNIX_EPOCH.elapsed().map_err(failed("the machine's clock"))?;
    Ok(since.as_micros() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_differ_and_the_big_segments_have_their_shares() {
        let users = 20_000;
        let mut members = [0.0; BIG.len()];
        let mut different = std::collections::HashSet::new();
        for number in 1..=users {
            let slugs = slugs_of(number);
            assert!(slugs.is_sorted() && slugs.len() >= EACH as usize, "{slugs:?}");
            for (count, (slug, _)) in members.iter_mut().zip(BIG) {
                *count += f64::from(slugs.iter().any(|held| held == slug));
            }
            different.insert(slugs);
        }
        assert_eq!(different.len() as u64, users);
        for (count, (slug, tenths)) in members.into_iter().zip(BIG) {
            let share = count / users as f64 * 10.0;
            assert!((share - tenths as f64).abs() < 0.3, "{slug}: {share}");
        }
    }
}
