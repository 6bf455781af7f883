//! A site's time zone, and how long and how often an agent may be away on a local day.
//!
//! Reference data only: what a day comes to is judged by the KPI folds (KPIS.md §4, away compliance). Invariant: a limit
//! that is none limits nothing; all others are inclusive, as every threshold is (KPIS.md §1).

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

pub use crate::calendar::DAY_MINUTES;
use crate::{
    ids::{Name, ReasonCode, TeamId},
    time::Micros,
};

/// The name of an IANA time zone, like `Europe/Berlin`. Whether the database knows it is checked where it comes in;
/// folds need the text itself, so it is no [`Name`] that they would know by its fingerprint only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ZoneName(pub SmolStr);

impl ZoneName {
    /// The name of a zone.
    pub fn new(text: &str) -> Self {
        Self(SmolStr::new(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reference data of a site: the zone by which its local days are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteDefinition {
    /// The zone.
    pub time_zone: ZoneName,
    /// In force from.
    pub valid_from: Micros,
}

/// The most that one reason may keep an agent away on a local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonAllowance<N = Name> {
    /// The reason.
    pub reason: ReasonCode<N>,
    /// The longest single absence (duration).
    pub longest: Option<Micros>,
    /// All absences together (duration).
    pub total: Option<Micros>,
    /// How many times.
    pub count: Option<u32>,
}

/// Meals: which reasons they are, and how many, how long, and when they may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MealAllowance<N = Name> {
    /// The reasons that are meals; at least one.
    pub reasons: Vec<ReasonCode<N>>,
    /// How many.
    pub count: Option<u32>,
    /// The longest single one (duration).
    pub longest: Option<Micros>,
    /// Within these hours of the local clock.
    pub hours: Option<LocalHours>,
}

/// A part of the local day, by the clock on the wall: minutes since midnight, 0 to 1,440. One whose end is not after its
/// start goes on past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalHours {
    /// From, inclusive.
    pub from_minute: u16,
    /// To; an absence may end exactly then.
    pub to_minute: u16,
}

/// What an agent is allowed on a local day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowanceDefinition<N = Name> {
    /// The team for which it holds, instead of the one for all; none: all teams that have none of their own.
    pub team: Option<TeamId<N>>,
    /// Time away altogether (duration); reasons that are defined as productive are left out.
    pub total: Option<Micros>,
    /// Reason by reason.
    pub reasons: Vec<ReasonAllowance<N>>,
    /// Meals.
    pub meals: Option<MealAllowance<N>>,
    /// How many sign-ins.
    pub sign_ins: Option<u32>,
    /// In force from; the day's start decides.
    pub valid_from: Micros,
}

/// The most reasons of an allowance, and of its meals.
pub const REASONS_MAX: usize = 100;

impl AllowanceDefinition {
    /// Whether it can be meant so; else the path of what is wrong in it, and in words what is wrong with that.
    pub fn check(&self) -> Result<(), (String, String)> {
        check_count("reasons", self.reasons.len())?;
        for (index, reason) in self.reasons.iter().map(|limits| &limits.reason).enumerate() {
            if self.reasons.iter().take(index).any(|known| known.reason == *reason) {
                let said = format!("is {reason}, which was said before; say it once");
                return Err((format!("reasons[{index}].reason"), said));
            }
        }
        let Some(meals) = &self.meals else { return Ok(()) };
        check_count("meals.reasons", meals.reasons.len())?;
        if meals.reasons.is_empty() {
            return Err(("meals.reasons".into(), "is empty; say which reasons are meals".into()));
        }
        meals.hours.map_or(Ok(()), LocalHours::check)
    }
}

fn check_count(path: &str, count: usize) -> Result<(), (String, String)> {
    if count > REASONS_MAX {
        return Err((path.into(), format!("holds {count}; the limit is {REASONS_MAX}")));
    }
    Ok(())
}

impl LocalHours {
    fn check(self) -> Result<(), (String, String)> {
        for (end, minute, least, most) in
            [("from", self.from_minute, 0, DAY_MINUTES - 1), ("to", self.to_minute, 1, DAY_MINUTES)]
        {
            if !(least..=most).contains(&minute) {
                let reason = format!("is {minute}; give minutes since midnight, {least} to {most}");
                return Err((format!("meals.hours.{end}_minute"), reason));
            }
        }
        if self.from_minute == self.to_minute {
            let reason = "begin and end at the same minute; leave them out for any hour";
            return Err(("meals.hours".into(), reason.into()));
        }
        Ok(())
    }
}
