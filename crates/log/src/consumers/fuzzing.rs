//! CONSUMERS, for [`crate::fuzzing`].

use pegcount_domain::{
    envelope::Position,
    ids::{Incarnation, Name},
    time::Micros,
};

use super::{
    ConsumerName,
    record::{Record, Records, parse, text},
};
use crate::fuzzing::{Decoder, Outcome, comes_back, sealed, unsealed};

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder { name: "consumers", samples, read, checksummed: true },
        Decoder {
            name: "consumers_lines",
            samples: || unsealed(samples()),
            read: |bytes| sealed(bytes).map_or(Ok(None), |text| read(text.as_bytes())),
            checksummed: false,
        },
    ]
}

fn samples() -> Vec<Vec<u8>> {
    let record = |confirmed, confirmed_at| Record {
        owner: Name::fixed("etl"),
        confirmed: Position(confirmed),
        made_at: Micros(1_772_355_600_000_000),
        confirmed_at,
        incarnation: Incarnation(7),
    };
    let name = |site: Option<&'static str>, name| ConsumerName {
        site: site.map(Name::fixed),
        name: Name::fixed(name),
    };
    let two = Records::from([
        (name(Some("north"), "warehouse"), record(6_700_000, Some(Micros(-3)))),
        (name(None, "crc32c: 00000000"), record(0, None)),
    ]);
    [Records::new(), two].iter().map(|records| text(records.iter()).into_bytes()).collect()
}

fn read(bytes: &[u8]) -> Outcome {
    let Some(records) = str::from_utf8(bytes).ok().and_then(|text| parse(text).ok()) else { return Ok(None) };
    comes_back(&records, parse(&text(records.iter())).ok().as_ref())
}
