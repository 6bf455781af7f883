//! Sealed values: names, numbers, addresses, free text, each under its customer's key.
//!
//! An addition's body is a row of values: reference 16 | surrogate 16 | kind 1 | nonce 24 | length u32 | sealed bytes. All but
//! the last are bound to the value, so no value passes for another.
//!
//! Invariant: a reference is durable before it is given to anybody. What a customer's key is gone for stays, unreadable.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use pegcount_domain::customer::ValueKind;
use rustc_hash::FxHashMap;

use crate::{
    append::Appended,
    error::{VaultError, damaged, failed},
    folder::Folder,
    key::{CustomerKey, NONCE_BYTES, TAG_BYTES, random},
};

/// The file of sealed values.
pub(crate) const NAME: &str = "sealed";
pub(crate) const MAGIC: &str = "PEGVSEA1";
const ABOUT_BYTES: usize = 33;
const HEAD_BYTES: usize = ABOUT_BYTES + NONCE_BYTES + 4;

/// Where a value lies in the file.
#[derive(Clone, Copy)]
struct Place {
    at: u64,
    bytes: u32,
}

/// A value as it lies there.
pub(crate) struct Found {
    pub(crate) customer: u128,
    pub(crate) kind: ValueKind,
    about: [u8; ABOUT_BYTES],
    nonce: [u8; NONCE_BYTES],
    sealed: Vec<u8>,
}

impl Found {
    /// What was sealed; none if it was with another key.
    pub(crate) fn unseal(&self, key: &CustomerKey) -> Option<String> {
        let plain = key.unseal(self.nonce, &self.sealed, &self.about)?;
        String::from_utf8(plain).ok()
    }
}

/// A value to seal.
pub(crate) struct ToSeal<'a> {
    pub(crate) customer: u128,
    pub(crate) key: &'a CustomerKey,
    pub(crate) kind: ValueKind,
    pub(crate) plain: &'a str,
}

pub(crate) struct SealedValues {
    file: Appended,
    places: FxHashMap<u128, Place>,
}

impl SealedValues {
    pub(crate) fn open(folder: &Folder, mark: [u8; 8]) -> Result<Self, VaultError> {
        let mut places = FxHashMap::default();
        let file = Appended::open_additions(folder, NAME, MAGIC, mark, |begin, body| {
            let mut rest = body;
            while !rest.is_empty() {
                let (reference, bytes) = value(rest).ok_or("a sealed value is cut short")?;
                let at = begin + widen(body.len() - rest.len());
                places.insert(reference, Place { at, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) });
                rest = rest.get(bytes..).unwrap_or_default();
            }
            Ok(())
        })?;
        Ok(Self { file, places })
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Seals values, each of a customer under the customer's key, durably together; their references.
    pub(crate) fn seal(&mut self, values: &[ToSeal<'_>]) -> Result<Vec<u128>, VaultError> {
        let (mut body, mut made) = (Vec::new(), Vec::with_capacity(values.len()));
        for ToSeal { customer, key, kind, plain } in values {
            let reference = u128::from_le_bytes(random()?);
            let about = about(reference, *customer, *kind);
            let (nonce, sealed) = key.seal(plain.as_bytes(), &about)?;
            made.push((reference, widen(body.len()), HEAD_BYTES + sealed.len()));
            body.extend_from_slice(&about);
            body.extend_from_slice(&nonce);
            body.extend_from_slice(&u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes());
            body.extend_from_slice(&sealed);
        }
        if body.is_empty() {
            return Ok(Vec::new());
        }
        let begin = self.file.add(&body)?;
        for (reference, at, bytes) in &made {
            let bytes = u32::try_from(*bytes).unwrap_or(u32::MAX);
            self.places.insert(*reference, Place { at: begin + at, bytes });
        }
        Ok(made.into_iter().map(|(reference, ..)| reference).collect())
    }

    /// A value by its reference; none if there is none.
    pub(crate) fn find(&self, reference: u128) -> Result<Option<Found>, VaultError> {
        let Some(place) = self.places.get(&reference) else { return Ok(None) };
        let path = self.file.path();
        let mut bytes = vec![0; usize::try_from(place.bytes).unwrap_or_default()];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(place.at))?;
            file.read_exact(&mut bytes)
        });
        read.map_err(failed("read", path))?;
        let found = found(&bytes).filter(|found| about(reference, found.customer, found.kind) == found.about);
        let at = usize::try_from(place.at).unwrap_or(usize::MAX);
        found.map(Some).ok_or_else(|| damaged(path, at, "a sealed value is not where it was"))
    }
}

fn about(reference: u128, customer: u128, kind: ValueKind) -> [u8; ABOUT_BYTES] {
    let mut about = [kind.code(); ABOUT_BYTES];
    let names = reference.to_le_bytes().into_iter().chain(customer.to_le_bytes());
    about.iter_mut().zip(names).for_each(|(to, from)| *to = from);
    about
}

/// The reference of the value that `bytes` begin with, and how long it is.
fn value(bytes: &[u8]) -> Option<(u128, usize)> {
    let (about, rest) = bytes.split_first_chunk::<ABOUT_BYTES>()?;
    let length = rest.get(NONCE_BYTES..)?.first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let whole = HEAD_BYTES.checked_add(length)?;
    ValueKind::from_code(about[ABOUT_BYTES - 1].into())?;
    (length >= TAG_BYTES && bytes.len() >= whole).then_some(())?;
    Some((u128::from_le_bytes(*about.first_chunk()?), whole))
}

fn found(bytes: &[u8]) -> Option<Found> {
    let (about, rest) = bytes.split_first_chunk::<ABOUT_BYTES>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let (length, sealed) = rest.split_first_chunk::<4>()?;
    (usize::try_from(u32::from_le_bytes(*length)) == Ok(sealed.len())).then_some(())?;
    Some(Found {
        customer: u128::from_le_bytes(*about.get(16..)?.first_chunk()?),
        kind: ValueKind::from_code(about[ABOUT_BYTES - 1].into())?,
        about: *about,
        nonce: *nonce,
        sealed: sealed.to_vec(),
    })
}

fn widen(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
