use domain::{Account, AccountId, Identity, Login, PasswordHash, Role};
use usecases::ports::{AccountQuery, Hold, Locks, Store, StoreError};

use super::{
    Case, attempt,
    concurrency::{THREADS, persist, together},
    look, minute, must, pages,
};

pub(super) const CASES: &[Case] = &[
    ("an account is found as it was kept", account_is_found_as_kept),
    ("a login is found whatever its letter case, and taken", login_is_found_and_taken),
    ("an account is changed, and keeps its login and birth", account_is_changed),
    ("an account that is gone cannot be changed", gone_account_cannot_be_changed),
    ("the id of a deleted account is not given again", id_is_not_given_again),
    ("accounts are listed by id, page after page", accounts_are_listed),
    ("accounts are searched and counted", accounts_are_searched),
    ("an identity is one account's, until it is unlinked or the account is gone", identity_is_one_accounts),
    ("administrators count who are not disabled", administrators_count),
    ("of two who take the last administrators away at once one sees none left", last_administrators_at_once),
];

fn login(text: &str) -> Login {
    Login::parse(text).unwrap()
}

fn new(text: &str, role: Role) -> Account {
    Account {
        id: AccountId(0),
        login: login(text),
        role,
        sees_persons: false,
        password: None,
        disabled_at: None,
        created_at: minute(0),
        updated_at: minute(0),
        version: 1,
    }
}

fn has(store: &dyn Store, account: Account) -> Account {
    let id = must(store, |unit| unit.accounts().insert(&account));
    Account { id, ..account }
}

fn found(store: &dyn Store, query: &AccountQuery) -> Vec<String> {
    look(store, |unit| unit.accounts().list(query, 100)).iter().map(|account| account.login.to_string()).collect()
}

fn account_is_found_as_kept(store: &dyn Store) {
    let hash = PasswordHash::new("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA");
    let full = Account {
        sees_persons: true,
        password: Some(hash),
        disabled_at: Some(minute(2)),
        updated_at: minute(3),
        version: 7,
        ..new("Анна'\"%_\\@example.com", Role::Analyst)
    };
    let full = has(store, full);
    let plain = has(store, new("b", Role::Viewer));
    assert_eq!(look(store, |unit| unit.accounts().find(full.id)), Some(full));
    assert_eq!(must(store, |unit| unit.accounts().find(plain.id)), Some(plain.clone()));
    assert_eq!(look(store, |unit| unit.accounts().find(AccountId(plain.id.0 + 1))), None);
}

fn login_is_found_and_taken(store: &dyn Store) {
    let anna = has(store, new("Анна@Example.com", Role::Viewer));
    let kept = look(store, |unit| unit.accounts().find_login(&login("анна@example.COM"))).unwrap();
    assert_eq!((kept.id, kept.login.as_str()), (anna.id, "Анна@Example.com"));
    assert_eq!(look(store, |unit| unit.accounts().find_login(&login("Анна"))), None);
    let taken = attempt(store, |unit| unit.accounts().insert(&new("АННА@example.com", Role::Viewer)));
    assert!(matches!(taken, Err(StoreError::Duplicate)), "{taken:?}");
}

fn account_is_changed(store: &dyn Store) {
    let before = has(store, new("anna", Role::Viewer));
    let after = Account {
        role: Role::Administrator,
        password: Some(PasswordHash::new("$argon2id$")),
        disabled_at: Some(minute(5)),
        updated_at: minute(6),
        version: 2,
        ..before.clone()
    };
    must(store, |unit| unit.accounts().update(&after));
    assert_eq!(look(store, |unit| unit.accounts().find(before.id)), Some(after));
    must(store, |unit| unit.accounts().update(&before));
    assert_eq!(look(store, |unit| unit.accounts().find(before.id)), Some(before));
}

fn gone_account_cannot_be_changed(store: &dyn Store) {
    let account = has(store, new("anna", Role::Viewer));
    must(store, |unit| unit.accounts().delete(account.id));
    let refused = attempt(store, |unit| unit.accounts().update(&account));
    assert!(matches!(refused, Err(StoreError::Contended(_))), "{refused:?}");
    must(store, |unit| unit.accounts().delete(account.id));
}

fn id_is_not_given_again(store: &dyn Store) {
    let first = has(store, new("anna", Role::Viewer));
    must(store, |unit| unit.accounts().delete(first.id));
    let second = has(store, new("anna", Role::Viewer));
    assert!(second.id > first.id);
}

