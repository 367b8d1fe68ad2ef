//! Groups of relays: by country, region, autonomous system, flag, platform, version and day of first appearance.
//!
//! What comes in: a record and its report. What goes out: [`Groups`], the same [figures](GroupFigures) for every group, and what
//! follows from them: [concentration](Concentration), [anomalies](Anomaly) of countries, [alerts](AsAlert) and
//! [losses](Loss) of autonomous systems. Groups hold current relays; a relay without the property is in none.
//!
//! Groups of a group (the autonomous systems of a country) are made by the same functions from its [members](Group::members).

mod anomaly;
mod concentration;
mod expansion;
mod figures;
mod member;
mod months;
mod provider;
mod region;
mod spread;

use std::collections::BTreeMap;

use allium_model::{Asn, ConsensusHour, CountryCode, NetworkRecord, OperatorId, Operators, Period, Relay, TorVersion};
use jiff::civil::Date;

use crate::report::NetworkReport;

pub use anomaly::{Against, Anomaly, Explanation};
pub use concentration::{Concentration, ConcentrationLevel};
pub use expansion::Expansion;
pub use figures::{ExitPolicies, GroupFigures, RoleBandwidth};
pub use member::Member;
pub use months::GroupMonth;
pub use provider::{AsAlert, AsAlertKind, Grade, Loss, Risk};
pub use region::{Region, country_name};
pub use spread::{Change, Direction, GroupUptime};

/// The groups of a network. Each list is sorted by key.
#[derive(Debug, Clone, PartialEq)]
pub struct Groups {
    /// The newest consensus taken in.
    pub as_of: ConsensusHour,
    /// Current relays, in the order of the record.
    pub members: Vec<Member>,
    /// The operators of the record, by the index that [`Member::operator`] holds.
    pub operators: Vec<OperatorId>,
    /// All of them as one group.
    pub network: GroupFigures,
    /// By country.
    pub countries: Vec<Group<CountryCode>>,
    /// By region of M49: continents and what they consist of.
    pub regions: Vec<Group<Region>>,
    /// By autonomous system.
    pub autonomous_systems: Vec<Group<Asn>>,
    /// By flag at the last appearance; a relay is in as many groups as it has flags.
    pub flags: Vec<Group<String>>,
    /// By operating system.
    pub platforms: Vec<Group<String>>,
    /// By version of Tor.
    pub versions: Vec<Group<String>>,
    /// By day (UTC) of first appearance.
    pub first_seen: Vec<Group<Date>>,
    context: spread::Context,
}

/// Current relays that share a property.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<K> {
    /// The property.
    pub key: K,
    /// Its name in the source, as a stranger wrote it.
    pub name: Option<String>,
    /// The indices of its relays in [`Groups::members`], in order.
    pub members: Vec<u32>,
    /// Their figures.
    pub figures: GroupFigures,
}

/// The heaviest groups that some members make. Their figures have uptime over one period only; that of others is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts<K> {
    /// Heaviest first.
    pub groups: Vec<Group<K>>,
    /// Number of groups that the members make.
    pub n_groups: usize,
}

impl Groups {
    /// Groups the current relays of a record; report and operators must be those of all its relays. Cost grows linearly with relays.
    pub fn compute(record: &NetworkRecord, report: &NetworkReport, operators: &Operators) -> Self {
        let members = member::members(record, report, operators);
        let context = spread::Context::of(record.as_of, &members);
        let all: Vec<&Member> = members.iter().collect();
        let network = figures::figures(&context, &all);
        let mut groups = Self {
            as_of: record.as_of,
            members,
            operators: operators.operators.iter().map(|operator| operator.id.clone()).collect(),
            network,
            countries: Vec::new(),
            regions: Vec::new(),
            autonomous_systems: Vec::new(),
            flags: Vec::new(),
            platforms: Vec::new(),
            versions: Vec::new(),
            first_seen: Vec::new(),
            context,
        };
        let everybody: Vec<u32> = (0..groups.members.len() as u32).collect();
        let relay = |member: &Member| &record.relays[member.relay_idx].relay;
        groups.countries = groups.by_country(&everybody, record);
        groups.regions = groups.by(&everybody, |m| m.country.into_iter().flat_map(|c| [Region::of(c), Region::subregion_of(c)]).flatten());
        groups.autonomous_systems = groups.by_as(&everybody, record);
        groups.flags = groups.by(&everybody, |m| flag_names(relay(m)).map(str::to_owned));
        groups.platforms = groups.by(&everybody, |m| member::platform_name(relay(m)));
        groups.versions = groups.by(&everybody, |m| relay(m).version.clone());
        groups.versions.sort_by_cached_key(|group| TorVersion::of(&group.key));
        groups.first_seen = groups.by(&everybody, |m| m.first_seen.date().map(|hour| hour.civil().date()));
        groups
    }

    /// The `n` heaviest countries of some members, with uptime over one period only, and how many there are; see [`Parts`].
    pub fn heaviest_countries(&self, members: &[u32], record: &NetworkRecord, period: Period, n: usize) -> Parts<CountryCode> {
        let mut parts = self.heaviest(members, |member| member.country, period, n);
        self.name_countries(&mut parts.groups, record);
        parts
    }

    /// The same of autonomous systems.
    pub fn heaviest_systems(&self, members: &[u32], record: &NetworkRecord, period: Period, n: usize) -> Parts<Asn> {
        let mut parts = self.heaviest(members, |member| member.asn, period, n);
        self.name_systems(&mut parts.groups, record);
        parts
    }

