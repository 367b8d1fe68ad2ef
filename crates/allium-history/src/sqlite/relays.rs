//! Relays as rows: each column of `relays` by its name.

use std::collections::HashMap;

use allium_model::{Asn, ConsensusHour, Fingerprint, Fraction, Relay, RelayFlags};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, Statement};

use self::Column::*;
use super::columns::{json_ports, list, optional_hour, optional_list, parsed, ports, share};
use super::describe::DescriptionWriter;
use super::failure::Failure;
use super::families::{Families, family};

/// Declares [`Column`] and the names of its variants.
macro_rules! columns {
    ($($column:ident = $name:literal),+ $(,)?) => {
        /// A column of `relays`; its number is its index in the rows of [`select_relays`].
        #[derive(Debug, Clone, Copy)]
        enum Column {
            $($column),+
        }

        const COLUMNS: &[&str] = &[$($name),+];
    };
}

columns! {
    DetailsHour = "details_hour",
    Nickname = "nickname",
    OrAddresses = "or_addresses",
    ExitAddresses = "exit_addresses",
    DirAddress = "dir_address",
    UnreachableOrAddresses = "unreachable_or_addresses",
    FirstSeenHour = "first_seen_hour",
    LastSeenHour = "last_seen_hour",
    LastChangedAddressHour = "last_changed_address_hour",
    LastRestarted = "last_restarted",
    Running = "running",
    Hibernating = "hibernating",
    Flags = "flags",
    OtherFlags = "other_flags",
    Country = "country",
    CountryName = "country_name",
    AsNumber = "asn",
    AsName = "as_name",
    ConsensusWeight = "consensus_weight",
    ConsensusWeightFraction = "consensus_weight_fraction",
    GuardProbability = "guard_probability",
    MiddleProbability = "middle_probability",
    ExitProbability = "exit_probability",
    Measured = "measured",
    VerifiedHostNames = "verified_host_names",
    UnverifiedHostNames = "unverified_host_names",
    BandwidthRate = "bandwidth_rate",
    BandwidthBurst = "bandwidth_burst",
    ObservedBandwidth = "observed_bandwidth",
    AdvertisedBandwidth = "advertised_bandwidth",
    OverloadGeneralAt = "overload_general_at",
    ExitPolicy = "exit_policy",
    ExitPolicySummary = "exit_policy_summary",
    ExitPolicyV6Summary = "exit_policy_v6_summary",
    Contact = "contact",
    Platform = "platform",
    Version = "version",
    RecommendedVersion = "recommended_version",
    VersionStatus = "version_status",
    EffectiveFamilyId = "effective_family_id",
    AllegedFamily = "alleged_family",
    IndirectFamily = "indirect_family",
    BareAddress = "bare_address",
    Id = "id",
    Key = "fingerprint",
}

/// The index of a column in rows.
const fn at(column: Column) -> usize {
    column as usize
}

/// The columns that [`attributes`] gives values for: all but number and fingerprint, which come last.
fn attribute_columns() -> &'static [&'static str] {
    &COLUMNS[..at(Id)]
}

/// Writes the attributes of relays.
pub(super) struct RelayWriter<'a> {
    update: Statement<'a>,
    families: Families,
    descriptions: DescriptionWriter<'a>,
}

impl<'a> RelayWriter<'a> {
    pub(super) fn new(conn: &'a Connection) -> Result<Self, Failure> {
        let assignments: Vec<String> = attribute_columns().iter().map(|column| format!("{column} = ?")).collect();
        let update = conn.prepare(&format!("UPDATE relays SET {} WHERE id = ?", assignments.join(", ")))?;
        Ok(Self { update, families: Families::load(conn)?, descriptions: DescriptionWriter::new(conn)? })
    }

    pub(super) fn write(&mut self, conn: &Connection, id: i64, details_hour: ConsensusHour, relay: &Relay) -> Result<(), Failure> {
        let family_id = self.families.id(conn, &relay.effective_family)?;
        for (column, value) in attributes(relay, details_hour, family_id) {
            self.update.raw_bind_parameter(at(column) + 1, value)?;
        }
        self.update.raw_bind_parameter(at(Id) + 1, id)?;
        self.update.raw_execute()?;
        self.descriptions.write(id, details_hour, relay, family_id)
    }
}

