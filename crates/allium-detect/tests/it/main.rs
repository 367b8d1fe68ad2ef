//! The detector and its explanations, through the public interface.

mod detect;
mod explain;
