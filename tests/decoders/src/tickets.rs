//! A help desk's log and the map that it is read by.
//!
//! Invariant: what is counted of a log is all of it, each row once.

use std::fmt::Write as _;

use pegcount_domain::ticketing::TicketEvent;
use pegcount_import::tickets::{TicketMap, TicketReader};
use pegcount_log::fuzzing::{Decoder, Outcome};

/// The map that ships as a sample.
const MAP: &str = include_str!("../../../docs/tickets-map.toml");
/// A log by that map: quoted, repeated, out of order, and with what nobody can make sense of.
const LOG: &str = "\
Case ID,Activity,Resource,Complete Timestamp,Workgroup,Product,Seriousness,Phone,Customer name,Remark,Service level,In time,Reopened
Case 1,Insert ticket,anna,2012/10/09 14:50:17,north,boiler,Value 2,+39 06 1,Ann Maker,\"It hums, at \"\"night\"\"\",gold,yes,no
Case 2,Closed,bob,2012/10/10 09:00:00,north,roof,Value 4,,,,silver,no,no
Case 1,Take in charge ticket,bob,2012/10/09 15:00:00,north,boiler,Value 2,,,,gold,yes,no
Case 1,Closed,bob,2012/10/11 09:00:00,south,boiler,Value 3,,,,gold,yes,yes
Case 1,Take in charge ticket,bob,2012/10/09 15:00:00,north,boiler,Value 2,,,,gold,yes,no
Case 3,Explode,bob,yesterday,,,,,,,,,
";

pub(crate) fn decoders() -> [Decoder; 2] {
    let log = || vec![LOG.as_bytes().to_vec(), LOG.replace('\n', "\r\n").into_bytes()];
    let map = || vec![MAP.as_bytes().to_vec()];
    [
        Decoder { name: "ticket_log", samples: log, read: ticket_log, checksummed: false },
        Decoder { name: "ticket_map", samples: map, read: ticket_map, checksummed: false },
    ]
}

fn ticket_map(bytes: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(None) };
    match TicketMap::parse(text) {
        Ok(map) => Ok(Some(format!("{map:?}"))),
        Err(refusal) if refusal.to_string().trim().is_empty() => Err("a refusal says nothing".to_owned()),
        Err(_) => Ok(None),
    }
}

fn ticket_log(bytes: &[u8]) -> Outcome {
    let map = TicketMap::parse(MAP).map_err(|error| format!("the sample map is refused: {error}"))?;
    let Ok(mut reader) = TicketReader::read(bytes, &map) else { return Ok(None) };
    let (mut told, mut tickets, mut events) = (String::new(), 0, 0);
    let mut last = None;
    for record in &mut reader {
        let Ok(record) = record else { return Ok(None) };
        let opens =
            |at: usize| record.facts.get(at).is_some_and(|fact| matches!(fact.event, TicketEvent::Opened(_)));
        if !opens(0) || (1..record.facts.len()).any(opens) {
            return Err(format!("{} is not opened once, at first", record.ticket));
        }
        if record.facts.windows(2).any(|pair| matches!(pair, [one, next] if next.at < one.at)) {
            return Err(format!("{} goes back in time", record.ticket));
        }
        if last.as_ref().is_some_and(|last| *last >= record.ticket) {
            return Err(format!("{} comes twice, or too late", record.ticket));
        }
        (tickets, events) = (tickets + 1, events + u64::try_from(record.facts.len()).unwrap_or(u64::MAX));
        // Writing to a string cannot fail.
        let _ = write!(told, "{} {:?};", record.ticket, record.facts);
        last = Some(record.ticket);
    }
    let report = reader.into_report();
    if report.read != report.kept + report.repeated + report.left_out + report.broken {
        return Err(format!("not every row is counted once: {report:?}"));
    }
    if (report.tickets, report.events) != (tickets, events) {
        return Err(format!("{tickets} tickets with {events} events are reported as {report:?}"));
    }
    Ok(Some(told))
}
