//! Signing in by a provider: who is let in, who gets an account, and what does not come back.

#![allow(clippy::unwrap_used)]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use domain::{Account, Action, AuditRow, Caller, Identity, Instant, Login, Role, Secret, SecretKind, SessionId};
use testkit::World;
use usecases::{
    Error, Expected, Subject,
    accounts::{self, ChangeAccount, CreateAccount},
    audit,
    ports::{AuditQuery, Journey, Proven, ProviderError, Providers},
    sessions::{self, Begun},
    sign_ins::{self, Arrival, Departure, MINUTES, Return},
};

const CALLBACK: &str = "https://strata.example/callback";

/// A provider `idp` that vouches for whom the test says, and `other`, which is the same; its clones are the same.
#[derive(Clone, Default)]
struct ManualProviders(Arc<Mutex<Vouching>>);

#[derive(Default)]
struct Vouching {
    answer: Answer,
    /// By state, what each browser went with.
    journeys: HashMap<String, Journey>,
}

#[derive(Default)]
enum Answer {
    Is(Proven),
    #[default]
    Refused,
    Unavailable,
}

impl ManualProviders {
    fn answer(&self, answer: Answer) {
        self.0.lock().unwrap().answer = answer;
    }
}

impl Providers for ManualProviders {
    fn list(&self) -> Vec<(String, String)> {
        ["idp", "other"].map(|name| (name.to_owned(), name.to_owned())).to_vec()
    }

    fn address(&self, provider: &str, journey: &Journey) -> Result<String, ProviderError> {
        if !["idp", "other"].contains(&provider) {
            return Err(ProviderError::Unknown(provider.to_owned()));
        }
        self.0.lock().unwrap().journeys.insert(journey.state.clone(), journey.clone());
        Ok(format!("https://{provider}.example/?state={}", journey.state))
    }

    fn redeem(&self, _: &str, code: &str, journey: &Journey, _: Instant) -> Result<Proven, ProviderError> {
        let vouching = self.0.lock().unwrap();
        assert_eq!(code, "code");
        assert_eq!(vouching.journeys.get(&journey.state), Some(journey), "who comes back is who went");
        match &vouching.answer {
            Answer::Is(proven) => Ok(proven.clone()),
            Answer::Refused => Err(ProviderError::Refused("the code was wrong".to_owned())),
            Answer::Unavailable => Err(ProviderError::Unavailable("no answer".to_owned())),
        }
    }
}

/// A world with a provider that vouches for somebody without an address.
fn world() -> (World, ManualProviders) {
    let mut world = World::in_memory();
    let providers = ManualProviders::default();
    world.app.providers = Box::new(providers.clone());
    providers.answer(is("s1", None));
    (world, providers)
}

fn is(subject: &str, email: Option<&str>) -> Answer {
    Answer::Is(Proven { subject: subject.to_owned(), email: email.map(str::to_owned) })
}

fn identity(subject: &str) -> Identity {
    Identity::new("idp", subject).unwrap()
}

fn create(world: &World, login: &str) -> Account {
    let login = Login::parse(login).unwrap();
    let command = CreateAccount { login, role: Role::Analyst, sees_persons: false, password: None };
    world.act(|act| accounts::create(act, command)).unwrap()
}

/// An account that is known by an identity.
fn linked(world: &World, login: &str, subject: &str) -> Account {
    let account = create(world, login);
    world.act(|act| accounts::link(act, account.id, &identity(subject))).unwrap();
    account
}

fn disable(world: &World, account: &Account) {
    let command = ChangeAccount { disabled: Some(true), ..ChangeAccount::default() };
    world.act(|act| accounts::change(act, account.id, &Expected::Any, command)).unwrap();
}

fn depart(world: &World) -> Departure {
    sign_ins::depart(&world.app, "idp", CALLBACK, None).unwrap()
}

/// A session that the account began by a link.
fn session_of(world: &World, account: &Account) -> SessionId {
    let (_, link) = world.act(|act| accounts::make_link(act, account.id)).unwrap();
    sessions::sign_in_by_link(&world.app, link.reveal()).unwrap().session.id
}

