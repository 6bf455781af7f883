//! The site's zone, allowances and reasons, some of them late, reaching back, or changed in the middle.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    event::{Event, ReasonDefinition},
    ids::{ReasonCode, TeamId},
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};

use super::{Teller, key};

const ZONES: [&str; 6] =
    ["Europe/Berlin", "America/Montreal", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu", "Pacific/Apia"];

impl Teller {
    pub(super) fn days(&mut self) {
        if self.days.chance(80) {
            self.zone(0);
        }
        if self.days.chance(15) {
            let from = self.some_time();
            self.zone(from);
        }
        while self.days.chance(35) {
            let from = if self.days.chance(50) { 0 } else { self.some_time() };
            self.authority(from);
        }
        self.targets();
        for team in [None, Some("team 0"), Some("team 1")] {
            while self.days.chance(50) {
                let from = if self.days.chance(60) { 0 } else { self.some_time() };
                self.allowance(team, from);
            }
        }
        for reason in ["meal", "rest"] {
            while self.days.chance(30) {
                let from = if self.days.chance(60) { 0 } else { self.some_time() };
                let definition = ReasonDefinition {
                    reason: ReasonCode(key(reason)),
                    label: None,
                    productive: self.days.chance(40),
                    paid: true,
                    longest: self.limit(&[300, 900, 2400]),
                    valid_from: Micros::from_secs(from),
                };
                self.define(Event::ReasonDefined(definition));
            }
        }
    }

    /// Efficiency targets for anybody, some of them ended or given over to another column.
    fn targets(&mut self) {
        for name in ["target 0", "target 1", "target 2"] {
            while self.days.chance(45) {
                let from = if self.days.chance(50) { 0 } else { self.some_time() };
                let (agent, team) =
                    (self.days.pick(&["agent 0", "agent 1"]), self.days.pick(&["team 0", "team 1"]));
                let scopes = [
                    TargetScope::Site,
                    TargetScope::Agent(None),
                    TargetScope::Team(None),
                    TargetScope::Agent(Some(key(agent))),
                    TargetScope::Team(Some(key(team))),
                    TargetScope::Queue(None),
                ];
                let column = if self.days.chance(85) { "contacts_per_hour_inbound" } else { "aht" };
                let value = self.days.pick(&[100_000, 500_000, 1_000_000, 2_000_000]);
                let target = TargetDefinition {
                    target: key(name),
                    column: ColumnName::new(column),
                    scope: self.days.pick(&scopes),
                    comparison: self.days.pick(Comparison::ALL),
                    value: self.days.chance(85).then_some(value),
                    valid_from: Micros::from_secs(from),
                };
                self.define(Event::TargetDefined(Box::new(target)));
            }
        }
    }

    fn authority(&mut self, from: i64) {
        let mut believed = Vec::new();
        for field in LegField::ALL {
            if self.days.chance(40) {
                believed.push((*field, self.days.pick(Reporter::ALL)));
            }
        }
        let valid_from = Micros::from_secs(from);
        self.define(Event::AuthorityDefined(AuthorityDefinition { believed, valid_from }));
    }

    /// A day before the story to its end, not on any grid.
    fn some_time(&mut self) -> i64 {
        self.start - 86_400 + self.days.below(30 * 3600)
    }

    fn zone(&mut self, from: i64) {
        let time_zone = ZoneName::new(self.days.pick(&ZONES));
        self.define(Event::SiteDefined(SiteDefinition { time_zone, valid_from: Micros::from_secs(from) }));
    }

    fn limit(&mut self, seconds: &[i64]) -> Option<Micros> {
        let limit = self.days.pick(seconds);
        self.days.chance(50).then_some(Micros::from_secs(limit))
    }

    fn count(&mut self) -> Option<u32> {
        let count = u32::try_from(self.days.below(4)).unwrap();
        self.days.chance(50).then_some(count)
    }

    fn allowance(&mut self, team: Option<&str>, from: i64) {
        let mut reasons = Vec::new();
        for reason in ["meal", "rest"] {
            if self.days.chance(50) {
                reasons.push(ReasonAllowance {
                    reason: ReasonCode(key(reason)),
                    longest: self.limit(&[600, 1200, 3600]),
                    total: self.limit(&[900, 3600, 7200]),
                    count: self.count(),
                });
            }
        }
        let hour = 60 * self.days.below(24);
        let length = self.days.pick(&[60, 300, 720]);
        let minute = |minute: i64| u16::try_from(minute).unwrap();
        let hours =
            LocalHours { from_minute: minute(hour), to_minute: minute((hour + length) % 1440).max(1) };
        let hours = self.days.chance(60).then_some(hours);
        let meals = MealAllowance {
            reasons: vec![ReasonCode(key("meal"))],
            count: self.count(),
            longest: self.limit(&[600, 2400]),
            hours,
        };
        let allowance = AllowanceDefinition {
            team: team.map(|team| TeamId(key(team))),
            total: self.limit(&[1800, 5400, 10_800]),
            reasons,
            meals: self.days.chance(50).then_some(meals),
            sign_ins: self.count(),
            valid_from: Micros::from_secs(from),
        };
        self.define(Event::AllowanceDefined(allowance));
    }
}