fn accounts_are_listed(store: &dyn Store) {
    let all: Vec<Account> = (0..7).map(|number| has(store, new(&format!("a{number}"), Role::Analyst))).collect();
    let read = pages(2, |last: Option<&Account>| {
        let query = AccountQuery { after: last.map(|account| account.id), ..AccountQuery::default() };
        look(store, |unit| unit.accounts().list(&query, 2))
    });
    assert_eq!(read, all);
}

fn accounts_are_searched(store: &dyn Store) {
    for (name, role) in [("Anna@shop.ru", Role::Viewer), ("ivan_1", Role::Analyst), ("ЮЛИЯ@shop.ru", Role::Viewer)]
    {
        has(store, new(name, role));
    }
    let with = |text: Option<&str>, role| AccountQuery { text: text.map(str::to_owned), role, after: None };
    assert_eq!(found(store, &with(Some("SHOP"), None)), ["Anna@shop.ru", "ЮЛИЯ@shop.ru"]);
    assert_eq!(found(store, &with(Some("юлия"), None)), ["ЮЛИЯ@shop.ru"]);
    assert_eq!(found(store, &with(Some("_"), None)), ["ivan_1"]);
    assert_eq!(found(store, &with(Some("%"), None)), Vec::<String>::new());
    assert_eq!(found(store, &with(None, Some(Role::Analyst))), ["ivan_1"]);
    let counted = AccountQuery { after: Some(AccountId(1_000)), ..with(Some("shop"), Some(Role::Viewer)) };
    assert_eq!(look(store, |unit| unit.accounts().count(&counted)), 2);
}

fn administrators_count(store: &dyn Store) {
    assert_eq!(look(store, |unit| unit.accounts().active_administrators()), 0);
    has(store, new("a", Role::Administrator));
    has(store, Account { disabled_at: Some(minute(1)), ..new("b", Role::Administrator) });
    has(store, new("c", Role::Analyst));
    has(store, new("d", Role::Administrator));
    assert_eq!(look(store, |unit| unit.accounts().active_administrators()), 2);
}

fn last_administrators_at_once(store: &dyn Store) {
    let all: Vec<Account> =
        (0..THREADS).map(|number| has(store, new(&number.to_string(), Role::Administrator))).collect();
    let demoted = together(THREADS, |number| {
        persist(store, |unit| {
            unit.lock(&Locks::new().accounts(Hold::Alone))?;
            let is_last = unit.accounts().active_administrators()? == 1;
            if !is_last {
                unit.accounts().update(&Account { role: Role::Viewer, ..all[number].clone() })?;
            }
            Ok(!is_last)
        })
        .unwrap()
    });
    assert_eq!(demoted.iter().filter(|demoted| **demoted).count(), THREADS - 1);
    assert_eq!(look(store, |unit| unit.accounts().active_administrators()), 1);
}

fn identity_is_one_accounts(store: &dyn Store) {
    let (anna, ivan) = (has(store, new("anna", Role::Viewer)), has(store, new("ivan", Role::Viewer)));
    let identity = |provider, subject| Identity::new(provider, subject).unwrap();
    let (yandex, google) = (identity("yandex", "7;'\"я"), identity("google", "7"));
    must(store, |unit| unit.accounts().link(&yandex, anna.id, minute(1)));
    must(store, |unit| unit.accounts().link(&google, anna.id, minute(1)));
    for other in [anna.id, ivan.id] {
        let again = attempt(store, |unit| unit.accounts().link(&yandex, other, minute(2)));
        assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
    }
    assert_eq!(look(store, |unit| unit.accounts().identities(anna.id)), [google.clone(), yandex.clone()]);
    assert_eq!(look(store, |unit| unit.accounts().find_identity(&yandex)), Some(anna.id));
    assert!(!must(store, |unit| unit.accounts().unlink(&yandex, ivan.id)));
    assert!(must(store, |unit| unit.accounts().unlink(&yandex, anna.id)));
    assert_eq!(look(store, |unit| unit.accounts().find_identity(&yandex)), None);
    must(store, |unit| unit.accounts().delete(anna.id));
    assert_eq!(look(store, |unit| unit.accounts().find_identity(&google)), None);
    must(store, |unit| unit.accounts().link(&google, ivan.id, minute(3)));
}
