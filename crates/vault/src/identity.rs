//! What a customer is known by, made normal: the same number written in two ways is the same customer.
//!
//! Light on purpose: what does not look like a phone number is only trimmed.
//!
//! Invariant: making a normal value normal again changes nothing.

use std::borrow::Cow;

/// Fewer digits than this are no phone number.
const PHONE_DIGITS_MIN: usize = 3;

/// The normal form; none if the value is blank.
pub(crate) fn normal(plain: &str) -> Option<Cow<'_, str>> {
    let trimmed = plain.trim();
    if trimmed.is_empty() {
        return None;
    }
    if !looks_like_phone(trimmed) {
        return Some(Cow::Borrowed(trimmed));
    }
    if trimmed.chars().any(is_filler) {
        return Some(Cow::Owned(trimmed.chars().filter(|c| !is_filler(*c)).collect()));
    }
    Some(Cow::Borrowed(trimmed))
}

fn is_filler(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '(' | ')' | '\u{2010}'..='\u{2013}')
}

/// Digits and what people put between them, perhaps a plus before.
fn looks_like_phone(text: &str) -> bool {
    let rest = text.strip_prefix('+').unwrap_or(text);
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    digits >= PHONE_DIGITS_MIN && rest.chars().all(|c| c.is_ascii_digit() || is_filler(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for written in ["+49 (30) 123-456", " +4930123456 ", "+49\u{2013}30 123 456"] {
            assert_eq!(normal(written).as_deref(), Some("+4930123456"));
        }
    }

    #[test]
    fn what_is_no_number_is_only_trimmed() {
        assert_eq!(normal(" ann-marie@example.org "), Some("ann-marie@example.org".into()));
        assert_eq!(normal("A-12 3"), Some("A-12 3".into()));
        assert_eq!(normal("1-2"), Some("1-2".into()));
    }

    #[test]
    fn a_blank_value_identifies_nobody() {
        assert_eq!((normal(""), normal(" \t")), (None, None));
    }
}