fn depart_to_link(world: &World, account: &Account) -> Departure {
    let session = session_of(world, account);
    sign_ins::depart(&world.app, "idp", CALLBACK, Some((&Caller::account(account), Some(session)))).unwrap()
}

fn back<'a>(state: &'a Secret, domains: &'a [String]) -> Return<'a> {
    let state = state.reveal();
    Return { provider: "idp", code: "code", state, kept_state: state, redirect_uri: CALLBACK, domains }
}

fn arrive(world: &World, departure: &Departure) -> Result<Arrival, Error> {
    sign_ins::arrive(&world.app, &back(&departure.state, &[]))
}

fn sign_in(world: &World) -> Result<Begun, Error> {
    sign_in_of(world, &[])
}

/// As it is where people of these domains get accounts.
fn sign_in_of(world: &World, domains: &[&str]) -> Result<Begun, Error> {
    let domains: Vec<String> = domains.iter().map(|domain| (*domain).to_owned()).collect();
    match sign_ins::arrive(&world.app, &back(&depart(world).state, &domains))? {
        Arrival::SignedIn(begun) => Ok(begun),
        Arrival::Linked(identity) => panic!("nobody wanted to link {identity:?}"),
    }
}

fn noted(world: &World, action: Action) -> Vec<AuditRow> {
    let query = AuditQuery { action: Some(action), ..AuditQuery::default() };
    world.look(|look| audit::list(look, &query, 100))
}

fn count(world: &World) -> u64 {
    world.look(|look| accounts::count(look, &Default::default()))
}

fn is_refused<T>(ended: Result<T, Error>) -> bool {
    matches!(ended, Err(Error::Unauthenticated(_)))
}

mod signing_in {
    use super::*;

    #[test]
    fn an_identity_that_nobody_knows_is_refused_and_noted() {
        let (world, providers) = world();
        providers.answer(is("s1", Some("anna@example.com")));
        assert!(is_refused(sign_in(&world)));
        assert_eq!(count(&world), 0);
        let rows = noted(&world, Action::SessionRefused);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].entry.subject, "sign_in");
        assert_eq!(rows[0].entry.detail, r#"{"means":"idp","why":"nobody may sign in with this identity"}"#);
    }

    #[test]
    fn a_linked_identity_signs_in() {
        let (world, _) = world();
        let anna = linked(&world, "anna", "s1");
        let begun = sign_in(&world).unwrap();
        assert_eq!((begun.account, begun.session.means.as_str()), (anna.clone(), "idp"));
        let recognized = sessions::recognize_cookie(&world.app, begun.secret.reveal()).unwrap();
        assert_eq!(recognized.unwrap().caller, Caller::account(&anna));
    }

    #[test]
    fn a_linked_identity_signs_in_whatever_its_address_is_by_now() {
        let (world, providers) = world();
        let anna = linked(&world, "anna@example.com", "s1");
        for email in [None, Some("anna@example.com"), Some("anna@elsewhere.com"), Some("ivan@example.com")] {
            providers.answer(is("s1", email));
            assert_eq!(sign_in(&world).unwrap().account.id, anna.id, "{email:?}");
        }
        assert_eq!(count(&world), 1);
    }

    #[test]
    fn an_identity_of_one_provider_is_none_of_another() {
        let (world, _) = world();
        let anna = create(&world, "anna");
        let elsewhere = Identity::new("other", "s1").unwrap();
        world.act(|act| accounts::link(act, anna.id, &elsewhere)).unwrap();
        assert!(is_refused(sign_in(&world)));
    }

    #[test]
    fn a_disabled_account_is_refused() {
        let (world, _) = world();
        disable(&world, &linked(&world, "anna", "s1"));
        assert!(is_refused(sign_in(&world)));
        assert_eq!((noted(&world, Action::SessionRefused).len(), noted(&world, Action::SessionBegun).len()), (1, 0));
    }

    #[test]
    fn an_identity_that_was_unlinked_or_whose_account_was_deleted_is_refused() {
        let (world, _) = world();
        let anna = linked(&world, "anna", "s1");
        world.act(|act| accounts::unlink(act, anna.id, &identity("s1"))).unwrap();
        assert!(is_refused(sign_in(&world)));
        world.act(|act| accounts::link(act, anna.id, &identity("s1"))).unwrap();
        sign_in(&world).unwrap();
        world.act(|act| accounts::delete(act, anna.id, &Expected::Any)).unwrap();
        assert!(is_refused(sign_in(&world)));
    }

    #[test]
    fn whom_the_provider_does_not_vouch_for_is_refused_and_noted() {
        let (world, providers) = world();
        providers.answer(Answer::Refused);
        assert!(is_refused(sign_in(&world)));
        let rows = noted(&world, Action::SessionRefused);
        assert_eq!(rows[0].entry.detail, r#"{"means":"idp","why":"the code was wrong"}"#);
    }

    #[test]
    fn a_subject_that_cannot_be_kept_is_refused() {
        let (world, providers) = world();
        for subject in ["", "a\u{0}b", &"a".repeat(256)] {
            providers.answer(is(subject, Some("anna@example.com")));
            assert!(is_refused(sign_in_of(&world, &["example.com"])), "{subject:?}");
        }
        assert_eq!(count(&world), 0);
    }
}

