//! The site's zone, allowances, and who is believed, between the contract and the domain. Checks form only, and that the zone
//! is one.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    ids::{ReasonCode, TeamId},
    time::Micros,
};
use pegcount_proto::v1;
use tonic::Status;

use super::kpi_table;
use crate::{fields, status};

pub(super) fn site_definition(
    field: &str,
    site: &v1::SiteDefinition,
    valid_from: Micros,
) -> Result<SiteDefinition, Status> {
    let field = format!("{field}.time_zone");
    if site.time_zone.is_empty() {
        return Err(status::invalid(&field, "is empty; give the IANA name of a zone, like Europe/Berlin"));
    }
    kpi_table::zone_of(&field, &site.time_zone)?;
    Ok(SiteDefinition { time_zone: ZoneName::new(&site.time_zone), valid_from })
}

pub(super) fn allowance_definition(
    field: &str,
    allowance: &v1::AllowanceDefinition,
    valid_from: Micros,
) -> Result<AllowanceDefinition, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let reason = |(index, reason)| reason_allowance(&at(&format!("reasons[{index}]")), reason);
    let defined = AllowanceDefinition {
        team: fields::optional(&at("team"), &allowance.team)?.map(TeamId),
        total: limit(&at("total_us"), allowance.total_us)?,
        reasons: allowance.reasons.iter().enumerate().map(reason).collect::<Result<_, _>>()?,
        meals: allowance.meals.as_ref().map(|meals| meal_allowance(&at("meals"), meals)).transpose()?,
        sign_ins: allowance.sign_ins,
        valid_from,
    };
    defined.check().map_err(|(path, reason)| status::invalid(&at(&path), reason))?;
    Ok(defined)
}

/// A duration that limits; absent: no limit.
fn limit(field: &str, micros: Option<i64>) -> Result<Option<Micros>, Status> {
    micros.map(|micros| fields::duration(field, micros)).transpose()
}

fn reason_allowance(field: &str, reason: &v1::ReasonAllowance) -> Result<ReasonAllowance, Status> {
    Ok(ReasonAllowance {
        reason: ReasonCode(fields::name(&format!("{field}.reason"), &reason.reason)?),
        longest: limit(&format!("{field}.longest_us"), reason.longest_us)?,
        total: limit(&format!("{field}.total_us"), reason.total_us)?,
        count: reason.count,
    })
}

fn meal_allowance(field: &str, meals: &v1::MealAllowance) -> Result<MealAllowance, Status> {
    let name = |(index, reason): (usize, &String)| {
        fields::name(&format!("{field}.reasons[{index}]"), reason).map(ReasonCode)
    };
    let hours = |hours: v1::LocalHours| -> Result<LocalHours, Status> {
        Ok(LocalHours {
            from_minute: fields::minute(&format!("{field}.hours.from_minute"), hours.from_minute)?,
            to_minute: fields::minute(&format!("{field}.hours.to_minute"), hours.to_minute)?,
        })
    };
    Ok(MealAllowance {
        reasons: meals.reasons.iter().enumerate().map(name).collect::<Result<_, _>>()?,
        count: meals.count,
        longest: limit(&format!("{field}.longest_us"), meals.longest_us)?,
        hours: meals.hours.map(hours).transpose()?,
    })
}

pub(super) fn authority_definition(
    field: &str,
    authority: &v1::AuthorityDefinition,
    valid_from: Micros,
) -> Result<AuthorityDefinition, Status> {
    let mut believed: Vec<(LegField, Reporter)> = Vec::new();
    let lists = [
        ("softphone", &authority.softphone, Reporter::Softphone),
        ("exchange", &authority.exchange, Reporter::Exchange),
    ];
    for (name, codes, reporter) in lists {
        for (index, code) in codes.iter().enumerate() {
            let field = format!("{field}.{name}[{index}]");
            let known = u32::try_from(*code).ok().and_then(LegField::from_code);
            let Some(known) = known else {
                let reason = format!("has the unknown value {code}; use a value of the contract");
                return Err(status::invalid(&field, reason));
            };
            if believed.iter().any(|(other, _)| *other == known) {
                let reason = format!("is {}, which was said before; say it once", known.word());
                return Err(status::invalid(&field, reason));
            }
            believed.push((known, reporter));
        }
    }
    believed.sort_unstable();
    Ok(AuthorityDefinition { believed, valid_from })
}

