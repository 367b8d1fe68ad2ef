//! Leaderboards: operators ranked by one figure each.
//!
//! Every category states who is eligible and what is counted. An operator whose figure is 0 is not ranked. Operators with the same
//! figure share a rank and follow each other by id, so the lists do not depend on the order of documents.

use std::collections::BTreeSet;

use allium_model::{CountryCode, Operators, Period};

use crate::carried::{carried, total_written};
use crate::operators::{AroiState, Network, OperatorFigures, bandwidth, effective_number, platform};

/// Relays with a figure that an operator needs for the rankings of reliability and of bandwidth over time.
pub const MIN_RELAYS: usize = 25;

/// A country in which fewer relays than this run is rare.
pub const RARE_COUNTRY_RELAYS: usize = 10;

/// The members of the European Union.
const EUROPEAN_UNION: [&str; 27] = [
    "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "it", "lt", "lu", "lv", "mt", "nl", "pl",
    "pt", "ro", "se", "si", "sk",
];

/// A figure that operators are ranked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Observed bandwidth.
    Bandwidth,
    /// Share of consensus weight.
    ConsensusWeight,
    /// Share of the exits' weight.
    ExitAuthority,
    /// Share of the guards' weight.
    GuardAuthority,
    /// Number of exits.
    ExitOperators,
    /// Number of guards.
    GuardOperators,
    /// Uptime over six months.
    ReliabilityMasters,
    /// Uptime over five years.
    LegacyTitans,
    /// Carried over six months.
    BandwidthMasters,
    /// Carried over five years.
    BandwidthLegends,
    /// Effective number of countries, autonomous systems and operating systems.
    MostDiverse,
    /// Relays on something else than Linux.
    PlatformDiversity,
    /// Relays outside the European Union.
    NonEuLeaders,
    /// Rare countries.
    FrontierBuilders,
    /// Age.
    NetworkVeterans,
    /// IPv4 addresses.
    Ipv4Leaders,
    /// IPv6 addresses.
    Ipv6Leaders,
    /// Validated relays.
    ValidatedRelays,
    /// Bytes carried.
    TotalData,
}

/// The unit of a category's figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes per second.
    Rate,
    /// Bytes.
    Bytes,
    /// A share.
    Share,
    /// A number of things.
    Count,
    /// Days.
    Days,
    /// A score without unit.
    Score,
}

impl Category {
    /// All categories in the order of the page.
    pub const ALL: [Self; 19] = [
        Self::ReliabilityMasters,
        Self::LegacyTitans,
        Self::ConsensusWeight,
        Self::Bandwidth,
        Self::ExitAuthority,
        Self::GuardAuthority,
        Self::ExitOperators,
        Self::GuardOperators,
        Self::BandwidthMasters,
        Self::BandwidthLegends,
        Self::TotalData,
        Self::MostDiverse,
        Self::PlatformDiversity,
        Self::NonEuLeaders,
        Self::FrontierBuilders,
        Self::NetworkVeterans,
        Self::ValidatedRelays,
        Self::Ipv4Leaders,
        Self::Ipv6Leaders,
    ];

    /// The name in addresses, JSON and CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::ConsensusWeight => "consensus_weight",
            Self::ExitAuthority => "exit_authority",
            Self::GuardAuthority => "guard_authority",
            Self::ExitOperators => "exit_operators",
            Self::GuardOperators => "guard_operators",
            Self::ReliabilityMasters => "reliability_masters",
            Self::LegacyTitans => "legacy_titans",
            Self::BandwidthMasters => "bandwidth_masters",
            Self::BandwidthLegends => "bandwidth_legends",
            Self::MostDiverse => "most_diverse",
            Self::PlatformDiversity => "platform_diversity",
            Self::NonEuLeaders => "non_eu_leaders",
            Self::FrontierBuilders => "frontier_builders",
            Self::NetworkVeterans => "network_veterans",
            Self::Ipv4Leaders => "ipv4_leaders",
            Self::Ipv6Leaders => "ipv6_leaders",
            Self::ValidatedRelays => "validated_relays",
            Self::TotalData => "total_data_champions",
        }
    }

    /// The category of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.name() == name)
    }

    /// The unit of its figure.
    pub const fn unit(self) -> Unit {
        match self {
            Self::Bandwidth | Self::BandwidthMasters | Self::BandwidthLegends => Unit::Rate,
            Self::TotalData => Unit::Bytes,
            Self::ConsensusWeight | Self::ExitAuthority | Self::GuardAuthority | Self::ReliabilityMasters | Self::LegacyTitans => {
                Unit::Share
            }
            Self::NetworkVeterans => Unit::Days,
            Self::MostDiverse => Unit::Score,
            Self::ExitOperators
            | Self::GuardOperators
            | Self::PlatformDiversity
            | Self::NonEuLeaders
            | Self::FrontierBuilders
            | Self::Ipv4Leaders
            | Self::Ipv6Leaders
            | Self::ValidatedRelays => Unit::Count,
        }
    }

    const fn index(self) -> usize {
        let mut index = 0;
        while Self::ALL[index] as u8 != self as u8 {
            index += 1;
        }
        index
    }
}

