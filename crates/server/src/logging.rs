//! Logs: a line an event, for people or for machines, with the request that it belongs to.

use std::io::Write;

use env_logger::fmt::Formatter;
use log::{
    Record,
    kv::{Error, Key, Value, VisitSource},
};

use crate::settings::{LogFormat, Settings};

pub(crate) fn start(settings: &Settings) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(&settings.log);
    match settings.log_format {
        LogFormat::Text => builder.format(as_text),
        LogFormat::Json => builder.format(as_json),
    };
    // Nothing was logged before; a second start is only possible in tests.
    builder.try_init().unwrap_or_default();
}

fn as_text(out: &mut Formatter, record: &Record) -> std::io::Result<()> {
    let style = out.default_level_style(record.level());
    let (at, level, target) = (out.timestamp_millis(), record.level(), record.target());
    // One event is one line, whatever a driver says.
    let message = record.args().to_string().replace(['\n', '\r', '\t'], " ");
    write!(out, "{at} {style}{level:5}{style:#} {target}: {message}")?;
    match api::current_request_id() {
        Some(id) => writeln!(out, " request_id={id}"),
        None => match record.key_values().get(Key::from("request_id")) {
            Some(id) => writeln!(out, " request_id={id}"),
            None => writeln!(out),
        },
    }
}

fn as_json(out: &mut Formatter, record: &Record) -> std::io::Result<()> {
    struct Fields(serde_json::Map<String, serde_json::Value>);
    impl<'kvs> VisitSource<'kvs> for Fields {
        fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
            let value = match value.to_u64() {
                Some(number) => number.into(),
                None => value.to_string().into(),
            };
            self.0.insert(key.to_string(), value);
            Ok(())
        }
    }
    let mut fields = Fields(serde_json::Map::new());
    fields.0.insert("at".to_owned(), out.timestamp_micros().to_string().into());
    fields.0.insert("level".to_owned(), record.level().as_str().to_ascii_lowercase().into());
    fields.0.insert("target".to_owned(), record.target().into());
    fields.0.insert("message".to_owned(), record.args().to_string().into());
    if let Some(id) = api::current_request_id() {
        fields.0.insert("request_id".to_owned(), id.into());
    }
    // Key-values of our own macros are plain, so that visiting them cannot fail.
    record.key_values().visit(&mut fields).map_err(std::io::Error::other)?;
    writeln!(out, "{}", serde_json::Value::Object(fields.0))
}
