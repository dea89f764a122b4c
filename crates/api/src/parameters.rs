//! Query parameters, read as strictly as bodies.

use std::{collections::HashSet, fmt};

use actix_web::{HttpRequest, web::Query};
use domain::{Instant, Month, Period, Slug, Source, Ttl, UserId};
use serde::{Serialize, de::DeserializeOwned};
use tables::Header;
use usecases::memberships::Deadline;

use crate::{cursors, fields::Faults, problems::Problem, times};

pub(crate) const LIMIT_MAX: usize = 1_000;
pub(crate) const LIMIT_DEFAULT: usize = 100;

/// The parameters not read yet, and the faults found so far.
pub(crate) struct Parameters {
    rest: Vec<(String, String)>,
    pub(crate) faults: Faults,
}

impl Parameters {
    pub(crate) fn of(request: &HttpRequest) -> Result<Parameters, Problem> {
        Parameters::repeating(request, "")
    }

    /// Of these one may stand there several times.
    pub(crate) fn repeating(request: &HttpRequest, repeated: &str) -> Result<Parameters, Problem> {
        let mut parameters = Parameters { rest: Vec::new(), faults: Faults::default() };
        if request.query_string().is_empty() {
            return Ok(parameters);
        }
        let pairs = Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|error| Problem::fault("", "unreadable", error))?
            .into_inner();
        let mut seen = HashSet::new();
        for (name, value) in pairs {
            if seen.insert(name.clone()) || name == repeated {
                parameters.rest.push((name, value));
            } else {
                parameters.faults.add(shown(&name), "duplicate_key", "the parameter stands twice");
            }
        }
        Ok(parameters)
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let at = self.rest.iter().position(|(known, _)| known == name)?;
        Some(self.rest.swap_remove(at).1)
    }

    /// All that stand there of one that may be repeated, in their order.
    pub(crate) fn texts(&mut self, name: &str) -> Vec<String> {
        let (found, rest) = std::mem::take(&mut self.rest).into_iter().partition(|(known, _)| known == name);
        self.rest = rest;
        let found: Vec<(String, String)> = found;
        found.into_iter().map(|(_, text)| text).collect()
    }

    pub(crate) fn read<T, E: fmt::Display>(
        &mut self,
        name: &str,
        code: &'static str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(name)?;
        self.faults.take(name, code, read(&text))
    }

    /// A text to search for, as in [`Faults::search`].
    pub(crate) fn search(&mut self, name: &str) -> Option<String> {
        let text = self.text(name);
        self.faults.search(name, text)
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        self.boolean(name).unwrap_or(false)
    }

    /// Whether a file begins with the names of its columns, as it does unless it is told not to.
    pub(crate) fn header(&mut self) -> Header {
        if self.boolean("header") == Some(false) { Header::LeftOut } else { Header::Written }
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        self.read(name, "invalid_value", |text| text.parse::<bool>().map_err(|_| "must be true or false"))
    }

    pub(crate) fn instant(&mut self, name: &str) -> Option<Instant> {
        self.read(name, "invalid_instant", times::read)
    }

    pub(crate) fn user_id(&mut self, name: &str) -> Option<UserId> {
        self.read(name, "invalid_user_id", UserId::parse)
    }

    pub(crate) fn source(&mut self, name: &str) -> Option<Source> {
        self.read(name, "invalid_value", |text| Source::parse(text).ok_or("is not a source of memberships"))
    }

    pub(crate) fn slug(&mut self, name: &str) -> Option<Slug> {
        self.read(name, "invalid_slug", Slug::parse)
    }

    /// An ISO 8601 duration, or seconds.
    pub(crate) fn ttl(&mut self, name: &str) -> Option<Ttl> {
        self.read(name, "invalid_duration", Ttl::parse_or_seconds)
    }

    /// A deadline for many rows, as a ttl or as an instant, but not as both.
    pub(crate) fn deadline(&mut self) -> Option<Deadline> {
        let ttl = self.ttl("ttl");
        let at = self.instant("expires_at");
        if ttl.is_some() && at.is_some() {
            self.faults.add("ttl", "both_given", "give `ttl` or `expires_at`, not both");
        }
        ttl.map(Deadline::After).or(at.map(Deadline::At))
    }

    /// `month`, or else `from` and `to`, either of which may be left open.
    pub(crate) fn period(&mut self) -> Period {
        let month = self.read("month", "invalid_month", Month::parse);
        let (from, to) = (self.instant("from"), self.instant("to"));
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            self.faults.add("to", "out_of_order", "`to` is before `from`");
        }
        match month {
            Some(_) if from.is_some() || to.is_some() => {
                self.faults.add("month", "both_given", "give `month`, or `from` and `to`, not both");
                Period::default()
            }
            Some(month) => month.period(),
            None => Period { from, to },
        }
    }

    pub(crate) fn limit(&mut self) -> usize {
        self.limit_or(LIMIT_DEFAULT)
    }

    pub(crate) fn limit_or(&mut self, default: usize) -> usize {
        let read = |text: &str| {
            text.parse::<usize>()
                .ok()
                .filter(|limit| (1..=LIMIT_MAX).contains(limit))
                .ok_or(format!("must be a whole number from 1 to {LIMIT_MAX}"))
        };
        self.read("limit", "out_of_range", read).unwrap_or(default)
    }

    /// Where a page begins: what an earlier answer gave as `next_cursor`.
    pub(crate) fn cursor<T: DeserializeOwned + Serialize>(&mut self) -> Option<T> {
        let read = |text: &str| cursors::read(text).ok_or("is not a cursor of this list");
        self.read("cursor", "invalid_cursor", read)
    }

    /// The cursor of a list by user id, which another list's does not pass for.
    pub(crate) fn user_cursor(&mut self, list: &str) -> Option<UserId> {
        let (marked, text) = self.cursor::<(String, String)>()?;
        let id = UserId::parse(&text).ok().filter(|_| marked == list);
        self.faults.take("cursor", "invalid_cursor", id.ok_or("is not a cursor of this list"))
    }

    /// The cursor of a list by number, which another list's does not pass for.
    pub(crate) fn id_cursor(&mut self, list: &str) -> Option<i64> {
        let (marked, id) = self.cursor::<(String, i64)>()?;
        let id = (marked == list).then_some(id);
        self.faults.take("cursor", "invalid_cursor", id.ok_or("is not a cursor of this list"))
    }

    pub(crate) fn counts_exactly(&mut self) -> bool {
        let read = |text: &str| (text == "exact").then_some(true).ok_or("can only be `exact`");
        self.read("count", "invalid_value", read).unwrap_or(false)
    }

    /// All is read that is known; whatever is left is somebody else's.
    pub(crate) fn end_but_for_unknown(self) -> Result<(), Problem> {
        self.faults.none_or_problem()
    }

    /// All is read: whatever is left is unknown.
    pub(crate) fn end(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.rest) {
            self.faults.add(shown(&name), "unknown_parameter", "is not a parameter of this address");
        }
        self.faults.none_or_problem()
    }
}

fn shown(name: &str) -> String {
    name.chars().take(64).collect::<String>().escape_debug().to_string()
}
