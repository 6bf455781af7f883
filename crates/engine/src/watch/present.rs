//! Questions about the present, answered from what is kept of open work for watchers.
//!
//! Who asks again and again, as a page does, has the site followed for a while; so only what has changed since the last
//! question is folded, not everything that is open. Invariant: the answer is the one that [`Kpi::query`](pegcount_kpi::Kpi::query)
//! gives as of the answer's instant.

use std::sync::Arc;

use pegcount_kpi::{Query, Table};

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
            query.check()?;
            let now = engine.clock.now();
            Ok(engine.watches.answer(&engine, &query, now)?)
        })
        .await
    }
}
