//! FORMAT, MANIFEST and MARK, for [`crate::fuzzing`].

use std::path::Path;

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    folder, manifest,
    mark::{self, SLOT_BYTES},
};
use crate::{
    fuzzing::{Decoder, Outcome, comes_back, sealed, unsealed},
    keys::LogKey,
};

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder { name: "format", samples: formats, read: |bytes| Ok(read_format(bytes)), checksummed: true },
        Decoder { name: "manifest", samples: manifests, read: read_manifest, checksummed: true },
        Decoder {
            name: "manifest_lines",
            samples: || unsealed(manifests()),
            read: |bytes| sealed(bytes).map_or(Ok(None), |text| read_manifest(text.as_bytes())),
            checksummed: false,
        },
        Decoder { name: "mark", samples: marks, read: |bytes| Ok(read_mark(bytes)), checksummed: true },
    ]
}

fn formats() -> Vec<Vec<u8>> {
    let key = LogKey::from_hex(&"5a".repeat(32));
    key.iter().map(|key| folder::format_text(Incarnation(42), key, 0).into_bytes()).collect()
}

fn read_format(bytes: &[u8]) -> Option<String> {
    let format = folder::parse(str::from_utf8(bytes).ok()?, Path::new("log")).ok()?;
    Some(format!("{:?} {:?}", format.incarnation, format.key.map(|key| key.hex())))
}

fn manifests() -> Vec<Vec<u8>> {
    let segments = "segment: 1 positions 1 to 9 bytes 1000 directory 00000007\nsegment: 4 positions 10 to 10 bytes 900 directory ffffffff\n";
    let dropped = "stub: 2 positions 1 to 9 bytes 500 directory 00000007\narchive: 1 position 9 bytes 53 crc32c 00000003\nsegment: 4 positions 10 to 10 bytes 900 directory ffffffff\n";
    let texts = [segments, dropped, ""].map(|history| {
        sealed(format!("pegcount manifest\ngeneration: 3\n{history}hot: 5\nhot: 6\n").as_bytes())
    });
    texts.into_iter().flatten().map(String::into_bytes).collect()
}

fn read_manifest(bytes: &[u8]) -> Outcome {
    let Some(read) = str::from_utf8(bytes).ok().and_then(|text| manifest::parse(text).ok()) else {
        return Ok(None);
    };
    comes_back(&read, manifest::parse(&read.text()).ok().as_ref())
}

/// Both slots name the same position, so that losing one of them changes nothing.
fn marks() -> Vec<Vec<u8>> {
    let slot = |generation| {
        let mut slot = mark::record(generation, Position(7));
        slot.resize(SLOT_BYTES, 0);
        slot
    };
    vec![[slot(4), slot(5)].concat()]
}

fn read_mark(bytes: &[u8]) -> Option<String> {
    let (generation, position) = mark::newest(bytes).ok()?;
    (generation > 0).then(|| position.to_string())
}
