//! Where a watcher was: of which log, which question, which table and which of its numbers; and up to which instant and
//! position.
//!
//! Whoever forges one gets too few rows or too many, of a query that it may ask anyway. Invariant: a token of another log
//! or another question is no token.

use pegcount_domain::{
    envelope::Position,
    ids::{Incarnation, Key},
    time::Micros,
};

/// All fields at full width.
const BYTES: usize = 16 + 16 + 8 + 8 + 8 + 8 + 8;

/// Where a watcher was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) incarnation: Incarnation,
    /// The question's fingerprint.
    pub(super) question: Key,
    /// The table, while it is kept.
    pub(super) table: u64,
    pub(super) version: u64,
    pub(super) position: Position,
    pub(super) as_of: Micros,
    /// Whether definitions were left out of what it was told.
    pub(super) older_definitions: bool,
}

impl Token {
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&self.incarnation.0.to_be_bytes());
        bytes.extend_from_slice(&self.question.0.to_be_bytes());
        for field in [self.table, self.version, self.position.0] {
            bytes.extend_from_slice(&field.to_be_bytes());
        }
        bytes.extend_from_slice(&self.as_of.0.to_be_bytes());
        bytes.extend_from_slice(&u64::from(self.older_definitions).to_be_bytes());
        bytes
    }

    /// What a token says, if it is one.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (incarnation, rest) = bytes.split_first_chunk::<16>()?;
        let (question, rest) = rest.split_first_chunk::<16>()?;
        let (fields, over) = rest.as_chunks::<8>();
        let ([table, version, position, as_of, older], []) = (fields, over) else { return None };
        Some(Self {
            incarnation: Incarnation(u128::from_be_bytes(*incarnation)),
            question: Key(u128::from_be_bytes(*question)),
            table: u64::from_be_bytes(*table),
            version: u64::from_be_bytes(*version),
            position: Position(u64::from_be_bytes(*position)),
            as_of: Micros(i64::from_be_bytes(*as_of)),
            older_definitions: u64::from_be_bytes(*older) != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_other_bytes_are_none() {
        let token = Token {
            incarnation: Incarnation(9),
            question: Key(8),
            table: 7,
            version: 6,
            position: Position(5),
            as_of: Micros(-4),
            older_definitions: true,
        };
        let bytes = token.bytes();
        assert_eq!(Token::read(&bytes), Some(token));
        assert_eq!(Token::read(&bytes[1..]), None);
        assert_eq!(Token::read(b""), None);
    }
}
