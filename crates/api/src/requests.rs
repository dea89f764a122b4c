//! What every request gets: an id, a time limit, a line in the log, and a problem when it fails.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    time::{Duration, Instant},
};

use actix_web::{
    Error, HttpRequest, HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method,
        header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
    },
    middleware::Next,
    web::Data,
};
use futures_util::future::poll_immediate;
use percent_encoding::percent_decode_str;
use usecases::{App, audit};

use crate::{
    Limits, answers, blocking,
    callers::Asker,
    console, guards,
    problems::{Code, Problem},
    rates::{self, Rated},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ID_CHARS_MAX: usize = 128;

/// What is known of the request under way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) path: String,
    asker: RefCell<Option<Asker>>,
    rated: Cell<Option<Rated>>,
    /// After how long the asker may try again.
    wait: Cell<Option<Duration>>,
    /// Why something was refused that is not the asker's to do.
    refusal: RefCell<Option<String>>,
}

impl Request {
    fn new(id: String, path: String) -> Request {
        let (asker, refusal) = (RefCell::default(), RefCell::default());
        Request { id, path, asker, rated: Cell::default(), wait: Cell::default(), refusal }
    }

    pub(crate) fn note_asker(&self, asker: &Asker) {
        self.asker.replace(Some(asker.clone()));
    }

    pub(crate) fn note_rate(&self, rated: Rated) {
        self.rated.set(Some(rated));
    }

    pub(crate) fn note_wait(&self, wait: Duration) {
        self.wait.set(Some(wait));
    }

    pub(crate) fn note_refusal(&self, why: &str) {
        self.refusal.replace(Some(why.to_owned()));
    }
}

tokio::task_local! {
    static REQUEST: Rc<Request>;
}

thread_local! {
    /// The id of the request that a blocking thread works for.
    static WORKING_FOR: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The request that this task answers.
pub(crate) fn current() -> Option<Rc<Request>> {
    REQUEST.try_with(Rc::clone).ok()
}

/// The id of the request under way here, for log lines.
pub fn current_id() -> Option<String> {
    let of_task = REQUEST.try_with(|request| request.id.clone()).ok();
    of_task.or_else(|| WORKING_FOR.with_borrow(Clone::clone))
}

/// Runs blocking work in the name of a request.
pub(crate) fn working_for<T>(id: Option<String>, work: impl FnOnce() -> T) -> T {
    WORKING_FOR.set(id);
    let result = work();
    WORKING_FOR.set(None);
    result
}

pub(crate) async fn attend(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let begun = Instant::now();
    let context = Rc::new(Request::new(id_of(&request), request.path().to_owned()));
    let limits = request.app_data::<Data<Limits>>();
    let (limit, is_tls) =
        limits.map_or((Duration::from_secs(30), false), |limits| (limits.request_timeout, limits.is_tls));
    let rated = limits.and_then(|limits| rate(limits, &request));
    let method = request.method().clone();
    if method == Method::HEAD {
        // It is answered as GET is; the HTTP library leaves the body out.
        request.head_mut().method = Method::GET;
    }

    let answering = REQUEST.scope(Rc::clone(&context), async move {
        if request.path().contains('%') && percent_decode_str(request.path()).decode_utf8().is_err() {
            return Err(Problem::new(Code::Refused, "the address is not UTF-8").error_response());
        }
        if let Some(wait) = rated.and_then(|rated| rated.wait) {
            let detail = format!("nothing more is taken from this address for {} ms", wait.as_millis());
            return Err(Problem::new(Code::TooManyRequests, detail).error_response());
        }
        // The bytes of an import take as long as they take; whoever reads them waits for each piece with patience of its own.
        let limit = if request.path().trim_end_matches('/').ends_with("/import") { Duration::MAX } else { limit };
        let mut answering = pin!(next.call(request));
        // What is known at once needs no timer.
        let answered = match poll_immediate(answering.as_mut()).await {
            Some(answered) => Ok(answered),
            None => tokio::time::timeout(limit, answering).await,
        };
        match answered {
            Ok(Ok(response)) => Ok(as_problem(response.map_into_boxed_body())),
            Ok(Err(error)) => Err(error.error_response()),
            Err(_) => {
                let detail = format!("no answer within {} ms", limit.as_millis());
                Err(Problem::new(Code::TimedOut, detail).error_response())
            }
        }
    });
    let mut answer = answering.await;
    if let Ok(response) = &answer {
        note_refusal(response.request(), &context, &method).await;
    }
    let (headers, status) = match &mut answer {
        Ok(response) => {
            let status = response.status();
            (response.headers_mut(), status)
        }
        Err(response) => {
            let status = response.status();
            (response.headers_mut(), status)
        }
    };
    let Request { id, path, .. } = &*context;
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, value);
    }
    guards::add(headers, path, is_tls);
    // What the caller has left says more than what its address has.
    if let Some(rated) = context.rated.get().or(rated) {
        rated.add_to(headers);
    }
    if let Some(wait) = context.wait.get() {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    }
    let (status, duration_us) = (status.as_u16(), begun.elapsed().as_micros() as u64);
    log::info!(
        request_id = id.as_str(), method = method.as_str(), path = path.as_str(), status = status, duration_us = duration_us;
        "{method} {path} {status} {duration_us}us"
    );
    // The request itself is gone with the work that was given up, so the answer travels as an error.
    answer.map_err(|response| InternalError::from_response("answered", response).into())
}