mod newcomers {
    use super::*;

    #[test]
    fn people_of_a_domain_get_an_account_of_the_lowest_role() {
        let (world, providers) = world();
        providers.answer(is("s1", Some("Anna@Example.com")));
        let account = sign_in_of(&world, &["other.com", "example.com"]).unwrap().account;
        assert_eq!((account.login.as_str(), account.role), ("Anna@Example.com", Role::Viewer));
        assert!(!account.sees_persons && account.password.is_none());
        assert_eq!(world.look(|look| accounts::identities(look, account.id)), [identity("s1")]);
    }

    #[test]
    fn a_newcomer_is_noted() {
        let (world, providers) = world();
        providers.answer(is("s1", Some("anna@example.com")));
        let id = sign_in_of(&world, &["example.com"]).unwrap().account.id;
        let rows = world.look(|look| accounts::history(look, id, None, 100));
        let actions: Vec<Action> = rows.iter().map(|row| row.entry.action).collect();
        assert_eq!(actions, [Action::AccountCreated, Action::IdentityLinked, Action::SessionBegun]);
    }

    #[test]
    fn whoever_came_once_comes_back_to_the_same_account() {
        let (world, providers) = world();
        providers.answer(is("s1", Some("anna@example.com")));
        let first = sign_in_of(&world, &["example.com"]).unwrap().account;
        // Also when no more newcomers are taken.
        assert_eq!(sign_in(&world).unwrap().account, first);
        assert_eq!(count(&world), 1);
    }

    #[test]
    fn people_of_other_domains_get_none() {
        let (world, providers) = world();
        let addresses = [
            None,
            Some(""),
            Some("anna"),
            Some("example.com"),
            Some("anna@"),
            Some("anna@sub.example.com"),
            Some("anna@notexample.com"),
            Some("anna@example.com.evil.org"),
            Some("anna@example.com@evil.org"),
            Some("anna b@example.com"),
        ];
        for email in addresses {
            providers.answer(is("s1", email));
            assert!(is_refused(sign_in_of(&world, &["example.com"])), "{email:?}");
        }
        assert_eq!((count(&world), noted(&world, Action::SessionRefused).len()), (0, addresses.len()));
    }

    #[test]
    fn an_account_is_not_given_away_for_its_address() {
        let (world, providers) = world();
        let anna = create(&world, "anna@example.com");
        for email in ["anna@example.com", "ANNA@example.com"] {
            providers.answer(is("s1", Some(email)));
            assert!(is_refused(sign_in_of(&world, &["example.com"])), "{email}");
        }
        assert_eq!(world.look(|look| accounts::identities(look, anna.id)), []);
        assert_eq!(count(&world), 1);
    }
}

