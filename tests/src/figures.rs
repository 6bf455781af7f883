//! A CSV of figures, read back by column names.

/// Rows of named fields.
#[derive(Debug, PartialEq, Eq)]
pub struct Csv {
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    /// Reads what `--format csv` wrote. Names hold no commas here, so a plain split will do.
    pub fn read(text: &str) -> Self {
        let split = |line: &str| line.split(',').map(str::to_owned).collect();
        let mut lines = text.lines();
        Self { head: lines.next().map(split).unwrap_or_default(), rows: lines.map(split).collect() }
    }

    /// The names of the columns.
    pub fn head(&self) -> &[String] {
        &self.head
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The fields of a column, row by row.
    pub fn column(&self, column: &str) -> Vec<&str> {
        self.rows.iter().map(|row| self.field(row, column)).collect()
    }

    /// The field of `column` in the only row.
    pub fn only(&self, column: &str) -> &str {
        assert_eq!(self.rows.len(), 1, "{self:?}");
        self.field(&self.rows[0], column)
    }

    /// The field of `column` in the row whose field `key` is `value`.
    pub fn of(&self, key: &str, value: &str, column: &str) -> &str {
        let row = self.rows.iter().find(|row| self.field(row, key) == value);
        self.field(row.unwrap_or_else(|| panic!("no row with {key} = {value}")), column)
    }

    fn field<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        let index = self.head.iter().position(|name| name == column);
        &row[index.unwrap_or_else(|| panic!("no column {column} in {:?}", self.head))]
    }
}
