//! A person's rights: all that is kept of a user, as one document.

use std::{
    io::{self, Write},
    sync::Arc,
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION},
    web::{self, Data, Path, ServiceConfig},
};
use domain::{Caller, HistoryRow, UserId};
use serde::Serialize;
use usecases::{App, Error, persons};
use utoipa::ToSchema;

use crate::{
    Limits, blocking,
    callers::Asker,
    history::HistoryView,
    memberships::UserMembership,
    parameters::Parameters,
    problems::{Code, Problem},
    streams, times,
    users::{UserView, user_in},
};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/users/{user_id}/export").get(export));
}

/// All that is kept of a user.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it is written piece by piece")]
pub(crate) struct Person {
    #[schema(example = "1000")]
    user_id: String,
    #[schema(value_type = chrono::DateTime<chrono::Utc>, example = "2026-11-20T12:00:00.000000Z")]
    exported_at: String,
    /// Null for one who was deleted, and of whom only history is left.
    #[schema(required = true)]
    user: Option<UserView>,
    /// By slug.
    memberships: Vec<UserMembership>,
    /// By instant.
    history: Vec<HistoryView>,
}

/// All that is kept of a user
///
/// Profile, memberships and history, streamed from one consistent state.
#[utoipa::path(get, path = "/api/v1/users/{user_id}/export", tag = "users", params(("user_id" = String, Path)),
    responses(
        (status = 200, description = "One document", body = Person),
        (status = 404, description = "`user_not_found`: nothing at all is kept"),
    ))]
pub(crate) async fn export(
    app: Data<App>,
    asker: Asker,
    limits: Data<Limits>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = user_in(&path)?;
    Parameters::of(&request)?.end()?;
    let permit = Arc::clone(&limits.exports).try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new(Code::Busy, "as many exports as may run at once are running"))?;
    let (noted, noting) = (id.clone(), asker.clone());
    blocking::run(app.clone(), move |app| app.act(noting.caller(), |act| persons::begin(act, &noted))).await?;
    let mut response = HttpResponse::Ok();
    response
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"user.json\""));
    streams::answer(response, limits.export_patience, move |mut pieces| {
        let _permit = permit;
        write(&app, asker.caller(), &id, &mut pieces)?;
        Ok(pieces)
    })
    .await
}

/// Writes [`Person`].
fn write(app: &App, caller: &Caller, id: &UserId, out: &mut impl Write) -> Result<(), Error> {
    app.look(caller, |look| {
        let profile = persons::profile(look, id)?;
        let memberships: Vec<UserMembership> = profile.memberships.iter().map(UserMembership::from).collect();
        out.write_all(b"{\"user_id\":")?;
        json(out, &id.as_str())?;
        out.write_all(b",\"exported_at\":")?;
        json(out, &times::write(look.now))?;
        out.write_all(b",\"user\":")?;
        json(out, &profile.user.map(UserView::from))?;
        out.write_all(b",\"memberships\":")?;
        json(out, &memberships)?;
        out.write_all(b",\"history\":[")?;
        let mut comma: &[u8] = b"";
        persons::tell(look, id, &mut |row: &HistoryRow| {
            out.write_all(comma)?;
            comma = b",";
            Ok::<_, Error>(json(out, &HistoryView::from(row))?)
        })?;
        Ok(out.write_all(b"]}")?)
    })
}

fn json(out: &mut impl Write, view: &impl Serialize) -> io::Result<()> {
    Ok(serde_json::to_writer(out, view)?)
}
