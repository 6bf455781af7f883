//! Values that several commands take: a format, a length of time.

use std::{str::FromStr, time::Duration};

use clap::ValueEnum;

/// How figures and reports are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Columns for the eye
    #[default]
    Table,
    /// Comma-separated values: exact decimals, durations in seconds
    Csv,
    /// JSON: exact decimals, durations in seconds
    Json,
}

/// How a report that is no plain table is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For the eye
    #[default]
    Table,
    /// JSON: exact decimals, durations in seconds
    Json,
}

/// A length of real time as people write it: `90s`, `5m`, `2h`, `250ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length(pub(crate) Duration);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let refuse = || format!("`{text}` is no length of time; write 250ms, 90s, 5m or 2h");
        let number: u64 = digits.parse().map_err(|_| refuse())?;
        let millis = match unit {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(refuse()),
        };
        Ok(Self(Duration::from_millis(number.checked_mul(millis).ok_or_else(refuse)?)))
    }
}

/// A number of bytes as people write it: `512KiB`, `128MiB`, `4GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(pub(crate) u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, unit) = text.split_at(split);
        let refuse = || format!("`{text}` is no size; write 512KiB, 128MiB or 4GiB");
        let number: u64 = digits.parse().map_err(|_| refuse())?;
        let bytes: u64 = match unit {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(refuse()),
        };
        Ok(Self(number.checked_mul(bytes).ok_or_else(refuse)?))
    }
}

/// A formula version as people write it: `v3`, or `3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) u8);

impl FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_prefix('v').unwrap_or(text).parse().ok().filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| format!("`{text}` is no formula version; write v1 to v255"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [("512KiB", 512 << 10), ("128MiB", 128 << 20), ("4GiB", 4 << 30)] {
            assert_eq!(text.parse::<Size>().unwrap().0, bytes, "{text}");
        }
        for text in ["", "128", "128 MiB", "128MB", "-1KiB", "99999999999999999999KiB", "99999999999GiB"] {
            let refused = text.parse::<Size>().unwrap_err();
            assert!(refused.contains("write 512KiB, 128MiB or 4GiB"), "{refused}");
        }
    }

    #[test]
    fn a_formula_version_is_a_number_with_or_without_its_v() {
        assert_eq!(["v3", "3", "v255"].map(|text| text.parse::<Version>().unwrap().0), [3, 3, 255]);
        for text in ["", "v", "0", "v256", "-1", "three"] {
            assert!(text.parse::<Version>().unwrap_err().contains("write v1 to v255"));
        }
    }

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, millis) in
            [("250ms", 250), ("90s", 90_000), ("90", 90_000), ("5m", 300_000), ("2h", 7_200_000)]
        {
            assert_eq!(text.parse::<Length>().unwrap().0.as_millis(), millis, "{text}");
        }
        for text in ["", "s", "5 m", "-5s", "1d", "99999999999999999999s"] {
            let refused = text.parse::<Length>().unwrap_err();
            assert!(refused.contains("write 250ms, 90s, 5m or 2h"), "{refused}");
        }
    }
}
