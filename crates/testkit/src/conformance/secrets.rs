use usecases::ports::{Store, StoreError};

use super::{
    Case, attempt,
    concurrency::{THREADS, persist, together},
    look, must,
};

pub(super) const CASES: &[Case] = &[
    ("a secret that nobody kept is absent", secret_is_absent),
    ("a secret is found as it was kept", secret_is_found_as_kept),
    ("the first secret of a name stays", first_secret_stays),
    ("a secret that is rolled back was never kept", secret_rolled_back),
    ("sixteen who keep a secret at once have the same", all_have_the_same),
];

fn secret_is_absent(store: &dyn Store) {
    must(store, |unit| unit.secrets().find_or_keep("other", "1"));
    assert_eq!(look(store, |unit| unit.secrets().find("links")), None);
    assert_eq!(must(store, |unit| unit.secrets().find("OTHER")), None);
}

fn secret_is_found_as_kept(store: &dyn Store) {
    let fresh = "тайна; \"it's\" % _ \\ 🎉".repeat(50);
    assert_eq!(must(store, |unit| unit.secrets().find_or_keep("ключ; '1'", &fresh)), fresh);
    assert_eq!(look(store, |unit| unit.secrets().find("ключ; '1'")), Some(fresh.clone()));
    assert_eq!(must(store, |unit| unit.secrets().find("ключ; '1'")), Some(fresh));
}

fn first_secret_stays(store: &dyn Store) {
    must(store, |unit| {
        assert_eq!(unit.secrets().find_or_keep("a", "first")?, "first");
        assert_eq!(unit.secrets().find_or_keep("a", "second")?, "first");
        assert_eq!(unit.secrets().find_or_keep("b", "second")?, "second");
        Ok(())
    });
    assert_eq!(must(store, |unit| unit.secrets().find_or_keep("a", "third")), "first");
    assert_eq!(look(store, |unit| unit.secrets().find("a")).as_deref(), Some("first"));
}

fn secret_rolled_back(store: &dyn Store) {
    let failed: Result<(), StoreError> = attempt(store, |unit| {
        unit.secrets().find_or_keep("a", "first")?;
        Err(StoreError::Contended("a test".to_owned()))
    });
    failed.unwrap_err();
    assert_eq!(must(store, |unit| unit.secrets().find_or_keep("a", "second")), "second");
}

fn all_have_the_same(store: &dyn Store) {
    let had = together(THREADS, |number| {
        persist(store, |unit| unit.secrets().find_or_keep("links", &number.to_string())).unwrap()
    });
    assert_eq!(had, vec![had[0].clone(); THREADS]);
    assert_eq!(look(store, |unit| unit.secrets().find("links")), Some(had[0].clone()));
}
