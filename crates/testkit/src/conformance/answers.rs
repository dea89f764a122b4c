use usecases::ports::{Store, StoreError, StoredAnswer};

use super::{Case, attempt, look, micros, minute, must};

pub(super) const CASES: &[Case] = &[
    ("an answer is found as it was kept", answer_is_found_as_kept),
    ("a later answer takes the place of an older one", later_answer_takes_the_place),
    ("an answer that is rolled back was never kept", answer_rolled_back),
    ("only answers made before are forgotten, and no more than asked for", only_older_are_forgotten),
];

fn answer(key: &str, created: i64) -> StoredAnswer {
    StoredAnswer {
        key: key.to_owned(),
        fingerprint: "0123abcd".repeat(8),
        answer: "{\"статус\": 201, \"body\": \"it's \\\"so\\\" % _ \\\\ 🎉\"}\n".repeat(100),
        created_at: minute(created),
    }
}

fn answer_is_found_as_kept(store: &dyn Store) {
    let kept = answer("ключ; '1' %", 1);
    must(store, |unit| unit.answers().keep(&kept));
    assert_eq!(look(store, |unit| unit.answers().find("ключ; '1' %")), Some(kept.clone()));
    assert_eq!(must(store, |unit| unit.answers().find("ключ; '1' %")), Some(kept));
    assert_eq!(must(store, |unit| unit.answers().find("КЛЮЧ; '1' %")), None);
}

fn later_answer_takes_the_place(store: &dyn Store) {
    must(store, |unit| unit.answers().keep(&answer("a", 1)));
    must(store, |unit| unit.answers().keep(&answer("b", 1)));
    let later = StoredAnswer { fingerprint: "other".to_owned(), answer: String::new(), ..answer("a", 9) };
    must(store, |unit| {
        unit.answers().find("a")?;
        unit.answers().keep(&later)
    });
    assert_eq!(look(store, |unit| unit.answers().find("a")), Some(later));
    assert_eq!(look(store, |unit| unit.answers().find("b")), Some(answer("b", 1)));
}

fn answer_rolled_back(store: &dyn Store) {
    let failed: Result<(), StoreError> = attempt(store, |unit| {
        assert_eq!(unit.answers().find("a")?, None);
        unit.answers().keep(&answer("a", 1))?;
        assert_eq!(unit.answers().find("a")?, Some(answer("a", 1)));
        Err(StoreError::Contended("a test".to_owned()))
    });
    failed.unwrap_err();
    assert_eq!(must(store, |unit| unit.answers().find("a")), None);
}

fn only_older_are_forgotten(store: &dyn Store) {
    for (number, key) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        must(store, |unit| unit.answers().keep(&answer(key, number as i64)));
    }
    let forget = |before, limit| must(store, |unit| unit.answers().forget(before, limit));
    assert_eq!(forget(minute(0), 10), 0);
    assert_eq!(forget(minute(3), 2), 2);
    assert_eq!(forget(minute(3), 2), 1);
    assert_eq!(forget(minute(3), 2), 0);
    assert_eq!(forget(minute(3) + micros(1), 2), 1);
    let left = ["a", "b", "c", "d", "e"].map(|key| look(store, |unit| unit.answers().find(key)).is_some());
    assert_eq!(left, [false, false, false, false, true]);
}