mod linking {
    use super::*;

    #[test]
    fn the_account_that_went_is_known_by_the_identity_from_then_on() {
        let (world, _) = world();
        let anna = create(&world, "anna");
        let arrived = arrive(&world, &depart_to_link(&world, &anna)).unwrap();
        assert!(matches!(arrived, Arrival::Linked(linked) if linked == identity("s1")));
        assert_eq!(sign_in(&world).unwrap().account, anna);
    }

    #[test]
    fn a_link_is_noted_and_begins_no_session() {
        let (world, _) = world();
        let anna = create(&world, "anna");
        arrive(&world, &depart_to_link(&world, &anna)).unwrap();
        let rows = noted(&world, Action::IdentityLinked);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].entry.actor.as_str(), "anna");
        let detail = format!(r#"{{"account":{},"provider":"idp","subject":"s1"}}"#, anna.id);
        assert_eq!((&rows[0].entry.subject, &rows[0].entry.detail), (&format!("account/{}", anna.id), &detail));
        // But for the one that the account had.
        assert_eq!(noted(&world, Action::SessionBegun).len(), 1);
    }

    #[test]
    fn to_link_what_is_linked_already_changes_nothing() {
        let (world, _) = world();
        let anna = linked(&world, "anna", "s1");
        arrive(&world, &depart_to_link(&world, &anna)).unwrap();
        assert_eq!(noted(&world, Action::IdentityLinked).len(), 1);
    }

    #[test]
    fn an_identity_of_another_account_stays_there() {
        let (world, _) = world();
        let (anna, ivan) = (linked(&world, "anna", "s1"), create(&world, "ivan"));
        let refused = arrive(&world, &depart_to_link(&world, &ivan)).map(drop);
        assert!(matches!(refused, Err(Error::Conflict(_))));
        assert_eq!(sign_in(&world).unwrap().account, anna);
    }

    #[test]
    fn an_account_that_is_disabled_or_deleted_meanwhile_is_not_linked() {
        let (world, _) = world();
        let anna = create(&world, "anna");
        let [first, second] = [(), ()].map(|()| depart_to_link(&world, &anna));
        disable(&world, &anna);
        assert!(is_refused(arrive(&world, &first)));
        world.act(|act| accounts::delete(act, anna.id, &Expected::Any)).unwrap();
        assert!(is_refused(arrive(&world, &second)));
        assert_eq!(noted(&world, Action::IdentityLinked).len(), 0);
    }

    #[test]
    fn whoever_is_signed_out_meanwhile_links_nothing() {
        let (world, _) = world();
        let anna = create(&world, "anna");
        let departure = depart_to_link(&world, &anna);
        world.act(|act| accounts::sign_out(act, anna.id)).unwrap();
        assert!(is_refused(arrive(&world, &departure)));
        assert_eq!(noted(&world, Action::IdentityLinked).len(), 0);
    }

    #[test]
    fn only_an_account_goes_to_be_linked() {
        let (world, _) = world();
        for caller in [testkit::caller(), Caller::anybody()] {
            let refused = sign_ins::depart(&world.app, "idp", CALLBACK, Some((&caller, None))).map(drop);
            assert!(matches!(refused, Err(Error::Conflict(_))));
        }
    }
}

mod states {
    use super::*;