    /// The same of operators, by their index in [`Groups::operators`].
    pub fn heaviest_operators(&self, members: &[u32], period: Period, n: usize) -> Parts<u32> {
        self.heaviest(members, |member| member.operator, period, n)
    }

    /// The countries of some members.
    pub fn by_country(&self, members: &[u32], record: &NetworkRecord) -> Vec<Group<CountryCode>> {
        let mut groups = self.by(members, |member| member.country);
        self.name_countries(&mut groups, record);
        groups
    }

    fn name_countries(&self, groups: &mut [Group<CountryCode>], record: &NetworkRecord) {
        let iso = |key: CountryCode| country_name(key).map(str::to_owned);
        groups.iter_mut().for_each(|group| {
            group.name = self.first_name(record, &group.members, |relay| relay.country_name.as_deref()).or_else(|| iso(group.key));
        });
    }

    fn name_systems(&self, groups: &mut [Group<Asn>], record: &NetworkRecord) {
        groups.iter_mut().for_each(|group| group.name = self.first_name(record, &group.members, |relay| relay.as_name.as_deref()));
    }

    /// The autonomous systems of some members.
    pub fn by_as(&self, members: &[u32], record: &NetworkRecord) -> Vec<Group<Asn>> {
        let mut groups = self.by(members, |member| member.asn);
        self.name_systems(&mut groups, record);
        groups
    }

    /// The indices among the members of relays that are given by their indices in the record, sorted; those that are not current are
    /// left out.
    pub fn member_indices(&self, relays: &[u32]) -> Vec<u32> {
        let index = |relay: &u32| self.members.binary_search_by_key(&(*relay as usize), |member| member.relay_idx).ok();
        let mut indices: Vec<u32> = relays.iter().filter_map(index).map(|index| index as u32).collect();
        indices.sort_unstable();
        indices
    }

    /// The figures of some members.
    pub fn figures(&self, members: &[u32]) -> GroupFigures {
        figures::figures(&self.context, &self.at(members))
    }

    /// The country of this code, if current relays are in it.
    pub fn country(&self, key: CountryCode) -> Option<&Group<CountryCode>> {
        find(&self.countries, &key)
    }

    /// The region of this number, if current relays are in it.
    pub fn region(&self, key: Region) -> Option<&Group<Region>> {
        find(&self.regions, &key)
    }

    /// The autonomous system of this number, if current relays are in it.
    pub fn autonomous_system(&self, key: Asn) -> Option<&Group<Asn>> {
        find(&self.autonomous_systems, &key)
    }

    /// The heaviest groups by a key, the largest of equals first, then by key.
    fn heaviest<K: Ord + Copy>(&self, members: &[u32], key: impl Fn(&Member) -> Option<K>, period: Period, n: usize) -> Parts<K> {
        let mut keyed: Vec<(K, u32)> =
            members.iter().filter_map(|index| key(&self.members[*index as usize]).map(|key| (key, *index))).collect();
        keyed.sort_unstable();
        let weight = |same: &[(K, u32)]| -> u64 {
            let running = same.iter().map(|(_, index)| &self.members[*index as usize]).filter(|member| member.running);
            running.filter_map(|member| member.consensus_weight).fold(0, u64::saturating_add)
        };
        let mut parts: Vec<(u64, &[(K, u32)])> = keyed.chunk_by(|a, b| a.0 == b.0).map(|same| (weight(same), same)).collect();
        let n_groups = parts.len();
        parts.sort_by(|a, b| (b.0, b.1.len()).cmp(&(a.0, a.1.len())).then(a.1[0].0.cmp(&b.1[0].0)));
        let group = |(_, same): &(u64, &[(K, u32)])| {
            let members: Vec<u32> = same.iter().map(|(_, index)| *index).collect();
            Group { key: same[0].0, name: None, figures: figures::figures_in(&self.context, &self.at(&members), period), members }
        };
        Parts { groups: parts.iter().take(n).map(group).collect(), n_groups }
    }

    /// Groups by every key that a member has.
    fn by<K: Ord + Clone, I: IntoIterator<Item = K>>(&self, members: &[u32], keys: impl Fn(&Member) -> I) -> Vec<Group<K>> {
        let mut by_key: BTreeMap<K, Vec<u32>> = BTreeMap::new();
        for index in members {
            for key in keys(&self.members[*index as usize]) {
                let members: &mut Vec<u32> = by_key.entry(key).or_default();
                if members.last() != Some(index) {
                    members.push(*index);
                }
            }
        }
        let group = |(key, members): (K, Vec<u32>)| Group { key, name: None, figures: self.figures(&members), members };
        by_key.into_iter().map(group).collect()
    }

    fn at(&self, members: &[u32]) -> Vec<&Member> {
        members.iter().map(|index| &self.members[*index as usize]).collect()
    }

    fn first_name(&self, record: &NetworkRecord, members: &[u32], name: impl Fn(&Relay) -> Option<&str>) -> Option<String> {
        members.iter().find_map(|index| name(&record.relays[self.members[*index as usize].relay_idx].relay)).map(str::to_owned)
    }
}

/// The names of a relay's flags: those that Allium knows, then others.
pub fn flag_names(relay: &Relay) -> impl Iterator<Item = &str> {
    let known = relay.flags.iter().map(|flag| -> &str { flag.name() });
    known.chain(relay.other_flags.iter().map(String::as_str))
}

/// The group of a key in a list sorted by key.
pub fn find<'a, K: Ord>(groups: &'a [Group<K>], key: &K) -> Option<&'a Group<K>> {
    groups.binary_search_by(|group| group.key.cmp(key)).ok().map(|index| &groups[index])
}
