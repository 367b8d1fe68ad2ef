//! Descriptions of relays over time: nickname, addresses, country, AS, contact, platform and effective family.
//!
//! Question: how was a relay described at some hour? Input: the relays of details documents, and those of packs of hourly
//! lists. A details document describes a relay from its own hour on, to the next one that describes it otherwise; one that repeats
//! the description costs no row. A pack describes a relay as last known, at no particular time: that is the answer for hours by
//! which no details document has listed the relay, however early they are. Of two packs the one that reaches further counts.
//! So the answer for an hour is the same whatever is learned of later hours, and in whichever order packs and documents come.

use std::collections::HashMap;

use allium_model::{Asn, ConsensusHour, CountryCode, Fingerprint, Relay};
use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params};

use super::columns::{hour, optional_hour, optional_list, parsed, parsed_list, parsed_text};
use super::failure::Failure;
use super::families::{Families, families, family, forget_unused_families};
use super::relay_ids::{RelayIds, fingerprints};
use super::texts::{Texts, TextsById};

/// A description by a details document, as numbers and short values: the columns of `descriptions` from `first_seen_hour` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Described {
    first_seen: Option<ConsensusHour>,
    nickname: Option<i64>,
    or_addresses: Option<i64>,
    bare_address: Option<i64>,
    country: Option<CountryCode>,
    country_name: Option<i64>,
    asn: Option<u32>,
    as_name: Option<i64>,
    contact: Option<i64>,
    platform: Option<i64>,
    family: Option<i64>,
}

const COLUMNS: &str = "first_seen_hour, nickname_text, or_addresses_text, bare_address_text, country, country_name_text, asn, as_name_text,
     contact_text, platform_text, effective_family_id";

impl Described {
    fn read(row: &Row<'_>) -> Result<Self, Failure> {
        Ok(Self {
            first_seen: optional_hour(row, 0)?,
            nickname: row.get(1)?,
            or_addresses: row.get(2)?,
            bare_address: row.get(3)?,
            country: parsed(row, 4)?,
            country_name: row.get(5)?,
            asn: row.get(6)?,
            as_name: row.get(7)?,
            contact: row.get(8)?,
            platform: row.get(9)?,
            family: row.get(10)?,
        })
    }
}

/// Writes descriptions by details documents.
pub(super) struct DescriptionWriter<'a> {
    conn: &'a Connection,
    newest: CachedStatement<'a>,
    insert: CachedStatement<'a>,
    texts: Texts,
}

