//! Signing in by Yandex ID and by OpenID Connect, with a browser and a provider that are real enough: the provider is a
//! process of its own, at an address of this machine, and looks at whatever a strict one would.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader, Write},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    client::{Answer, Client},
    server::{Engine, Place, Server, on_both_engines, strata},
};

on_both_engines!(
    a_known_identity_signs_in,
    the_key_is_the_id_and_not_the_address,
    whoever_is_not_known_is_refused,
    an_address_of_a_domain_gets_an_account,
    what_was_not_begun_in_this_browser_is_refused,
    a_state_holds_once_and_for_one_provider,
    of_two_who_return_at_once_with_one_state_one_gets_in,
    two_who_come_at_once_for_the_first_time_are_one_account,
    an_account_links_an_identity,
    an_identity_of_another_account_is_not_moved,
    a_disabled_account_is_refused,
);

const CLIENT_ID: &str = "strata-tests";
const CLIENT_SECRET: &str = "the-secret-of-the-client";
const BOTH: [&str; 2] = ["oidc", "yandex"];

// The provider.

struct Provider {
    child: Child,
    /// What it is told, and what it answers.
    talk: RefCell<(ChildStdin, BufReader<ChildStdout>)>,
    issuer: String,
}

impl Provider {
    fn start() -> Provider {
        Provider::launch("0", "RS256", CLIENT_SECRET)
    }

    fn launch(port: &str, algorithm: &str, client_secret: &str) -> Provider {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers/provider.mjs");
        let mut command = Command::new("node");
        command.arg(script).arg(installed()).args([port, algorithm, CLIENT_ID, client_secret]);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap_or_else(|error| needs("node", &error));
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut issuer = String::new();
        said.read_line(&mut issuer).unwrap();
        let issuer = issuer.trim().to_owned();
        assert!(issuer.starts_with("http://127.0.0.1:"), "the provider did not start: {issuer:?}");
        let talk = RefCell::new((child.stdin.take().unwrap(), said));
        Provider { child, talk, issuer }
    }

    /// Ends it, and gives its port.
    fn stop(&mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.issuer.rsplit_once(':').unwrap().1.to_owned()
    }

    /// Tells it what to do from now on.
    fn told(&self, line: &str) -> String {
        let (tell, said) = &mut *self.talk.borrow_mut();
        writeln!(tell, "{line}").unwrap();
        let mut answer = String::new();
        said.read_line(&mut answer).unwrap();
        let answer = answer.strip_prefix("done ").unwrap_or_else(|| panic!("told {line}, the provider says {answer}"));
        answer.trim().to_owned()
    }

    /// Who sits at the browser.
    fn has(&self, subject: &str, email: &str) {
        self.told(&format!("subject {subject}"));
        self.told(format!("email {email}").trim());
    }

    fn issued(&self) -> Value {
        serde_json::from_str(&self.told("issued")).unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A folder that has the provider's package, fetched by npm when it is not there.
fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
        let package: Value = serde_json::from_slice(&fs::read(source.join("package.json")).unwrap()).unwrap();
        let version = package["dependencies"]["oauth2-mock-server"].as_str().unwrap();
        let folder = cache().join(format!("strata/oauth2-mock-server-{version}"));
        if !folder.join("node_modules/oauth2-mock-server").is_dir() {
            install(&source, &folder);
        }
        folder
    })
}

fn cache() -> PathBuf {
    let given = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    given.unwrap_or_else(|| Path::new(&env::var_os("HOME").expect("HOME or XDG_CACHE_HOME is set")).join(".cache"))
}

