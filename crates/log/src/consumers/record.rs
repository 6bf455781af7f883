//! The file CONSUMERS: the lines of text that names and positions are kept as. Drawn in FORMAT.md.
//!
//! Not for writing it: that is the keeper's. Invariant: whatever the bytes, parsing gives what was written or says what
//! is wrong.

use std::{collections::BTreeMap, fmt::Write};

use pegcount_domain::{
    envelope::Position,
    ids::{Incarnation, Name},
    time::Micros,
};

use super::ConsumerName;
use crate::limits::CONSUMERS_MAX;

/// The file's name in the log's folder.
pub(crate) const CONSUMERS_FILE: &str = "CONSUMERS";
const TITLE: &str = "pegcount consumers";
const FORMAT: &str = "format: 1";

/// What is kept of a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Who may use the name.
    pub(crate) owner: Name,
    /// Everything up to here is confirmed, or was not wanted.
    pub(crate) confirmed: Position,
    /// When it was made.
    pub(crate) made_at: Micros,
    /// When it confirmed last; none: never.
    pub(crate) confirmed_at: Option<Micros>,
    /// The incarnation of the log that it has confirmed in, or was made in.
    pub(crate) incarnation: Incarnation,
}

/// All of them.
pub(crate) type Records = BTreeMap<ConsumerName, Record>;

/// The file's text. No name has a control character, so tabs part them.
pub(crate) fn text<'a>(records: impl Iterator<Item = (&'a ConsumerName, &'a Record)>) -> String {
    let mut text = format!("{TITLE}\n{FORMAT}\n");
    for (name, record) in records {
        let site = name.site.as_ref().map_or("", Name::as_str);
        let confirmed_at = record.confirmed_at.map_or_else(|| "-".to_owned(), |at| at.0.to_string());
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "consumer: {} {} {confirmed_at} {:032x}\t{site}\t{}\t{}",
            record.confirmed, record.made_at.0, record.incarnation.0, name.name, record.owner
        );
    }
    let crc = crc32c::crc32c(text.as_bytes());
    let _ = writeln!(text, "crc32c: {crc:08x}");
    text
}

/// What a file says.
pub(crate) fn parse(text: &str) -> Result<Records, &'static str> {
    let (head, crc) = text.rsplit_once("crc32c: ").ok_or("it has no checksum")?;
    let crc = crc.strip_suffix('\n').ok_or("it is cut short")?;
    if crc.len() != 8 || u32::from_str_radix(crc, 16) != Ok(crc32c::crc32c(head.as_bytes())) {
        return Err("its checksum does not match");
    }
    let mut lines = head.lines();
    if lines.next() != Some(TITLE) {
        return Err("it does not begin as a file of consumers does");
    }
    if lines.next() != Some(FORMAT) {
        return Err("a newer program wrote it");
    }
    let mut records = Records::new();
    for line in lines {
        let (name, record) = consumer(line).ok_or("a line does not read as a consumer")?;
        if records.insert(name, record).is_some() {
            return Err("a consumer stands in it twice");
        }
    }
    if records.len() > CONSUMERS_MAX {
        return Err("it has more consumers than there may be");
    }
    Ok(records)
}

fn consumer(line: &str) -> Option<(ConsumerName, Record)> {
    let mut parts = line.strip_prefix("consumer: ")?.split('\t');
    let mut numbers = parts.next()?.split(' ');
    let confirmed = Position(numbers.next()?.parse().ok()?);
    let made_at = Micros(numbers.next()?.parse().ok()?);
    let confirmed_at = match numbers.next()? {
        "-" => None,
        at => Some(Micros(at.parse().ok()?)),
    };
    let incarnation = Incarnation(u128::from_str_radix(numbers.next()?, 16).ok()?);
    let site = match parts.next()? {
        "" => None,
        site => Some(Name::new(site).ok()?),
    };
    let name = Name::new(parts.next()?).ok()?;
    let owner = Name::new(parts.next()?).ok()?;
    let whole = numbers.next().is_none() && parts.next().is_none();
    let record = Record { owner, confirmed, made_at, confirmed_at, incarnation };
    whole.then_some((ConsumerName { site, name }, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Records {
        let name = |text: &str| Name::new(text).unwrap();
        let odd = ConsumerName { site: Some(name("Köln 1")), name: name("crc32c: 00000000") };
        let record = Record {
            owner: name("etl of Köln"),
            confirmed: Position(u64::MAX),
            made_at: Micros(i64::MIN),
            confirmed_at: Some(Micros(-7)),
            incarnation: Incarnation(u128::MAX),
        };
        let plain = ConsumerName { site: None, name: name("warehouse") };
        let other = Record { confirmed: Position::START, confirmed_at: None, ..record.clone() };
        Records::from([(odd, record), (plain, other)])
    }

    #[test]
    fn consumers_come_back_as_written_and_any_changed_byte_is_noticed() {
        let text = text(records().iter());
        assert_eq!(parse(&text).unwrap(), records());
        for index in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[index] ^= 1;
            if let Ok(changed) = String::from_utf8(bytes) {
                assert!(parse(&changed).is_err(), "byte {index} of {changed}");
            }
            assert!(text.get(..index).is_none_or(|cut| parse(cut).is_err()), "cut at {index}");
        }
    }

    #[test]
    fn a_sound_file_with_lines_that_make_no_sense_is_refused() {
        let sealed = |body: &str| {
            let head = format!("{TITLE}\n{FORMAT}\n{body}");
            format!("{head}crc32c: {:08x}\n", crc32c::crc32c(head.as_bytes()))
        };
        assert_eq!(parse(&sealed("")).unwrap(), Records::new());
        let line = "consumer: 7 1 - 0f\tnorth\twarehouse\tetl\n";
        assert_eq!(parse(&sealed(line)).unwrap().len(), 1);
        let twice = format!("{line}{line}");
        for wrong in ["consumer: 7\n", "consumer: 7 1 - 0f 9\tnorth\ta\tb\n", "else\n", twice.as_str()] {
            assert!(parse(&sealed(wrong)).is_err(), "{wrong}");
        }
    }
}
