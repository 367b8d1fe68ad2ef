//! Relays as rows: which column holds which attribute.

use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use allium_model::{Asn, ConsensusHour, Fingerprint, Fraction, PortSummary, Relay, RelayFlags};
use rusqlite::types::{ToSqlOutput, Type, Value, ValueRef};
use rusqlite::{Connection, Row};

use crate::describe::DescriptionWriter;
use crate::error::Failure;

/// The relays by their numbers.
pub(crate) fn fingerprints(conn: &Connection) -> Result<HashMap<i64, Fingerprint>, Failure> {
    let mut statement = conn.prepare("SELECT id, fingerprint FROM relays")?;
    Ok(statement.query_map([], |row| Ok((row.get(0)?, Fingerprint::new(row.get(1)?))))?.collect::<Result<_, _>>()?)
}

/// The numbers of relays by fingerprint.
pub(crate) struct RelayIds {
    ids: HashMap<Fingerprint, i64>,
    n_created: usize,
}

impl RelayIds {
    pub(crate) fn load(conn: &Connection) -> Result<Self, Failure> {
        let mut statement = conn.prepare("SELECT id, fingerprint FROM relays")?;
        let ids = statement.query_map([], |row| Ok((Fingerprint::new(row.get(1)?), row.get(0)?)))?.collect::<Result<_, _>>()?;
        Ok(Self { ids, n_created: 0 })
    }

    /// The number of a relay, which is recorded where it is not yet.
    pub(crate) fn id(&mut self, conn: &Connection, fingerprint: &Fingerprint) -> Result<i64, Failure> {
        if let Some(id) = self.ids.get(fingerprint) {
            return Ok(*id);
        }
        conn.prepare_cached("INSERT INTO relays (fingerprint) VALUES (?)")?.execute([fingerprint.as_bytes()])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(*fingerprint, id);
        self.n_created += 1;
        Ok(id)
    }

    /// How many relays were recorded for the first time.
    pub(crate) fn n_created(&self) -> usize {
        self.n_created
    }
}

/// The columns of attributes, in the order of [`attributes`] and [`relay`].
const COLUMNS: [&str; 44] = [
    "details_hour",
    "nickname",
    "or_addresses",
    "exit_addresses",
    "dir_address",
    "unreachable_or_addresses",
    "first_seen_hour",
    "last_seen_hour",
    "last_changed_address_hour",
    "last_restarted",
    "running",
    "hibernating",
    "flags",
    "other_flags",
    "country",
    "country_name",
    "asn",
    "as_name",
    "consensus_weight",
    "consensus_weight_fraction",
    "guard_probability",
    "middle_probability",
    "exit_probability",
    "measured",
    "verified_host_names",
    "unverified_host_names",
    "bandwidth_rate",
    "bandwidth_burst",
    "observed_bandwidth",
    "advertised_bandwidth",
    "overload_general_at",
    "exit_policy",
    "exit_policy_summary",
    "exit_policy_v6_summary",
    "contact",
    "platform",
    "version",
    "recommended_version",
    "version_status",
    "effective_family_id",
    "alleged_family",
    "indirect_family",
    "bare_address",
    "id",
];

/// Writes the attributes of relays.
pub(crate) struct RelayWriter<'a> {
    update: rusqlite::Statement<'a>,
    families: Families,
    descriptions: DescriptionWriter<'a>,
}

impl<'a> RelayWriter<'a> {
    pub(crate) fn new(conn: &'a Connection) -> Result<Self, Failure> {
        let (id, attributes) = COLUMNS.split_last().expect("there are columns");
        let assignments = attributes.iter().map(|column| format!("{column} = ?")).collect::<Vec<_>>().join(", ");
        let update = conn.prepare(&format!("UPDATE relays SET {assignments} WHERE {id} = ?"))?;
        Ok(Self { update, families: Families::load(conn)?, descriptions: DescriptionWriter::new(conn)? })
    }

