//! Reference data comes in: queues, reasons, agents, the site's zone, what is allowed on a day. Definitions are events like any other.
//!
//! Invariant: what is defined already, exactly so, is not written again.

use pegcount_domain::{
    allowance::{AllowanceDefinition, SiteDefinition},
    authority::AuthorityDefinition,
    envelope::{Position, StreamKind, StreamName},
    event::{AgentDefinition, Event, QueueDefinition, ReasonDefinition},
    ids::{Name, SiteId},
};
use pegcount_log::{Append, AppendError, Expected};
use smallvec::smallvec;

use crate::{
    engine::Engine,
    error::EngineError,
    ingest::new_event,
    options::{DECISIONS_MAX, DEFINITIONS_MAX},
    source::ENGINE_SOURCE,
};

/// The id of a site's one stream of definitions.
pub(crate) const ALL: Name = Name::fixed("all");

/// All that is defined at a site, and what was seen without a definition.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    /// Queues, every version of each.
    pub queues: Vec<QueueDefinition>,
    /// Reasons, every version of each.
    pub reasons: Vec<ReasonDefinition>,
    /// Agents, every version of each.
    pub agents: Vec<AgentDefinition>,
    /// The site's zone, every version of it.
    pub sites: Vec<SiteDefinition>,
    /// What is allowed on a day, every version for each team.
    pub allowances: Vec<AllowanceDefinition>,
    /// Who is believed for which field of a leg, every version of it.
    pub authorities: Vec<AuthorityDefinition>,
    /// Agents that facts named and nobody defined.
    pub undeclared_agents: Vec<Name>,
    /// Queues that facts named and nobody defined.
    pub undeclared_queues: Vec<Name>,
}

impl Engine {
    /// Writes the definitions that are new or changed; returns how many, and the position of the last.
    ///
    /// `events` hold definitions only; others are refused. Errors: too many, the log's.
    pub async fn define(
        &self,
        site: &SiteId,
        actor: &Name,
        events: Vec<Event>,
    ) -> Result<(usize, Position), EngineError> {
        if events.len() > DEFINITIONS_MAX {
            let reason =
                format!("holds {}; the limit is {DEFINITIONS_MAX}: send them in parts", events.len());
            return Err(EngineError::invalid("definitions", reason));
        }
        let is_definition = |event: &Event| {
            matches!(
                event,
                Event::QueueDefined(_)
                    | Event::ReasonDefined(_)
                    | Event::AgentDefined(_)
                    | Event::SiteDefined(_)
                    | Event::AllowanceDefined(_)
                    | Event::AuthorityDefined(_)
            )
        };
        if !events.iter().all(is_definition) {
            return Err(EngineError::invalid(
                "definitions",
                "hold something else; give queues, reasons, agents, the site, allowances or authorities",
            ));
        }
        for (index, event) in events.iter().enumerate() {
            if let Event::SiteDefined(SiteDefinition { time_zone, .. }) = event
                && !pegcount_kpi::is_known_zone(time_zone)
            {
                let reason = format!(
                    "is {:?}, which the time zone database does not know; use a name like Europe/Berlin",
                    time_zone.as_str()
                );
                return Err(EngineError::invalid(&format!("definitions[{index}].site.time_zone"), reason));
            }
        }
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Definition, id: ALL };
        for _ in 0..DECISIONS_MAX {
            let version = self.log.version(&stream)?;
            self.caught_up(self.log.end()).await?;
            let new = self.boards.state().read().new_definitions(site, &events);
            if new.is_empty() {
                return Ok((0, Position::START));
            }
            let now = self.clock.now();
            let count = new.len();
            // A frame holds some hundred events; a few hundred definitions are one append, more are several.
            let append = Append {
                source: Name::fixed(ENGINE_SOURCE),
                batch: None,
                skip_to: None,
                expected: smallvec![(stream.clone(), Expected::Version(version))],
                events: new
                    .iter()
                    .map(|event| new_event(stream.clone(), event, now, now, actor.clone()))
                    .collect(),
            };
            match self.log.append(append).await {
                Ok(done) => {
                    self.caught_up(done.last).await?;
                    return Ok((count, done.last));
                }
                Err(AppendError::WrongVersion { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Precondition(format!(
            "somebody else defines at {site} all the time; tried {DECISIONS_MAX} times: try again later"
        )))
    }

    /// All that is defined at `site`.
    pub fn defined(&self, site: &SiteId) -> Defined {
        self.boards.state().read().defined(site)
    }
}
