//! Queries and tables between the contract and the KPI crate. Form only.

use jiff::tz::TimeZone;
use pegcount_kpi::{Attribution, Dimension, Row};
use pegcount_proto::v1;
use tonic::Status;

use crate::{
    status,
    wire::{value_message, versions},
};

/// The dimensions asked for.
pub(super) fn dimensions(codes: &[i32]) -> Result<Vec<Dimension>, Status> {
    let mut dimensions = Vec::with_capacity(codes.len());
    for (index, code) in codes.iter().enumerate() {
        dimensions.push(dimension(&format!("by[{index}]"), *code)?);
    }
    Ok(dimensions)
}

/// The dimension that a field asks for.
pub(super) fn dimension(field: &str, code: i32) -> Result<Dimension, Status> {
    Ok(match v1::Dimension::try_from(code) {
        Ok(v1::Dimension::Interval15) => Dimension::Interval15,
        Ok(v1::Dimension::Interval30) => Dimension::Interval30,
        Ok(v1::Dimension::Hour) => Dimension::Hour,
        Ok(v1::Dimension::Day) => Dimension::Day,
        Ok(v1::Dimension::Queue) => Dimension::Queue,
        Ok(v1::Dimension::Agent) => Dimension::Agent,
        Ok(v1::Dimension::Team) => Dimension::Team,
        Ok(v1::Dimension::Channel) => Dimension::Channel,
        Ok(v1::Dimension::Direction) => Dimension::Direction,
        Ok(v1::Dimension::Entry) => Dimension::Entry,
        Ok(v1::Dimension::Reason) => Dimension::Reason,
        Ok(v1::Dimension::Cause) => Dimension::Cause,
        Ok(v1::Dimension::Priority) => Dimension::Priority,
        Ok(v1::Dimension::Week) => Dimension::Week,
        Ok(v1::Dimension::Month) => Dimension::Month,
        Ok(v1::Dimension::Kind) => Dimension::Kind,
        Ok(v1::Dimension::Category) => Dimension::Category,
        Ok(v1::Dimension::Group) => Dimension::Group,
        Ok(v1::Dimension::Tier) => Dimension::Tier,
        Ok(v1::Dimension::Region) => Dimension::Region,
        Ok(v1::Dimension::Unspecified) => {
            return Err(status::invalid(field, "is not said; say a dimension, or leave it out"));
        }
        Err(_) => {
            let reason = format!("has the unknown value {code}; use a value of the contract");
            return Err(status::invalid(field, reason));
        }
    })
}

pub(super) fn attribution(code: i32) -> Result<Attribution, Status> {
    match v1::Attribution::try_from(code) {
        Ok(v1::Attribution::Unspecified | v1::Attribution::Event) => Ok(Attribution::Event),
        Ok(v1::Attribution::Start) => Ok(Attribution::Start),
        Ok(v1::Attribution::End) => Ok(Attribution::End),
        Err(_) => {
            let reason = format!("has the unknown value {code}; use event, start or end");
            Err(status::invalid("attribution", reason))
        }
    }
}

/// An IANA zone; empty is UTC.
pub(super) fn time_zone(name: &str) -> Result<TimeZone, Status> {
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    zone_of("time_zone", name)
}

/// An IANA zone.
pub(super) fn zone_of(field: &str, name: &str) -> Result<TimeZone, Status> {
    TimeZone::get(name).map_err(|_| {
        let reason =
            format!("is {name:?}, which the time zone database does not know; use a name like Asia/Shanghai");
        status::invalid(field, reason)
    })
}

/// The rows of a table whose version is `plain`.
pub(super) fn row_messages(rows: &[Row], plain: u8) -> Vec<v1::KpiRow> {
    rows.iter().map(|row| row_message(row, plain)).collect()
}

pub(super) fn row_message(row: &Row, plain: u8) -> v1::KpiRow {
    let is_plain = row.versions.as_slice() == [plain];
    v1::KpiRow {
        formula_versions: if is_plain { Vec::new() } else { versions(&row.versions) },
        from_us: row.from.0,
        to_us: row.to.0,
        keys: row.keys.iter().map(|key| key.as_ref().map(ToString::to_string).unwrap_or_default()).collect(),
        values: row.values.iter().map(value_message).collect(),
        running: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dimension_is_known_and_said() {
        assert_eq!(dimensions(&[5, 3]).unwrap(), [Dimension::Queue, Dimension::Hour]);
        assert!(dimensions(&[0]).unwrap_err().message().starts_with("by[0] is not said"));
        assert!(dimensions(&[77]).unwrap_err().message().contains("unknown value 77"));
    }

    #[test]
    fn a_zone_is_one_that_the_database_knows() {
        assert!(time_zone("Asia/Jerusalem").is_ok());
        assert!(time_zone("").is_ok());
        assert!(time_zone("Mars/Base").unwrap_err().message().contains("does not know"));
    }
}