    pub(crate) fn write(&mut self, conn: &Connection, id: i64, details_hour: ConsensusHour, relay: &Relay) -> Result<(), Failure> {
        let family_id = self.families.id(conn, &relay.effective_family)?;
        let values = attributes(relay, details_hour, family_id).into_iter().chain([ToSqlOutput::from(id)]);
        self.update.execute(rusqlite::params_from_iter(values))?;
        self.descriptions.write(id, details_hour, relay, family_id)
    }
}

/// Drops families that nothing refers to.
pub(crate) fn forget_unused_families(conn: &Connection) -> Result<(), Failure> {
    let references = ["relays", "descriptions", "pack_descriptions"]
        .map(|table| format!("SELECT effective_family_id FROM {table} WHERE effective_family_id IS NOT NULL"));
    conn.execute(&format!("DELETE FROM families WHERE id NOT IN ({})", references.join(" UNION ALL ")), [])?;
    Ok(())
}

/// The dictionary of effective families.
pub(crate) struct Families {
    ids: HashMap<Vec<Fingerprint>, i64>,
}

impl Families {
    pub(crate) fn load(conn: &Connection) -> Result<Self, Failure> {
        Ok(Self { ids: families(conn)?.into_iter().map(|(id, members)| (members, id)).collect() })
    }

    /// The number of a family, given to it where it has none; `None` of an empty one.
    pub(crate) fn id(&mut self, conn: &Connection, members: &[Fingerprint]) -> Result<Option<i64>, Failure> {
        if members.is_empty() {
            return Ok(None);
        }
        if let Some(id) = self.ids.get(members) {
            return Ok(Some(*id));
        }
        conn.prepare_cached("INSERT INTO families (members) VALUES (?)")?.execute([json_list(members)])?;
        let id = conn.last_insert_rowid();
        self.ids.insert(members.to_vec(), id);
        Ok(Some(id))
    }
}

/// The families by number.
pub(crate) fn families(conn: &Connection) -> Result<HashMap<i64, Vec<Fingerprint>>, Failure> {
    let mut statement = conn.prepare("SELECT id, members FROM families")?;
    let mut rows = statement.query([])?;
    let mut families = HashMap::new();
    while let Some(row) = rows.next()? {
        families.insert(row.get(0)?, list(row, 1)?);
    }
    Ok(families)
}

/// The values of all columns but `id`.
fn attributes<'a>(relay: &'a Relay, details_hour: ConsensusHour, family_id: Option<i64>) -> Vec<ToSqlOutput<'a>> {
    let owned = |value: Option<String>| ToSqlOutput::Owned(value.map_or(Value::Null, Value::Text));
    let text =
        |value: &'a Option<String>| ToSqlOutput::Borrowed(value.as_deref().map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes())));
    let integer = |value: Option<i64>| ToSqlOutput::Owned(value.map_or(Value::Null, Value::Integer));
    let hour = |value: Option<ConsensusHour>| integer(value.map(|hour| i64::from(hour.get())));
    let flag = |value: Option<bool>| integer(value.map(i64::from));
    let amount = |value: Option<u64>| integer(value.map(u64::cast_signed));
    let share = |value: Option<Fraction>| ToSqlOutput::Owned(value.map_or(Value::Null, |share| Value::Real(share.get())));
    vec![
        hour(Some(details_hour)),
        text(&relay.nickname),
        owned(optional_list(&relay.or_addresses)),
        owned(optional_list(&relay.exit_addresses)),
        owned(relay.dir_address.map(|address| address.to_string())),
        owned(optional_list(&relay.unreachable_or_addresses)),
        hour(relay.first_seen),
        hour(relay.last_seen),
        hour(relay.last_changed_address_or_port),
        owned(relay.last_restarted.map(|at| at.to_string())),
        flag(Some(relay.running)),
        flag(Some(relay.hibernating)),
        integer(Some(i64::from(relay.flags.bits()))),
        owned(optional_list(&relay.other_flags)),
        owned(relay.country.map(|country| country.to_string())),
        text(&relay.country_name),
        integer(relay.asn.map(|asn| i64::from(asn.0))),
        text(&relay.as_name),
        amount(relay.consensus_weight),
        share(relay.consensus_weight_fraction),
        share(relay.guard_probability),
        share(relay.middle_probability),
        share(relay.exit_probability),
        flag(relay.measured),
        owned(optional_list(&relay.verified_host_names)),
        owned(optional_list(&relay.unverified_host_names)),
        amount(relay.bandwidth_rate),
        amount(relay.bandwidth_burst),
        amount(relay.observed_bandwidth),
        amount(relay.advertised_bandwidth),
        owned(relay.overload_general_at.map(|at| at.to_string())),
        owned(optional_list(&relay.exit_policy)),
        owned(relay.exit_policy_summary.as_ref().map(json_ports)),
        owned(relay.exit_policy_v6_summary.as_ref().map(json_ports)),
        text(&relay.contact),
        text(&relay.platform),
        text(&relay.version),
        flag(relay.recommended_version),
        text(&relay.version_status),
        integer(family_id),
        owned(optional_list(&relay.alleged_family)),
        owned(optional_list(&relay.indirect_family)),
        owned(relay.bare_address.map(|address| address.to_string())),
    ]
}

