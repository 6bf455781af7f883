//! The KPI service: queries, watches, descriptions.

use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, QueueId, SiteId},
    time::Micros,
};
use pegcount_engine::{EngineError, KnownAt, Moment, Purpose};
use pegcount_kpi::{Dimension, EfficiencyTarget, Query, Variant};
use pegcount_log::LogError;
use pegcount_proto::v1;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{
    Answers, Room, anomalies, corrections, explain, incarnation_bytes,
    kpi_table::{attribution, dimensions, row_messages, time_zone},
    reconcile,
};
use crate::{
    access::{Action, Caller},
    fields,
    options::{PIECES_MAX, ROWS_MAX},
    status,
    wire::{self, column_messages},
};

#[tonic::async_trait]
impl v1::kpi_service_server::KpiService for Room {
    type WatchKpiStream = Answers<v1::KpiUpdate>;
    type ReconcileStream = Answers<v1::ReconcileUpdate>;

    async fn query_kpi(
        &self,
        request: Request<v1::QueryKpiRequest>,
    ) -> Result<Response<v1::KpiTable>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadKpis)?;
        let request = request.into_inner();
        let moment = self.moment(&request).await?;
        let query = query(&caller, &request, moment.as_of)?;
        self.reach(Position(request.min_position)).await?;
        let is_now = moment.known.is_none() && request.as_of_us.is_none();
        let table = if is_now {
            self.engine.query_now(query).await
        } else {
            self.engine.query_at(query, moment.known).await
        };
        let table = table.map_err(status::of)?;
        if table.rows.len() > ROWS_MAX {
            let reason = format!(
                "gives {} rows; the limit is {ROWS_MAX}: ask for a shorter range or fewer dimensions",
                table.rows.len()
            );
            return Err(status::invalid("by", reason));
        }
        Ok(Response::new(v1::KpiTable {
            columns: column_messages(&table.columns),
            rows: row_messages(&table.rows, table.formula_version),
            as_of_us: table.as_of.0,
            position: table.position.0,
            incarnation: incarnation_bytes(self.engine.incarnation()),
            formula_version: table.formula_version.into(),
            formula_versions: wire::versions(&table.formula_versions),
            older_definitions: table.older_definitions.map_or(0, |position| position.0),
        }))
    }

    async fn watch_kpi(
        &self,
        request: Request<v1::WatchKpiRequest>,
    ) -> Result<Response<Self::WatchKpiStream>, Status> {
        // Never called: [`super::watch::KpiRoutes`] answers this one before.
        let updates = super::watch::updates(self.clone(), request)?;
        let decoded = futures_util::StreamExt::map(updates, |update| {
            v1::KpiUpdate::decode(update?).map_err(|error| Status::internal(error.to_string()))
        });
        Ok(Response::new(Box::pin(decoded)))
    }

    async fn describe_kpis(
        &self,
        request: Request<v1::DescribeKpisRequest>,
    ) -> Result<Response<v1::DescribeKpisResponse>, Status> {
        self.access.admit(request.metadata(), Action::ReadDefinitions)?;
        let columns = column_messages(pegcount_kpi::describe());
        Ok(Response::new(v1::DescribeKpisResponse { columns }))
    }

    async fn explain_kpi(
        &self,
        request: Request<v1::ExplainKpiRequest>,
    ) -> Result<Response<v1::ExplainKpiResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadKpis)?;
        Ok(Response::new(explain::answer(self, &caller, request.into_inner()).await?))
    }

    async fn list_corrections(
        &self,
        request: Request<v1::ListCorrectionsRequest>,
    ) -> Result<Response<v1::ListCorrectionsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadCorrections)?;
        Ok(Response::new(corrections::answer(self, &caller, request.into_inner()).await?))
    }

    async fn reconcile(
        &self,
        request: Request<v1::ReconcileRequest>,
    ) -> Result<Response<Self::ReconcileStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::Reconcile)?;
        Ok(Response::new(reconcile::answer(self, &caller, request.get_ref())?))
    }

    async fn list_anomalies(
        &self,
        request: Request<v1::ListAnomaliesRequest>,
    ) -> Result<Response<v1::ListAnomaliesResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadCorrections)?;
        Ok(Response::new(anomalies::answer(self, &caller, request.into_inner()).await?))
    }

    async fn list_recomputations(
        &self,
        request: Request<v1::ListRecomputationsRequest>,
    ) -> Result<Response<v1::ListRecomputationsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadKpis)?;
        let site = caller.site("site", &request.get_ref().site)?;
        let recomputations = recomputations(self, &site);
        Ok(Response::new(v1::ListRecomputationsResponse { recomputations }))
    }
}

