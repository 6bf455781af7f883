//! What tickets' targets are reckoned by: the world of a site's policies and calendars, by small numbers, and the few words that have a
//! meaning of their own.
//!
//! A word's fingerprint is made with the seed of all others; so what a word means holds from the first fact on, whether anybody has
//! told its text or not. Invariant: the world is what [`Making`] makes of the definitions.

use std::sync::OnceLock;

use pegcount_domain::{
    allowance::ZoneName,
    deadlines::{
        World,
        making::{Making, STANDARD_CALENDAR},
        standard::standard,
    },
    definitions::Definitions,
    event::Event,
    ids::{Key, Name},
    ticketing::kinds::COMPLAINT,
    time::Micros,
    working::{CalendarChange, WorkingRules},
};
use serde::{Deserialize, Serialize};

use crate::names::{Id, Names};

/// The rules of one site's tickets.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TicketRules {
    seed: u64,
    complaint: Id,
    making: Making<Id>,
    #[serde(skip)]
    world: OnceLock<Box<World<Id>>>,
}

impl Default for TicketRules {
    fn default() -> Self {
        let standard_policies =
            pegcount_domain::deadlines::PolicySet { policies: Vec::new(), valid_from: Micros::ZERO };
        let making = Making {
            standard_calendar: Id::NONE,
            standard_policies,
            calendars: Vec::new(),
            changes: Vec::new(),
            zones: Vec::new(),
            policies: Vec::new(),
        };
        Self { seed: 0, complaint: Id::NONE, making, world: OnceLock::new() }
    }
}

impl TicketRules {
    /// Learns the words by the seed of all fingerprints.
    pub(super) fn know_words(&mut self, seed: u64, names: &mut Names) {
        let mut learn = |word: &Name| names.learn(Key::of(word.as_str(), seed), word.as_str());
        self.seed = seed;
        self.complaint = learn(&COMPLAINT);
        self.making.standard_calendar = learn(&STANDARD_CALENDAR);
        self.making.standard_policies = standard(&STANDARD_CALENDAR).map(&mut learn);
        self.world = OnceLock::new();
    }

    /// Whether a definition says something of the world.
    pub(super) const fn are_of(event: &Event<Key>) -> bool {
        matches!(
            event,
            Event::CalendarDefined(_)
                | Event::CalendarChanged(_)
                | Event::SiteDefined(_)
                | Event::TicketPoliciesDefined(_)
        )
    }

    /// The definitions have changed.
    pub(super) fn learn(&mut self, definitions: &Definitions<Key>, names: &mut Names) {
        let making = &mut self.making;
        let zones = Zones::of(definitions, self.seed);
        making.calendars = definitions
            .calendars()
            .filter_map(|defined| {
                // A zone that nobody knows was refused when the calendar was defined.
                let zone = zones.find(defined.time_zone, names)?;
                Some((names.id(defined.calendar), WorkingRules::of(defined, zone)))
            })
            .collect();
        let change = |changed: &CalendarChange<Key>| CalendarChange {
            calendar: names.id(changed.calendar),
            change: changed.change.clone(),
        };
        making.changes = definitions.calendar_changes().map(change).collect();
        making.zones = definitions.sites().map(|site| (site.valid_from, site.time_zone.clone())).collect();
        let mut id = |key: &Key| names.id(*key);
        making.policies = definitions.policies().map(|set| set.map(&mut id)).collect();
        self.world = OnceLock::new();
    }

    pub(super) fn world(&self) -> &World<Id> {
        // Of a calendar that cannot be made whoever defined it has been told.
        self.world.get_or_init(|| Box::new(self.making.clone().world().0))
    }

    pub(super) fn standard_calendar(&self) -> Id {
        self.making.standard_calendar
    }

    pub(super) fn is_complaint(&self, kind: Id) -> bool {
        kind != Id::NONE && kind == self.complaint
    }
}

/// Zones by their fingerprints.
struct Zones(Vec<(Key, ZoneName)>);

impl Zones {
    /// All that there are; none if no calendar asks for one.
    fn of(definitions: &Definitions<Key>, seed: u64) -> Self {
        if definitions.calendars().next().is_none() {
            return Self(Vec::new());
        }
        let all = jiff::tz::db().available();
        Self(all.map(|zone| (Key::of(zone.as_str(), seed), ZoneName::new(zone.as_str()))).collect())
    }

    fn find(&self, key: Key, names: &mut Names) -> Option<ZoneName> {
        let known = self.0.iter().find(|(known, _)| *known == key).map(|(_, zone)| zone.clone());
        known.or_else(|| {
            let id = names.id(key);
            names.is_told(key).then(|| names.text(id)).flatten().map(|text| ZoneName::new(text.as_str()))
        })
    }
}