/// The query whose rows [`relay`] reads.
pub(crate) fn select_relays() -> String {
    format!("SELECT {}, fingerprint FROM relays ORDER BY fingerprint", COLUMNS.join(", "))
}

/// Number, relay and the hour of the newest details document that lists it.
pub(crate) fn relay(row: &Row<'_>, families: &HashMap<i64, Vec<Fingerprint>>) -> Result<(i64, Relay, Option<ConsensusHour>), Failure> {
    let hour = |i| optional_hour(row, i);
    let amount = |i| Ok::<_, Failure>(row.get::<_, Option<i64>>(i)?.map(i64::cast_unsigned));
    let id = row.get(43)?;
    let fingerprint = Fingerprint::new(row.get(44)?);
    let Some(details_hour) = hour(0)? else { return Ok((id, Relay::unknown(fingerprint), None)) };
    let relay = Relay {
        fingerprint,
        nickname: row.get(1)?,
        or_addresses: list(row, 2)?,
        exit_addresses: list(row, 3)?,
        dir_address: parsed(row, 4)?,
        unreachable_or_addresses: list(row, 5)?,
        first_seen: hour(6)?,
        last_seen: hour(7)?,
        last_changed_address_or_port: hour(8)?,
        last_restarted: parsed(row, 9)?,
        running: row.get(10)?,
        hibernating: row.get(11)?,
        flags: RelayFlags::from_bits(row.get(12)?),
        other_flags: list(row, 13)?,
        country: parsed(row, 14)?,
        country_name: row.get(15)?,
        asn: row.get::<_, Option<u32>>(16)?.map(Asn),
        as_name: row.get(17)?,
        consensus_weight: amount(18)?,
        consensus_weight_fraction: share(row, 19)?,
        guard_probability: share(row, 20)?,
        middle_probability: share(row, 21)?,
        exit_probability: share(row, 22)?,
        measured: row.get(23)?,
        verified_host_names: list(row, 24)?,
        unverified_host_names: list(row, 25)?,
        bandwidth_rate: amount(26)?,
        bandwidth_burst: amount(27)?,
        observed_bandwidth: amount(28)?,
        advertised_bandwidth: amount(29)?,
        overload_general_at: parsed(row, 30)?,
        exit_policy: list(row, 31)?,
        exit_policy_summary: ports(row, 32)?,
        exit_policy_v6_summary: ports(row, 33)?,
        contact: row.get(34)?,
        platform: row.get(35)?,
        version: row.get(36)?,
        recommended_version: row.get(37)?,
        version_status: row.get(38)?,
        effective_family: family(row, 39, families)?,
        alleged_family: list(row, 40)?,
        indirect_family: list(row, 41)?,
        bare_address: parsed(row, 42)?,
        aroi_check: None,
    };
    Ok((id, relay, Some(details_hour)))
}

