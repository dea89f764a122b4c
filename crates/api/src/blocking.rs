//! Where use cases run: on threads that may wait for the store without holding up the server.

use actix_web::web::{self, Data};
use usecases::{App, Error};

use crate::{
    problems::{Code, Problem},
    requests,
};

pub(crate) async fn run<T: Send + 'static>(
    app: Data<App>,
    work: impl FnOnce(&App) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    let id = requests::current_id();
    // The problem is made on the thread that knows the request, so that its log line carries the id.
    let ended = web::block(move || requests::working_for(id, || work(&app).map_err(Problem::from))).await;
    ended.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "the work ended unexpectedly")))
}