/// Makes every attribute of a relay unknown.
pub(super) fn forget_attributes(conn: &Connection, id: i64) -> Result<(), Failure> {
    let assignments: Vec<String> = attribute_columns().iter().map(|column| format!("{column} = NULL")).collect();
    conn.prepare_cached(&format!("UPDATE relays SET {} WHERE id = ?", assignments.join(", ")))?.execute([id])?;
    Ok(())
}

/// The values of [`attribute_columns`].
fn attributes<'a>(relay: &'a Relay, details_hour: ConsensusHour, family_id: Option<i64>) -> [(Column, ToSqlOutput<'a>); at(Id)] {
    let owned = |value: Option<String>| ToSqlOutput::Owned(value.map_or(Value::Null, Value::Text));
    let text =
        |value: &'a Option<String>| ToSqlOutput::Borrowed(value.as_deref().map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes())));
    let integer = |value: Option<i64>| ToSqlOutput::Owned(value.map_or(Value::Null, Value::Integer));
    let hour = |value: Option<ConsensusHour>| integer(value.map(|hour| i64::from(hour.get())));
    let flag = |value: Option<bool>| integer(value.map(i64::from));
    let amount = |value: Option<u64>| integer(value.map(u64::cast_signed));
    let share = |value: Option<Fraction>| ToSqlOutput::Owned(value.map_or(Value::Null, |share| Value::Real(share.get())));
    [
        (DetailsHour, hour(Some(details_hour))),
        (Nickname, text(&relay.nickname)),
        (OrAddresses, owned(optional_list(&relay.or_addresses))),
        (ExitAddresses, owned(optional_list(&relay.exit_addresses))),
        (DirAddress, owned(relay.dir_address.map(|address| address.to_string()))),
        (UnreachableOrAddresses, owned(optional_list(&relay.unreachable_or_addresses))),
        (FirstSeenHour, hour(relay.first_seen.documented())),
        (LastSeenHour, hour(relay.last_seen)),
        (LastChangedAddressHour, hour(relay.last_changed_address_or_port)),
        (LastRestarted, owned(relay.last_restarted.map(|at| at.to_string()))),
        (Running, flag(Some(relay.running))),
        (Hibernating, flag(Some(relay.hibernating))),
        (Flags, integer(Some(i64::from(relay.flags.bits())))),
        (OtherFlags, owned(optional_list(&relay.other_flags))),
        (Country, owned(relay.country.map(|country| country.to_string()))),
        (CountryName, text(&relay.country_name)),
        (AsNumber, integer(relay.asn.map(|asn| i64::from(asn.0)))),
        (AsName, text(&relay.as_name)),
        (ConsensusWeight, amount(relay.consensus_weight)),
        (ConsensusWeightFraction, share(relay.consensus_weight_fraction)),
        (GuardProbability, share(relay.guard_probability)),
        (MiddleProbability, share(relay.middle_probability)),
        (ExitProbability, share(relay.exit_probability)),
        (Measured, flag(relay.measured)),
        (VerifiedHostNames, owned(optional_list(&relay.verified_host_names))),
        (UnverifiedHostNames, owned(optional_list(&relay.unverified_host_names))),
        (BandwidthRate, amount(relay.bandwidth_rate)),
        (BandwidthBurst, amount(relay.bandwidth_burst)),
        (ObservedBandwidth, amount(relay.observed_bandwidth)),
        (AdvertisedBandwidth, amount(relay.advertised_bandwidth)),
        (OverloadGeneralAt, owned(relay.overload_general_at.map(|at| at.to_string()))),
        (ExitPolicy, owned(optional_list(&relay.exit_policy))),
        (ExitPolicySummary, owned(relay.exit_policy_summary.as_ref().map(json_ports))),
        (ExitPolicyV6Summary, owned(relay.exit_policy_v6_summary.as_ref().map(json_ports))),
        (Contact, text(&relay.contact)),
        (Platform, text(&relay.platform)),
        (Version, text(&relay.version)),
        (RecommendedVersion, flag(relay.recommended_version)),
        (VersionStatus, text(&relay.version_status)),
        (EffectiveFamilyId, integer(family_id)),
        (AllegedFamily, owned(optional_list(&relay.alleged_family))),
        (IndirectFamily, owned(optional_list(&relay.indirect_family))),
        (BareAddress, owned(relay.bare_address.map(|address| address.to_string()))),
    ]
}

/// The query whose rows [`relay`] reads.
pub(super) fn select_relays() -> String {
    format!("SELECT {} FROM relays ORDER BY fingerprint", COLUMNS.join(", "))
}

/// Number, relay and the hour of the newest details document that lists it.
pub(super) fn relay(row: &Row<'_>, families: &HashMap<i64, Vec<Fingerprint>>) -> Result<(i64, Relay, Option<ConsensusHour>), Failure> {
    let hour = |i| optional_hour(row, i);
    let amount = |i: usize| Ok::<_, Failure>(row.get::<_, Option<i64>>(i)?.map(i64::cast_unsigned));
    let id = row.get(at(Id))?;
    let fingerprint = Fingerprint::new(row.get(at(Key))?);
    let Some(details_hour) = hour(at(DetailsHour))? else { return Ok((id, Relay::unknown(fingerprint), None)) };
    let relay = Relay {
        fingerprint,
        nickname: row.get(at(Nickname))?,
        or_addresses: list(row, at(OrAddresses))?,
        exit_addresses: list(row, at(ExitAddresses))?,
        dir_address: parsed(row, at(DirAddress))?,
        unreachable_or_addresses: list(row, at(UnreachableOrAddresses))?,
        first_seen: hour(at(FirstSeenHour))?.into(),
        last_seen: hour(at(LastSeenHour))?,
        last_changed_address_or_port: hour(at(LastChangedAddressHour))?,
        last_restarted: parsed(row, at(LastRestarted))?,
        running: row.get(at(Running))?,
        hibernating: row.get(at(Hibernating))?,
        flags: RelayFlags::from_bits(row.get(at(Flags))?),
        other_flags: list(row, at(OtherFlags))?,
        country: parsed(row, at(Country))?,
        country_name: row.get(at(CountryName))?,
        asn: row.get::<_, Option<u32>>(at(AsNumber))?.map(Asn),
        as_name: row.get(at(AsName))?,
        consensus_weight: amount(at(ConsensusWeight))?,
        consensus_weight_fraction: share(row, at(ConsensusWeightFraction))?,
        guard_probability: share(row, at(GuardProbability))?,
        middle_probability: share(row, at(MiddleProbability))?,
        exit_probability: share(row, at(ExitProbability))?,
        measured: row.get(at(Measured))?,
        verified_host_names: list(row, at(VerifiedHostNames))?,
        unverified_host_names: list(row, at(UnverifiedHostNames))?,
        bandwidth_rate: amount(at(BandwidthRate))?,
        bandwidth_burst: amount(at(BandwidthBurst))?,
        observed_bandwidth: amount(at(ObservedBandwidth))?,
        advertised_bandwidth: amount(at(AdvertisedBandwidth))?,
        overload_general_at: parsed(row, at(OverloadGeneralAt))?,
        exit_policy: list(row, at(ExitPolicy))?,
        exit_policy_summary: ports(row, at(ExitPolicySummary))?,
        exit_policy_v6_summary: ports(row, at(ExitPolicyV6Summary))?,
        contact: row.get(at(Contact))?,
        platform: row.get(at(Platform))?,
        version: row.get(at(Version))?,
        recommended_version: row.get(at(RecommendedVersion))?,
        version_status: row.get(at(VersionStatus))?,
        effective_family: family(row, at(EffectiveFamilyId), families)?,
        alleged_family: list(row, at(AllegedFamily))?,
        indirect_family: list(row, at(IndirectFamily))?,
        bare_address: parsed(row, at(BareAddress))?,
        aroi_check: None,
    };
    Ok((id, relay, Some(details_hour)))
}