/// A column of hours; damage beyond the years ±9999 is refused, so that sums of hours cannot overflow.
pub(crate) fn hour(row: &Row<'_>, i: usize) -> Result<ConsensusHour, Failure> {
    optional_hour(row, i)?.ok_or_else(|| Failure::Corrupt("an hour is missing".into()))
}

/// A column of hours that may be NULL.
pub(crate) fn optional_hour(row: &Row<'_>, i: usize) -> Result<Option<ConsensusHour>, Failure> {
    match row.get::<_, Option<i32>>(i)? {
        Some(hour) if hour.unsigned_abs() > 90_000_000 => Err(Failure::Corrupt(format!("hour {hour} is out of range"))),
        hour => Ok(hour.map(ConsensusHour::new)),
    }
}

/// A text column as the type that it spells.
pub(crate) fn parsed<T>(row: &Row<'_>, i: usize) -> Result<Option<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    parsed_text(row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)?, i)
}

/// A text of column `i` as the type that it spells.
pub(crate) fn parsed_text<T>(text: Option<&str>, i: usize) -> Result<Option<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let Some(text) = text else { return Ok(None) };
    let value = text.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)))?;
    Ok(Some(value))
}

/// A JSON list of texts as the type that they spell; NULL is the empty list.
fn list<T>(row: &Row<'_>, i: usize) -> Result<Vec<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text = row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    text.map_or(Ok(Vec::new()), |text| parsed_list(text, i))
}

/// A JSON list of texts of column `i` as the type that they spell.
pub(crate) fn parsed_list<T>(text: &str, i: usize) -> Result<Vec<T>, Failure>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let texts: Vec<String> =
        serde_json::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)))?;
    let values: Result<_, T::Err> = texts.iter().map(|text| text.parse()).collect();
    values.map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)).into())
}

fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, i: usize) -> Result<Option<T>, Failure> {
    let Some(text) = row.get_ref(i)?.as_str_or_null().map_err(rusqlite::Error::from)? else { return Ok(None) };
    serde_json::from_str(text).map(Some).map_err(|error| rusqlite::Error::FromSqlConversionFailure(i, Type::Text, Box::new(error)).into())
}

fn ports(row: &Row<'_>, i: usize) -> Result<Option<PortSummary>, Failure> {
    let Some(summary): Option<HashMap<String, Vec<String>>> = json(row, i)? else { return Ok(None) };
    match summary.into_iter().next() {
        Some((key, ports)) if key == "accept" => Ok(Some(PortSummary::Accept(ports))),
        Some((key, ports)) if key == "reject" => Ok(Some(PortSummary::Reject(ports))),
        _ => Err(Failure::Corrupt("a port summary that neither accepts nor rejects".into())),
    }
}

fn share(row: &Row<'_>, i: usize) -> Result<Option<Fraction>, Failure> {
    let Some(share) = row.get::<_, Option<f64>>(i)? else { return Ok(None) };
    Fraction::new(share).map(Some).ok_or_else(|| Failure::Corrupt(format!("{share} in a column of shares")))
}

/// The family that a column refers to; NULL is the empty one.
pub(crate) fn family(row: &Row<'_>, i: usize, families: &HashMap<i64, Vec<Fingerprint>>) -> Result<Vec<Fingerprint>, Failure> {
    let Some(id) = row.get::<_, Option<i64>>(i)? else { return Ok(Vec::new()) };
    families.get(&id).cloned().ok_or_else(|| Failure::Corrupt(format!("family {id} is missing")))
}

/// A JSON list; `None` of the empty one.
pub(crate) fn optional_list<T: Display>(items: &[T]) -> Option<String> {
    (!items.is_empty()).then(|| json_list(items))
}

fn json_list<T: Display>(items: &[T]) -> String {
    serde_json::Value::from_iter(items.iter().map(ToString::to_string)).to_string()
}

fn json_ports(summary: &PortSummary) -> String {
    let (key, ports) = match summary {
        PortSummary::Accept(ports) => ("accept", ports),
        PortSummary::Reject(ports) => ("reject", ports),
    };
    serde_json::json!({ key: ports }).to_string()
}
