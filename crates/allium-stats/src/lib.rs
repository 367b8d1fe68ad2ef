//! Textbook statistics on slices of numbers.
//!
//! What comes in: slices of `f64`, in whatever unit; gaps are the caller's business and are left out before calling. What goes
//! out: numbers that are never NaN. Deliberately unknown here: Tor, time, files.
//!
//! Every function returns `None` where the figure does not exist: too few points (each function says how many it needs) or an
//! input that is not finite. Inputs need not be sorted unless a function says so.
//!
//! The formulas are a few lines each, so they stand here instead of behind a dependency: of the crates at hand, `statrs`
//! answers NaN for empty input, has R's quantile type 8 and no rank-based slope, and brings linear algebra along.
//!
//! ```
//! let daily = [1.0, 1.0, 0.9, 0.8, 0.8];
//! assert_eq!(allium_stats::median(&daily), Some(0.9));
//! let days = [0.0, 1.0, 2.0, 3.0, 4.0];
//! assert!(allium_stats::theil_sen(&days, &daily).is_some_and(|trend| trend.slope < 0.0));
//! ```

mod compound;
mod correlation;
mod count;
mod moments;
mod quantile;
mod random;
mod rank;
mod student;
mod summary;

pub use compound::ln_compound_tail;
pub use correlation::{pearson, spearman};
pub use count::{count_interval, ln_choose, ln_count_tail, ln_gamma};
pub use moments::{mean, std_dev, variance, weighted_mean};
pub use quantile::{mad, median, quantile, quantiles, quantiles_of_sorted};
pub use random::SplitMix64;
pub use rank::{TheilSen, kendall_tau, theil_sen, theil_sen_with};
pub use student::{student_critical, student_p};
pub use summary::{Summary, summary};
