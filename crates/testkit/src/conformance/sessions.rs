use domain::{AccountId, SecretHash, Session, SessionId, SessionKind};
use usecases::ports::{SignIn, Store};

use super::{
    Case,
    concurrency::{THREADS, persist, together},
    look, minute, must,
};

pub(super) const CASES: &[Case] = &[
    ("a session is found as it was kept", session_is_found_as_kept),
    ("an account's sessions are listed that are good, the newest first", good_sessions_are_listed),
    ("a session ends once, and is not prolonged afterwards", session_ends_once),
    ("all sessions of an account end but one, and its links hold no longer", all_end_but_one),
    ("a session's secret is spent once", secret_is_spent_once),
    ("of sixteen who spend a secret at once one is told so", one_of_sixteen_spends),
    ("a link to sign in is taken once", link_is_taken_once),
    ("a sign-in under way is taken once, as it was kept", sign_in_is_taken_once),
    ("what ended long ago is forgotten, with its secrets", what_ended_is_forgotten),
];

fn hash(text: &str) -> SecretHash {
    SecretHash::new(text)
}

fn new(account: i64, minutes: i64) -> Session {
    Session {
        id: SessionId(0),
        account: AccountId(account),
        kind: SessionKind::Browser,
        means: "password".to_owned(),
        created_at: minute(minutes),
        expires_at: minute(minutes + 60),
        ended_at: None,
    }
}

fn has(store: &dyn Store, session: Session) -> Session {
    let id = must(store, |unit| unit.sessions().insert(&session));
    Session { id, ..session }
}

fn found(store: &dyn Store, id: SessionId) -> Option<Session> {
    look(store, |unit| unit.sessions().find(id))
}

fn session_is_found_as_kept(store: &dyn Store) {
    let tokens = Session { kind: SessionKind::Tokens, means: "Яндекс;'\"".to_owned(), ..new(7, 0) };
    let tokens = has(store, Session { ended_at: Some(minute(5)), ..tokens });
    let browser = has(store, new(7, 1));
    assert_eq!((found(store, tokens.id), found(store, browser.id)), (Some(tokens), Some(browser)));
    assert_eq!(found(store, SessionId(1_000)), None);
}

fn good_sessions_are_listed(store: &dyn Store) {
    let first = has(store, new(7, 0));
    has(store, new(8, 0));
    has(store, Session { ended_at: Some(minute(1)), ..new(7, 0) });
    let second = has(store, new(7, 30));
    let at = |minutes, limit| look(store, |unit| unit.sessions().of_account(AccountId(7), minute(minutes), limit));
    assert_eq!(at(59, 10), [second.clone(), first]);
    assert_eq!(at(59, 1), std::slice::from_ref(&second));
    assert_eq!(at(60, 10), [second]);
    assert_eq!(at(90, 10), []);
}

fn session_ends_once(store: &dyn Store) {
    let session = has(store, new(7, 0));
    must(store, |unit| unit.sessions().prolong(session.id, minute(100)));
    assert_eq!(found(store, session.id).unwrap().expires_at, minute(100));
    assert!(must(store, |unit| unit.sessions().end(session.id, minute(5))));
    assert!(!must(store, |unit| unit.sessions().end(session.id, minute(6))));
    must(store, |unit| unit.sessions().prolong(session.id, minute(200)));
    let ended = Session { expires_at: minute(100), ended_at: Some(minute(5)), ..session };
    assert_eq!(found(store, ended.id), Some(ended));
    assert!(!must(store, |unit| unit.sessions().end(SessionId(1_000), minute(6))));
}

fn all_end_but_one(store: &dyn Store) {
    let sessions: Vec<Session> = (0..3).map(|_| has(store, new(7, 0))).collect();
    let over = has(store, new(7, -100));
    let other = has(store, new(8, 0));
    must(store, |unit| unit.sessions().keep_link(&hash("a"), AccountId(7), minute(9)));
    must(store, |unit| unit.sessions().keep_link(&hash("b"), AccountId(8), minute(9)));
    let end = |but| must(store, |unit| unit.sessions().end_all(AccountId(7), but, minute(5)));
    assert_eq!((end(Some(sessions[1].id)), end(Some(sessions[1].id)), end(None)), (2, 0, 1));
    assert!(sessions.iter().all(|session| found(store, session.id).unwrap().ended_at == Some(minute(5))));
    let take = |text| must(store, |unit| unit.sessions().take_link(&hash(text)));
    assert_eq!((take("a"), take("b").map(|(account, _)| account)), (None, Some(AccountId(8))));
    assert_eq!((found(store, other.id), found(store, over.id)), (Some(other), Some(over)));
}

