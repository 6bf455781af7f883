//! The site's zones, what is allowed on a day, and who is believed.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    event::Event,
    ids::{ReasonCode, TeamId},
    time::Micros,
};
use toml::Spanned;

use super::{Read, Reader};
use crate::{
    site_file::{AllowanceEntry, AuthorityEntry, MealsEntry, ReasonLimitsEntry, SiteFile, Text},
    when,
};

impl Reader<'_> {
    /// `[site]` says the zone since ever, `[[zone]]` others from later instants on.
    pub(super) fn zones(&self, file: &SiteFile) -> Read<Vec<Event>> {
        let mut events = Vec::new();
        let mut define = |zone: &Text, valid_from| {
            let time_zone = ZoneName::new(zone.get_ref());
            events.push(Event::SiteDefined(SiteDefinition { time_zone, valid_from }));
        };
        if let Some(zone) = &file.site.time_zone {
            define(zone, Micros::ZERO);
        }
        for entry in &file.zone {
            let known = when::zone(entry.time_zone.get_ref());
            known.map_err(|error| self.wrong("zone: time_zone", &entry.time_zone, error.to_string()))?;
            let valid_from = self.since("zone: valid_from", Some(&entry.valid_from))?;
            if valid_from <= Micros::ZERO {
                let reason = "is no later instant; a zone since ever is said by [site] time_zone";
                return Err(self.wrong("zone: valid_from", &entry.valid_from, reason));
            }
            define(&entry.time_zone, valid_from);
        }
        Ok(events)
    }

    pub(super) fn allowance(&self, at_entry: &Spanned<AllowanceEntry>) -> Read<AllowanceDefinition> {
        let entry = at_entry.get_ref();
        let team = self.label("allowance: team", entry.team.as_ref())?;
        let whose =
            team.as_ref().map_or_else(|| "allowance for all".to_owned(), |team| format!("allowance {team}"));
        let at = |key: &str| format!("{whose}: {key}");
        let reason = |limits: &ReasonLimitsEntry| -> Read<ReasonAllowance> {
            Ok(ReasonAllowance {
                reason: ReasonCode(self.name(&at("reasons.reason"), &limits.reason)?),
                longest: self.limit(&at("reasons.longest"), limits.longest.as_ref())?,
                total: self.limit(&at("reasons.total"), limits.total.as_ref())?,
                count: limits.count,
            })
        };
        let allowance = AllowanceDefinition {
            total: self.limit(&at("total"), entry.total.as_ref())?,
            reasons: entry.reasons.iter().map(reason).collect::<Read<_>>()?,
            meals: entry.meals.as_ref().map(|meals| self.meals(&at, meals)).transpose()?,
            sign_ins: entry.sign_ins,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            team: team.map(TeamId),
        };
        allowance.check().map_err(|(path, reason)| self.wrong(&at(&path), at_entry, reason))?;
        Ok(allowance)
    }

    /// A length, or 0: then nothing is allowed.
    fn limit(&self, key: &str, at: Option<&Text>) -> Read<Option<Micros>> {
        self.at_least(Micros::ZERO, key, at)
    }

    fn meals(&self, at: &impl Fn(&str) -> String, entry: &MealsEntry) -> Read<MealAllowance> {
        let reason = |reason| self.name(&at("meals.reasons"), reason).map(ReasonCode);
        let hours = entry.hours.as_ref().map(|hours| -> Read<LocalHours> {
            Ok(LocalHours {
                from_minute: self.minute(&at("meals.hours.from"), &hours.from)?,
                to_minute: self.minute(&at("meals.hours.to"), &hours.to)?,
            })
        });
        Ok(MealAllowance {
            reasons: entry.reasons.iter().map(reason).collect::<Read<_>>()?,
            count: entry.count,
            longest: self.limit(&at("meals.longest"), entry.longest.as_ref())?,
            hours: hours.transpose()?,
        })
    }

    pub(super) fn authority(&self, entry: &AuthorityEntry) -> Read<AuthorityDefinition> {
        let mut believed: Vec<(LegField, Reporter)> = Vec::new();
        for (key, fields, reporter) in [
            ("authority: softphone", &entry.softphone, Reporter::Softphone),
            ("authority: exchange", &entry.exchange, Reporter::Exchange),
        ] {
            for field in fields {
                let read = self.word(key, field, LegField::from_word)?;
                if believed.iter().any(|(known, _)| *known == read) {
                    let reason = format!("has {} once more; one of the two is believed for it", read.word());
                    return Err(self.wrong(key, field, reason));
                }
                believed.push((read, reporter));
            }
        }
        believed.sort_unstable();
        Ok(AuthorityDefinition {
            believed,
            valid_from: self.since("authority: valid_from", entry.valid_from.as_ref())?,
        })
    }
}