pub(super) fn authority_message(authority: &AuthorityDefinition) -> v1::AuthorityDefinition {
    let of = |reporter: Reporter| {
        let own = authority.believed.iter().filter(move |(_, believed)| *believed == reporter);
        own.map(|(field, _)| field.code().into()).collect()
    };
    v1::AuthorityDefinition { softphone: of(Reporter::Softphone), exchange: of(Reporter::Exchange) }
}

pub(super) fn site_message(site: &SiteDefinition) -> v1::SiteDefinition {
    v1::SiteDefinition { time_zone: site.time_zone.as_str().to_owned() }
}

pub(super) fn allowance_message(allowance: &AllowanceDefinition) -> v1::AllowanceDefinition {
    let micros = |limit: Option<Micros>| limit.map(|limit| limit.0);
    let reason = |reason: &ReasonAllowance| v1::ReasonAllowance {
        reason: reason.reason.to_string(),
        longest_us: micros(reason.longest),
        total_us: micros(reason.total),
        count: reason.count,
    };
    let meals = |meals: &MealAllowance| v1::MealAllowance {
        reasons: meals.reasons.iter().map(ToString::to_string).collect(),
        count: meals.count,
        longest_us: micros(meals.longest),
        hours: meals.hours.map(|hours| v1::LocalHours {
            from_minute: hours.from_minute.into(),
            to_minute: hours.to_minute.into(),
        }),
    };
    v1::AllowanceDefinition {
        team: allowance.team.as_ref().map(ToString::to_string).unwrap_or_default(),
        total_us: micros(allowance.total),
        reasons: allowance.reasons.iter().map(reason).collect(),
        meals: allowance.meals.as_ref().map(meals),
        sign_ins: allowance.sign_ins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance() -> v1::AllowanceDefinition {
        v1::AllowanceDefinition {
            team: "north".into(),
            total_us: Some(5_400_000_000),
            reasons: vec![v1::ReasonAllowance {
                reason: "rest".into(),
                longest_us: Some(900_000_000),
                total_us: None,
                count: Some(0),
            }],
            meals: Some(v1::MealAllowance {
                reasons: vec!["meal".into()],
                count: Some(1),
                longest_us: Some(2_700_000_000),
                hours: Some(v1::LocalHours { from_minute: 660, to_minute: 840 }),
            }),
            sign_ins: None,
        }
    }

    #[test]
    fn an_allowance_comes_back_as_it_was_given() {
        let defined = allowance_definition("d.allowance", &allowance(), Micros(5)).unwrap();
        assert_eq!(allowance_message(&defined), allowance());
    }

    #[test]
    fn who_is_believed_comes_back_as_it_was_given_and_a_field_is_said_once() {
        let given = v1::AuthorityDefinition { softphone: vec![5, 7], exchange: vec![8] };
        let defined = authority_definition("d.authority", &given, Micros(5)).unwrap();
        assert_eq!(authority_message(&defined), given);
        let twice = v1::AuthorityDefinition { softphone: vec![5], exchange: vec![5] };
        let refused = authority_definition("d.authority", &twice, Micros(5)).unwrap_err();
        assert_eq!(refused.message(), "d.authority.exchange[0] is held, which was said before; say it once");
    }

    #[test]
    fn an_unknown_zone_and_wrong_hours_are_refused_with_their_paths() {
        let zone = v1::SiteDefinition { time_zone: "Mars/Base".into() };
        let refused = site_definition("d.site", &zone, Micros(0)).unwrap_err();
        assert!(refused.message().starts_with("d.site.time_zone is \"Mars/Base\", which"), "{refused}");
        let mut late = allowance();
        late.meals.as_mut().unwrap().hours = Some(v1::LocalHours { from_minute: 660, to_minute: 1_441 });
        let refused = allowance_definition("d.allowance", &late, Micros(0)).unwrap_err();
        let said = "d.allowance.meals.hours.to_minute is 1441; give minutes since midnight, 1 to 1440";
        assert_eq!(refused.message(), said);
        let mut twice = allowance();
        twice.reasons.extend_from_within(..);
        let refused = allowance_definition("d.allowance", &twice, Micros(0)).unwrap_err();
        assert_eq!(
            refused.message(),
            "d.allowance.reasons[1].reason is rest, which was said before; say it once"
        );
    }
}
