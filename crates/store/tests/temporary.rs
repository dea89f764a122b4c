use domain::*;
use std::time::{Duration, Instant as Clock};
use store::{DieselStore, Options};
use usecases::ports::*;

#[test]
fn contention() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("x.db").display());
    let store = DieselStore::open(&Options {
        url,
        pool_size: 20,
        pool_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(120),
    })
    .unwrap();
    store.migrate().unwrap();
    let s: &dyn Store = &store;
    for threads in [1_usize, 4, 16] {
        let t = Clock::now();
        let r: Vec<(u128, usize)> = std::thread::scope(|sc| {
            let h: Vec<_> = (0..threads)
                .map(|k| {
                    sc.spawn(move || {
                        let mut worst = 0;
                        let mut bad = 0;
                        for i in 0..(800 / threads) {
                            let t = Clock::now();
                            let user = User::born(
                                UserId::parse(&format!("{threads}-{k}-{i}")).unwrap(),
                                Instant::from_timestamp_micros(0).unwrap(),
                            );
                            if s.write::<_, StoreError>(|u| u.users().insert_missing(&[user.clone()])).is_err() {
                                bad += 1
                            }
                            worst = worst.max(t.elapsed().as_millis());
                        }
                        (worst, bad)
                    })
                })
                .collect();
            h.into_iter().map(|h| h.join().unwrap()).collect()
        });
        eprintln!(
            "CONT threads {threads}: {} ms for 800, worst {:?} ms, failures {}",
            t.elapsed().as_millis(),
            r.iter().map(|x| x.0).max(),
            r.iter().map(|x| x.1).sum::<usize>()
        );
    }
}
