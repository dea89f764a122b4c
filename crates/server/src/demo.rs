//! `strata demo`: demo data from the command line.

use indicatif::ProgressBar;
use usecases::{
    Error,
    demo::{self, DAYS, STEPS, USERS},
    jobs,
};

use crate::{Failure, account::operator, say, serve, settings::Settings, world};

pub(crate) fn fill(settings: &Settings) -> Result<(), Failure> {
    let app = world::app(settings, serve::migrated(settings)?)?;
    match app.act(&operator(), demo::begin) {
        Err(Error::Conflict(why)) => say(format_args!("{why}, so nothing was changed"))?,
        begun => {
            // The job asks before each step whether it is to stop.
            let progress = ProgressBar::new(STEPS);
            let told = jobs::run(&app, begun?, &|| {
                progress.inc(1);
                false
            })?;
            progress.finish_and_clear();
            if let Some(problem) = told.problem {
                return Err(Failure(format!("job {} is {}: {problem}", told.id, told.state)));
            }
            say(format_args!("a made-up shop of {USERS} users with {DAYS} days of history is in the store"))?;
        }
    }
    let base = format!("http://{}/api/v1", settings.listen);
    say(
        "\nwhile `strata serve` runs, make a token by `strata token create mine --scope read --scope manage` and try:",
    )?;
    let curl = "curl -H 'Authorization: Bearer TOKEN'";
    say(format_args!("  {curl} {base}/users/demo-00042/segments"))?;
    say(format_args!("  {curl} '{base}/segments/stats?sort=-created_at'"))?;
    say(format_args!("  {curl} '{base}/history.csv?user_id=demo-00042'"))
}
