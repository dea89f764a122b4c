//! Settings: from the built-in defaults, a file, the environment and flags. Every mistake is told at once.

use std::{
    ffi::OsString,
    fmt,
    net::{IpAddr, ToSocketAddrs},
    num::NonZeroU32,
    path::{Path, PathBuf},
    time::Duration,
};

use api::{Access, TrustedProxies};
use domain::{Identity, Ttl};
use ipnet::IpNet;
use providers::{OidcOptions, YandexOptions};
use toml::{Table, Value};

use crate::tls::TlsFiles;

const DEFAULTS: &str = include_str!("../../../config/default.toml");
const PREFIX: &str = "STRATA_";
/// Environment variables of our prefix that are no settings: where the file is, and whatever is for the tests.
const CONFIG: &str = "STRATA_CONFIG";
const FOR_TESTS: &str = "STRATA_TEST_";
/// What a client shows to a server.
pub(crate) const TOKEN: &str = "STRATA_TOKEN";

#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) listen: String,
    pub(crate) database_url: String,
    pub(crate) pool_size: u32,
    pub(crate) pool_timeout: Duration,
    pub(crate) statement_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) body_bytes_max: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) import_bytes_max: u64,
    pub(crate) files: files::Options,
    pub(crate) public_url: Option<String>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) requests_per_second: Option<NonZeroU32>,
    pub(crate) caller_requests_per_second: Option<NonZeroU32>,
    pub(crate) providers: providers::Options,
    pub(crate) sign_up_domains: Vec<String>,
    /// Whether somebody has to sign in.
    pub(crate) access: Access,
    /// What was set otherwise than built in, for the audit log; no secrets.
    pub(crate) noted: serde_json::Value,
    pub(crate) export_patience: Duration,
    pub(crate) index: bool,
    pub(crate) index_file: Option<PathBuf>,
    pub(crate) index_patience: Duration,
    pub(crate) position_timeout: Duration,
    pub(crate) http_threads: usize,
    pub(crate) shutdown_timeout_s: u64,
    pub(crate) worker: bool,
    pub(crate) worker_interval: Duration,
    pub(crate) worker_batch: usize,
    pub(crate) jobs_at_once: usize,
    pub(crate) jobs_days: i64,
    pub(crate) history_months: Option<u32>,
    pub(crate) stale_after: Option<Ttl>,
    pub(crate) cors_origins: Vec<String>,
    pub(crate) log: String,
    pub(crate) log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Every mistake that was found, each with its key, where it stands, and the reason.
#[derive(Debug)]
pub(crate) struct Mistakes(Vec<String>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the settings cannot be used:")?;
        self.0.iter().try_for_each(|mistake| writeln!(f, "  {mistake}"))
    }
}

/// What the command line says; it wins over everything else.
#[derive(Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<PathBuf>,
    pub(crate) listen: Option<String>,
    pub(crate) database_url: Option<String>,
    pub(crate) worker: Option<bool>,
    pub(crate) open: bool,
}

