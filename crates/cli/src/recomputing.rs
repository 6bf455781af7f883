//! A bar that shows how far figures that are computed anew have come, while somebody waits for them.

use std::{future::Future, sync::Arc, time::Duration};

use indicatif::ProgressBar;
use pegcount_client::Api;
use pegcount_domain::ids::SiteId;
use pegcount_engine::Engine;
use pegcount_proto::v1::{ListRecomputationsRequest, Recomputation};
use pegcount_server::wire;

use crate::{error::CliError, progress::styled};

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(200);

/// Whose recomputations are looked at.
pub(crate) enum Looking<'a> {
    /// A server's.
    Server(&'a Api),
    /// A folder's.
    Folder(&'a Arc<Engine>),
}

/// A bar that says what is done.
pub(crate) fn bar(what: &'static str) -> ProgressBar {
    let form = "{msg} {bar:40} {percent:>3} % · {human_pos} of {human_len} events · {elapsed}";
    styled(ProgressBar::new(0).with_message(what), form)
}

/// Moves the bar.
pub(crate) fn show(bar: &ProgressBar, one: &Recomputation) {
    bar.set_length(one.end);
    bar.set_position(one.folded_to);
}

/// Waits a moment.
pub(crate) async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

/// What a server computes anew.
pub(crate) async fn of_server(api: &Api, site: &SiteId) -> Result<Vec<Recomputation>, CliError> {
    let request = ListRecomputationsRequest { site: site.to_string() };
    Ok(api.kpi().list_recomputations(request).await?.into_inner().recomputations)
}

/// Waits for an answer; meanwhile a bar shows how far what is computed for it has come.
pub(crate) async fn beside<T>(
    looking: Looking<'_>,
    site: &SiteId,
    answer: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let bar = bar("counting anew");
    tokio::pin!(answer);
    loop {
        tokio::select! {
            answer = &mut answer => {
                bar.finish_and_clear();
                return answer;
            }
            () = pause() => {
                let all = match &looking {
                    Looking::Server(api) => of_server(api, site).await?,
                    Looking::Folder(engine) => {
                        engine.recomputations().iter().map(|one| wire::recomputation(one, None)).collect()
                    }
                };
                // Of several it is the one that has most before it that is waited for.
                if let Some(one) = all.iter().max_by_key(|one| one.end.saturating_sub(one.folded_to)) {
                    show(&bar, one);
                }
            }
        }
    }
}
