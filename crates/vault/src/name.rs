//! Random numbers as names: `c_` and 26 letters for a customer, `s_` and 26 for a sealed value.
//!
//! Invariant: a number has one name, and a name gives its number back.

use pegcount_domain::ids::{Name, NameError};

/// 128 bits, five by five.
const CHARS: usize = 26;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What a number is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Customer,
    Value,
}

impl Of {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Customer => "c_",
            Self::Value => "s_",
        }
    }
}

/// The name of a number.
pub(crate) fn name(of: Of, number: u128) -> Result<Name, NameError> {
    let mut text = String::with_capacity(of.prefix().len() + CHARS);
    text.push_str(of.prefix());
    let letter = |place: usize| {
        let bits = usize::try_from((number >> (5 * place)) & 31).unwrap_or_default();
        ALPHABET.get(bits).copied().map_or('a', char::from)
    };
    text.extend((0..CHARS).map(letter));
    Name::new(&text)
}

/// The number of a name; none if it is no such name.
pub(crate) fn number(of: Of, name: &Name) -> Option<u128> {
    let letters = name.as_str().strip_prefix(of.prefix()).filter(|letters| letters.len() == CHARS)?;
    let mut number = 0;
    for (place, letter) in letters.bytes().enumerate() {
        let bits = u128::try_from(ALPHABET.iter().position(|known| *known == letter)?).ok()?;
        // The last letter has room for three bits.
        number |= bits.checked_mul(1_u128.checked_shl(u32::try_from(5 * place).ok()?)?)?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_number_shows_in_its_name_and_comes_back() {
        let numbers: Vec<u128> = (0..128).map(|bit| 1 << bit).chain([0, u128::MAX]).collect();
        let mut names: Vec<_> = numbers.iter().map(|bits| name(Of::Customer, *bits).unwrap()).collect();
        assert!(names.iter().map(|name| number(Of::Customer, name)).eq(numbers.iter().copied().map(Some)));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 130);
    }

    #[test]
    fn what_is_no_such_name_has_no_number() {
        let value = name(Of::Value, 7).unwrap();
        assert_eq!(number(Of::Customer, &value), None);
        let a26 = "a".repeat(26);
        for text in ["c_", "c_abc", &format!("c_{}1", &a26[1..]), &format!("c_{}i", &a26[1..])] {
            assert_eq!(number(Of::Customer, &Name::new(text).unwrap()), None, "{text}");
        }
    }
}
