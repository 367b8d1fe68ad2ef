//! Several consensuses in one file, one after the other: the form in which archives are often put together.
//!
//! A part begins at a `network-status-version` line, or at the annotations and empty lines directly before it, and reaches to the next
//! part. Text before the first part is a part of its own, which is no consensus. So a consensus that is cut short or damaged costs
//! itself, and locations in all of them count from the beginning of the file.

use std::ops::Range;

use super::lines::Lines;

/// A stretch of a file that one consensus should fill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its bytes within the file.
    pub bytes: Range<usize>,
    /// Number of its first line within the file, counted from 1.
    pub line: usize,
}

impl Part {
    /// A whole file as one part.
    pub(super) const fn whole(bytes: &[u8]) -> Self {
        Self { bytes: 0..bytes.len(), line: 1 }
    }

    /// The lines of the part, with their locations in the file.
    pub(super) fn lines<'a>(&self, file: &'a [u8]) -> Lines<'a> {
        Lines::starting_at(&file[..self.bytes.end], self.bytes.start, self.line)
    }
}

/// The parts of a file, in order; at least one, which may be anything.
pub fn parts(file: &[u8]) -> Vec<Part> {
    let mut starts: Vec<(usize, usize)> = Vec::new();
    // Annotations and empty lines that may belong to the next part begin here.
    let mut lead = None;
    let mut lines = Lines::new(file);
    while let Some(line) = lines.take() {
        match line.keyword {
            b"network-status-version" => starts.push(lead.take().unwrap_or((line.start, line.number))),
            [] if line.arguments.is_empty() => {}
            [b'@', ..] => lead = lead.or(Some((line.start, line.number))),
            _ => lead = None,
        }
    }
    if starts.first().is_none_or(|(start, _)| !file[..*start].trim_ascii().is_empty()) {
        starts.insert(0, (0, 1));
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([file.len()]);
    starts.iter().zip(ends).map(|((start, line), end)| Part { bytes: *start..end, line: *line }).collect()
}
