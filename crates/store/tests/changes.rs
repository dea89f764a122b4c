//! How PostgreSQL finds what was told.

#![allow(clippy::unwrap_used)]

use std::{thread, time::Duration};

use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_types::BigInt};
use store::{DieselStore, Options};
use testkit::TempPostgres;
use usecases::{changes::Seen, ports::Store};

#[derive(QueryableByName)]
struct Scans {
    #[diesel(sql_type = BigInt)]
    by_index: i64,
    #[diesel(sql_type = BigInt)]
    rows_read_in_all: i64,
}

/// How a connection finds rows must not stay what it was on its first days.
#[test]
fn who_began_on_an_empty_table_does_not_read_all_of_a_full_one() {
    let url = TempPostgres::shared().database();
    let minute = Duration::from_secs(60);
    let store =
        DieselStore::open(&Options { url: url.clone(), pool_size: 1, pool_timeout: minute, statement_timeout: minute })
            .unwrap();
    store.migrate().unwrap();
    let ask = |seen: Seen| {
        let mut told = 0;
        let store: &dyn Store = &store;
        store.read(|unit| unit.changes().since(&seen, &mut |_| told += 1)).unwrap();
        told
    };
    let with_open = |next| Seen { open: [next - 5].into(), ..Seen::before(next) };
    let mut other = PgConnection::establish(&url).unwrap();
    // So that it is known to be empty.
    other.batch_execute("VACUUM ANALYZE changes").unwrap();
    for _ in 0..20 {
        assert_eq!((ask(Seen::before(1)), ask(with_open(9))), (0, 0));
    }

    // An empty postcard of changes.
    let rows = "INSERT INTO changes (transaction_id, told) SELECT n, '\\x0000' FROM generate_series(1, 20000) AS n";
    other.batch_execute(rows).unwrap();
    for _ in 0..20 {
        assert_eq!((ask(Seen::before(19_991)), ask(with_open(19_991))), (10, 11));
    }
    // Its numbers are told when it ends.
    drop(store);
    let scans = (0..500).find_map(|_| {
        thread::sleep(Duration::from_millis(20));
        let text = "SELECT coalesce(idx_scan, 0) AS by_index, seq_tup_read AS rows_read_in_all \
                    FROM pg_stat_user_tables WHERE relname = 'changes'";
        let scans: Scans = diesel::sql_query(text).get_result(&mut other).unwrap();
        (scans.by_index + scans.rows_read_in_all >= 40).then_some(scans)
    });
    let scans = scans.expect("somebody counts");
    assert!(scans.by_index >= 40 && scans.rows_read_in_all == 0, "{} {}", scans.by_index, scans.rows_read_in_all);
}
