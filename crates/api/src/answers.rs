//! Answers: status, headers and body, with versions and with requests that act once.

use std::{
    future::{Future, Ready, ready},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH,
            IF_NONE_MATCH, LOCATION,
        },
    },
    web::{Bytes, Data},
};
use domain::{Caller, Secret};
use futures_util::future::{Either, LocalBoxFuture, poll_immediate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;
use usecases::{
    Act, App, Error, Expected, Known, Look, Revision,
    answers::{Answered, Once, once},
    changes::Seen,
    memberships::{self, ChangeMemberships, Changed},
};
use utoipa::ToSchema;

use crate::{
    Limits,
    batches::{Batches, Undone},
    blocking,
    callers::{self, Asker},
    problems::{Code, Problem},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY_CHARS_MAX: usize = 255;
/// Which transactions an answer has in it, for [`STRATA_AT_LEAST`].
const STRATA_POSITION: HeaderName = HeaderName::from_static("strata-position");
/// The position of an earlier answer, of this node or another: the answer is to be no older.
const STRATA_AT_LEAST: HeaderName = HeaderName::from_static("strata-at-least");
/// How often it is looked whether the position was reached.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// An answer before it is sent. It is also what an idempotency key keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    status: u16,
    location: Option<String>,
    #[serde(default)]
    content_location: Option<String>,
    etag: Option<String>,
    body: Option<String>,
}

impl Answer {
    pub(crate) fn ok(view: &impl Serialize) -> Answer {
        let body = serde_json::to_string(view).expect("a view is plain data");
        Answer { status: 200, location: None, content_location: None, etag: None, body: Some(body) }
    }

    /// With a version of the answer itself.
    fn versioned(view: &impl Serialize) -> Answer {
        let answer = Answer::ok(view);
        let etag = weak_etag(answer.body.as_deref().unwrap_or_default().as_bytes());
        Answer { etag: Some(etag), ..answer }
    }

    pub(crate) fn created(view: &impl Serialize, location: String) -> Answer {
        Answer { status: 201, location: Some(location), ..Answer::ok(view) }
    }

    pub(crate) fn no_content() -> Answer {
        Answer { status: 204, location: None, content_location: None, etag: None, body: None }
    }

    /// Says where the thing that was changed stands now.
    pub(crate) fn now_at(self, content_location: String) -> Answer {
        Answer { content_location: Some(content_location), ..self }
    }

    pub(crate) fn with_revision(self, revision: Revision) -> Answer {
        Answer { etag: Some(format!("\"{revision}\"")), ..self }
    }

    fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).expect("an answer has a status of ours");
        let mut response = HttpResponse::build(status);
        for (name, value) in [(LOCATION, self.location), (CONTENT_LOCATION, self.content_location), (ETAG, self.etag)] {
            if let Some(value) = value {
                response.insert_header((name, value));
            }
        }
        match self.body {
            Some(body) => response.content_type("application/json").body(body),
            None => response.finish(),
        }
    }
}

/// A request as a use case needs it: the world, who asks, and how often it may act.
pub(crate) struct Call {
    pub(crate) app: Data<App>,
    pub(crate) asker: Asker,
    pub(crate) batches: Data<Batches>,
    pub(crate) request: HttpRequest,
    pub(crate) body: Bytes,
}

impl FromRequest for Call {
    type Error = actix_web::Error;
    type Future =
        Either<Ready<Result<Call, actix_web::Error>>, LocalBoxFuture<'static, Result<Call, actix_web::Error>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned().expect("the service was made with a world");
        let batches = request.app_data::<Data<Batches>>().cloned().expect("the service was made with batches");
        let request = request.clone();
        // Whoever nobody knows is not read on.
        let asker = match callers::at_once(&request) {
            Ok(asker) => asker,
            Err(problem) => return Either::Left(ready(Err(problem.into()))),
        };
        match (asker, payload) {
            (Some(asker), Payload::None) => {
                Either::Left(ready(Ok(Call { app, asker, batches, body: Bytes::new(), request })))
            }
            (asker, payload) => {
                let body = body_of(&request, payload);
                Either::Right(Box::pin(async move {
                    let asker = match asker {
                        Some(asker) => asker,
                        None => callers::look_up(request.clone()).await?,
                    };
                    Ok(Call { app, asker, batches, body: body.await?, request })
                }))
            }
        }
    }
}

