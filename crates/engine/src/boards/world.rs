//! What tickets' targets are reckoned by, made of a site's definitions ([`pegcount_domain::deadlines::making`]).
//!
//! Invariant: it is a function of the definitions alone.

use std::sync::OnceLock;

use pegcount_domain::{
    deadlines::{
        World,
        making::{Making, STANDARD_CALENDAR},
        standard::standard,
    },
    definitions::Definitions,
    event::Event,
    ids::Name,
    working::WorkingRules,
};

/// The name of the calendar that every site has.
pub const STANDARD: Name = STANDARD_CALENDAR;

/// The world of one site, once it is needed.
#[derive(Debug, Default)]
pub(crate) struct SiteWorld(OnceLock<World>);

impl SiteWorld {
    /// The world by these definitions; they must be the same each time.
    pub(crate) fn of(&self, definitions: &Definitions<Name>) -> &World {
        self.0.get_or_init(|| made_of(definitions))
    }

    /// Whether a definition says something of it.
    pub(crate) fn is_made_of(event: &Event) -> bool {
        matches!(
            event,
            Event::CalendarDefined(_)
                | Event::CalendarChanged(_)
                | Event::SiteDefined(_)
                | Event::TicketPoliciesDefined(_)
        )
    }
}

/// What the world is made of.
pub(crate) fn making(definitions: &Definitions<Name>) -> Making<Name> {
    let calendars =
        definitions.calendars().map(|defined| (defined.calendar.clone(), WorkingRules::from(defined)));
    Making {
        standard_calendar: STANDARD,
        standard_policies: standard(&STANDARD),
        calendars: calendars.collect(),
        changes: definitions.calendar_changes().cloned().collect(),
        zones: definitions.sites().map(|site| (site.valid_from, site.time_zone.clone())).collect(),
        policies: definitions.policies().cloned().collect(),
    }
}

fn made_of(definitions: &Definitions<Name>) -> World {
    let (world, failed) = making(definitions).world();
    for (calendar, error) in failed {
        tracing::warn!(%calendar, %error, "no target can be reckoned by this calendar");
    }
    world
}
