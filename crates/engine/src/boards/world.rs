//! What tickets' targets are reckoned by, made of a site's definitions.
//!
//! Until a site's own policies are in force it has the standard set; until its own calendar called [`STANDARD`] is, it has one of that name, by
//! which the standard set counts working days: Monday to Friday, 9:00 to 18:00, in the site's zone.
//!
//! Invariant: it is a function of the definitions alone.

use std::sync::OnceLock;

use pegcount_domain::{
    allowance::ZoneName,
    calendar::Weekday,
    deadlines::{World, standard::standard},
    definitions::Definitions,
    event::Event,
    ids::Name,
    time::Micros,
    working::{Hours, WeekWindow, WorkingCalendar, WorkingHistory, WorkingRules},
};
use rustc_hash::FxHashMap;

/// The name of the calendar that every site has.
pub const STANDARD: Name = Name::fixed("standard");
const STANDARD_HOURS: Hours = Hours::new(9 * 60, 18 * 60);
const STANDARD_DAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

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

fn made_of(definitions: &Definitions<Name>) -> World {
    let mut world = World::default();
    let mut histories: FxHashMap<Name, WorkingHistory> = FxHashMap::default();
    for calendar in definitions.calendars() {
        histories.entry(calendar.calendar.clone()).or_default().rules.push(WorkingRules::from(calendar));
    }
    let own = histories.entry(STANDARD).or_default();
    let begins = own.rules.iter().map(|rules| rules.valid_from).min().unwrap_or(Micros::MAX);
    // Until the site's own begins, the one that every site has holds.
    let before = standard_calendar(definitions).rules.into_iter().filter(|rules| rules.valid_from < begins);
    own.rules.extend(before);
    for changed in definitions.calendar_changes() {
        if let Some(history) = histories.get_mut(&changed.calendar) {
            history.changes.push(changed.change.clone());
        }
    }
    for (name, history) in histories {
        match WorkingCalendar::new(&history) {
            Ok(calendar) => world.define_calendar(name, calendar),
            Err(error) => {
                tracing::warn!(calendar = %name, %error, "no target can be reckoned by this calendar");
            }
        }
    }
    world.define_policies(standard(&STANDARD));
    for policies in definitions.policies() {
        world.define_policies(policies.clone());
    }
    world
}

fn standard_calendar(definitions: &Definitions<Name>) -> WorkingHistory {
    let rules = |time_zone: ZoneName, valid_from| WorkingRules {
        time_zone,
        week: STANDARD_DAYS.map(|day| WeekWindow { day, hours: STANDARD_HOURS }).into(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from,
    };
    let mut sites: Vec<_> =
        definitions.sites().map(|site| rules(site.time_zone.clone(), site.valid_from)).collect();
    if sites.first().is_none_or(|first| first.valid_from > Micros(i64::MIN)) {
        let zone = sites.first().map_or_else(|| ZoneName::new("UTC"), |first| first.time_zone.clone());
        sites.insert(0, rules(zone, Micros(i64::MIN)));
    }
    WorkingHistory { rules: sites, changes: Vec::new() }
}