/// A request of somebody who may not be known yet.
pub(crate) struct Visit {
    pub(crate) app: Data<App>,
    pub(crate) request: HttpRequest,
    pub(crate) body: Bytes,
}

impl FromRequest for Visit {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Visit, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned().expect("the service was made with a world");
        let (request, body) = (request.clone(), body_of(request, payload));
        let is_let = callers::refuse_strangers(&request);
        Box::pin(async move {
            is_let?;
            Ok(Visit { app, body: body.await?, request })
        })
    }
}

impl Visit {
    pub(crate) fn limits(&self) -> &Limits {
        self.request.app_data::<Data<Limits>>().expect("the service was made with limits")
    }
}

/// The whole body, if it comes in time.
fn body_of(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, actix_web::Error>> + use<> {
    let limits = request.app_data::<Data<Limits>>().expect("the service was made with limits");
    let (body, patience) = (Bytes::from_request(request, payload), limits.body_timeout);
    async move {
        let mut reading = pin!(body);
        // What came with the head needs no timer.
        match poll_immediate(reading.as_mut()).await {
            Some(body) => Ok(body?),
            None => Ok(tokio::time::timeout(patience, reading).await.map_err(|_| too_slow(patience))??),
        }
    }
}

fn too_slow(patience: Duration) -> Problem {
    Problem::new(Code::BodyTooSlow, format!("the body did not arrive within {} ms", patience.as_millis()))
}

impl Call {
    pub(crate) fn caller(&self) -> &Caller {
        self.asker.caller()
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.request.app_data::<Data<Limits>>().expect("the service was made with limits")
    }

    /// Looks, and answers with a version of the answer itself.
    pub(crate) async fn look<V: Serialize + 'static>(
        self,
        work: impl FnOnce(&mut Look) -> Result<V, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        self.look_at(move |look| Ok(Answer::versioned(&work(look)?))).await
    }

    /// Asks what knows by itself whether to look, and answers with a version of the answer itself.
    pub(crate) async fn know<V: Serialize + Send + 'static>(
        self,
        work: impl FnOnce(&App, &Caller) -> Result<Known<V>, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        self.reach().await?;
        let asker = self.asker.clone();
        let known = blocking::run(self.app.clone(), move |app| work(app, asker.caller())).await?;
        Ok(self.tell(&known))
    }

    /// Answers with what is known.
    pub(crate) fn tell(&self, known: &Known<impl Serialize>) -> HttpResponse {
        let text = serde_json::to_vec(&known.found).expect("a view is plain data");
        self.tell_text(text, known.seen.as_ref())
    }

    /// The same of an answer that is JSON already. What is asked by POST has no version.
    pub(crate) fn tell_text(&self, text: Vec<u8>, seen: Option<&Seen>) -> HttpResponse {
        let etag = (self.request.method() == Method::GET).then(|| weak_etag(&text));
        let mut response = if etag.as_deref().is_some_and(|etag| not_wanted(self.request.headers(), etag)) {
            HttpResponse::NotModified().finish()
        } else {
            HttpResponse::Ok().insert_header((CONTENT_TYPE, HeaderValue::from_static("application/json"))).body(text)
        };
        let status = response.status();
        let headers = response.headers_mut();
        if let Some(etag) = etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
            headers.insert(ETAG, etag);
            if status == StatusCode::OK {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            }
        }
        take_position(&mut response, seen);
        response
    }

    /// Waits until the index has what the request asks for. The store always has it.
    pub(crate) async fn reach(&self) -> Result<(), Problem> {
        let Some(value) = self.request.headers().get(STRATA_AT_LEAST) else { return Ok(()) };
        let wanted = value.to_str().ok().and_then(|text| text.parse::<Seen>().ok());
        let wanted = wanted.ok_or_else(|| {
            let detail = "is not the Strata-Position of an earlier answer";
            Problem::fault("Strata-At-Least", "invalid_position", detail)
        })?;
        let deadline = Instant::now() + self.limits().position_timeout;
        while self.app.index.lacks(&wanted) {
            if Instant::now() >= deadline {
                let detail = format!("this node has not reached `{wanted}` yet");
                return Err(Problem::new(Code::Behind, detail));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Looks at something that has a version of its own.
    pub(crate) async fn look_at(
        self,
        work: impl FnOnce(&mut Look) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let headers = self.request.headers().clone();
        let asker = self.asker;
        let answer = blocking::run(self.app, move |app| app.look(asker.caller(), work)).await?;
        Ok(respond(&headers, answer))
    }

    /// Acts; with an idempotency key at most once.
    pub(crate) async fn act(
        self,
        work: impl FnOnce(&mut Act) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let app = self.app.clone();
        let mut response = self.act_once(work).await?;
        // What was written just now is in it.
        take_position(&mut response, app.index.seen().as_ref());
        Ok(response)
    }

    /// Acts on accounts, tokens or sessions: whatever was known of callers is looked up anew.
    pub(crate) async fn act_on_access(
        self,
        work: impl FnOnce(&mut Act) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let changes = Arc::clone(&self.limits().changes);
        let (answer, replayed) = self.answer_once(work, move || changes.note()).await?;
        Ok(sent(answer, replayed))
    }

    /// The same, with a secret that is told in `member` of the answer and kept nowhere: the same request made again is
    /// answered without it.
    pub(crate) async fn act_with_secret(
        self,
        member: &'static str,
        write: impl Fn(&Secret) -> String + Send + Sync + 'static,
        work: impl FnOnce(&mut Act) -> Result<(Answer, Secret), Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let told: Arc<Mutex<Option<String>>> = Arc::default();
        let teller = Arc::clone(&told);
        let changes = Arc::clone(&self.limits().changes);
        let work = move |act: &mut Act| {
            let (answer, secret) = work(act)?;
            *teller.lock().unwrap_or_else(PoisonError::into_inner) = Some(write(&secret));
            Ok(answer)
        };
        let (mut answer, replayed) = self.answer_once(work, move || changes.note()).await?;
        let secret = told.lock().unwrap_or_else(PoisonError::into_inner).take().filter(|_| !replayed);
        if let (Some(secret), Some(body)) = (secret, &mut answer.body)
            && let Ok(serde_json::Value::Object(mut fields)) = serde_json::from_str(body)
        {
            fields.insert(member.to_owned(), secret.into());
            *body = serde_json::Value::Object(fields).to_string();
        }
        let mut response = sent(answer, replayed);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    /// Changes one user, together with others who are changed at the same time.
    pub(crate) async fn change<V: Serialize + 'static>(
        self,
        command: ChangeMemberships,
        view: fn(Changed) -> V,
    ) -> Result<HttpResponse, Problem> {
        if self.once()?.is_some() {
            return self.act(move |act| Ok(Answer::ok(&view(memberships::change(act, command)?)))).await;
        }
        let changed = match self.batches.change(self.asker.clone(), command).await {
            Ok(changed) => changed,
            Err(Undone::Failed(error)) => return Err(error.into()),
            Err(Undone::Alone(command)) => {
                let asker = self.asker.clone();
                let alone = move |app: &App| app.act(asker.caller(), |act| memberships::change(act, *command));
                blocking::run(self.app.clone(), alone).await?
            }
        };
        let mut response = Answer::ok(&view(changed)).into_response();
        take_position(&mut response, self.app.index.seen().as_ref());
        Ok(response)
    }

    async fn act_once(
        self,
        work: impl FnOnce(&mut Act) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let (answer, replayed) = self.answer_once(work, || ()).await?;
        Ok(sent(answer, replayed))
    }

    /// The answer, and whether it was given before. `afterwards` is done as soon as all is decided, also when whoever asked has
    /// gone.
    async fn answer_once(
        self,
        work: impl FnOnce(&mut Act) -> Result<Answer, Error> + Send + 'static,
        afterwards: impl FnOnce() + Send + 'static,
    ) -> Result<(Answer, bool), Problem> {
        let asker = self.asker.clone();
        let Some(key) = self.once()? else {
            let act = move |app: &App| {
                let answer = app.act(asker.caller(), work);
                afterwards();
                answer
            };
            return Ok((blocking::run(self.app, act).await?, false));
        };
        let write = |answer: Answer| serde_json::to_string(&answer).expect("an answer is plain data");
        let act = move |app: &App| {
            let answered = once(app, asker.caller(), &key, |act| work(act).map(write));
            afterwards();
            answered
        };
        let answered = blocking::run(self.app, act).await?;
        let (text, replayed) = match answered {
            Answered::Now(text) => (text, false),
            Answered::Before(text) => (text, true),
        };
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|error| Problem::new(Code::Internal, format!("the kept answer cannot be read: {error}")))?;
        Ok((answer, replayed))
    }

    /// Tells what acting would do.
    pub(crate) async fn rehearse(
        self,
        work: impl FnOnce(&mut Act) -> Result<Answer, Error> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let asker = self.asker;
        Ok(blocking::run(self.app, move |app| app.rehearse(asker.caller(), work)).await?.into_response())
    }

    pub(crate) fn once(&self) -> Result<Option<Once>, Problem> {
        once_of(&self.request, &self.body)
    }

    /// The versions that If-Match names, or any when there is none.
    pub(crate) fn expected(&self) -> Expected {
        let mut tags = Vec::new();
        for value in self.request.headers().get_all(IF_MATCH) {
            for tag in value.to_str().unwrap_or("").split(',').map(str::trim) {
                if tag == "*" {
                    return Expected::Any;
                }
                // A weak tag never matches strongly (RFC 9110, 8.8.3.2).
                tags.push(tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or_default().to_owned());
            }
        }
        if self.request.headers().contains_key(IF_MATCH) { Expected::OneOf(tags) } else { Expected::Any }
    }

    /// The same, where a change needs it.
    pub(crate) fn expected_or_required(&self) -> Result<Expected, Problem> {
        if self.request.headers().contains_key(IF_MATCH) {
            return Ok(self.expected());
        }
        Err(Problem::new(Code::IfMatchRequired, "send the ETag that you last read as If-Match, or `*`"))
    }
}

fn sent(answer: Answer, replayed: bool) -> HttpResponse {
    let mut response = answer.into_response();
    if replayed {
        response.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The answer to one who looks, or that it has not changed.
fn respond(headers: &HeaderMap, answer: Answer) -> HttpResponse {
    if answer.etag.as_deref().is_some_and(|etag| not_wanted(headers, etag)) {
        let mut response = HttpResponse::NotModified();
        response.insert_header((ETAG, answer.etag.unwrap_or_default()));
        return response.finish();
    }
    let mut response = answer.into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

fn take_position(response: &mut HttpResponse, seen: Option<&Seen>) {
    let position = seen.and_then(|seen| HeaderValue::try_from(seen.to_string()).ok());
    if let Some(position) = position {
        response.headers_mut().insert(STRATA_POSITION, position);
    }
}

/// What tells a request with an idempotency key from others. A body that is read elsewhere is left out.
pub(crate) fn once_of(request: &HttpRequest, body: &[u8]) -> Result<Option<Once>, Problem> {
    if request.method() != Method::POST && request.method() != Method::PATCH {
        return Ok(None);
    }
    let Some(value) = request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=KEY_CHARS_MAX).contains(&key.len()));
    let key = key.ok_or_else(|| {
        let detail = format!("must have from 1 to {KEY_CHARS_MAX} visible ASCII characters");
        Problem::fault("Idempotency-Key", "invalid_value", detail)
    })?;
    let digest = Sha256::new()
        .chain_update(request.method().as_str())
        .chain_update([0])
        .chain_update(request.uri().to_string())
        .chain_update([0])
        .chain_update(body)
        .finalize();
    Ok(Some(Once { key: key.to_owned(), fingerprint: hexadecimal(&digest) }))
}

/// A version of the answer itself. It keeps no secret and nobody gains by two answers of one version, so it need not be
/// cryptographic.
fn weak_etag(body: &[u8]) -> String {
    let digest = XxHash3_128::oneshot(body).to_be_bytes();
    ["W/\"", &hexadecimal(&digest[..12]), "\""].concat()
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

/// Whether If-None-Match lists an entity tag, compared weakly (RFC 9110, 13.1.2).
fn not_wanted(headers: &HeaderMap, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    headers
        .get_all(IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Send it back as `cursor` for the next page; null on the last one.
    #[schema(required = true)]
    pub(crate) next_cursor: Option<String>,
    /// How many there are on all pages, when `count=exact` asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
}
