//! Forecasts, their model and their scores, through the public interface.

mod advice;
mod distribution;
mod model;
mod network;
mod scores;
mod support;