fn secret_is_spent_once(store: &dyn Store) {
    let session = has(store, new(7, 0));
    must(store, |unit| unit.sessions().keep_secret(&hash("a"), session.id));
    let kept = || look(store, |unit| unit.sessions().find_secret(&hash("a")));
    assert_eq!(kept().map(|kept| (kept.session, kept.spent_at)), Some((session.id, None)));
    assert!(must(store, |unit| unit.sessions().spend(&hash("a"), minute(3))));
    assert!(!must(store, |unit| unit.sessions().spend(&hash("a"), minute(4))));
    assert_eq!(kept().map(|kept| (kept.session, kept.spent_at)), Some((session.id, Some(minute(3)))));
    assert!(!must(store, |unit| unit.sessions().spend(&hash("b"), minute(4))));
    assert_eq!(look(store, |unit| unit.sessions().find_secret(&hash("b"))), None);
}

fn one_of_sixteen_spends(store: &dyn Store) {
    let session = has(store, new(7, 0));
    must(store, |unit| unit.sessions().keep_secret(&hash("a"), session.id));
    let spent = together(THREADS, |_| persist(store, |unit| unit.sessions().spend(&hash("a"), minute(1))));
    assert_eq!(spent.into_iter().filter(|spent| *spent.as_ref().unwrap()).count(), 1);
}

fn link_is_taken_once(store: &dyn Store) {
    must(store, |unit| unit.sessions().keep_link(&hash("a"), AccountId(7), minute(9)));
    let take = |text| must(store, |unit| unit.sessions().take_link(&hash(text)));
    assert_eq!((take("b"), take("a"), take("a")), (None, Some((AccountId(7), minute(9))), None));
}

fn sign_in_is_taken_once(store: &dyn Store) {
    let sign_in = |state, link| SignIn {
        state: hash(state),
        provider: "yandex".to_owned(),
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        link,
        expires_at: minute(9),
    };
    let (plain, linking) = (sign_in("a", None), sign_in("b", Some((AccountId(7), SessionId(3)))));
    for one in [&plain, &linking] {
        must(store, |unit| unit.sessions().keep_sign_in(one));
    }
    let take = |text| must(store, |unit| unit.sessions().take_sign_in(&hash(text)));
    assert_eq!((take("a"), take("a"), take("b"), take("c")), (Some(plain), None, Some(linking), None));
}

fn what_ended_is_forgotten(store: &dyn Store) {
    let expired = has(store, new(7, 0));
    let ended = has(store, Session { ended_at: Some(minute(20)), ..new(7, 50) });
    let good = has(store, new(7, 50));
    for (number, session) in [&expired, &ended, &good].into_iter().enumerate() {
        must(store, |unit| unit.sessions().keep_secret(&hash(&format!("secret {number}")), session.id));
    }
    must(store, |unit| unit.sessions().keep_link(&hash("old"), AccountId(7), minute(60)));
    must(store, |unit| unit.sessions().keep_link(&hash("new"), AccountId(7), minute(61)));
    let sign_in = SignIn {
        state: hash("state"),
        provider: "yandex".to_owned(),
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        link: None,
        expires_at: minute(1),
    };
    must(store, |unit| unit.sessions().keep_sign_in(&sign_in));
    let forget = |limit| must(store, |unit| unit.sessions().forget(minute(61), minute(61), limit));
    assert_eq!((forget(1), forget(100), forget(100)), (3, 1, 0));
    assert_eq!((found(store, expired.id), found(store, ended.id), found(store, good.id)), (None, None, Some(good)));
    let secrets =
        (0..3).map(|number| look(store, |unit| unit.sessions().find_secret(&hash(&format!("secret {number}")))));
    assert_eq!(secrets.map(|kept| kept.is_some()).collect::<Vec<_>>(), [false, false, true]);
    assert!(must(store, |unit| unit.sessions().take_link(&hash("new"))).is_some());
    assert_eq!(must(store, |unit| unit.sessions().take_sign_in(&hash("state"))), None);
}