impl<'a> DescriptionWriter<'a> {
    pub(super) fn new(conn: &'a Connection) -> Result<Self, Failure> {
        let newest = format!("SELECT {COLUMNS} FROM descriptions WHERE relay_id = ? AND since_hour <= ? ORDER BY since_hour DESC LIMIT 1");
        let insert = format!(
            "INSERT OR REPLACE INTO descriptions (relay_id, since_hour, last_seen_hour, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        );
        Ok(Self { conn, newest: conn.prepare_cached(&newest)?, insert: conn.prepare_cached(&insert)?, texts: Texts::load(conn)? })
    }

    /// Records the description of a relay by the document of an hour, if it differs from the one before.
    pub(super) fn write(&mut self, relay_id: i64, since: ConsensusHour, relay: &Relay, family: Option<i64>) -> Result<(), Failure> {
        let described = self.described(relay, family)?;
        let before = self.newest.query_row(params![relay_id, since.get()], |row| Ok(Described::read(row))).optional()?.transpose()?;
        if before == Some(described) {
            return Ok(());
        }
        self.insert.execute(params![
            relay_id,
            since.get(),
            relay.last_seen.map(ConsensusHour::get),
            described.first_seen.map(ConsensusHour::get),
            described.nickname,
            described.or_addresses,
            described.bare_address,
            described.country.map(|country| country.to_string()),
            described.country_name,
            described.asn,
            described.as_name,
            described.contact,
            described.platform,
            described.family,
        ])?;
        Ok(())
    }

    fn described(&mut self, relay: &Relay, family: Option<i64>) -> Result<Described, Failure> {
        let bare_address = relay.bare_address.map(|address| address.to_string());
        let mut text = |text: Option<&str>| self.texts.id(self.conn, text);
        Ok(Described {
            first_seen: relay.first_seen.documented(),
            nickname: text(relay.nickname.as_deref())?,
            or_addresses: text(optional_list(&relay.or_addresses).as_deref())?,
            bare_address: text(bare_address.as_deref())?,
            country: relay.country,
            country_name: text(relay.country_name.as_deref())?,
            asn: relay.asn.map(|asn| asn.0),
            as_name: text(relay.as_name.as_deref())?,
            contact: text(relay.contact.as_deref())?,
            platform: text(relay.platform.as_deref())?,
            family,
        })
    }
}

/// Takes the descriptions of a pack through `hour` over, where no pack through it or later describes the relay; returns for how many.
pub(super) fn describe(conn: &Connection, hour: ConsensusHour, relays: &[Relay]) -> Result<usize, Failure> {
    let (mut ids, mut texts, mut families) = (RelayIds::load(conn)?, Texts::load(conn)?, Families::load(conn)?);
    let mut replace = conn.prepare(
        "INSERT INTO pack_descriptions (relay_id, through_hour, nickname_text, bare_address_text, country, asn, as_name_text, contact_text,
         effective_family_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (relay_id) DO UPDATE SET through_hour = ?2, nickname_text = ?3, bare_address_text = ?4, country = ?5, asn = ?6,
         as_name_text = ?7, contact_text = ?8, effective_family_id = ?9 WHERE through_hour < ?2",
    )?;
    let mut n_described = 0;
    for relay in relays {
        let address = relay.primary_ip().map(|address| address.to_string());
        n_described += replace.execute(params![
            ids.id(conn, &relay.fingerprint)?,
            hour.get(),
            texts.id(conn, relay.nickname.as_deref())?,
            texts.id(conn, address.as_deref())?,
            relay.country.map(|country| country.to_string()),
            relay.asn.map(|asn| asn.0),
            texts.id(conn, relay.as_name.as_deref())?,
            texts.id(conn, relay.contact.as_deref())?,
            families.id(conn, &relay.effective_family)?,
        ])?;
    }
    forget_unused_families(conn)?;
    Ok(n_described)
}

/// Descriptions of relays, by their numbers.
pub(super) struct Descriptions {
    texts: TextsById,
    families: HashMap<i64, Vec<Fingerprint>>,
}

impl Descriptions {
    pub(super) fn load(conn: &Connection) -> Result<Self, Failure> {
        Ok(Self { texts: TextsById::load(conn)?, families: families(conn)? })
    }

    /// The families by number.
    pub(super) fn families(&self) -> &HashMap<i64, Vec<Fingerprint>> {
        &self.families
    }

    /// Calls `take` with the number of each relay that details documents through `until` list, the hour since which it is described
    /// as it is then, and that description. The rows before come first, so the last call for a relay counts.
    pub(super) fn of_details(
        &self,
        conn: &Connection,
        until: ConsensusHour,
        mut take: impl FnMut(i64, ConsensusHour, Relay) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let columns = format!("{COLUMNS}, relay_id, since_hour, last_seen_hour");
        let mut statement =
            conn.prepare(&format!("SELECT {columns} FROM descriptions WHERE since_hour <= ? ORDER BY relay_id, since_hour"))?;
        let mut rows = statement.query([until.get()])?;
        while let Some(row) = rows.next()? {
            take(row.get(11)?, hour(row, 12)?, self.relay_of_details(row)?)?;
        }
        Ok(())
    }

