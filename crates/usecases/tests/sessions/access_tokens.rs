//! Access tokens: ours are recognized, and no others.

use super::*;

/// The key that signs, as the store keeps it.
fn key(world: &World) -> (String, EncodingKey) {
    let kept = world.look(|look| Ok(look.unit.secrets().find("access_keys")?)).unwrap();
    let kept: Vec<Value> = serde_json::from_str(&kept).unwrap();
    let key = kept.last().unwrap();
    let seed = key["seed"].as_str().unwrap();
    let seed = (0..32).map(|at| u8::from_str_radix(&seed[2 * at..2 * at + 2], 16).unwrap());
    // PKCS #8 (RFC 8410).
    let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
    der.extend(seed);
    (key["kid"].as_str().unwrap().to_owned(), EncodingKey::from_ed_der(&der))
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

fn claims(world: &World, account: &Account, tokens: &Tokens) -> Value {
    let iat = world.now().timestamp();
    json!({"iss": "strata", "sub": account.id.to_string(), "sid": tokens.session.id.0, "iat": iat, "exp": iat + 60})
}

fn with(claims: &Value, name: &str, value: Value) -> Value {
    let mut claims = claims.clone();
    claims[name] = value;
    claims
}

fn without(claims: &Value, name: &str) -> Value {
    let mut claims = claims.clone();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn signed(algorithm: Algorithm, kid: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

/// The token with one letter of one of its parts changed.
fn tampered(token: &str, part: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let middle = parts[part].len() / 2;
    let other = if &parts[part][middle..=middle] == "A" { "B" } else { "A" };
    parts[part].replace_range(middle..=middle, other);
    parts.join(".")
}

#[test]
fn an_access_token_tells_whose_it_is() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let recognized = by_bearer(&world, &tokens.access).unwrap();
    assert_eq!(recognized.caller, Caller::account(&anna));
    assert_eq!(recognized.session, Some(tokens.session.id));
    let whole = world.now().timestamp();
    assert_eq!(recognized.ends_at.unwrap().timestamp(), whole + ACCESS_MINUTES * 60);
}

#[test]
fn an_access_token_holds_for_its_minutes_and_not_a_second_more() {
    let (world, _) = world();
    world.clock.set(Instant::from_timestamp(1_800_000_000, 0).unwrap());
    let tokens = tokens(&world);
    world.clock.advance(TimeDelta::minutes(ACCESS_MINUTES) - TICK);
    assert!(by_bearer(&world, &tokens.access).is_some());
    world.clock.advance(TICK);
    assert_eq!(by_bearer(&world, &tokens.access), None);
}

#[test]
fn an_access_token_says_that_it_ends_with_its_session_when_that_is_sooner() {
    let (world, _) = world();
    let end = world.now() + TimeDelta::days(SESSION_DAYS_MAX);
    let last = renewed_until(&world, tokens(&world), end - TimeDelta::minutes(1));
    assert_eq!(last.session.expires_at, end);
    assert_eq!(by_bearer(&world, &last.access).unwrap().ends_at, Some(end));
}

#[test]
fn a_token_that_is_signed_as_ours_are_is_recognized() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let (kid, key) = key(&world);
    let forged = signed(Algorithm::EdDSA, Some(&kid), &claims(&world, &anna, &tokens), &key);
    assert_eq!(by_bearer(&world, &forged).unwrap().caller, Caller::account(&anna));
}

#[test]
fn a_token_in_which_a_letter_was_changed_is_not_recognized() {
    let (world, _) = world();
    let tokens = tokens(&world);
    for part in 0..3 {
        assert_eq!(by_bearer(&world, &tampered(&tokens.access, part)), None, "part {part}");
    }
}

#[test]
fn a_token_with_the_claims_of_another_is_not_recognized() {
    let (world, _) = world();
    let [first, second] = [(), ()].map(|()| tokens(&world).access);
    let parts = |token: &str| -> Vec<String> { token.split('.').map(str::to_owned).collect() };
    let (first, second) = (parts(&first), parts(&second));
    assert_eq!(by_bearer(&world, &format!("{}.{}.{}", first[0], second[1], first[2])), None);
}

#[test]
fn a_token_that_names_another_key_or_none_is_not_recognized() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let (claims, (_, key)) = (claims(&world, &anna, &tokens), key(&world));
    for kid in [None, Some(""), Some("0123456789abcdef")] {
        assert_eq!(by_bearer(&world, &signed(Algorithm::EdDSA, kid, &claims, &key)), None, "{kid:?}");
    }
}

#[test]
fn a_token_of_another_signer_is_not_recognized_whatever_key_it_names() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let (other, _) = self::world();
    other.app.chance.draw();
    super::tokens(&other);
    let ((kid, ours), (_, theirs)) = (key(&world), key(&other));
    assert_ne!(ours.as_bytes(), theirs.as_bytes());
    let forged = signed(Algorithm::EdDSA, Some(&kid), &claims(&world, &anna, &tokens), &theirs);
    assert_eq!(by_bearer(&world, &forged), None);
}

/// The public key is no secret, so nothing that is signed with it as if it were one may count.
#[test]
fn a_token_that_is_signed_with_the_public_key_as_a_secret_is_not_recognized() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let (kid, key) = key(&world);
    let public = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
    let AlgorithmParameters::OctetKeyPair(public) = public.algorithm else { panic!("it is of Ed25519") };
    let raw = BASE64_URL_SAFE_NO_PAD.decode(&public.x).unwrap();
    // As in a file of a public key (RFC 8410).
    let der = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".as_slice(), &raw].concat();
    let claims = claims(&world, &anna, &tokens);
    for secret in [public.x.as_bytes(), &raw, &der] {
        for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
            let forged = signed(algorithm, Some(&kid), &claims, &EncodingKey::from_secret(secret));
            assert_eq!(by_bearer(&world, &forged), None);
        }
    }
}

