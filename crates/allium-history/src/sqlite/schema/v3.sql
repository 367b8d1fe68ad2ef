-- Who relays are, over time: what load_as_of and exact_as_of tell. Columns that end in _text refer to texts.

CREATE TABLE texts (
    id   INTEGER PRIMARY KEY,
    text TEXT NOT NULL
);

-- How details documents describe a relay: one row per relay and change. It holds from since_hour, the hour of the first
-- document that says so, to the relay's next row.
CREATE TABLE descriptions (
    relay_id            INTEGER NOT NULL REFERENCES relays (id),
    since_hour          INTEGER NOT NULL,
    last_seen_hour      INTEGER,            -- as that first document says
    first_seen_hour     INTEGER,
    nickname_text       INTEGER,
    or_addresses_text   INTEGER,            -- JSON lists, as in relays
    bare_address_text   INTEGER,
    country             TEXT,
    country_name_text   INTEGER,
    asn                 INTEGER,
    as_name_text        INTEGER,
    contact_text        INTEGER,
    platform_text       INTEGER,
    effective_family_id INTEGER,            -- in families
    PRIMARY KEY (relay_id, since_hour)
) WITHOUT ROWID;

-- How the pack of hourly lists that reaches furthest describes a relay: as last known, at no particular time.
CREATE TABLE pack_descriptions (
    relay_id            INTEGER PRIMARY KEY REFERENCES relays (id),
    through_hour        INTEGER NOT NULL,   -- the newest hour of that pack
    nickname_text       INTEGER,
    bare_address_text   INTEGER,
    country             TEXT,
    asn                 INTEGER,
    as_name_text        INTEGER,
    contact_text        INTEGER,
    effective_family_id INTEGER             -- in families
);

INSERT INTO texts (text)
SELECT nickname FROM relays WHERE nickname IS NOT NULL UNION
SELECT or_addresses FROM relays WHERE or_addresses IS NOT NULL UNION
SELECT bare_address FROM relays WHERE bare_address IS NOT NULL UNION
SELECT country_name FROM relays WHERE country_name IS NOT NULL UNION
SELECT as_name FROM relays WHERE as_name IS NOT NULL UNION
SELECT contact FROM relays WHERE contact IS NOT NULL UNION
SELECT platform FROM relays WHERE platform IS NOT NULL;
CREATE INDEX texts_by_text ON texts (text);

INSERT INTO descriptions
SELECT id, details_hour, last_seen_hour, first_seen_hour,
       (SELECT t.id FROM texts t WHERE t.text = nickname), (SELECT t.id FROM texts t WHERE t.text = or_addresses),
       (SELECT t.id FROM texts t WHERE t.text = bare_address), country, (SELECT t.id FROM texts t WHERE t.text = country_name),
       asn, (SELECT t.id FROM texts t WHERE t.text = as_name), (SELECT t.id FROM texts t WHERE t.text = contact),
       (SELECT t.id FROM texts t WHERE t.text = platform), effective_family_id
FROM relays WHERE details_hour IS NOT NULL;

INSERT INTO pack_descriptions
SELECT id, described_hour,
       (SELECT t.id FROM texts t WHERE t.text = nickname), (SELECT t.id FROM texts t WHERE t.text = bare_address), country,
       asn, (SELECT t.id FROM texts t WHERE t.text = as_name), (SELECT t.id FROM texts t WHERE t.text = contact),
       effective_family_id
FROM relays WHERE details_hour IS NULL AND described_hour IS NOT NULL;

DROP INDEX texts_by_text;
UPDATE relays SET nickname = NULL, bare_address = NULL, country = NULL, asn = NULL, as_name = NULL, contact = NULL,
       effective_family_id = NULL
WHERE details_hour IS NULL AND described_hour IS NOT NULL;
ALTER TABLE relays DROP COLUMN described_hour;

DROP VIEW relay_list;
CREATE VIEW relay_list AS
SELECT r.id, hex(r.fingerprint) AS fingerprint,
       iif(r.details_hour IS NULL, (SELECT t.text FROM texts t WHERE t.id = p.nickname_text), r.nickname) AS nickname,
       iif(r.details_hour IS NULL, p.country, r.country) AS country,
       'AS' || iif(r.details_hour IS NULL, p.asn, r.asn) AS autonomous_system, r.version,
       iif(r.details_hour IS NULL, (SELECT t.text FROM texts t WHERE t.id = p.contact_text), r.contact) AS contact,
       datetime(r.first_seen_hour * 3600, 'unixepoch') AS first_seen, datetime(r.last_seen_hour * 3600, 'unixepoch') AS last_seen
FROM relays r LEFT JOIN pack_descriptions p ON p.relay_id = r.id;

CREATE VIEW description_list AS
SELECT hex(r.fingerprint) AS fingerprint, datetime(d.since_hour * 3600, 'unixepoch') AS since,
       (SELECT t.text FROM texts t WHERE t.id = d.nickname_text) AS nickname,
       (SELECT t.text FROM texts t WHERE t.id = d.or_addresses_text) AS or_addresses, d.country, d.asn,
       (SELECT t.text FROM texts t WHERE t.id = d.as_name_text) AS as_name,
       (SELECT t.text FROM texts t WHERE t.id = d.contact_text) AS contact,
       (SELECT t.text FROM texts t WHERE t.id = d.platform_text) AS platform,
       (SELECT f.members FROM families f WHERE f.id = d.effective_family_id) AS effective_family
FROM descriptions d JOIN relays r ON r.id = d.relay_id;