/// Reads all sources.
pub(crate) fn read(flags: &Flags, variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Settings, Mistakes> {
    let mut layers = Layers { known: defaults(), found: Vec::new(), mistakes: Vec::new() };
    let mut environment: Vec<(String, String)> = Vec::new();
    for (name, value) in variables {
        // What is not ours may be any bytes.
        let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        match value.into_string() {
            Ok(value) => environment.push((name.to_owned(), value)),
            Err(_) => layers.mistakes.push(format!("{name}: is not UTF-8")),
        }
    }
    let named = environment.iter().find(|(name, _)| name == CONFIG).map(|(_, value)| PathBuf::from(value));
    if let Some(path) = flags.config.clone().or(named) {
        layers.add_file(&path);
    }
    for (name, value) in &environment {
        if let Some(key) = name.strip_prefix(PREFIX)
            && name != CONFIG
            && name != TOKEN
            && !name.starts_with(FOR_TESTS)
        {
            layers.add(key.to_ascii_lowercase(), Value::String(value.clone()), name.clone());
        }
    }
    for (key, value, flag) in [
        ("listen", flags.listen.clone().map(Value::String), "--listen"),
        ("database_url", flags.database_url.clone().map(Value::String), "--database-url"),
        ("worker", flags.worker.map(Value::Boolean), "--no-worker"),
    ] {
        if let Some(value) = value {
            if key == "database_url" {
                layers.found.retain(|(key, ..)| key != "database_url_file");
            }
            layers.add(key.to_owned(), value, flag.to_owned());
        }
    }
    if flags.database_url.as_deref().is_some_and(holds_password) {
        let reason = "a password does not belong on a command line, which others on the machine read: use STRATA_DATABASE_URL or database_url_file";
        layers.mistake("database_url", reason);
    }
    layers.settings(if flags.open { Access::Open } else { Access::SignIn })
}

/// Whether an address has a password in it.
fn holds_password(url: &str) -> bool {
    let authority = url.split_once("://").map_or("", |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || url.split(['?', '&']).any(|parameter| parameter.starts_with("password="))
}

fn defaults() -> Table {
    DEFAULTS.parse().expect("config/default.toml is TOML, as a test sees")
}

/// What each source says, the weakest first.
struct Layers {
    known: Table,
    found: Vec<(String, Value, String)>,
    mistakes: Vec<String>,
}

impl Layers {
    fn add_file(&mut self, path: &Path) {
        let origin = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.mistakes.push(format!("{origin}: cannot be read: {error}")),
        };
        match text.parse::<Table>() {
            Ok(table) => table.into_iter().for_each(|(key, value)| self.add(key, value, origin.clone())),
            // The message alone: the text around it could hold a password.
            Err(error) => self.mistakes.push(format!("{origin}: is not TOML: {}", error.message())),
        }
    }

    fn add(&mut self, key: String, value: Value, origin: String) {
        if self.known.contains_key(&key) {
            self.found.push((key, value, origin));
        } else {
            self.mistakes.push(format!("{key} ({origin}): there is no such setting; config/default.toml lists all"));
        }
    }

    /// The strongest value of a key, and where it comes from.
    fn get(&self, key: &str) -> (Value, String) {
        let strongest = self.found.iter().rev().find(|(found, ..)| found == key);
        match strongest {
            Some((_, value, origin)) => (value.clone(), origin.clone()),
            None => (self.known[key].clone(), "built in".to_owned()),
        }
    }

    fn mistake(&mut self, key: &str, reason: impl fmt::Display) {
        let (_, origin) = self.get(key);
        self.mistakes.push(format!("{key} ({origin}): {reason}"));
    }

    fn text(&mut self, key: &str) -> String {
        match self.get(key) {
            (Value::String(text), _) => text,
            (other, _) => {
                self.mistake(key, format!("must be a text, not {}", other.type_str()));
                String::new()
            }
        }
    }

    fn number(&mut self, key: &str, min: u64, max: u64) -> u64 {
        let (value, _) = self.get(key);
        let number = match &value {
            Value::Integer(number) => u64::try_from(*number).ok(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        number.filter(|number| (min..=max).contains(number)).unwrap_or_else(|| {
            self.mistake(key, format!("must be a whole number from {min} to {max}, not {}", shown(&value)));
            min
        })
    }

    fn flag(&mut self, key: &str) -> bool {
        let (value, _) = self.get(key);
        let flag = match &value {
            Value::Boolean(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        flag.unwrap_or_else(|| {
            self.mistake(key, format!("must be true or false, not {}", shown(&value)));
            false
        })
    }

    fn switch(&mut self, key: &str) -> bool {
        let text = self.text(key);
        if text != "on" && text != "off" {
            self.mistake(key, format!("must be on or off, not `{}`", text.escape_debug()));
        }
        text == "on"
    }

    /// A list of texts; in the environment they are separated by commas.
    fn list(&mut self, key: &str) -> Vec<String> {
        let (value, _) = self.get(key);
        let list = match &value {
            Value::String(text) => {
                Some(text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect())
            }
            Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        list.unwrap_or_else(|| {
            self.mistake(key, "must be a list of texts");
            Vec::new()
        })
    }

    fn settings(mut self, access: Access) -> Result<Settings, Mistakes> {
        let ms = |number| Duration::from_millis(number);
        let listen = self.text("listen");
        if !listen.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
            self.mistake("listen", format!("must be HOST:PORT, not `{listen}`"));
        }
        if access == Access::Open && !is_loopback(&listen) {
            let reason = format!("without sign-in (--open) only this machine may reach the service, not `{listen}`");
            self.mistake("listen", reason);
        }
        let database_url = self.database_url();
        let cors_origins = self.list("cors_origins");
        for origin in &cors_origins {
            if !(origin.starts_with("https://") || origin.starts_with("http://")) || origin.matches('/').count() != 2 {
                self.mistake("cors_origins", format!("must be origins such as https://example.com, not `{origin}`"));
            }
        }
        let log_format = match self.text("log_format").as_str() {
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            other => {
                self.mistake("log_format", format!("must be text or json, not `{other}`"));
                LogFormat::Text
            }
        };
        let settings = Settings {
            listen,
            database_url,
            pool_size: self.number("pool_size", 1, 1_000) as u32,
            pool_timeout: ms(self.number("pool_timeout_ms", 1, 600_000)),
            statement_timeout: ms(self.number("statement_timeout_ms", 1, 86_400_000)),
            request_timeout: ms(self.number("request_timeout_ms", 1, 86_400_000)),
            body_bytes_max: self.number("body_bytes_max", 1_024, 1 << 30) as usize,
            body_timeout: ms(self.number("body_timeout_ms", 1, 86_400_000)),
            import_bytes_max: self.number("import_bytes_max", 1_024, 1 << 40),
            files: self.files(),
            public_url: self.public_url(),
            tls: self.tls(),
            trusted_proxies: self.trusted_proxies(),
            requests_per_second: NonZeroU32::new(self.number("requests_per_second", 0, 1_000_000) as u32),
            caller_requests_per_second: NonZeroU32::new(self.number("caller_requests_per_second", 0, 1_000_000) as u32),
            providers: self.providers(),
            sign_up_domains: self.sign_up_domains(),
            access,
            noted: self.noted(access),
            export_patience: ms(self.number("export_patience_ms", 1, 86_400_000)),
            index: self.switch("index"),
            index_file: Some(self.text("index_file")).filter(|file| !file.is_empty()).map(PathBuf::from),
            index_patience: ms(self.number("index_patience_ms", 100, 86_400_000)),
            position_timeout: ms(self.number("position_timeout_ms", 1, 600_000)),
            http_threads: self.number("http_threads", 0, 1_024) as usize,
            shutdown_timeout_s: self.number("shutdown_timeout_s", 0, 3_600),
            worker: self.flag("worker"),
            worker_interval: ms(self.number("worker_interval_ms", 1, 86_400_000)),
            worker_batch: self.number("worker_batch", 1, 100_000) as usize,
            jobs_at_once: self.number("jobs_at_once", 1, 64) as usize,
            jobs_days: self.number("jobs_days", 1, 36_500) as i64,
            history_months: Some(self.number("history_months", 0, 1_200) as u32).filter(|months| *months > 0),
            stale_after: self.stale_after(),
            cors_origins,
            log: self.log_filter(),
            log_format,
        };
        if self.mistakes.is_empty() { Ok(settings) } else { Err(Mistakes(self.mistakes)) }
    }

    fn database_url(&mut self) -> String {
        let file = self.text("database_url_file");
        let (key, url) = match file.as_str() {
            "" => ("database_url", self.text("database_url")),
            file => match std::fs::read_to_string(file) {
                Ok(text) => ("database_url_file", text.trim().to_owned()),
                Err(error) => {
                    self.mistake("database_url_file", format!("`{file}` cannot be read: {error}"));
                    return String::new();
                }
            },
        };
        if let Err(reason) = store::check_address(&url) {
            self.mistake(key, reason);
        }
        url
    }

    fn files(&mut self) -> files::Options {
        let given = |text: String| Some(text).filter(|text| !text.is_empty());
        let url = self.text("files_url");
        if let Err(reason) = files::check_address(&url) {
            self.mistake("files_url", reason);
        }
        let secret = self.secret("s3_secret_access_key");
        let s3 = files::S3Options {
            endpoint: given(self.text("s3_endpoint")),
            region: given(self.text("s3_region")),
            access_key_id: given(self.text("s3_access_key_id")),
            secret_access_key: given(secret),
        };
        files::Options { url, s3 }
    }

    /// The secret of this key, or what stands in the file that the key with `_file` names.
    fn secret(&mut self, key: &str) -> String {
        let in_file = format!("{key}_file");
        match self.text(&in_file).as_str() {
            "" => self.text(key),
            file => std::fs::read_to_string(file).map(|text| text.trim().to_owned()).unwrap_or_else(|error| {
                self.mistake(&in_file, format!("`{file}` cannot be read: {error}"));
                String::new()
            }),
        }
    }

    fn providers(&mut self) -> providers::Options {
        providers::Options { yandex: self.yandex(), oidc: self.oidc() }
    }

    fn yandex(&mut self) -> Option<YandexOptions> {
        let client_id = self.text("yandex_client_id");
        let client_secret = self.secret("yandex_client_secret");
        let [oauth_url, login_url] = ["yandex_oauth_url", "yandex_login_url"].map(|key| self.provider_url(key));
        if client_id.is_empty() {
            return None;
        }
        if client_secret.is_empty() {
            self.mistake("yandex_client_secret", "must be given with yandex_client_id");
        }
        Some(YandexOptions { client_id, client_secret, oauth_url, login_url })
    }

    fn oidc(&mut self) -> Option<OidcOptions> {
        if self.text("oidc_issuer").is_empty() {
            return None;
        }
        let (name, client_id) = (self.text("oidc_name"), self.text("oidc_client_id"));
        if Identity::new(&name, "somebody").is_err() || name == "yandex" {
            self.mistake("oidc_name", "must be 1 to 32 of a-z, 0-9 and -, and not yandex");
        }
        if client_id.is_empty() {
            self.mistake("oidc_client_id", "must be given with oidc_issuer");
        }
        // An issuer is compared letter for letter, also in its last slash.
        let issuer = self.text("oidc_issuer");
        self.provider_url("oidc_issuer");
        let client_secret = Some(self.secret("oidc_client_secret")).filter(|secret| !secret.is_empty());
        let (title, scopes) = (self.text("oidc_title"), self.list("oidc_scopes"));
        Some(OidcOptions { name, title, issuer, client_id, client_secret, scopes })
    }

    /// By TLS, unless it is on this machine.
    fn provider_url(&mut self, key: &str) -> String {
        let url = self.text(key).trim_end_matches('/').to_owned();
        let host = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        if !url.starts_with("https://") && !host.is_some_and(is_loopback_host) {
            self.mistake(key, format!("must begin with https://, not `{}`", url.escape_debug()));
        }
        url
    }

    fn sign_up_domains(&mut self) -> Vec<String> {
        let domains = self.list("sign_up_domains");
        for domain in &domains {
            if domain.is_empty() || domain.contains(['@', '/', '*', ' ']) {
                let reason = format!("must be domains such as example.com, not `{}`", domain.escape_debug());
                self.mistake("sign_up_domains", reason);
            }
        }
        domains.into_iter().map(|domain| domain.to_lowercase()).collect()
    }

    /// Whatever may hold a secret is left out whole.
    fn noted(&self, access: Access) -> serde_json::Value {
        let mut noted = serde_json::Map::new();
        for key in self.known.keys() {
            let (value, origin) = self.get(key);
            let may_be_secret = key.contains("secret") || key.starts_with("database_url") || key == "public_url";
            if origin != "built in" && !may_be_secret {
                noted.insert(key.clone(), text_of(&value).into());
            }
        }
        noted.insert("access".to_owned(), if access == Access::Open { "open" } else { "sign-in" }.into());
        noted.into()
    }

    fn stale_after(&mut self) -> Option<Ttl> {
        let text = self.text("stale_segments_after");
        if text.is_empty() {
            return None;
        }
        Ttl::parse(&text).map_err(|error| self.mistake("stale_segments_after", error.to_string())).ok()
    }

    fn public_url(&mut self) -> Option<String> {
        let url = self.text("public_url");
        let url = url.trim_end_matches('/');
        if url.is_empty() {
            return None;
        }
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            self.mistake("public_url", format!("must begin with http:// or https://, not `{}`", url.escape_debug()));
        }
        Some(url.to_owned())
    }

    fn trusted_proxies(&mut self) -> TrustedProxies {
        let mut networks = Vec::new();
        for text in self.list("trusted_proxies") {
            match text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
                Ok(network) => networks.push(network),
                Err(_) => {
                    let reason =
                        format!("must be networks such as 10.0.0.0/8 or addresses, not `{}`", text.escape_debug());
                    self.mistake("trusted_proxies", reason);
                }
            }
        }
        TrustedProxies(networks)
    }

    fn tls(&mut self) -> Option<TlsFiles> {
        let (certificate, key) = (self.text("tls_certificate_file"), self.text("tls_key_file"));
        match (certificate.is_empty(), key.is_empty()) {
            (true, true) => None,
            (false, false) => Some(TlsFiles { certificate: certificate.into(), key: key.into() }),
            (true, false) => {
                self.mistake("tls_certificate_file", "must be given with tls_key_file");
                None
            }
            (false, true) => {
                self.mistake("tls_key_file", "must be given with tls_certificate_file");
                None
            }
        }
    }

    /// Levels, also for single modules. A bare word that is no level would silently turn everything off.
    fn log_filter(&mut self) -> String {
        let filter = self.text("log");
        for part in filter.split(',').map(str::trim) {
            let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
            if level.parse::<log::LevelFilter>().is_err() {
                let detail = format!("`{}` is not off, error, warn, info, debug or trace", part.escape_debug());
                self.mistake("log", detail);
            }
        }
        filter
    }
}

/// Whether nobody but this machine reaches an address.
fn is_loopback(listen: &str) -> bool {
    let addresses = listen.to_socket_addrs().map(Vec::from_iter).unwrap_or_default();
    !addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback())
}

/// The same of a host that may have a port.
fn is_loopback_host(host: &str) -> bool {
    let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    is_loopback(&with_port)
}

/// The same wherever it was set: in the environment everything is text, and a list has commas.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => shown(other),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{}`", text.escape_debug()),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        other => format!("a {}", other.type_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
        let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
        read(&Flags::default(), variables.collect::<Vec<_>>().into_iter())
    }

    #[test]
    fn the_defaults_are_usable() {
        let settings = with(&[]).unwrap();
        assert_eq!(settings.listen, "127.0.0.1:8080");
        assert!(settings.worker && settings.cors_origins.is_empty());
    }

    #[test]
    fn all_mistakes_are_told_at_once_without_secrets() {
        let mistakes = with(&[
            ("STRATA_LISTEN", "nowhere"),
            ("STRATA_POOL_SIZE", "0"),
            ("STRATA_WORKER", "perhaps"),
            ("STRATA_LOG_FORMAT", "xml"),
            ("STRATA_COLOUR", "red"),
            ("STRATA_LOG", "info,loud"),
            ("STRATA_DATABASE_URL", "mysql://root:hunter2@db/strata"),
        ])
        .err()
        .unwrap()
        .to_string();
        for key in ["listen", "pool_size", "worker", "log_format", "log", "colour", "database_url"] {
            assert!(mistakes.contains(&format!("  {key} (STRATA_")), "{key} in {mistakes}");
        }
        assert!(!mistakes.contains("hunter2"), "{mistakes}");
    }

    #[test]
    fn flags_win_over_the_environment_and_that_over_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("strata.toml");
        std::fs::write(&path, "listen = \"127.0.0.1:1\"\npool_size = 3\nlog = \"warn\"\n").unwrap();
        let flags = Flags { config: Some(path), listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
        let variables = [("STRATA_LISTEN".into(), "127.0.0.1:2".into()), ("STRATA_POOL_SIZE".into(), "5".into())];
        let settings = read(&flags, variables.into_iter()).unwrap();
        assert_eq!((settings.listen.as_str(), settings.pool_size, settings.log.as_str()), ("127.0.0.1:3", 5, "warn"));
    }

    #[test]
    fn without_sign_in_only_this_machine_is_listened_to() {
        let open = |listen: &str| {
            let flags = Flags { open: true, listen: Some(listen.to_owned()), ..Flags::default() };
            read(&flags, std::iter::empty()).map(drop).map_err(|mistakes| mistakes.to_string())
        };
        for listen in ["127.0.0.1:0", "[::1]:8080", "localhost:0"] {
            assert_eq!(open(listen), Ok(()), "{listen}");
        }
        for listen in ["0.0.0.0:8080", "[::]:8080", "192.0.2.1:80"] {
            assert!(open(listen).unwrap_err().contains("only this machine may reach the service"), "{listen}");
        }
    }

    #[test]
    fn passwords_on_the_command_line_are_refused() {
        for url in ["postgres://u:hunter2@db/strata", "postgres://db/strata?user=u&password=hunter2"] {
            let flags = Flags { database_url: Some(url.to_owned()), ..Flags::default() };
            let mistakes = read(&flags, std::iter::empty()).err().unwrap().to_string();
            assert!(
                mistakes.contains("does not belong on a command line") && !mistakes.contains("hunter2"),
                "{mistakes}"
            );
        }
        assert!(!holds_password("postgres://user@db:5432/strata") && !holds_password("sqlite:///a:b@c.db"));
    }

    #[test]
    fn providers_are_whole_or_not_there() {
        let mistakes = with(&[("STRATA_YANDEX_CLIENT_ID", "a"), ("STRATA_OIDC_ISSUER", "http://idp.example.com")]);
        let mistakes = mistakes.err().unwrap().to_string();
        for key in ["yandex_client_secret", "oidc_client_id", "oidc_issuer"] {
            assert!(mistakes.contains(&format!("  {key} (")), "{key} in {mistakes}");
        }
        let settings = with(&[("STRATA_OIDC_ISSUER", "http://127.0.0.1:9/"), ("STRATA_OIDC_CLIENT_ID", "a")]).unwrap();
        assert_eq!(settings.providers.oidc.unwrap().issuer, "http://127.0.0.1:9/");
        assert!(settings.providers.yandex.is_none());
    }

    #[test]
    fn no_secret_is_noted() {
        let secret = ("STRATA_YANDEX_CLIENT_SECRET", "hunter2");
        let url = ("STRATA_DATABASE_URL", "postgres://u:hunter3@db/strata");
        let settings = with(&[secret, url, ("STRATA_POOL_SIZE", "7")]).unwrap();
        assert_eq!(settings.noted.to_string(), r#"{"access":"sign-in","pool_size":"7"}"#);
    }

    #[test]
    fn the_example_for_production_has_only_known_keys() {
        let example: Table = include_str!("../../../config/production.example.toml").parse().unwrap();
        let known = defaults();
        assert!(example.keys().all(|key| known.contains_key(key)));
    }
}
