use domain::{Actor, ApiToken, Scope, SecretHash, SegmentPrefix, TokenId, TokenName};
use usecases::ports::{Store, StoreError};

use super::{Case, attempt, look, minute, must, pages};

pub(super) const CASES: &[Case] = &[
    ("an API token is found as it was kept, by id and by hash", token_is_found_as_kept),
    ("an API token's name is taken, also by one that was revoked", name_is_taken),
    ("API tokens are listed by id, page after page", tokens_are_listed),
    ("an API token is revoked once, and its use is noted", token_is_revoked_once),
];

fn new(name: &str) -> ApiToken {
    ApiToken {
        id: TokenId(0),
        name: TokenName::parse(name).unwrap(),
        hash: SecretHash::new(format!("hash of {name}")),
        scopes: vec![Scope::Read],
        prefix: None,
        created_by: Actor::new("анна"),
        created_at: minute(0),
        expires_at: None,
        revoked_at: None,
        used_at: None,
    }
}

fn has(store: &dyn Store, token: ApiToken) -> ApiToken {
    let id = must(store, |unit| unit.tokens().insert(&token));
    ApiToken { id, ..token }
}

fn token_is_found_as_kept(store: &dyn Store) {
    let full = ApiToken {
        scopes: Scope::ALL.to_vec(),
        prefix: Some(SegmentPrefix::parse("promo_").unwrap()),
        expires_at: Some(minute(5)),
        revoked_at: Some(minute(4)),
        used_at: Some(minute(3)),
        ..new("магазин'\"%_")
    };
    let full = has(store, full);
    let plain = has(store, new("plain"));
    for token in [full, plain] {
        assert_eq!(look(store, |unit| unit.tokens().find(token.id)), Some(token.clone()));
        assert_eq!(must(store, |unit| unit.tokens().find_hash(&token.hash)), Some(token));
    }
    assert_eq!(look(store, |unit| unit.tokens().find(TokenId(1_000))), None);
    assert_eq!(look(store, |unit| unit.tokens().find_hash(&SecretHash::new("other"))), None);
}

fn name_is_taken(store: &dyn Store) {
    has(store, ApiToken { revoked_at: Some(minute(1)), ..new("shop") });
    let again = ApiToken { hash: SecretHash::new("another"), ..new("shop") };
    let again = attempt(store, |unit| unit.tokens().insert(&again));
    assert!(matches!(again, Err(StoreError::Duplicate)), "{again:?}");
    has(store, new("Shop"));
}

fn tokens_are_listed(store: &dyn Store) {
    let kept: Vec<ApiToken> = ["d", "a", "c", "b"].into_iter().map(|name| has(store, new(name))).collect();
    let listed =
        pages(3, |last: Option<&ApiToken>| look(store, |unit| unit.tokens().list(last.map(|token| token.id), 3)));
    assert_eq!(listed, kept);
    assert_eq!(look(store, |unit| unit.tokens().count()), 4);
}

fn token_is_revoked_once(store: &dyn Store) {
    let token = has(store, new("shop"));
    must(store, |unit| unit.tokens().note_use(token.id, minute(2)));
    assert!(must(store, |unit| unit.tokens().revoke(token.id, minute(3))));
    assert!(!must(store, |unit| unit.tokens().revoke(token.id, minute(4))));
    assert!(!must(store, |unit| unit.tokens().revoke(TokenId(1_000), minute(4))));
    let revoked = ApiToken { used_at: Some(minute(2)), revoked_at: Some(minute(3)), ..token };
    assert_eq!(look(store, |unit| unit.tokens().find(revoked.id)), Some(revoked));
}
