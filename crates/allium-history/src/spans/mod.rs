//! Spans in their canonical form, whatever database keeps them: merging, carrying locations over, counting.

pub(crate) mod locations;
pub(crate) mod merge;
pub(crate) mod totals;