/// An operator in a ranking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ranked {
    /// 1 for the first; equals share the better rank.
    pub rank: usize,
    /// The operator's index in `Operators::operators`.
    pub operator_idx: u32,
    /// The figure, in the category's unit.
    pub score: f64,
    /// True if the true figure may be higher: an age of which only a bound is known.
    pub at_least: bool,
    /// Relays that the figure rests on.
    pub n_relays: usize,
}

/// All rankings.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaderboards {
    rankings: Vec<Vec<Ranked>>,
}

impl Leaderboards {
    /// The ranking of a category, best first: every eligible operator.
    pub fn ranking(&self, category: Category) -> &[Ranked] {
        &self.rankings[category.index()]
    }

    /// The ranks up to `n` that an operator holds, in the order of [`Category::ALL`].
    pub fn badges(&self, operator_idx: usize, n: usize) -> Vec<(Category, Ranked)> {
        let held = |category: Category| {
            let best = self.ranking(category).iter().take_while(|ranked| ranked.rank <= n);
            best.copied().find(|ranked| ranked.operator_idx as usize == operator_idx).map(|ranked| (category, ranked))
        };
        Category::ALL.into_iter().filter_map(held).collect()
    }
}

/// Ranks the operators in every category.
pub(crate) fn leaderboards(network: &Network<'_>, operators: &Operators, figures: &[OperatorFigures]) -> Leaderboards {
    let rare = rare_countries(network);
    let context = Context { network, rare: &rare };
    let rank = |category: Category| {
        let score = |(i, figures): (usize, &OperatorFigures)| {
            let (score, n_relays) = context.score(category, figures, &operators.operators[i].members)?;
            let at_least = category == Category::NetworkVeterans && figures.members.first_seen.bound().is_some();
            (score > 0.0 && score.is_finite()).then_some(Ranked { rank: 0, operator_idx: i as u32, score, at_least, n_relays })
        };
        let mut ranking: Vec<Ranked> = figures.iter().enumerate().filter(|(_, f)| f.members.n_relays > 0).filter_map(score).collect();
        // Operators are sorted by id, so their indices decide between equals.
        ranking.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.operator_idx.cmp(&b.operator_idx)));
        for i in 0..ranking.len() {
            ranking[i].rank = if i > 0 && ranking[i].score == ranking[i - 1].score { ranking[i - 1].rank } else { i + 1 };
        }
        ranking
    };
    Leaderboards { rankings: Category::ALL.map(rank).to_vec() }
}

struct Context<'a> {
    network: &'a Network<'a>,
    rare: &'a BTreeSet<CountryCode>,
}

