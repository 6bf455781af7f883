//! Questions about the present, answered from what is kept of open work for watchers.
//!
//! Who asks again and again, as a page does, has the site followed for a while; so only what has changed since the last
//! question is folded, not everything that is open. Invariant: the answer is the one that [`Kpi::query`](pegcount_kpi::Kpi::query)
//! gives as of the answer's instant.

use std::sync::Arc;

use pegcount_domain::ids::SiteId;
use pegcount_kpi::{Query, QueryError, Table};

use crate::{engine::Engine, error::EngineError};

impl Engine {
    /// The figures of a range as far as the fold has come, as of now: the query's own instant is not looked at, the answer
    /// says which one it was. Not on the runtime's workers.
    pub async fn query_now(self: &Arc<Self>, query: Query) -> Result<Table, EngineError> {
        if query.formula_version.is_some() {
            let query = Query { as_of: self.clock.now(), ..query };
            return self.query_at(query, None).await;
        }
        let engine = Arc::clone(self);
        self.work(move || {
            let site = query.site.clone();
            let [table] = engine.query_together(&site, [query])?;
            Ok(table)
        })
        .await
    }

    /// The same for several questions about one site, all as of one instant and position, by the formula versions in force. It keeps
    /// its thread busy: not for the runtime's workers.
    pub fn query_together<const N: usize>(
        self: &Arc<Self>,
        site: &SiteId,
        queries: [Query; N],
    ) -> Result<[Table; N], EngineError> {
        queries.iter().try_for_each(Query::check)?;
        let now = self.clock.now();
        let tables = self.watches.step_for(self, site, now, &queries.clone(), |figures, follower| {
            let as_of = follower.as_of().max(now);
            let asked = queries.map(|query| Query { as_of, ..query });
            let answers = asked.each_ref().map(|query| figures.kpi.query_present(query, follower));
            let answers: Result<Vec<Table>, QueryError> = answers.into_iter().collect();
            answers
        });
        // As many as were asked for.
        tables?.try_into().map_err(|_| EngineError::Precondition("a question has no answer".to_owned()))
    }
}