/// What is being computed anew for a site.
fn recomputations(room: &Room, site: &SiteId) -> Vec<v1::Recomputation> {
    let since = room.engine.definitions_deferred_since();
    let all = room.engine.recomputations();
    let own = all.iter().filter(|one| match &one.purpose {
        Purpose::Formula { site: of, .. } => of == site,
        Purpose::Definitions | Purpose::KnownAt => true,
    });
    own.map(|one| wire::recomputation(one, since)).collect()
}

impl Room {
    /// To which instant a request counts open work, and which part of the log it means.
    pub(super) async fn moment(&self, request: &v1::QueryKpiRequest) -> Result<Moment, Status> {
        use v1::query_kpi_request::KnownAt as Said;
        let known_at = request.known_at.map(|said| match said {
            Said::KnownAtUs(at) => KnownAt::Instant(Micros(at)),
            Said::KnownAtPosition(position) => KnownAt::Position(Position(position)),
        });
        self.engine.moment(request.as_of_us.map(Micros), known_at).await.map_err(status::of)
    }

    /// Waits until the folds have come to `position`, which must be durable.
    pub(super) async fn reach(&self, position: Position) -> Result<(), Status> {
        let next = self.engine.end().next();
        if position >= next && position != Position::START {
            return Err(status::of(EngineError::Log(LogError::OutOfRange { asked: position, next })));
        }
        self.engine.caught_up(position).await.map_err(status::of)
    }
}

/// The query that a request asks, checked, and narrowed to what the caller may see.
pub(super) fn query(caller: &Caller, request: &v1::QueryKpiRequest, as_of: Micros) -> Result<Query, Status> {
    let (from, to) = (Micros(request.from_us), Micros(request.to_us));
    let last = request.last_us.map(Micros);
    if last.is_some() && (from, to) != (Micros::ZERO, Micros::ZERO) {
        let reason = "is set beside from_us and to_us; say a range or a window, not both";
        return Err(status::invalid("last_us", reason));
    }
    let query = Query {
        by: dimensions(&request.by)?,
        attribution: attribution(request.attribution)?,
        time_zone: time_zone(&request.time_zone)?,
        queues: ids("queues", &request.queues, QueueId)?,
        agents: agents(caller, &request.agents)?,
        columns: request.columns.clone(),
        last,
        formula_version: formula_version(request.formula_version)?,
        variant: Variant {
            mean_of_days: request.mean_of_days,
            efficiency_target: request
                .efficiency_target_milli
                .map(|milli| EfficiencyTarget::above_milli(milli.into())),
        },
        ..Query::new(caller.site("site", &request.site)?, from, to, as_of)
    };
    query.check().map_err(|error| status::of_query(&error, "columns"))?;
    check_pieces(&query)?;
    Ok(query)
}

fn formula_version(number: u32) -> Result<Option<u8>, Status> {
    let wrong =
        |_| status::invalid("formula_version", format!("is {number}; a version's number is 1 to 255, or 0"));
    u8::try_from(number).map(|number| (number > 0).then_some(number)).map_err(wrong)
}

/// A long range in small pieces would take memory for rows that nobody can read.
fn check_pieces(query: &Query) -> Result<(), Status> {
    let shortest = query.by.iter().filter_map(|dimension| match dimension {
        Dimension::Interval15 => Some(Micros(15 * Micros::MINUTE.0)),
        Dimension::Interval30 => Some(Micros(30 * Micros::MINUTE.0)),
        Dimension::Hour => Some(Micros::HOUR),
        _ => None,
    });
    let Some(shortest) = shortest.min() else { return Ok(()) };
    let pieces = query.to.minus(query.from).0 / shortest.0;
    if pieces <= PIECES_MAX {
        return Ok(());
    }
    let reason =
        format!("cuts the range into {pieces} pieces; the limit is {PIECES_MAX}: ask for a shorter range");
    Err(status::invalid("by", reason))
}

fn ids<T>(
    field: &str,
    texts: &[String],
    wrap: fn(pegcount_domain::ids::Name) -> T,
) -> Result<Vec<T>, Status> {
    let id = |(index, text): (usize, &String)| fields::name(&format!("{field}[{index}]"), text).map(wrap);
    texts.iter().enumerate().map(id).collect()
}

/// An agent asks about itself, whether it says so or not.
fn agents(caller: &Caller, texts: &[String]) -> Result<Vec<AgentId>, Status> {
    let asked = ids("agents", texts, AgentId)?;
    for agent in &asked {
        caller.about_agent(agent)?;
    }
    Ok(match caller.own_agent() {
        Some(own) => vec![own.clone()],
        None => asked,
    })
}