fn install(source: &Path, folder: &Path) {
    // Another test process may be installing too: each does it aside, and the first one's takes the place.
    let aside = folder.with_extension(std::process::id().to_string());
    fs::create_dir_all(&aside).unwrap();
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), aside.join(name)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--prefix"]).arg(&aside);
    let output = npm.output().unwrap_or_else(|error| needs("npm", &error));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{npm:?}` failed:\n{told}");
    if fs::rename(&aside, folder).is_err() {
        fs::remove_dir_all(&aside).unwrap();
    }
}

fn needs(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "`{program}` cannot be started ({error}): this test runs a provider of identities, which needs Node.js 20 or later \
         with npm (https://nodejs.org, or `apt install nodejs npm`)"
    )
}

// The browser.

const FROM: &str = "x-forwarded-for";
static ADDRESSES: AtomicU32 = AtomicU32::new(0x0a00_0001);

/// Keeps cookies, and follows where it is led step by step.
struct Browser {
    client: Client,
    base: String,
    cookies: RefCell<BTreeMap<String, Cookie>>,
    /// What it likes to be answered with.
    accept: Cell<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cookie {
    value: String,
    path: String,
}

impl Browser {
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let whole = path.strip_prefix('/').filter(|path| path.starts_with('/')).map(str::to_owned);
        let whole = whole.unwrap_or_else(|| format!("/api/v1{path}"));
        let cookies = self.cookies.borrow();
        let sent = cookies.iter().filter(|(_, cookie)| whole.starts_with(&cookie.path));
        let sent: Vec<String> = sent.map(|(name, cookie)| format!("{name}={}", cookie.value)).collect();
        let sent = sent.join("; ");
        drop(cookies);
        let mut all = vec![("accept", self.accept.get()), ("cookie", sent.as_str())];
        all.retain(|(_, value)| !value.is_empty());
        // Comes from another address each time, or else one test is taken for an attack.
        let address = Ipv4Addr::from(ADDRESSES.fetch_add(1, Ordering::Relaxed)).to_string();
        if !headers.iter().any(|(name, _)| *name == FROM) {
            all.push((FROM, &address));
        }
        all.extend(headers);
        let mut bytes = Vec::new();
        if !body.is_null() {
            all.push(("content-type", "application/json"));
            bytes = body.to_string().into_bytes();
        }
        let answer = self.client.send(method, path, &all, &bytes);
        self.keep_cookies(&answer);
        answer
    }

    fn keep_cookies(&self, answer: &Answer) {
        for header in answer.headers.get_all("set-cookie") {
            let mut parts = header.to_str().unwrap().split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let attributes: BTreeMap<&str, &str> =
                parts.map(|part| part.split_once('=').unwrap_or((part, ""))).collect();
            // Scripts do not see it, and pages of others do not send it along with what changes something.
            assert!(attributes.contains_key("HttpOnly") && attributes["SameSite"] == "Lax", "{header:?}");
            if attributes["Max-Age"] == "0" {
                self.cookies.borrow_mut().remove(name);
            } else {
                let cookie = Cookie { value: value.to_owned(), path: attributes["Path"].to_owned() };
                self.cookies.borrow_mut().insert(name.to_owned(), cookie);
            }
        }
    }

    fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &Value::Null)
    }

    fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).map(|cookie| cookie.value.clone())
    }

    /// Begins to sign in; the address of the provider.
    fn departs(&self, provider: &str) -> String {
        let answer = self.get(&format!("/auth/providers/{provider}"));
        assert_eq!((answer.status, answer.header("cache-control")), (303, Some("no-store")), "{}", answer.text);
        answer.header("location").unwrap().to_owned()
    }

    /// Goes to the provider; the address that it leads back to.
    fn visits(&self, address: &str) -> String {
        let at = address.find("://").unwrap() + 3;
        let (origin, path) = address.split_at(at + address[at..].find('/').unwrap());
        let answer = Client::new(origin.to_owned()).get(&format!("/{path}"));
        assert_eq!(answer.status, 302, "{}", answer.text);
        answer.header("location").unwrap().to_owned()
    }

    /// Comes back from the provider.
    fn returns(&self, address: &str) -> Answer {
        let path = address.strip_prefix(&self.base).unwrap_or_else(|| panic!("led to {address}"));
        self.get(&format!("/{path}"))
    }

    /// As far as the provider: the address that it leads back to.
    fn goes(&self, provider: &str) -> String {
        self.visits(&self.departs(provider))
    }

    /// All the way.
    fn signs_in(&self, provider: &str) -> Answer {
        self.returns(&self.goes(provider))
    }

    /// The login of whoever is signed in here.
    fn login(&self) -> Option<String> {
        let answer = self.get("/accounts/me");
        match answer.status {
            200 => Some(answer.json()["account"]["login"].as_str().unwrap().to_owned()),
            status => {
                assert_eq!((status, answer.problem().as_str()), (401, "unauthenticated"));
                None
            }
        }
    }

    /// By what the session here began.
    fn means(&self) -> String {
        let sessions = self.get("/accounts/me/sessions").json();
        let current = sessions["items"].as_array().unwrap().iter().find(|session| session["current"] == true);
        current.unwrap()["means"].as_str().unwrap().to_owned()
    }

    fn csrf_token(&self) -> String {
        self.get("/accounts/me").json()["csrf_token"].as_str().unwrap().to_owned()
    }

    /// Begins to link an identity to whoever is signed in here; the address of the provider.
    fn departs_to_link(&self, provider: &str) -> String {
        let token = self.csrf_token();
        let path = format!("/auth/providers/{provider}");
        let answer = self.send("POST", &path, &[("x-csrf-token", token.as_str())], &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["address"].as_str().unwrap().to_owned()
    }

    fn links(&self, provider: &str) -> Answer {
        self.returns(&self.visits(&self.departs_to_link(provider)))
    }
}

fn leads_in(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{}", answer.text);
}

fn is_refused(browser: &Browser, answer: &Answer, status: u16, problem: &str) {
    assert_eq!((answer.status, answer.problem().as_str()), (status, problem), "{}", answer.text);
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("retry-after").is_some(), status == 503, "{:?}", answer.headers);
    assert_eq!(browser.cookie("strata"), None, "{}", answer.text);
}

fn parameters(address: &str) -> BTreeMap<String, String> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
    let pairs = address.split_once('?').unwrap().1.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// The address with another value of this parameter.
fn altered(address: &str, name: &str, value: &str) -> String {
    let (path, query) = address.split_once('?').unwrap();
    let head = format!("{name}=");
    let pairs =
        query.split('&').map(|pair| if pair.starts_with(&head) { format!("{head}{value}") } else { pair.to_owned() });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

// The service, with both kinds of provider.

struct Site {
    place: Place,
    server: Server,
    provider: Provider,
    /// By which the administrator signs in, once.
    link: String,
}

impl Site {
    fn new(engine: Engine) -> Site {
        Site::with(engine, &[])
    }

    fn with(engine: Engine, settings: &[(&str, &str)]) -> Site {
        let (place, provider) = (Place::guarded(engine), Provider::start());
        let server = place.serve_with(&[&settings_of(&provider), settings].concat());
        Site::of(place, server, provider)
    }

    fn of(place: Place, mut server: Server, provider: Provider) -> Site {
        // Whoever makes accounts before it is printed takes it away.
        let link = server.link();
        Site { place, server, provider, link }
    }

    fn browser(&self) -> Browser {
        let base = self.server.base.clone();
        Browser { client: Client::new(base.clone()), base, cookies: RefCell::default(), accept: Cell::new("") }
    }

    /// Signs in and must get in.
    fn signed_in(&self, provider: &str) -> Browser {
        let browser = self.browser();
        leads_in(&browser.signs_in(provider));
        browser
    }

    /// Signs in and must not get in, and is told so.
    fn refuses(&self, provider: &str) -> Answer {
        let browser = self.browser();
        let answer = browser.signs_in(provider);
        is_refused(&browser, &answer, 401, "unauthenticated");
        answer
    }

    fn administrator(&self) -> Browser {
        let code = self.link.rsplit_once('#').unwrap().1;
        let browser = self.browser();
        assert_eq!(browser.send("POST", "/auth/link", &[], &json!({"code": code})).status, 200);
        browser
    }

    fn account(&self, arguments: &[&str]) -> String {
        let output = self.place.run(&[&["account"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Has an account that both providers know by this id.
    fn knows(&self, login: &str, subject: &str) {
        self.account(&["create", login, "--no-password", "--role", "viewer"]);
        for provider in BOTH {
            self.account(&["identify", login, provider, subject]);
        }
    }

    fn accounts(&self) -> Vec<String> {
        self.account(&["list"]).lines().map(str::to_owned).collect()
    }
}

fn settings_of(provider: &Provider) -> [(&str, &str); 8] {
    let at = provider.issuer.as_str();
    [
        ("STRATA_OIDC_ISSUER", at),
        ("STRATA_OIDC_CLIENT_ID", CLIENT_ID),
        ("STRATA_OIDC_CLIENT_SECRET", CLIENT_SECRET),
        ("STRATA_YANDEX_CLIENT_ID", CLIENT_ID),
        ("STRATA_YANDEX_CLIENT_SECRET", CLIENT_SECRET),
        ("STRATA_YANDEX_OAUTH_URL", at),
        ("STRATA_YANDEX_LOGIN_URL", at),
        ("STRATA_TRUSTED_PROXIES", "127.0.0.1"),
    ]
}

/// The newest row of the audit log.
fn last_in_audit(administrator: &Browser) -> Value {
    administrator.get("/audit?limit=1").json()["items"][0].clone()
}

fn identities(administrator: &Browser, login: &str) -> Value {
    let accounts = administrator.get("/accounts").json();
    let account = accounts["items"].as_array().unwrap().iter().find(|account| account["login"] == login).unwrap();
    administrator.get(&format!("/accounts/{}/identities", account["id"])).json()["items"].clone()
}

// Who gets in.

fn a_known_identity_signs_in(engine: Engine) {
    let site = Site::new(engine);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for provider in BOTH {
        let (first, second) = (site.signed_in(provider), site.signed_in(provider));
        assert_eq!((first.login().as_deref(), first.means().as_str()), (Some("anna"), provider));
        assert_ne!(first.cookie("strata"), second.cookie("strata"));
        assert_eq!(first.cookie("strata-state"), None);
    }
}

fn the_key_is_the_id_and_not_the_address(engine: Engine) {
    let site = Site::new(engine);
    site.knows("anna@example.com", "42");
    for provider in BOTH {
        for email in ["anna@example.com verified", "married@example.net verified", "anna@example.com unverified", ""] {
            site.provider.has("42", email);
            assert_eq!(site.signed_in(provider).login().as_deref(), Some("anna@example.com"));
        }
        for subject in ["43", "anna@example.com", "042"] {
            site.provider.has(subject, "anna@example.com verified");
            site.refuses(provider);
        }
    }
    // The same id is somebody else's at another provider.
    site.account(&["create", "ivan", "--no-password"]);
    site.account(&["identify", "ivan", "yandex", "7"]);
    site.provider.has("7", "");
    assert_eq!(site.signed_in("yandex").login().as_deref(), Some("ivan"));
    site.refuses("oidc");
}

fn whoever_is_not_known_is_refused(engine: Engine) {
    let site = Site::new(engine);
    let administrator = site.administrator();
    let before = site.accounts();
    site.provider.has("42", "administrator@example.com verified");
    for provider in BOTH {
        let told = site.refuses(provider);
        assert!(told.text.contains("nobody may sign in with this identity"), "{}", told.text);
        let row = last_in_audit(&administrator);
        assert_eq!((&row["action"], &row["subject"]), (&json!("session.refused"), &json!("sign_in")), "{row}");
        assert_eq!(row["detail"]["means"], provider, "{row}");
    }
    assert_eq!(site.accounts(), before);
}

fn an_address_of_a_domain_gets_an_account(engine: Engine) {
    let site = Site::with(engine, &[("STRATA_SIGN_UP_DOMAINS", "Example.com,firm.example")]);
    site.account(&["create", "boss@example.com", "--no-password", "--role", "administrator"]);
    let before = site.accounts();
    for (provider, email) in [
        ("oidc", "anna@example.com unverified"),
        ("oidc", "anna@example.net verified"),
        ("oidc", "anna@mail.example.com verified"),
        ("oidc", "anna@notexample.com verified"),
        ("oidc", "anna@example.com.evil.example verified"),
        ("oidc", "anna@example.com@evil.example verified"),
        ("oidc", "example.com verified"),
        ("oidc", "anna@example.com unverified userinfo"),
        ("oidc", ""),
        ("yandex", "anna@yandex.ru verified"),
        ("yandex", ""),
        // The account is there, and is not given away for its address.
        ("oidc", "boss@example.com verified"),
        ("oidc", "BOSS@EXAMPLE.COM verified"),
        ("yandex", "boss@example.com verified"),
    ] {
        site.provider.has("42", email);
        site.refuses(provider);
        assert_eq!(site.accounts(), before, "{provider} {email}");
    }
    for (provider, subject, email, login) in [
        ("oidc", "1", "anna@example.com verified", "anna@example.com"),
        ("oidc", "2", "ivan@FIRM.example verified userinfo", "ivan@FIRM.example"),
        ("yandex", "1", "olga@firm.example verified", "olga@firm.example"),
    ] {
        site.provider.has(subject, email);
        let browser = site.signed_in(provider);
        let me = browser.get("/accounts/me").json();
        assert_eq!((&me["account"]["login"], &me["account"]["role"]), (&json!(login), &json!("viewer")), "{me}");
        assert_eq!(me["account"]["sees_persons"], false, "{me}");
        // It is the same account the next time, whatever the address is by then.
        site.provider.has(subject, "other@example.net unverified");
        assert_eq!(site.signed_in(provider).login().as_deref(), Some(login));
    }
    assert_eq!(site.accounts().len(), before.len() + 3);
    // An account that was made so is given away no more than others.
    site.provider.has("3", "anna@example.com verified");
    site.refuses("oidc");
}

fn a_disabled_account_is_refused(engine: Engine) {
    let site = Site::with(engine, &[("STRATA_SIGN_UP_DOMAINS", "example.com")]);
    site.knows("anna@example.com", "42");
    site.provider.has("42", "anna@example.com verified");
    site.signed_in("oidc");
    site.account(&["disable", "anna@example.com"]);
    BOTH.iter().for_each(|provider| drop(site.refuses(provider)));
    site.account(&["enable", "anna@example.com"]);
    site.signed_in("oidc");
}

// There and back again.

#[test]
fn the_address_of_a_provider_says_all_that_is_needed() {
    let site = Site::new(Engine::Sqlite);
    for (provider, scope, has_nonce) in [("oidc", Some("openid email"), true), ("yandex", None, false)] {
        let (first, second) = (site.browser(), site.browser());
        let address = first.departs(provider);
        assert!(address.starts_with(&format!("{}/authorize?", site.provider.issuer)), "{address}");
        let said = parameters(&address);
        let text = |name: &str| said.get(name).map(String::as_str);
        assert_eq!(text("response_type"), Some("code"));
        assert_eq!(text("client_id"), Some(CLIENT_ID));
        assert_eq!(text("code_challenge_method"), Some("S256"));
        assert_eq!(text("code_challenge").map(str::len), Some(43));
        let back = format!("{}/api/v1/auth/providers/{provider}/callback", site.server.base);
        assert_eq!(text("redirect_uri"), Some(back.as_str()));
        assert_eq!(text("state").map(str::to_owned), first.cookie("strata-state"));
        assert_eq!(text("scope"), scope);
        assert_eq!(text("nonce").is_some(), has_nonce);
        // Nothing is guessed from the one before.
        let next = parameters(&second.departs(provider));
        for name in ["state", "code_challenge", "nonce"].iter().filter(|name| said.contains_key(**name)) {
            assert!(said[*name] != next[*name] && said[*name].len() >= 32, "{name}: {} {}", said[*name], next[*name]);
        }
    }
}

#[test]
fn behind_a_public_address_providers_lead_back_to_it() {
    let site = Site::with(Engine::Sqlite, &[("STRATA_PUBLIC_URL", "https://strata.example/")]);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for provider in BOTH {
        let browser = site.browser();
        let address = browser.departs(provider);
        assert_eq!(browser.cookie("__Host-strata-state").as_deref(), Some(parameters(&address)["state"].as_str()));
        let back = browser.visits(&address);
        let path = back.strip_prefix("https://strata.example/api/v1/auth/").unwrap_or_else(|| panic!("led to {back}"));
        let answer = browser.get(&format!("/auth/{path}"));
        leads_in(&answer);
        let cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
        let cookies: Vec<&str> = cookies.collect();
        assert!(cookies.len() == 2 && cookies.iter().all(|cookie| cookie.ends_with("; Secure")), "{cookies:?}");
        assert!(cookies.iter().any(|cookie| cookie.starts_with("__Host-strata=")), "{cookies:?}");
        assert_eq!(browser.login().as_deref(), Some("anna"));
    }
}

#[test]
fn the_providers_are_listed() {
    let site = Site::with(Engine::Sqlite, &[("STRATA_OIDC_NAME", "firm"), ("STRATA_OIDC_TITLE", "The Firm")]);
    let items = json!([
        {"provider": "yandex", "title": "Yandex ID"},
        {"provider": "firm", "title": "The Firm"},
    ]);
    let browser = site.browser();
    assert_eq!(browser.get("/auth/providers").json()["items"], items);
    is_refused(&browser, &browser.get("/auth/providers/oidc"), 404, "provider_not_found");
    site.account(&["create", "anna", "--no-password"]);
    site.account(&["identify", "anna", "firm", "42"]);
    site.provider.has("42", "");
    assert_eq!(site.signed_in("firm").means(), "firm");
}

fn what_was_not_begun_in_this_browser_is_refused(engine: Engine) {
    let site = Site::new(engine);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for provider in BOTH {
        let (own, other, fresh) = (site.browser(), site.browser(), site.browser());
        let (back, other_back) = (own.goes(provider), other.goes(provider));
        let state = &parameters(&back)["state"];
        // Without the cookie, and with that of another browser.
        is_refused(&fresh, &fresh.returns(&back), 401, "unauthenticated");
        is_refused(&other, &other.returns(&back), 401, "unauthenticated");
        // A state that nobody was given, also with a cookie that says the same.
        let last = if state.ends_with('0') { '1' } else { '0' };
        let invented = format!("{}{last}", &state[..state.len() - 1]);
        for wrong in [invented.as_str(), "", "x", "%00", &"a".repeat(5_000)] {
            is_refused(&own, &own.returns(&altered(&back, "state", wrong)), 401, "unauthenticated");
        }
        let cookie = Cookie { value: invented.clone(), path: "/".to_owned() };
        fresh.cookies.borrow_mut().insert("strata-state".to_owned(), cookie);
        is_refused(&fresh, &fresh.returns(&altered(&back, "state", &invented)), 401, "unauthenticated");
        for missing in ["state", "code"] {
            let without = altered(&back, missing, "").replace(&format!("{missing}="), "iss=");
            is_refused(&own, &own.returns(&without), 400, "invalid");
        }
        // None of it took the state from the browser that has it.
        leads_in(&own.returns(&back));
        leads_in(&other.returns(&other_back));
    }
}

fn a_state_holds_once_and_for_one_provider(engine: Engine) {
    let site = Site::new(engine);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for (provider, another) in [("oidc", "yandex"), ("yandex", "oidc")] {
        let (browser, thief) = (site.browser(), site.browser());
        let back = browser.goes(provider);
        *thief.cookies.borrow_mut() = browser.cookies.borrow().clone();
        leads_in(&browser.returns(&back));
        // Whoever saw all that the browser had comes too late.
        is_refused(&thief, &thief.returns(&back), 401, "unauthenticated");
        assert_eq!(browser.login().as_deref(), Some("anna"));

        let mixed_up = site.browser();
        let back = mixed_up.goes(provider);
        let there = back.replace(&format!("/{provider}/"), &format!("/{another}/"));
        is_refused(&mixed_up, &mixed_up.returns(&there), 401, "unauthenticated");
        is_refused(&mixed_up, &mixed_up.returns(&back), 401, "unauthenticated");
    }
}

fn of_two_who_return_at_once_with_one_state_one_gets_in(engine: Engine) {
    let site = Site::new(engine);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for provider in BOTH {
        let (first, second) = (site.browser(), site.browser());
        let back = first.goes(provider);
        *second.cookies.borrow_mut() = first.cookies.borrow().clone();
        let mut statuses = at_once([(first, back.clone()), (second, back)]).map(|answer| answer.status);
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 401]);
    }
}

fn two_who_come_at_once_for_the_first_time_are_one_account(engine: Engine) {
    let site = Site::with(engine, &[("STRATA_SIGN_UP_DOMAINS", "example.com")]);
    let before = site.accounts().len();
    site.provider.has("42", "anna@example.com verified");
    let both = [site.browser(), site.browser()].map(|browser| {
        let back = browser.goes("oidc");
        (browser, back)
    });
    at_once(both).iter().for_each(leads_in);
    assert_eq!(site.accounts().len(), before + 1);
}

fn at_once(both: [(Browser, String); 2]) -> [Answer; 2] {
    thread::scope(|scope| {
        both.map(|(browser, back)| scope.spawn(move || browser.returns(&back))).map(|one| one.join().unwrap())
    })
}

#[test]
fn a_code_of_another_sign_in_is_refused_by_its_verifier() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for provider in BOTH {
        let (own, other) = (site.browser(), site.browser());
        let (back, stolen) = (own.goes(provider), other.goes(provider));
        let injected = altered(&back, "code", &parameters(&stolen)["code"]);
        is_refused(&own, &own.returns(&injected), 401, "unauthenticated");
        // A code that the provider never gave.
        let back = own.goes(provider);
        is_refused(&own, &own.returns(&altered(&back, "code", "invented")), 401, "unauthenticated");
    }
}

/// Or else the tests above would prove nothing.
#[test]
fn the_provider_of_these_tests_is_strict() {
    let provider = Provider::start();
    let client = Client::new(provider.issuer.clone());
    let ask = |secret: &str, changes: &[(&str, &str)]| {
        // The challenge and its verifier are those of RFC 7636, appendix B.
        let query = "response_type=code&redirect_uri=http://a/b&nonce=n&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let answer = client.get(&format!("//authorize?{query}"));
        let code = parameters(answer.header("location").unwrap())["code"].clone();
        let mut body: BTreeMap<&str, &str> = BTreeMap::from([
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", "http://a/b"),
            ("client_id", CLIENT_ID),
            ("client_secret", secret),
            ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ]);
        body.extend(changes.iter().copied());
        let body = body.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let form = [("content-type", "application/x-www-form-urlencoded")];
        client.send("POST", "//token", &form, body.as_bytes()).status
    };
    assert_eq!(ask(CLIENT_SECRET, &[]), 200);
    let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl";
    assert_eq!(ask(CLIENT_SECRET, &[("code_verifier", verifier)]), 400);
    assert_eq!(ask(CLIENT_SECRET, &[("code_verifier", "")]), 400);
    assert_eq!(ask(CLIENT_SECRET, &[("redirect_uri", "http://a/c")]), 400);
    assert_eq!(ask(CLIENT_SECRET, &[("code", "invented")]), 400);
    assert_eq!(ask("another", &[]), 401);
}

#[test]
fn a_refusal_of_the_provider_is_told() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for provider in BOTH {
        let browser = site.browser();
        site.provider.told("refuse access_denied");
        let answer = browser.signs_in(provider);
        is_refused(&browser, &answer, 401, "unauthenticated");
        assert!(answer.json()["detail"].as_str().unwrap().contains("access_denied"), "{}", answer.text);
        site.provider.told("normal");
        leads_in(&browser.signs_in(provider));
    }
}

// Providers that are away, or lie.

#[test]
fn a_provider_that_fails_is_unavailable_until_it_is_back() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    let discovery = "/.well-known/openid-configuration";
    for how in ["500", "502", "503", "404", "302", "endless"] {
        for (provider, path) in
            [("oidc", discovery), ("oidc", "/jwks"), ("oidc", "/token"), ("yandex", "/token"), ("yandex", "/info")]
        {
            let browser = site.browser();
            let back = browser.goes(provider);
            site.provider.told(&format!("fail {path} {how}"));
            let answer = browser.returns(&back);
            // Somebody whom Yandex does not find is refused.
            if (path, how) == ("/info", "404") || (path, how) == ("/info", "302") {
                is_refused(&browser, &answer, 401, "unauthenticated");
            } else {
                is_refused(&browser, &answer, 503, "provider_unavailable");
            }
            assert!(!answer.text.contains("127.0.0.1"), "{}", answer.text);
            if path == discovery {
                is_refused(&browser, &browser.get("/auth/providers/oidc"), 503, "provider_unavailable");
            }
            site.provider.told("normal");
            leads_in(&browser.signs_in(provider));
        }
    }
    // Nobody goes where a provider leads.
    assert_eq!(site.provider.issued()["led"], 0);
    // Who it is was proved without it.
    site.provider.told("fail /userinfo 500");
    site.signed_in("oidc");
}

#[test]
fn a_provider_that_went_is_unavailable_until_it_is_back() {
    let mut site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    let browsers = BOTH.map(|_| site.browser());
    let backs = [browsers[0].goes("oidc"), browsers[1].goes("yandex")];
    let port = site.provider.stop();
    for (browser, back) in browsers.iter().zip(&backs) {
        is_refused(browser, &browser.returns(back), 503, "provider_unavailable");
    }
    is_refused(&browsers[0], &browsers[0].get("/auth/providers/oidc"), 503, "provider_unavailable");
    // It comes back with other keys.
    site.provider = Provider::launch(&port, "RS256", CLIENT_SECRET);
    site.provider.has("42", "");
    for provider in BOTH {
        assert_eq!(site.signed_in(provider).login().as_deref(), Some("anna"));
    }
}

#[test]
fn a_provider_that_never_answers_is_given_up() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    let browser = site.browser();
    let back = browser.goes("oidc");
    site.provider.told("fail /token never");
    is_refused(&browser, &browser.returns(&back), 503, "provider_unavailable");
}

/// Seconds from now.
#[test]
fn an_id_token_holds_in_its_time() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    // Its clock may be half a minute behind or before ours.
    for times in [json!({"iat": 30, "exp": 3_630}), json!({"iat": -30, "exp": 3_570}), json!({"iat": -330, "exp": -30})]
    {
        site.provider.told(&format!("times {times}"));
        assert_eq!(site.signed_in("oidc").login().as_deref(), Some("anna"), "{times}");
    }
    for times in [
        json!({"iat": -300, "exp": -90}),
        json!({"iat": -7_200, "exp": -3_600}),
        json!({"iat": 90, "exp": 3_690}),
        json!({"iat": 7_200, "exp": 10_800}),
        json!({"iat": -1_200, "exp": 2_400}),
    ] {
        site.provider.told(&format!("times {times}"));
        let told = site.refuses("oidc");
        assert!(told.text.contains("ID token does not hold"), "{times}: {}", told.text);
    }
}

#[test]
fn an_id_token_is_of_this_provider_for_this_client_and_this_sign_in() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    for claims in [
        json!({"nonce": "another"}),
        json!({"nonce": ""}),
        json!({"nonce": null}),
        json!({"aud": "another"}),
        json!({"aud": [CLIENT_ID, "another"]}),
        json!({"aud": []}),
        json!({"aud": CLIENT_ID.to_uppercase()}),
        json!({"iss": "https://evil.example"}),
        json!({"iss": format!("{}/", site.provider.issuer)}),
    ] {
        site.provider.told(&format!("claims {claims}"));
        let told = site.refuses("oidc");
        assert!(told.text.contains("ID token does not hold"), "{claims}: {}", told.text);
    }
    // What is no ID token at all is no answer.
    for claims in
        [json!({"exp": null}), json!({"iat": null}), json!({"sub": null}), json!({"iss": null}), json!({"aud": null})]
    {
        site.provider.told(&format!("claims {claims}"));
        let browser = site.browser();
        let answer = browser.signs_in("oidc");
        assert!([401, 503].contains(&answer.status), "{claims}: {} {}", answer.status, answer.text);
        assert_eq!(browser.login(), None, "{claims}");
    }
    site.provider.told("normal");
    site.signed_in("oidc");
    // Nor is it believed who calls itself another than it was set up as.
    site.provider.told(&format!("metadata {}", json!({"issuer": "https://evil.example"})));
    let browser = site.browser();
    is_refused(&browser, &browser.get("/auth/providers/oidc"), 503, "provider_unavailable");
}

#[test]
fn an_id_token_is_signed_by_the_keys_of_the_provider() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    for way in ["other-key", "none", "none-as-before", "client-secret", "public-key", "of-another-payload", "no-token"]
    {
        // What is signed in another's name would say 42.
        site.provider.has(if way == "of-another-payload" { "43" } else { "42" }, "");
        site.provider.told(&format!("signature {way}"));
        site.refuses("oidc");
    }
    // Nor when the provider says that it signs so.
    site.provider.has("42", "");
    for (way, algorithm) in [("none", "none"), ("public-key", "HS256")] {
        site.provider.told(&format!("signature {way}"));
        site.provider.told(&format!("metadata {}", json!({"id_token_signing_alg_values_supported": [algorithm]})));
        site.refuses("oidc");
    }
    site.provider.told("normal");
    site.signed_in("oidc");
}

/// Providers come with more than one key, and with what was invented later.
#[test]
fn what_a_provider_has_beside_is_passed_over() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    let keys = json!([
        {"kty": "RSA", "use": "enc", "alg": "RSA-OAEP", "kid": "for-secrets", "n": "AQAB", "e": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "kid": "curve", "x": "AQAB"},
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "later", "pub": "AQAB"},
    ]);
    let metadata = json!({
        "id_token_signing_alg_values_supported": ["ML-DSA-44", "EdDSA", "RS256"],
        "response_types_supported": ["code", "code of_later"],
        "subject_types_supported": ["public", "of_later"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "of_later"],
        "what_was_invented_later": {"deep": [1]},
    });
    site.provider.told(&format!("keys {keys}"));
    site.signed_in("oidc");
    site.provider.told("normal");
    site.provider.told(&format!("metadata {metadata}"));
    site.signed_in("oidc");
}

#[test]
fn an_answer_that_is_none_is_no_fault_of_the_service() {
    let site = Site::new(Engine::Sqlite);
    site.provider.told("signature no-jwt");
    let browser = site.browser();
    is_refused(&browser, &browser.signs_in("oidc"), 503, "provider_unavailable");
}

#[test]
fn a_public_client_and_elliptic_curves_will_do() {
    let provider = Provider::launch("0", "ES256", "");
    let place = Place::guarded(Engine::Sqlite);
    let settings = [("STRATA_OIDC_ISSUER", provider.issuer.as_str()), ("STRATA_OIDC_CLIENT_ID", CLIENT_ID)];
    let server = place.serve_with(&settings);
    let site = Site::of(place, server, provider);
    site.account(&["create", "anna", "--no-password"]);
    site.account(&["identify", "anna", "oidc", "42"]);
    site.provider.has("42", "");
    assert_eq!(site.signed_in("oidc").login().as_deref(), Some("anna"));
    site.provider.told("signature other-key");
    site.refuses("oidc");
}

#[test]
fn whoever_has_not_the_clients_secret_gets_nobody_in() {
    let site = Site::with(
        Engine::Sqlite,
        &[("STRATA_OIDC_CLIENT_SECRET", "another"), ("STRATA_YANDEX_CLIENT_SECRET", "another")],
    );
    site.knows("anna", "42");
    site.provider.has("42", "");
    // That is the operator's to mend, who finds it in the log.
    for provider in BOTH {
        let browser = site.browser();
        is_refused(&browser, &browser.signs_in(provider), 503, "provider_unavailable");
    }
}

#[test]
fn whoever_fails_often_at_one_address_waits() {
    let site = Site::new(Engine::Sqlite);
    let back = "/auth/providers/oidc/callback?code=a&state=b";
    let from = |address| site.browser().send("GET", back, &[(FROM, address)], &Value::Null);
    let answers: Vec<Answer> = (0..40).map(|_| from("192.0.2.1")).collect();
    let waits = answers.iter().position(|answer| answer.status == 429).expect("nobody waits");
    assert!(answers[..waits].iter().all(|answer| answer.status == 401));
    assert!(answers[waits].header("retry-after").is_some(), "{}", answers[waits].text);
    assert_eq!(from("192.0.2.2").status, 401);
}

// Linking.

fn an_account_links_an_identity(engine: Engine) {
    let site = Site::new(engine);
    let administrator = site.administrator();
    assert_eq!(identities(&administrator, "administrator"), json!([]));
    for (provider, subject) in [("oidc", "42"), ("yandex", "42")] {
        site.provider.has(subject, "");
        site.refuses(provider);
        let before = administrator.cookie("strata");
        leads_in(&administrator.links(provider));
        // It is the same session as before.
        assert_eq!(administrator.cookie("strata"), before);
        let row = last_in_audit(&administrator);
        assert_eq!(row["action"], "account.identity_linked", "{row}");
        assert_eq!(
            (&row["detail"]["provider"], &row["detail"]["subject"]),
            (&json!(provider), &json!(subject)),
            "{row}"
        );
        let browser = site.signed_in(provider);
        assert_eq!((browser.login().as_deref(), browser.means().as_str()), (Some("administrator"), provider));
        // Once more changes nothing.
        leads_in(&administrator.links(provider));
    }
    let linked = json!([{"provider": "oidc", "subject": "42"}, {"provider": "yandex", "subject": "42"}]);
    assert_eq!(identities(&administrator, "administrator"), linked);
    let token = administrator.csrf_token();
    let me = administrator.get("/accounts/me").json()["account"]["id"].clone();
    let path = format!("/accounts/{me}/identities/oidc/42");
    let answer = administrator.send("DELETE", &path, &[("x-csrf-token", token.as_str())], &Value::Null);
    assert_eq!(answer.status, 204, "{}", answer.text);
    site.refuses("oidc");
    site.signed_in("yandex");
}

fn an_identity_of_another_account_is_not_moved(engine: Engine) {
    let site = Site::new(engine);
    site.knows("anna", "42");
    site.provider.has("42", "");
    let administrator = site.administrator();
    for provider in BOTH {
        let answer = administrator.links(provider);
        assert_eq!((answer.status, answer.problem().as_str()), (409, "conflict"), "{}", answer.text);
        assert_eq!(site.signed_in(provider).login().as_deref(), Some("anna"));
    }
    assert_eq!(identities(&administrator, "administrator"), json!([]));
    assert_eq!(administrator.login().as_deref(), Some("administrator"));
}

#[test]
fn nobody_else_can_have_an_identity_linked() {
    let site = Site::new(Engine::Sqlite);
    site.provider.has("42", "");
    let administrator = site.administrator();
    let path = "/auth/providers/oidc";
    let post = |browser: &Browser, headers: &[(&str, &str)]| {
        let answer = browser.send("POST", path, headers, &Value::Null);
        (answer.status, answer.problem())
    };
    // A page of another site has the cookie go along, and not the token.
    assert_eq!(post(&administrator, &[]), (403, "csrf_refused".to_owned()));
    assert_eq!(post(&administrator, &[("x-csrf-token", "another")]), (403, "csrf_refused".to_owned()));
    let stranger = site.browser();
    assert_eq!(post(&stranger, &[]), (401, "unauthenticated".to_owned()));
    let bearer = format!("Bearer {}", site.place.token("robot", &["--scope", "manage"]));
    assert_eq!(post(&stranger, &[("authorization", bearer.as_str())]), (409, "conflict".to_owned()));
    // What one browser began, another does not end.
    let back = administrator.visits(&administrator.departs_to_link("oidc"));
    is_refused(&stranger, &stranger.returns(&back), 401, "unauthenticated");
    // A sign-in links nothing, also for whoever is signed in.
    is_refused_here(&administrator.signs_in("oidc"));
    assert_eq!(identities(&administrator, "administrator"), json!([]));
    assert_eq!(administrator.login().as_deref(), Some("administrator"));
}

fn is_refused_here(answer: &Answer) {
    assert_eq!((answer.status, answer.problem().as_str()), (401, "unauthenticated"), "{}", answer.text);
}

#[test]
fn whoever_is_disabled_meanwhile_links_nothing() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    let anna = site.signed_in("oidc");
    site.provider.has("43", "");
    let back = anna.visits(&anna.departs_to_link("oidc"));
    site.account(&["disable", "anna"]);
    is_refused_here(&anna.returns(&back));
    site.account(&["enable", "anna"]);
    site.refuses("oidc");
}

/// They should not: whoever stole a session can keep the account by an identity of their own, within ten minutes after it was
/// ended everywhere. The state knows the account, and not the session that it was begun in.
#[test]
fn whoever_is_signed_out_meanwhile_links_nothing() {
    let site = Site::new(Engine::Sqlite);
    let thief = site.administrator();
    site.provider.has("666", "");
    let back = thief.visits(&thief.departs_to_link("oidc"));
    let token = thief.csrf_token();
    let me = thief.get("/accounts/me").json()["account"]["id"].clone();
    let everywhere = format!("/accounts/{me}/sign_out");
    assert_eq!(thief.send("POST", &everywhere, &[("x-csrf-token", token.as_str())], &Value::Null).status, 200);
    assert_eq!(thief.login(), None);
    is_refused_here(&thief.returns(&back));
}

// Pages, addresses and the log.

#[test]
fn a_person_is_told_on_the_page() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("43", "");
    let browser = site.browser();
    browser.accept.set("text/html,application/xhtml+xml,*/*;q=0.8");
    let led = |answer: &Answer| {
        assert_eq!(answer.status, 303, "{}", answer.text);
        assert_eq!((browser.cookie("strata"), browser.cookie("strata-state")), (None, None));
        answer.header("location").unwrap().to_owned()
    };
    for provider in BOTH {
        assert_eq!(led(&browser.signs_in(provider)), "/sign-in#problem=unauthenticated");
        let back = browser.goes(provider);
        assert_eq!(led(&browser.returns(&altered(&back, "state", "x"))), "/sign-in#problem=unauthenticated");
        let back = browser.goes(provider);
        assert_eq!(led(&browser.returns(&altered(&back, "code", ""))), "/sign-in#problem=invalid");
        site.provider.told("refuse access_denied");
        assert_eq!(led(&browser.signs_in(provider)), "/sign-in#problem=unauthenticated");
        site.provider.told("normal");
        let back = browser.goes(provider);
        site.provider.told("fail /token 500");
        assert_eq!(led(&browser.returns(&back)), "/sign-in#problem=provider_unavailable");
        site.provider.told("normal");
    }
    // Also whoever cannot even go.
    site.provider.told("fail /.well-known/openid-configuration 500");
    assert_eq!(led(&browser.get("/auth/providers/oidc")), "/sign-in#problem=provider_unavailable");
    assert_eq!(led(&browser.get("/auth/providers/other")), "/sign-in#problem=provider_not_found");
    site.provider.told("normal");
    site.provider.has("42", "");
    leads_in(&browser.signs_in("oidc"));
}

#[test]
fn nothing_leads_elsewhere() {
    let site = Site::new(Engine::Sqlite);
    site.knows("anna", "42");
    site.provider.has("42", "");
    let elsewhere =
        ["https://evil.example", "//evil.example", "/%5Cevil.example", "%0d%0aLocation:%20https://evil.example"];
    for name in ["return_to", "redirect_uri", "next", "url", "continue"] {
        for address in elsewhere {
            let browser = site.browser();
            is_refused(&browser, &browser.get(&format!("/auth/providers/oidc?{name}={address}")), 400, "invalid");
            browser.accept.set("text/html");
            let answer = browser.returns(&format!("{}&{name}={address}", browser.goes("oidc")));
            let location = answer.header("location").unwrap();
            assert!(["/", "/sign-in#problem=invalid"].contains(&location), "{name} {address}: {location}");
        }
    }
    for address in elsewhere {
        for name in ["code", "state", "error", "error_description", "error_uri", "iss", "scope"] {
            let browser = site.browser();
            browser.accept.set("text/html");
            let back = browser.goes("oidc");
            let back = if ["code", "state"].contains(&name) {
                altered(&back, name, address)
            } else {
                format!("{back}&{name}={address}")
            };
            let headers = [("referer", "https://evil.example/"), ("x-forwarded-host", "evil.example")];
            let path = format!("/{}", back.strip_prefix(&browser.base).unwrap());
            let answer = browser.send("GET", &path, &headers, &Value::Null);
            let location = answer.header("location").unwrap();
            assert!(["/", "/sign-in#problem=unauthenticated"].contains(&location), "{name} {address}: {location}");
        }
    }
}

#[test]
fn a_provider_that_is_not_there_is_not_found() {
    let site = Site::new(Engine::Sqlite);
    let administrator = site.administrator();
    let before = last_in_audit(&administrator);
    for provider in
        ["evil.example", "..%2F..%2Fevil.example", "oidc%0d%0aLocation:%20%2F", "OIDC", "%00", &"a".repeat(3_000)]
    {
        let browser = site.browser();
        for path in
            [format!("/auth/providers/{provider}"), format!("/auth/providers/{provider}/callback?code=a&state=b")]
        {
            is_refused(&browser, &browser.get(&path), 404, "provider_not_found");
        }
    }
    // Or else whoever likes would write there what they like.
    assert_eq!(last_in_audit(&administrator), before);
}

#[test]
fn no_secret_stands_in_the_log() {
    let (place, provider) = (Place::guarded(Engine::Sqlite), Provider::start());
    let path = place.dir.path().join("log");
    // The shell becomes the binary, with its log in a file.
    let mut command = Command::new("sh");
    command.args(["-c", r#"exec "$0" "$@" 2>"$LOG_FILE""#]).arg(strata().get_program()).env("LOG_FILE", &path);
    for name in env::vars().map(|(name, _)| name).filter(|name| name.starts_with("STRATA_")) {
        command.env_remove(name);
    }
    let server = Server::launch(command, &place, &[&settings_of(&provider)[..], &[("STRATA_LOG", "debug")]].concat());
    let site = Site::of(place, server, provider);
    site.knows("anna", "42");
    let mut secrets = vec![CLIENT_SECRET.to_owned()];
    for provider in BOTH {
        site.provider.has("42", "");
        let browser = site.signed_in(provider);
        secrets.extend(browser.cookie("strata"));
        for how in [
            "subject 43",
            "signature no-jwt",
            "signature none",
            "fail /token 500",
            "fail /jwks 500",
            "refuse access_denied",
        ] {
            let browser = site.browser();
            let address = browser.departs(provider);
            secrets.extend(["state", "nonce"].iter().filter_map(|name| parameters(&address).get(*name).cloned()));
            let back = browser.visits(&address);
            site.provider.told(how);
            browser.returns(&back);
            site.provider.told("normal");
        }
    }
    let issued = site.provider.issued();
    for kind in ["codes", "verifiers", "tokens"] {
        let some: Vec<String> =
            issued[kind].as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect();
        assert!(some.len() >= 10, "{issued}");
        secrets.extend(some);
    }
    assert!(site.server.stop().success());
    let log = fs::read_to_string(&path).unwrap();
    assert!(log.contains("/api/v1/auth/providers/oidc/callback") && log.contains("DEBUG"), "{log}");
    for secret in secrets {
        // Nor the end of one: all ID tokens begin in the same way.
        let part = &secret[secret.len().saturating_sub(32)..];
        assert!(!log.contains(part), "{part} in {log}");
    }
}
