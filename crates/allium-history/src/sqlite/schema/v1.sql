-- Hours are counted from 1970-01-01T00:00:00Z; instants are RFC 3339 text in UTC; shares are 0 to 1.

-- The consensuses that are known, by valid-after.
CREATE TABLE consensuses (
    hour        INTEGER PRIMARY KEY,
    source      TEXT    NOT NULL,           -- who brought it first: details, directory, collector, presence
    verified    INTEGER NOT NULL,           -- 1: signatures of authorities were verified
    received_at TEXT    NOT NULL,
    n_listed    INTEGER NOT NULL,           -- relays in it
    n_running   INTEGER NOT NULL,
    n_guard     INTEGER NOT NULL,
    n_exit      INTEGER NOT NULL
);

-- Sets of relays that name each other as family: JSON lists of fingerprints, each stored once.
CREATE TABLE families (
    id      INTEGER PRIMARY KEY,
    members TEXT NOT NULL
);

-- Every relay ever recorded. All columns after details_hour are as the newest details document that lists the relay
-- says; they are NULL for relays that only consensuses or graphs named.
CREATE TABLE relays (
    id                         INTEGER PRIMARY KEY,
    fingerprint                BLOB NOT NULL UNIQUE,
    details_hour               INTEGER,
    nickname                   TEXT,
    or_addresses               TEXT,        -- JSON lists: empty ones are NULL
    exit_addresses             TEXT,
    dir_address                TEXT,
    unreachable_or_addresses   TEXT,
    first_seen_hour            INTEGER,
    last_seen_hour             INTEGER,
    last_changed_address_hour  INTEGER,
    last_restarted             TEXT,
    running                    INTEGER,
    hibernating                INTEGER,
    flags                      INTEGER,     -- bits in the order of docs/store.md
    other_flags                TEXT,
    country                    TEXT,
    country_name               TEXT,
    asn                        INTEGER,
    as_name                    TEXT,
    consensus_weight           INTEGER,
    consensus_weight_fraction  REAL,
    guard_probability          REAL,
    middle_probability         REAL,
    exit_probability           REAL,
    measured                   INTEGER,
    verified_host_names        TEXT,
    unverified_host_names      TEXT,
    bandwidth_rate             INTEGER,     -- bytes per second
    bandwidth_burst            INTEGER,
    observed_bandwidth         INTEGER,
    advertised_bandwidth       INTEGER,
    overload_general_at        TEXT,
    exit_policy                TEXT,
    exit_policy_summary        TEXT,        -- JSON: {"accept": [ports]} or {"reject": [ports]}
    exit_policy_v6_summary     TEXT,
    contact                    TEXT,
    platform                   TEXT,
    version                    TEXT,
    recommended_version        INTEGER,
    version_status             TEXT,
    effective_family_id        INTEGER REFERENCES families (id),
    alleged_family             TEXT,
    indirect_family            TEXT
);

-- The states in which relays have been, each stored once.
CREATE TABLE states (
    id      INTEGER PRIMARY KEY,
    flags   INTEGER NOT NULL,
    country TEXT,
    asn     INTEGER,
    version TEXT
);
CREATE UNIQUE INDEX states_by_content
ON states (flags, ifnull(country, ''), asn IS NULL, ifnull(asn, 0), version IS NULL, ifnull(version, ''));

-- Every known consensus in [start_hour, end_hour) listed the relay in this state. start_hour and end_hour - 1 are known
-- consensuses; end_hour NULL: through the newest one. A relay is down in known consensuses outside its spans.
CREATE TABLE spans (
    relay_id   INTEGER NOT NULL REFERENCES relays (id),
    start_hour INTEGER NOT NULL,
    end_hour   INTEGER,
    state_id   INTEGER NOT NULL REFERENCES states (id),
    PRIMARY KEY (relay_id, start_hour)
) WITHOUT ROWID;
CREATE INDEX open_spans ON spans (relay_id) WHERE end_hour IS NULL;

-- The graphs that the newest document of a kind that names the relay publishes of it, encoded as in docs/store.md.
CREATE TABLE published_histories (
    id             INTEGER PRIMARY KEY,
    relay_id       INTEGER NOT NULL REFERENCES relays (id),
    kind           TEXT    NOT NULL,
    published_hour INTEGER NOT NULL,
    graphs         BLOB    NOT NULL,
    UNIQUE (relay_id, kind)
);

-- The newest accepted document of each kind.
CREATE TABLE documents (
    kind           TEXT PRIMARY KEY,
    origin         TEXT    NOT NULL,
    published_hour INTEGER NOT NULL,
    obtained_at    TEXT    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    n_relays       INTEGER NOT NULL,
    n_rejects      INTEGER NOT NULL
);

-- What could not be understood in those documents.
CREATE TABLE rejects (
    id     INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL REFERENCES documents (kind),
    origin TEXT NOT NULL,
    place  TEXT NOT NULL,
    relay  BLOB,
    reason TEXT NOT NULL
);
CREATE INDEX rejects_by_kind ON rejects (kind);

-- For people with the sqlite3 shell.
CREATE VIEW relay_list AS
SELECT r.id, hex(r.fingerprint) AS fingerprint, r.nickname, r.country, 'AS' || r.asn AS autonomous_system, r.version, r.contact,
       datetime(r.first_seen_hour * 3600, 'unixepoch') AS first_seen, datetime(r.last_seen_hour * 3600, 'unixepoch') AS last_seen
FROM relays r;

CREATE VIEW span_list AS
SELECT hex(r.fingerprint) AS fingerprint, datetime(s.start_hour * 3600, 'unixepoch') AS start,
       datetime(ifnull(s.end_hour, (SELECT max(hour) + 1 FROM consensuses)) * 3600, 'unixepoch') AS "end",
       t.flags, t.country, t.asn, t.version
FROM spans s JOIN relays r ON r.id = s.relay_id JOIN states t ON t.id = s.state_id;