#[test]
fn a_token_without_a_signature_is_not_recognized() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let (kid, _) = key(&world);
    let claims = claims(&world, &anna, &tokens).to_string();
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    for algorithm in ["none", "None", "NONE", "", "EdDSA"] {
        let head = json!({"typ": "JWT", "alg": algorithm, "kid": kid}).to_string();
        let unsigned = format!("{}.{}", part(&head), part(&claims));
        for forged in [format!("{unsigned}."), unsigned] {
            assert_eq!(by_bearer(&world, &forged), None, "{algorithm}");
        }
    }
}

#[test]
fn a_token_that_says_anything_but_what_ours_say_is_not_recognized() {
    let (world, anna) = world();
    let tokens = tokens(&world);
    let ivan = create(&world, "ivan", None);
    let (kid, key) = key(&world);
    let good = claims(&world, &anna, &tokens);
    let now = world.now().timestamp();
    let bad = [
        with(&good, "iss", json!("another")),
        without(&good, "iss"),
        with(&good, "sub", json!(ivan.id.to_string())),
        with(&good, "sub", json!("anna")),
        without(&good, "sub"),
        with(&good, "sid", json!(999)),
        without(&good, "sid"),
        with(&good, "exp", json!(now)),
        without(&good, "exp"),
        with(&good, "iat", json!(now + 60)),
        without(&good, "iat"),
    ];
    for claims in bad {
        let forged = signed(Algorithm::EdDSA, Some(&kid), &claims, &key);
        assert_eq!(by_bearer(&world, &forged), None, "{claims}");
    }
}

#[test]
fn what_is_no_token_at_all_is_not_recognized() {
    let (world, _) = world();
    for text in ["", ".", "..", "a.b.c", "Bearer x", "\u{0}", &"a".repeat(10_000)] {
        assert_eq!(by_bearer(&world, text), None, "{text}");
    }
}

#[test]
fn what_a_key_signed_holds_until_its_end_when_the_next_one_comes_in_time() {
    let (world, _) = world();
    let first = tokens(&world);
    world.clock.advance(TimeDelta::days(30) - TimeDelta::minutes(1));
    let old = tokens(&world);
    assert_eq!(kid(&first.access), kid(&old.access));
    world.clock.advance(TimeDelta::minutes(1));
    let new = tokens(&world);
    assert_ne!(kid(&old.access), kid(&new.access));
    assert!(by_bearer(&world, &old.access).is_some() && by_bearer(&world, &new.access).is_some());
}

#[test]
fn what_the_keys_before_signed_is_taken_no_more_after_a_rotation_by_hand() {
    let (world, _) = world();
    let old = tokens(&world);
    assert!(by_bearer(&world, &old.access).is_some());
    signatures::rotate(&world.app, &testkit::caller()).unwrap();
    assert_eq!(by_bearer(&world, &old.access), None);
    // Nobody is signed out: the next access token is good.
    let new = refresh(&world, &old).unwrap();
    assert_ne!(kid(&old.access), kid(&new.access));
    assert!(by_bearer(&world, &new.access).is_some());
}

#[test]
fn whoever_may_not_operate_the_service_rotates_nothing() {
    let (world, anna) = world();
    let old = tokens(&world);
    assert!(matches!(signatures::rotate(&world.app, &Caller::account(&anna)), Err(Error::Forbidden(_))));
    assert!(by_bearer(&world, &old.access).is_some());
}

#[test]
fn a_key_signs_for_a_month() {
    let (world, _) = world();
    let kid_now = || kid(&tokens(&world).access);
    let first = kid_now();
    world.clock.advance(TimeDelta::days(30) - TICK);
    assert_eq!(kid_now(), first);
    world.clock.advance(TICK);
    let second = kid_now();
    assert_ne!(second, first);
    assert_eq!(kid_now(), second);
}

#[test]
fn another_node_recognizes_what_this_one_signed() {
    let store = FailingStore::default();
    let (here, anna) = world_on(World::on(Box::new(store.clone())));
    let there = World::on(Box::new(store));
    let first = tokens(&here);
    assert_eq!(by_bearer(&there, &first.access).unwrap().caller, Caller::account(&anna));
    signatures::rotate(&here.app, &testkit::caller()).unwrap();
    let second = tokens(&here);
    assert!(by_bearer(&there, &second.access).is_some());
    assert_eq!(by_bearer(&there, &first.access), None);
}

#[test]
fn two_nodes_sign_with_the_same_key() {
    let store = FailingStore::default();
    let (here, _) = world_on(World::on(Box::new(store.clone())));
    let there = World::on(Box::new(store));
    let first = tokens(&here);
    let second = refresh(&there, &first).unwrap();
    assert_eq!(kid(&first.access), kid(&second.access));
    assert!(by_bearer(&here, &second.access).is_some());
}

#[test]
fn what_a_node_signs_is_recognized_by_another_however_often_that_drew_a_key() {
    let store = FailingStore::default();
    let (here, _) = world_on(World::on(Box::new(store.clone())));
    let there = World::on(Box::new(store));
    let first = tokens(&there);
    for _ in 0..5 {
        signatures::rotate(&here.app, &testkit::caller()).unwrap();
    }
    let second = refresh(&there, &first).unwrap();
    for world in [&here, &there] {
        world.clock.advance(TimeDelta::seconds(1));
    }
    assert!(by_bearer(&here, &second.access).is_some());
}