/// Counts the request, unless it asks how the service is: whoever watches over it asks from one address.
fn rate(limits: &Limits, request: &ServiceRequest) -> Option<Rated> {
    let path = request.path();
    // One page of the console is many files, which cost little.
    let is_free = matches!(path, "/healthz" | "/readyz") || path.starts_with(console::ASSETS);
    let rates = limits.rates.as_ref().filter(|_| !is_free)?;
    let peer = request.peer_addr()?.ip();
    Some(rates.ask(rates::bucket(limits.trusted_proxies.client(peer, request.headers()))))
}

/// Somebody who is known wanted what is not theirs to do: the audit log says so.
async fn note_refusal(request: &HttpRequest, context: &Request, method: &Method) {
    let (Some(why), Some(asker)) = (context.refusal.take(), context.asker.take()) else { return };
    let (app, limits) = (request.app_data::<Data<App>>(), request.app_data::<Data<Limits>>());
    let Some((app, limits)) = app.cloned().zip(limits) else { return };
    // The route, which names nobody.
    let what = format!("{method} {}", request.match_pattern().unwrap_or_default());
    let Some(times) = limits.refusals.count(asker.caller().who, &what, Instant::now()) else { return };
    let noted = blocking::run(app, move |app| audit::note_refusal(app, asker.caller(), &what, &why, times)).await;
    if let Err(problem) = noted {
        log::warn!("a refusal is not in the audit log: {problem}");
    }
}

/// The caller's id when it is a plain word, or else a fresh one.
fn id_of(request: &ServiceRequest) -> String {
    let given = request.headers().get(&REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        (1..=ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(plain)
    });
    given.map_or_else(|| fresh_id(request), str::to_owned)
}

/// A name, not a secret.
fn fresh_id(request: &ServiceRequest) -> String {
    let app = request.app_data::<Data<App>>().expect("the service was made with a world");
    let draw = || app.chance.draw().to_be_bytes();
    answers::hexadecimal(&[draw(), draw()].concat())
}

/// Refusals of the HTTP library carry no explanation: they get one here.
fn as_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let is_explained = response.headers().get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"application/problem+json") || kind.as_bytes().starts_with(b"application/json")
    });
    if is_explained {
        return response;
    }
    let allow = response.headers().get(ALLOW).cloned();
    let mut explained: HttpResponse = Problem::of_status(status).error_response();
    if let Some(allow) = allow {
        explained.headers_mut().insert(ALLOW, allow);
    }
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, explained)
}
