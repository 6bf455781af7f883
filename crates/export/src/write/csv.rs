//! CSV by RFC 4180: CRLF at the end of lines, quotes where they are needed, an empty field for none.

use std::{fs::File, io::Write};

use super::Sheet;
use crate::cell::{Cell, Column, Row};

pub(super) struct Csv(csv::Writer<File>);

impl Csv {
    pub(super) fn new(mut file: File, columns: &[Column], bom: bool) -> Result<Self, String> {
        if bom {
            file.write_all("\u{feff}".as_bytes()).map_err(|error| error.to_string())?;
        }
        let mut builder = csv::WriterBuilder::new();
        let mut writer = builder.terminator(csv::Terminator::CRLF).from_writer(file);
        let names = columns.iter().map(|column| &column.name);
        writer.write_record(names).map_err(|error| error.to_string())?;
        Ok(Self(writer))
    }
}

impl Sheet for Csv {
    fn write(&mut self, _: &[Column], rows: &[Row]) -> Result<(), String> {
        for row in rows {
            self.0.write_record(row.iter().map(Cell::shown)).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), String> {
        let file = self.0.into_inner().map_err(|error| error.error().to_string())?;
        file.sync_all().map_err(|error| error.to_string())
    }
}
