//! The names of the features, in the order of their columns.

/// Number of features in a row.
pub const N_FEATURES: usize = NAMES.len();

/// The subject of a feature; features of one group are explained together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Uptime of the last days and months.
    Uptime,
    /// Number and length of outages.
    Outages,
    /// True if it is Running, and since when.
    Now,
    /// The time for which it is known.
    Age,
    /// Guard and Exit.
    Flags,
    /// Hours of the day and days of the week.
    Cycle,
    /// Other relays of its autonomous system and country.
    Location,
    /// Relays that appeared with it.
    Batch,
    /// The whole network.
    Network,
}

impl Group {
    /// All of them.
    pub const ALL: [Self; 9] =
        [Self::Uptime, Self::Outages, Self::Now, Self::Age, Self::Flags, Self::Cycle, Self::Location, Self::Batch, Self::Network];

    /// The subject of the features, as the beginning of a sentence.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::Uptime => "Uptime of the last days and months",
            Self::Outages => "Number and length of past outages",
            Self::Now => "Being up or down at present, and for how long",
            Self::Age => "The time since the relay was first listed",
            Self::Flags => "Its Guard and Exit flags",
            Self::Cycle => "A daily or weekly pattern",
            Self::Location => "How other relays of its network and country fare",
            Self::Batch => "How relays that appeared or changed with it fare",
            Self::Network => "The state of the whole network",
        }
    }
}

/// Name and group of each column.
pub const NAMES: [(&str, Group); 69] = [
    ("up_1d", Group::Uptime),
    ("up_3d", Group::Uptime),
    ("up_7d", Group::Uptime),
    ("up_14d", Group::Uptime),
    ("up_30d", Group::Uptime),
    ("up_60d", Group::Uptime),
    ("up_90d", Group::Uptime),
    ("up_180d", Group::Uptime),
    ("up_365d", Group::Uptime),
    ("up_life", Group::Uptime),
    ("up_decayed", Group::Uptime),
    ("up_wfu", Group::Uptime),
    ("block_2", Group::Uptime),
    ("block_3", Group::Uptime),
    ("block_4", Group::Uptime),
    ("blocks_min", Group::Uptime),
    ("blocks_spread", Group::Uptime),
    ("blocks_above_90", Group::Uptime),
    ("blocks_above_98", Group::Uptime),
    ("blocks_perfect", Group::Uptime),
    ("downs_7d", Group::Outages),
    ("downs_30d", Group::Outages),
    ("downs_90d", Group::Outages),
    ("downs_365d", Group::Outages),
    ("outage_last_h", Group::Outages),
    ("outage_mean_h", Group::Outages),
    ("outage_max_90d_h", Group::Outages),
    ("outage_max_365d_h", Group::Outages),
    ("run_median_h", Group::Outages),
    ("run_longest_h", Group::Outages),
    ("downs_per_month", Group::Outages),
    ("since_outage_24h_h", Group::Outages),
    ("running", Group::Now),
    ("since_change_h", Group::Now),
    ("down_for_h", Group::Now),
    ("longer_than_ever", Group::Now),
    ("age_days", Group::Age),
    ("known_from_start", Group::Age),
    ("guard", Group::Flags),
    ("exit", Group::Flags),
    ("guard_30d", Group::Flags),
    ("exit_30d", Group::Flags),
    ("guard_180d", Group::Flags),
    ("exit_changes_90d", Group::Flags),
    ("daily_range", Group::Cycle),
    ("weekly_range", Group::Cycle),
    ("as_down", Group::Location),
    ("as_up_7d", Group::Location),
    ("as_up_30d", Group::Location),
    ("as_up_180d", Group::Location),
    ("as_kept_30d", Group::Location),
    ("as_gone_30d", Group::Location),
    ("as_gone_120d", Group::Location),
    ("as_young_30d", Group::Location),
    ("country_kept_30d", Group::Location),
    ("country_gone_30d", Group::Location),
    ("batch_gone", Group::Batch),
    ("batch_up_7d", Group::Batch),
    ("batch_kept_30d", Group::Batch),
    ("debut_gone", Group::Batch),
    ("debut_up_7d", Group::Batch),
    ("change_shared_as", Group::Batch),
    ("change_shared_network", Group::Batch),
    ("network_up_7d", Group::Network),
    ("network_kept_30d", Group::Network),
    ("network_gone_30d", Group::Network),
    ("network_young_30d", Group::Network),
    ("age_class_gone_30d", Group::Network),
    ("age_class_kept_30d", Group::Network),
];

/// The group of a column.
pub fn group_of(feature: usize) -> Option<Group> {
    NAMES.get(feature).map(|(_, group)| *group)
}

/// The column of a feature.
pub fn column(name: &str) -> Option<usize> {
    NAMES.iter().position(|(n, _)| *n == name)
}