    fn relay_of_details(&self, row: &Row<'_>) -> Result<Relay, Failure> {
        let text = |i| self.texts.text(row, i);
        Ok(Relay {
            first_seen: optional_hour(row, 0)?.into(),
            nickname: text(1)?.map(str::to_owned),
            or_addresses: text(2)?.map_or(Ok(Vec::new()), |list| parsed_list(list, 2))?,
            bare_address: parsed_text(text(3)?, 3)?,
            country: parsed(row, 4)?,
            country_name: text(5)?.map(str::to_owned),
            asn: row.get::<_, Option<u32>>(6)?.map(Asn),
            as_name: text(7)?.map(str::to_owned),
            contact: text(8)?.map(str::to_owned),
            platform: text(9)?.map(str::to_owned),
            effective_family: family(row, 10, &self.families)?,
            last_seen: optional_hour(row, 13)?,
            ..Relay::unknown(Fingerprint::new([0; 20]))
        })
    }

    /// Calls `take` with the number of each relay that a pack describes, and that description.
    pub(super) fn of_packs(&self, conn: &Connection, mut take: impl FnMut(i64, Relay) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut statement = conn.prepare(
            "SELECT relay_id, nickname_text, bare_address_text, country, asn, as_name_text, contact_text, effective_family_id, through_hour
             FROM pack_descriptions",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            hour(row, 8)?;
            let text = |i| self.texts.text(row, i);
            let relay = Relay {
                nickname: text(1)?.map(str::to_owned),
                bare_address: parsed_text(text(2)?, 2)?,
                country: parsed(row, 3)?,
                asn: row.get::<_, Option<u32>>(4)?.map(Asn),
                as_name: text(5)?.map(str::to_owned),
                contact: text(6)?.map(str::to_owned),
                effective_family: family(row, 7, &self.families)?,
                ..Relay::unknown(Fingerprint::new([0; 20]))
            };
            take(row.get(0)?, relay)?;
        }
        Ok(())
    }
}

/// Hands every description through an hour to `take`: those of packs, then those of details documents.
pub(super) fn each(conn: &Connection, until: ConsensusHour, take: &mut dyn FnMut(Option<ConsensusHour>, Relay)) -> Result<(), Failure> {
    let (descriptions, fingerprints) = (Descriptions::load(conn)?, fingerprints(conn)?);
    let named = |id: i64, relay: Relay| {
        let fingerprint = *fingerprints.get(&id).ok_or_else(|| Failure::Corrupt(format!("relay {id} is missing")))?;
        Ok::<_, Failure>(Relay { fingerprint, ..relay })
    };
    descriptions.of_packs(conn, |id, relay| {
        take(None, named(id, relay)?);
        Ok(())
    })?;
    descriptions.of_details(conn, until, |id, since, relay| {
        take(Some(since), named(id, relay)?);
        Ok(())
    })
}

/// Forgets descriptions that repeat the one before.
pub(super) fn forget_repeated(conn: &Connection) -> Result<(), Failure> {
    let of = |table: &str| COLUMNS.split(',').map(|column| format!("{table}.{}", column.trim())).collect::<Vec<_>>().join(", ");
    let before = "SELECT max(since_hour) FROM descriptions x WHERE x.relay_id = d.relay_id AND x.since_hour < d.since_hour";
    let repeated = format!(
        "SELECT d.relay_id, d.since_hour FROM descriptions d JOIN descriptions b ON b.relay_id = d.relay_id AND b.since_hour = ({before})
         WHERE ({}) IS ({})",
        of("d"),
        of("b")
    );
    conn.execute(&format!("DELETE FROM descriptions WHERE (relay_id, since_hour) IN ({repeated})"), [])?;
    Ok(())
}

/// Forgets descriptions that held only before an hour; those that hold at it keep the hour since which they do.
pub(super) fn prune(conn: &Connection, before: i32) -> Result<(), Failure> {
    conn.execute(
        "DELETE FROM descriptions AS d WHERE EXISTS
         (SELECT 1 FROM descriptions n WHERE n.relay_id = d.relay_id AND n.since_hour > d.since_hour AND n.since_hour <= ?)",
        [before],
    )?;
    Ok(())
}
