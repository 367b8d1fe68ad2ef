//! The figures themselves: plain data, one struct per question.

use allium_model::{ConsensusHour, Fraction, Period, RelayFlag};

/// Every figure as of one consensus.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkReport {
    /// The newest consensus taken in.
    pub as_of: ConsensusHour,
    /// Figures of the whole network, over its current relays.
    pub network: NetworkFigures,
    /// One report per relay, in the order of `NetworkRecord::relays`.
    pub relays: Vec<RelayReport>,
}

/// Figures of the whole network; relays not seen for more than 7 days are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkFigures {
    /// Relays seen in the last 7 days.
    pub n_relays: usize,
    /// Relays Running in the newest consensus.
    pub n_running: usize,
    /// Running relays by role.
    pub running_by_role: RoleCounts,
    /// Sum of the consensus weight of running relays; `None` where none is known.
    pub consensus_weight: Option<u64>,
    /// Sum of the advertised bandwidth of running relays, bytes per second; `None` where none is known.
    pub advertised_bandwidth: Option<u64>,
    /// Distinct autonomous systems among running relays.
    pub n_autonomous_systems: usize,
    /// Distinct countries among running relays.
    pub n_countries: usize,
    /// Uptime over all current relays, in the order of [`Period::ALL`].
    pub uptime: [Option<PeriodFigures>; 7],
    /// The same by flag held at the last appearance; flags that no current relay has are missing.
    pub by_flag: Vec<FlagFigures>,
    /// Mean uptime of current relays per day (UTC), up to the last 30 days, for the network's own strip.
    pub daily: Strip,
}

/// Relays by role; a relay with both Guard and Exit counts in both, `middle` has neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RoleCounts {
    /// With flag Guard.
    pub guard: usize,
    /// With flag Exit and without BadExit.
    pub exit: usize,
    /// With neither Guard nor Exit.
    pub middle: usize,
}

/// The distribution of uptime over relays in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeriodFigures {
    /// Relays with a figure for this period.
    pub n_relays: usize,
    /// Mean over relays, each counted once.
    pub mean: Fraction,
    /// Mean over relays, each counted by its consensus weight; `None` where no weight is known.
    pub weighted_mean: Option<Fraction>,
    /// Quantiles over relays at 5, 25, 50, 75 and 95 % (R type 7).
    pub quantiles: [Fraction; 5],
    /// Standard deviation over relays (n − 1); `None` for a single relay.
    pub std_dev: Option<f64>,
}

impl RelayReport {
    /// True if it is current and was not followed by another key: earlier keys of a relay are no relays of their own.
    pub const fn is_current_key(&self) -> bool {
        self.current && self.followed_by.is_none()
    }
}

impl PeriodFigures {
    /// The levels of [`PeriodFigures::quantiles`].
    pub const LEVELS: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

    /// The median over relays.
    pub const fn median(&self) -> Fraction {
        self.quantiles[2]
    }
}

/// Uptime of the relays that hold a flag.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagFigures {
    /// The flag.
    pub flag: RelayFlag,
    /// Current relays that hold it.
    pub n_relays: usize,
    /// Of these, Running in the newest consensus.
    pub n_running: usize,
    /// Their uptime, in the order of [`Period::ALL`].
    pub uptime: [Option<PeriodFigures>; 7],
}

/// Every figure of one relay.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayReport {
    /// True if it was seen in the last 7 days.
    pub current: bool,
    /// The index of the relay that it went on as when it changed its key; `None` where no other followed it.
    pub followed_by: Option<u32>,
    /// Uptime per period, in the order of [`Period::ALL`]; `None` is "no data", never 0.
    pub uptime: [Option<UptimeFigure>; 7],
    /// Share of known consensuses with a flag, for each flag that has a history.
    pub flag_uptime: Vec<FlagUptime>,
    /// Since when it is in its present state (Running or down).
    pub since: Option<Since>,
    /// Its outages in the last year, or since it is known.
    pub outages: Option<OutageSummary>,
    /// Trend of its daily uptime over the last six months.
    pub trend: Option<Trend>,
    /// Spread of its daily uptime over the last six months.
    pub spread: Option<Spread>,
    /// Uptime per calendar month (UTC), earliest first, up to the last 13 months.
    pub months: Vec<MonthUptime>,
    /// Uptime in the last days and in as many days before, in the order of [`Recent::DAYS`].
    pub recent: [Recent; 3],
}

/// The uptime of a relay in the last days of UTC, the present one among them, and in as many days before.
///
/// Each needs half of its hours known; see `docs/methods.md`, "Change".
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Recent {
    /// In the last days.
    pub last: Option<Fraction>,
    /// In the days before.
    pub before: Option<Fraction>,
}

impl Recent {
    /// Days that are compared with as many before them.
    pub const DAYS: [usize; 3] = [7, 30, 90];

    /// The difference, where both are known.
    pub fn change(&self) -> Option<f64> {
        Some(self.last?.get() - self.before?.get())
    }
}

impl RelayReport {
    /// The uptime of a period as a bare share.
    pub fn uptime_in(&self, period: Period) -> Option<Fraction> {
        self.uptime[period.index()].map(|figure| figure.uptime)
    }

