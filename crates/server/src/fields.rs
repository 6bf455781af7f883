//! Texts and bytes of a message become typed ids, or a status that names the field.
//!
//! Checks form only.

use pegcount_domain::{
    ids::{AgentId, CommandId, Epoch, Incarnation, Name, SiteId},
    time::Micros,
};
use tonic::Status;

use crate::status;

/// A name; required.
pub(crate) fn name(field: &str, text: &str) -> Result<Name, Status> {
    Name::new(text).map_err(|error| status::invalid(field, error.to_string()))
}

/// A name; empty means none.
pub(crate) fn optional(field: &str, text: &str) -> Result<Option<Name>, Status> {
    if text.is_empty() { Ok(None) } else { name(field, text).map(Some) }
}

/// A site; required. Holds no `/`, which parts the names of streams.
pub(crate) fn site(field: &str, text: &str) -> Result<SiteId, Status> {
    let site = name(field, text)?;
    if text.contains('/') {
        return Err(status::invalid(field, "has a `/`, which a site's name cannot hold; use another sign"));
    }
    Ok(SiteId(site))
}

/// An agent; required.
pub(crate) fn agent(field: &str, text: &str) -> Result<AgentId, Status> {
    name(field, text).map(AgentId)
}

/// 16 bytes.
fn uuid(field: &str, bytes: &[u8]) -> Result<u128, Status> {
    let exact: [u8; 16] = bytes
        .try_into()
        .map_err(|_| status::invalid(field, format!("has {} bytes; a UUID has 16", bytes.len())))?;
    match u128::from_be_bytes(exact) {
        0 => Err(status::invalid(field, "is all zeroes; make a random UUID")),
        uuid => Ok(uuid),
    }
}

/// A command's id; required.
pub(crate) fn command_id(bytes: &[u8]) -> Result<CommandId, Status> {
    uuid("command_id", bytes).map(CommandId)
}

/// A source's epoch; required.
pub(crate) fn epoch(field: &str, bytes: &[u8]) -> Result<Epoch, Status> {
    uuid(field, bytes).map(Epoch)
}

/// A log's incarnation; empty means none.
pub(crate) fn incarnation(field: &str, bytes: &[u8]) -> Result<Option<Incarnation>, Status> {
    if bytes.is_empty() { Ok(None) } else { uuid(field, bytes).map(Incarnation).map(Some) }
}

/// A duration that is not negative.
pub(crate) fn duration(field: &str, micros: i64) -> Result<Micros, Status> {
    if micros < 0 {
        return Err(status::invalid(field, format!("is {micros} us; a duration is not negative")));
    }
    Ok(Micros(micros))
}

/// A minute of the day; whether it may be that late is for the domain to say.
pub(crate) fn minute(field: &str, minute: u32) -> Result<u16, Status> {
    u16::try_from(minute).map_err(|_| status::invalid(field, format!("is {minute}; a day has 1,440 minutes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_sixteen_bytes_and_is_not_all_zeroes() {
        assert!(command_id(&[1; 16]).is_ok());
        let short = command_id(&[1; 3]).unwrap_err();
        assert_eq!(short.message(), "command_id has 3 bytes; a UUID has 16");
        assert!(command_id(&[0; 16]).is_err());
        assert_eq!(incarnation("incarnation", &[]).unwrap(), None);
    }

    #[test]
    fn a_site_holds_no_slash() {
        assert!(site("site", "north").is_ok());
        assert!(site("site", "north/agent").is_err());
    }
}
