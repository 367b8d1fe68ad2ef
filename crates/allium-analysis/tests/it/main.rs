//! Figures of relays, groups and operators, through the public interface.

mod advice;
mod figures;
mod incumbent_defects;