impl Context<'_> {
    /// The figure of an operator and the relays it rests on; `None` where the operator is not eligible.
    fn score(&self, category: Category, figures: &OperatorFigures, members: &[u32]) -> Option<(f64, usize)> {
        let of = &figures.members;
        let running =
            || members.iter().filter(|i| self.network.is_current(**i)).map(|i| self.network.relay(*i)).filter(|relay| relay.running);
        let counted = |n: usize| Some((n as f64, n));
        let share = |share: Option<allium_model::Fraction>, n: usize| share.map(|share| (share.get(), n));
        match category {
            Category::Bandwidth => of.observed_bandwidth.map(|bandwidth| (bandwidth as f64, of.n_running)),
            Category::ConsensusWeight => share(of.weight_share, of.n_running),
            Category::ExitAuthority => share(of.exit_share, of.running_by_role.exit),
            Category::GuardAuthority => share(of.guard_share, of.running_by_role.guard),
            Category::ExitOperators => counted(of.running_by_role.exit),
            Category::GuardOperators => counted(of.running_by_role.guard),
            Category::ReliabilityMasters => reliability(figures, Period::SixMonths),
            Category::LegacyTitans => reliability(figures, Period::FiveYears),
            Category::BandwidthMasters => self.carried(members, Period::SixMonths),
            Category::BandwidthLegends => self.carried(members, Period::FiveYears),
            Category::MostDiverse => {
                let kinds = [
                    effective_number(running().filter_map(|relay| relay.country)),
                    effective_number(running().filter_map(|relay| relay.asn)),
                    effective_number(running().filter_map(platform)),
                ];
                (of.n_running >= 2).then(|| (kinds.iter().flatten().sum(), of.n_running))
            }
            Category::PlatformDiversity => counted(running().filter_map(platform).filter(|platform| *platform != "Linux").count()),
            Category::NonEuLeaders => counted(running().filter_map(|relay| relay.country).filter(|country| !is_of_union(*country)).count()),
            Category::FrontierBuilders => {
                let countries: BTreeSet<CountryCode> =
                    running().filter_map(|relay| relay.country).filter(|country| self.rare.contains(country)).collect();
                Some((countries.len() as f64, running().filter(|relay| relay.country.is_some_and(|c| countries.contains(&c))).count()))
            }
            Category::NetworkVeterans => {
                let days = |first_seen: allium_model::ConsensusHour| self.network.record.as_of.next().hours_since(first_seen) / 24;
                of.first_seen.latest().map(|first_seen| (f64::from(days(first_seen)), of.n_relays))
            }
            Category::Ipv4Leaders => counted(of.n_ipv4),
            Category::Ipv6Leaders => counted(of.n_ipv6),
            Category::ValidatedRelays => counted(figures.by_aroi[AroiState::Validated as usize]),
            Category::TotalData => self.total(members),
        }
    }

    fn carried(&self, members: &[u32], period: Period) -> Option<(f64, usize)> {
        let current = members.iter().filter(|i| self.network.is_current(**i));
        let carried = carried(current.map(|i| &self.network.record.relays[*i as usize]), period)?;
        let figures = bandwidth(&carried);
        (figures.n_relays >= MIN_RELAYS && figures.n_intervals > 0).then_some((figures.mean_rate, figures.n_relays))
    }

    fn total(&self, members: &[u32]) -> Option<(f64, usize)> {
        let current = members.iter().filter(|i| self.network.is_current(**i));
        let totals: Vec<f64> =
            current.filter_map(|i| total_written(&self.network.record.relays[*i as usize])).map(|(bytes, _)| bytes).collect();
        (!totals.is_empty()).then(|| (totals.iter().sum(), totals.len()))
    }
}

/// Hours up over hours observed of all relays with a figure, where there are enough of them.
fn reliability(figures: &OperatorFigures, period: Period) -> Option<(f64, usize)> {
    let uptime = figures.members.uptime[period.index()]?;
    (uptime.n_relays >= MIN_RELAYS).then_some((uptime.by_hours.get(), uptime.n_relays))
}

fn rare_countries(network: &Network<'_>) -> BTreeSet<CountryCode> {
    let mut counts: std::collections::BTreeMap<CountryCode, usize> = std::collections::BTreeMap::new();
    let current = network.record.relays.iter().zip(&network.report.relays).filter(|(_, report)| report.current);
    for country in current.filter(|(relay, _)| relay.relay.running).filter_map(|(relay, _)| relay.relay.country) {
        *counts.entry(country).or_default() += 1;
    }
    // `eu` and `ap` name no country.
    let is_country = |code: &CountryCode| !matches!(code.as_str(), "eu" | "ap" | "a1" | "a2");
    counts.into_iter().filter(|(code, n)| *n < RARE_COUNTRY_RELAYS && is_country(code)).map(|(code, _)| code).collect()
}

pub(crate) fn is_of_union(country: CountryCode) -> bool {
    EUROPEAN_UNION.contains(&country.as_str()) || country.as_str() == "eu"
}
