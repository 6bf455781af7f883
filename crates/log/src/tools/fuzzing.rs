//! BACKUP, for [`crate::fuzzing`].

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};

use super::catalogue::{Catalogue, Parsed, parse};
use crate::{
    fuzzing::{Decoder, Outcome, comes_back, sealed, unsealed},
    hot::door::{History, named},
};

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder { name: "backup", samples, read, checksummed: true },
        Decoder {
            name: "backup_lines",
            samples: || unsealed(samples()),
            read: |bytes| sealed(bytes).map_or(Ok(None), |text| read(text.as_bytes())),
            checksummed: false,
        },
    ]
}

fn samples() -> Vec<Vec<u8>> {
    let segments = [
        "1 positions 1 to 9 bytes 1000 directory 00000007",
        "3 positions 10 to 10 bytes 900 directory ffffffff",
    ];
    let history =
        History { segments: segments.into_iter().filter_map(named).collect(), ..History::default() };
    let catalogue = Catalogue {
        incarnation: Incarnation(9),
        taken_at: Micros(-4),
        end: Position(12),
        history,
        tail: named("4 positions 11 to 12 bytes 800 directory 00000001"),
    };
    vec![catalogue.text().into_bytes()]
}

fn read(bytes: &[u8]) -> Outcome {
    let parsed = |text: &str| match parse(text) {
        Ok(Parsed::Read(catalogue)) => Some(catalogue),
        Ok(Parsed::Newer(_)) | Err(_) => None,
    };
    let Some(catalogue) = str::from_utf8(bytes).ok().and_then(parsed) else { return Ok(None) };
    comes_back(&catalogue, parsed(&catalogue.text()).as_ref())
}
