//! CSV: one header line, `,` between and `"` around where needed. Cells with strangers' text go through [`crate::inert::csv_cell`].

/// The header and the lines as CSV.
///
/// # Errors
/// If a line has another number of cells than the header.
pub fn to_csv(header: Vec<String>, lines: impl Iterator<Item = Vec<String>>) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    std::iter::once(header).chain(lines).try_for_each(|line| writer.write_record(line))?;
    let bytes = writer.into_inner().map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(String::from_utf8(bytes).map_err(std::io::Error::other)?)
}