    /// The month with the highest uptime among those known for at least half of their hours; the latest of equals.
    pub fn best_month(&self) -> Option<&MonthUptime> {
        self.half_known_months().max_by(|a, b| a.uptime.get().total_cmp(&b.uptime.get()))
    }

    /// The month with the lowest uptime among those known for at least half of their hours; the earliest of equals.
    pub fn worst_month(&self) -> Option<&MonthUptime> {
        self.half_known_months().min_by(|a, b| a.uptime.get().total_cmp(&b.uptime.get()))
    }

    fn half_known_months(&self) -> impl Iterator<Item = &MonthUptime> {
        self.months.iter().filter(|month| month.known.get() >= 0.5)
    }
}

/// The uptime of a relay in a period and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UptimeFigure {
    /// Share of known hours in which it was Running; hours since a relay disappeared count as down.
    pub uptime: Fraction,
    /// The same as the source published it, before the hours since the relay disappeared were counted as down;
    /// `None` for our own exact hours and for periods that the source publishes no graph for.
    pub as_published: Option<Fraction>,
    /// The data that it is computed from.
    pub source: UptimeSource,
    /// Start of what is covered, in seconds since 1970-01-01T00:00:00Z.
    pub from_secs: i64,
    /// End of what is covered, exclusive, in the same unit.
    pub to_secs: i64,
    /// Hours measured between these two; missing ones are not counted.
    pub known_hours: f64,
    /// Share of the period that was measured.
    pub coverage: Fraction,
}

/// The data that a figure rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UptimeSource {
    /// Consensus by consensus, from our own history.
    Exact {
        /// Consensuses counted.
        n_consensuses: u32,
    },
    /// Published means over intervals.
    Published {
        /// Length of an interval in seconds.
        interval_secs: u32,
        /// Intervals with a value.
        n_intervals: u32,
    },
}

/// Share of known consensuses in which a relay held a flag.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagUptime {
    /// The flag; Running is left out because that is uptime itself.
    pub flag: RelayFlag,
    /// Per period, in the order of [`Period::ALL`].
    pub share: [Option<Fraction>; 7],
}

/// Since when a relay is in its present state: the change lies between two instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// Running or down.
    pub running: bool,
    /// The state before was last seen here; `None` where the state is as old as what is known.
    pub after: Option<ConsensusHour>,
    /// The present state was first seen here.
    pub since: ConsensusHour,
}

/// A stretch in which a relay was down, at the resolution of its source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outage {
    /// Start of the first interval with downtime, in seconds since 1970-01-01T00:00:00Z.
    pub start_secs: i64,
    /// End of the last one, exclusive, in the same unit.
    pub end_secs: i64,
    /// Hours down in between; less than the stretch where intervals are partly up.
    pub down_hours: f64,
    /// Sampling step of the coarsest interval in it: start and end are known to within this, in seconds.
    pub interval_secs: u32,
    /// True if it still lasted as of the newest consensus.
    pub ongoing: bool,
}

/// The outages of a relay.
#[derive(Debug, Clone, PartialEq)]
pub struct OutageSummary {
    /// Start of the stretch looked at, in seconds since 1970-01-01T00:00:00Z.
    pub from_secs: i64,
    /// End of it, exclusive, in the same unit.
    pub to_secs: i64,
    /// All of them, earliest first.
    pub outages: Vec<Outage>,
}

impl OutageSummary {
    /// The one with the most hours down; the latest of equals.
    pub fn longest(&self) -> Option<&Outage> {
        self.outages.iter().max_by(|a, b| a.down_hours.total_cmp(&b.down_hours))
    }

    /// Hours down in all of them together.
    pub fn down_hours(&self) -> f64 {
        self.outages.iter().map(|outage| outage.down_hours).sum()
    }
}

/// Theil–Sen trend of daily uptime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Change of uptime per 30 days, as a share: −0.01 is one percentage point less each 30 days.
    pub per_30_days: f64,
    /// Lower bound of the 95 % confidence interval (Sen 1968), same unit.
    pub low: f64,
    /// Upper bound, same unit.
    pub high: f64,
    /// Days it rests on.
    pub n_days: usize,
}

impl Trend {
    /// True if the confidence interval excludes no change.
    pub fn is_significant(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

/// The variation of daily uptime.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Standard deviation (n − 1), as a share.
    pub std_dev: f64,
    /// Median absolute deviation from the median, unscaled, as a share.
    pub mad: f64,
    /// The worst day.
    pub worst: Fraction,
    /// Days it rests on.
    pub n_days: usize,
}

/// The uptime of a relay in a calendar month.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MonthUptime {
    /// Year.
    pub year: i16,
    /// Month, 1 to 12.
    pub month: i8,
    /// Share of known hours in which it was Running.
    pub uptime: Fraction,
    /// Share of the month's hours, up to the newest consensus, that are known.
    pub known: Fraction,
}

/// Uptime over equal, adjacent intervals, for drawing and for tables.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Strip {
    /// The intervals, earliest first.
    pub cells: Vec<StripCell>,
}

/// One interval of a [`Strip`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StripCell {
    /// Its start, in seconds since 1970-01-01T00:00:00Z.
    pub start_secs: i64,
    /// Its end, exclusive, in the same unit.
    pub end_secs: i64,
    /// Uptime in it; `None` where nobody measured.
    pub uptime: Option<Fraction>,
}
