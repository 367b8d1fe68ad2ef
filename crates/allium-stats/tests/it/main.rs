//! Statistics against known answers, and their properties.

mod compound;
mod count;
mod stats;
