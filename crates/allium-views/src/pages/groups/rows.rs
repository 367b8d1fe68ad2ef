//! Groups of every kind as rows of one type.

use crate::route::{GroupKind, slug};
use std::borrow::Cow;

use allium_analysis::groups::{Group, GroupFigures, Groups, Region};
use allium_model::{Asn, CountryCode, RelayFlag};
use allium_service::View;
use allium_words::countries::country_name;
use allium_words::format;

/// A group as lists and pages show it.
#[derive(Debug, Clone)]
pub(crate) struct GroupRow<'a> {
    /// Its key in addresses.
    pub(crate) key: String,
    /// Name of the group; may be a stranger's text.
    pub(crate) label: String,
    /// A further name, as a stranger wrote it.
    pub(crate) name: Option<Cow<'a, str>>,
    /// The region of a country or subregion.
    pub(crate) region: Option<Region>,
    /// Its figures.
    pub(crate) figures: Cow<'a, GroupFigures>,
    /// Indices of its relays among the members.
    pub(crate) members: Cow<'a, [u32]>,
}

impl GroupRow<'_> {
    /// Its address.
    pub(crate) fn href(&self, kind: GroupKind) -> String {
        kind.href(&self.key)
    }

    /// Label and name together, for sentences.
    pub(crate) fn words(&self) -> String {
        self.name.as_ref().map_or_else(|| self.label.clone(), |name| format!("{} {name}", self.label))
    }
}

/// The groups of a kind, in the order of their keys.
pub(crate) fn rows(view: &View, kind: GroupKind) -> Vec<GroupRow<'_>> {
    let groups = &view.groups;
    match kind {
        GroupKind::Country => groups.countries.iter().map(country).collect(),
        GroupKind::Region => groups.regions.iter().map(|g| row(g, g.key.to_string(), g.key.name().to_owned(), g.key.within())).collect(),
        GroupKind::As => groups.autonomous_systems.iter().map(autonomous_system).collect(),
        GroupKind::Flag => groups.flags.iter().map(|g| row(g, g.key.clone(), g.key.clone(), None)).collect(),
        GroupKind::Platform => platforms(groups),
        GroupKind::Version => groups.versions.iter().map(|g| row(g, g.key.clone(), g.key.clone(), None)).collect(),
        GroupKind::FirstSeen => groups.first_seen.iter().map(|g| row(g, g.key.to_string(), format::day(g.key), None)).collect(),
    }
}

/// The group of a kind with this key. One that is known without any relay in it, such as a flag that nobody has, is an empty group.
pub(crate) fn row_of<'a>(view: &'a View, kind: GroupKind, key: &str) -> Option<GroupRow<'a>> {
    let groups = &view.groups;
    match kind {
        GroupKind::Country => key.parse().ok().and_then(|code: CountryCode| groups.countries.iter().find(|g| g.key == code)).map(country),
        GroupKind::As => {
            key.parse().ok().and_then(|asn: Asn| groups.autonomous_systems.iter().find(|g| g.key == asn)).map(autonomous_system)
        }
        GroupKind::Flag => rows(view, kind).into_iter().find(|row| row.key.eq_ignore_ascii_case(key)),
        kind => rows(view, kind).into_iter().find(|row| row.key == key),
    }
    .or_else(|| empty(view, kind, key))
}

/// A flag, country or region that is known, without relays.
fn empty(view: &View, kind: GroupKind, key: &str) -> Option<GroupRow<'static>> {
    let (label, region) = match kind {
        GroupKind::Flag => (RelayFlag::from_name(key)?.name().to_owned(), None),
        GroupKind::Country => {
            let code: CountryCode = key.parse().ok()?;
            (country_name(code)?, Region::subregion_of(code).or_else(|| Region::of(code)))
        }
        GroupKind::Region => {
            let region: Region = key.parse().ok()?;
            (region.name().to_owned(), region.within())
        }
        GroupKind::As | GroupKind::Platform | GroupKind::Version | GroupKind::FirstSeen => return None,
    };
    let figures = Cow::Owned(view.groups.figures(&[]));
    Some(GroupRow { key: key.to_owned(), label, name: None, region, figures, members: Cow::Owned(Vec::new()) })
}

/// A country as a row.
pub(crate) fn country(group: &Group<CountryCode>) -> GroupRow<'_> {
    let label = group.name.clone().unwrap_or_else(|| group.key.as_str().to_uppercase());
    row(group, group.key.to_string(), label, Region::subregion_of(group.key).or_else(|| Region::of(group.key)))
}

/// An autonomous system as a row.
pub(crate) fn autonomous_system(group: &Group<Asn>) -> GroupRow<'_> {
    GroupRow { name: group.name.as_deref().map(Cow::Borrowed), ..row(group, group.key.to_string(), group.key.to_string(), None) }
}

/// A group that was made for one answer, as a row that outlives it.
pub(crate) fn owned<K>(group: &Group<K>, row: GroupRow<'_>) -> GroupRow<'static> {
    GroupRow {
        key: row.key,
        label: row.label,
        name: row.name.map(|name| Cow::Owned(name.into_owned())),
        region: row.region,
        figures: Cow::Owned(group.figures.clone()),
        members: Cow::Owned(group.members.clone()),
    }
}

fn row<K>(group: &Group<K>, key: String, label: String, region: Option<Region>) -> GroupRow<'_> {
    GroupRow { key, label, name: None, region, figures: Cow::Borrowed(&group.figures), members: Cow::Borrowed(&group.members) }
}

/// Platforms by the short form of their name that stands in addresses; names that share one are one platform.
fn platforms(groups: &Groups) -> Vec<GroupRow<'_>> {
    let mut by_slug: Vec<(String, &Group<String>)> = groups.platforms.iter().map(|group| (slug(&group.key), group)).collect();
    by_slug.sort_by(|a, b| a.0.cmp(&b.0));
    let merge = |same: &[(String, &'_ Group<String>)]| -> (Vec<u32>, GroupFigures) {
        let mut members: Vec<u32> = same.iter().flat_map(|(_, group)| group.members.iter().copied()).collect();
        members.sort_unstable();
        let figures = groups.figures(&members);
        (members, figures)
    };
    let mut rows = Vec::new();
    for same in by_slug.chunk_by(|a, b| a.0 == b.0) {
        let (slug, first) = &same[0];
        let mut merged = row(*first, slug.clone(), first.key.clone(), None);
        if same.len() > 1 {
            let (members, figures) = merge(same);
            merged = GroupRow { members: Cow::Owned(members), figures: Cow::Owned(figures), ..merged };
        }
        rows.push(merged);
    }
    rows
}
