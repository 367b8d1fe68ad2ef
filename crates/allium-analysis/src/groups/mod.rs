//! Groups of relays: by country, region, autonomous system, flag, platform, version and day of first appearance.
//!
//! What comes in: a record and its report. What goes out: [`Groups`], the same [figures](GroupFigures) for every group, and what
//! follows from them: [concentration](Concentration), [anomalies](Anomaly) of countries, [alerts](AsAlert) and
//! [losses](Loss) of autonomous systems. Groups hold current relays; a relay without the property is in none.
//!
//! Groups of a group (the autonomous systems of a country) are made by the same functions from its [members](Group::members).

mod anomaly;
mod concentration;
mod figures;
mod member;
mod months;
mod provider;
mod region;
mod spread;

use std::collections::BTreeMap;

use allium_model::{Asn, ConsensusHour, CountryCode, NetworkRecord, OperatorId, Operators, Relay, RelayFlag};
use jiff::civil::Date;

use crate::report::NetworkReport;

pub use anomaly::{Against, Anomaly, Explanation};
pub use concentration::Concentration;
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
    /// Who runs relays of the record, by the place that [`Member::operator`] holds.
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
    pub flags: Vec<Group<RelayFlag>>,
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
    /// What the source calls it, as a stranger wrote it.
    pub name: Option<String>,
    /// The places of its relays in [`Groups::members`], in order.
    pub members: Vec<u32>,
    /// Their figures.
    pub figures: GroupFigures,
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
        groups.flags = groups.by(&everybody, |m| relay(m).flags.iter());
        groups.platforms = groups.by(&everybody, |m| member::platform_name(relay(m)));
        groups.versions = groups.by(&everybody, |m| relay(m).version.clone());
        groups.first_seen = groups.by(&everybody, |m| m.first_seen.map(|hour| hour.civil().date()));
        groups
    }

    /// The countries of some members.
    pub fn by_country(&self, members: &[u32], record: &NetworkRecord) -> Vec<Group<CountryCode>> {
        let mut groups = self.by(members, |member| member.country);
        let iso = |key: CountryCode| country_name(key).map(str::to_owned);
        groups.iter_mut().for_each(|group| {
            group.name = self.first_name(record, &group.members, |relay| relay.country_name.as_deref()).or_else(|| iso(group.key));
        });
        groups
    }

    /// The autonomous systems of some members.
    pub fn by_as(&self, members: &[u32], record: &NetworkRecord) -> Vec<Group<Asn>> {
        let mut groups = self.by(members, |member| member.asn);
        groups.iter_mut().for_each(|group| group.name = self.first_name(record, &group.members, |relay| relay.as_name.as_deref()));
        groups
    }

    /// The operators of some members, by their place in [`Groups::operators`].
    pub fn by_operator(&self, members: &[u32]) -> Vec<Group<u32>> {
        self.by(members, |member| member.operator)
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

    /// Groups by every key that a member has.
    fn by<K: Ord + Clone, I: IntoIterator<Item = K>>(&self, members: &[u32], keys: impl Fn(&Member) -> I) -> Vec<Group<K>> {
        let mut by_key: BTreeMap<K, Vec<u32>> = BTreeMap::new();
        for place in members {
            for key in keys(&self.members[*place as usize]) {
                by_key.entry(key).or_default().push(*place);
            }
        }
        let group = |(key, members): (K, Vec<u32>)| Group { key, name: None, figures: self.figures(&members), members };
        by_key.into_iter().map(group).collect()
    }

    fn at(&self, members: &[u32]) -> Vec<&Member> {
        members.iter().map(|place| &self.members[*place as usize]).collect()
    }

    fn first_name(&self, record: &NetworkRecord, members: &[u32], name: impl Fn(&Relay) -> Option<&str>) -> Option<String> {
        members.iter().find_map(|place| name(&record.relays[self.members[*place as usize].relay_idx].relay)).map(str::to_owned)
    }
}

/// The group of a key in a list sorted by key.
pub fn find<'a, K: Ord>(groups: &'a [Group<K>], key: &K) -> Option<&'a Group<K>> {
    groups.binary_search_by(|group| group.key.cmp(key)).ok().map(|place| &groups[place])
}