    #[test]
    fn each_departure_has_a_state_of_its_own() {
        let (world, providers) = world();
        let [first, second] = [(), ()].map(|()| depart(&world));
        assert!(first.state != second.state && first.address.ends_with(first.state.reveal()));
        let journeys = &providers.0.lock().unwrap().journeys;
        let [first, second] = [&first, &second].map(|departure| &journeys[departure.state.reveal()]);
        assert_ne!(first.nonce, second.nonce);
        assert_ne!(first.verifier, second.verifier);
        // RFC 7636 asks for 43 to 128 of such characters.
        assert!(first.verifier.len() >= 43 && first.verifier.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(first.nonce, first.verifier);
    }

    #[test]
    fn a_state_that_was_never_given_is_refused_and_leaves_no_row() {
        let (world, _) = world();
        linked(&world, "anna", "s1");
        let unknown = Secret::new(SecretKind::State, [9; 20]);
        assert!(is_refused(sign_ins::arrive(&world.app, &back(&unknown, &[]))));
        let departure = depart(&world);
        for state in ["", "x", &departure.state.reveal()[1..]] {
            let back = Return { state, kept_state: state, ..back(&departure.state, &[]) };
            assert!(is_refused(sign_ins::arrive(&world.app, &back)), "{state}");
        }
        assert!(noted(&world, Action::SessionRefused).is_empty());
    }

    #[test]
    fn a_state_of_another_browser_is_refused() {
        let (world, _) = world();
        linked(&world, "anna", "s1");
        let [mine, anothers] = [(), ()].map(|()| depart(&world).state);
        for kept_state in [anothers.reveal(), ""] {
            let back = Return { kept_state, ..back(&mine, &[]) };
            assert!(is_refused(sign_ins::arrive(&world.app, &back)));
        }
    }

    #[test]
    fn a_state_that_comes_again_is_refused() {
        let (world, _) = world();
        linked(&world, "anna", "s1");
        let departure = depart(&world);
        arrive(&world, &departure).unwrap();
        assert!(is_refused(arrive(&world, &departure)));
        assert_eq!(noted(&world, Action::SessionBegun).len(), 1);
    }

    #[test]
    fn a_state_holds_for_its_minutes() {
        let (world, _) = world();
        linked(&world, "anna", "s1");
        let [first, second] = [(), ()].map(|()| depart(&world));
        world.clock.advance(TimeDelta::minutes(MINUTES) - TimeDelta::microseconds(1));
        arrive(&world, &first).unwrap();
        world.clock.advance(TimeDelta::microseconds(1));
        assert!(is_refused(arrive(&world, &second)));
    }

    #[test]
    fn a_state_of_one_provider_does_not_come_back_from_another() {
        let (world, _) = world();
        linked(&world, "anna", "s1");
        let departure = depart(&world);
        let elsewhere = Return { provider: "other", ..back(&departure.state, &[]) };
        assert!(is_refused(sign_ins::arrive(&world.app, &elsewhere)));
        assert!(is_refused(arrive(&world, &departure)));
    }

    #[test]
    fn a_provider_that_does_not_answer_uses_the_state_up() {
        let (world, providers) = world();
        linked(&world, "anna", "s1");
        let departure = depart(&world);
        providers.answer(Answer::Unavailable);
        assert!(matches!(arrive(&world, &departure), Err(Error::Provider(why)) if why == "no answer"));
        providers.answer(is("s1", None));
        assert!(is_refused(arrive(&world, &departure)));
        sign_in(&world).unwrap();
    }

    #[test]
    fn a_refusal_uses_the_state_up() {
        let (world, _) = world();
        let departure = depart(&world);
        assert!(is_refused(arrive(&world, &departure)));
        linked(&world, "anna", "s1");
        assert!(is_refused(arrive(&world, &departure)));
    }

    #[test]
    fn nobody_goes_to_a_provider_that_there_is_not() {
        let (world, _) = world();
        let refused = sign_ins::depart(&world.app, "nobody", CALLBACK, None).map(drop);
        assert!(matches!(refused, Err(Error::NotFound(Subject::Provider, names)) if names == ["nobody"]));
    }

    #[test]
    fn states_that_never_came_back_are_forgotten_in_time() {
        let (world, _) = world();
        depart(&world);
        let forget = || world.act(|act| sessions::forget(act, 10)).unwrap();
        assert_eq!(forget(), 0);
        world.clock.advance(TimeDelta::days(31));
        assert_eq!((forget(), forget()), (1, 0));
    }
}
