-- A store of format version 1, dumped: kept so that every later program is tested on what this one wrote.
PRAGMA application_id = 1097624681;
PRAGMA user_version = 1;
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
CREATE TABLE families (
    id      INTEGER PRIMARY KEY,
    members TEXT NOT NULL
);
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
CREATE TABLE states (
    id      INTEGER PRIMARY KEY,
    flags   INTEGER NOT NULL,
    country TEXT,
    asn     INTEGER,
    version TEXT
);
CREATE UNIQUE INDEX states_by_content
ON states (flags, ifnull(country, ''), asn IS NULL, ifnull(asn, 0), version IS NULL, ifnull(version, ''));
CREATE TABLE spans (
    relay_id   INTEGER NOT NULL REFERENCES relays (id),
    start_hour INTEGER NOT NULL,
    end_hour   INTEGER,
    state_id   INTEGER NOT NULL REFERENCES states (id),
    PRIMARY KEY (relay_id, start_hour)
) WITHOUT ROWID;
CREATE INDEX open_spans ON spans (relay_id) WHERE end_hour IS NULL;
CREATE TABLE published_histories (
    id             INTEGER PRIMARY KEY,
    relay_id       INTEGER NOT NULL REFERENCES relays (id),
    kind           TEXT    NOT NULL,
    published_hour INTEGER NOT NULL,
    graphs         BLOB    NOT NULL,
    UNIQUE (relay_id, kind)
);
CREATE TABLE documents (
    kind           TEXT PRIMARY KEY,
    origin         TEXT    NOT NULL,
    published_hour INTEGER NOT NULL,
    obtained_at    TEXT    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    n_relays       INTEGER NOT NULL,
    n_rejects      INTEGER NOT NULL
);
CREATE TABLE rejects (
    id     INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL REFERENCES documents (kind),
    origin TEXT NOT NULL,
    place  TEXT NOT NULL,
    relay  BLOB,
    reason TEXT NOT NULL
);
CREATE INDEX rejects_by_kind ON rejects (kind);
CREATE VIEW relay_list AS
SELECT r.id, hex(r.fingerprint) AS fingerprint, r.nickname, r.country, 'AS' || r.asn AS autonomous_system, r.version, r.contact,
       datetime(r.first_seen_hour * 3600, 'unixepoch') AS first_seen, datetime(r.last_seen_hour * 3600, 'unixepoch') AS last_seen
FROM relays r;
CREATE VIEW span_list AS
SELECT hex(r.fingerprint) AS fingerprint, datetime(s.start_hour * 3600, 'unixepoch') AS start,
       datetime(ifnull(s.end_hour, (SELECT max(hour) + 1 FROM consensuses)) * 3600, 'unixepoch') AS "end",
       t.flags, t.country, t.asn, t.version
FROM spans s JOIN relays r ON r.id = s.relay_id JOIN states t ON t.id = s.state_id;
INSERT INTO consensuses VALUES (491994, 'details', 0, '2026-02-15T19:10:11.5Z', 2, 2, 0, 0);
INSERT INTO consensuses VALUES (491995, 'collector', 1, '2026-03-01T00:00:00Z', 2, 2, 0, 0);
INSERT INTO consensuses VALUES (491997, 'details', 0, '2026-02-15T19:10:11.5Z', 2, 2, 0, 0);
INSERT INTO families VALUES (1, '["0000000100000000000000000000000000000000","0000000700000000000000000000000000000000"]');
INSERT INTO families VALUES (2, '["0000000200000000000000000000000000000000","0000000700000000000000000000000000000000"]');
INSERT INTO families VALUES (3, '["0000000400000000000000000000000000000000","0000000700000000000000000000000000000000"]');
INSERT INTO relays VALUES (1, X'0000000300000000000000000000000000000000', 491997, NULL, NULL, NULL, NULL, NULL, 491894, 491997, NULL, NULL, 1, 0, 8448, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO relays VALUES (2, X'0000000100000000000000000000000000000000', 491994, CAST(x'e280ae3c623e00272d2d' AS TEXT), '["192.0.2.1:9001","[2001:db8::1]:9001"]', '["192.0.2.2"]', '192.0.2.1:9030', '["[2001:db8::2]:1"]', 491894, 491994, 491944, '2026-02-10T11:12:13Z', 1, 1, 8448, '["Weird\"Flag"]', 'de', 'Germany', 24940, 'Hetzner Online GmbH', -1, 8.39e-08, 0.1, 0.0, 1.0, 0, '["a.example"]', '["b.example",""]', 1073741824, 0, 123, 122, '2026-02-15T10:00:00.001Z', '["reject *:*"]', '{"accept":["80","443-445"]}', '{"reject":["1-65535"]}', CAST(x'6d61696c0d0a3c7363726970743e' AS TEXT), 'Tor 0.4.8.9 on Linux', '0.4.8.9', 1, 'recommended', 1, '["friend"]', '["0000000800000000000000000000000000000000"]');
INSERT INTO relays VALUES (3, X'0000000200000000000000000000000000000000', 491994, CAST(x'e280ae3c623e00272d2d' AS TEXT), '["192.0.2.1:9001","[2001:db8::1]:9001"]', '["192.0.2.2"]', '192.0.2.1:9030', '["[2001:db8::2]:1"]', 491894, 491964, 491944, '2026-02-10T11:12:13Z', 0, 1, 8448, '["Weird\"Flag"]', 'de', 'Germany', 24940, 'Hetzner Online GmbH', -1, 8.39e-08, 0.1, 0.0, 1.0, 0, '["a.example"]', '["b.example",""]', 1073741824, 0, 123, 122, '2026-02-15T10:00:00.001Z', '["reject *:*"]', '{"accept":["80","443-445"]}', '{"reject":["1-65535"]}', CAST(x'6d61696c0d0a3c7363726970743e' AS TEXT), 'Tor 0.4.8.9 on Linux', '0.4.8.9', 1, 'recommended', 2, '["friend"]', '["0000000800000000000000000000000000000000"]');
INSERT INTO relays VALUES (4, X'0000000900000000000000000000000000000000', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO relays VALUES (5, X'0000000400000000000000000000000000000000', 491997, CAST(x'e280ae3c623e00272d2d' AS TEXT), '["192.0.2.1:9001","[2001:db8::1]:9001"]', '["192.0.2.2"]', '192.0.2.1:9030', '["[2001:db8::2]:1"]', 491894, 491997, 491944, '2026-02-10T11:12:13Z', 1, 1, 8448, '["Weird\"Flag"]', 'de', 'Germany', 24940, 'Hetzner Online GmbH', -1, 8.39e-08, 0.1, 0.0, 1.0, 0, '["a.example"]', '["b.example",""]', 1073741824, 0, 123, 122, '2026-02-15T10:00:00.001Z', '["reject *:*"]', '{"accept":["80","443-445"]}', '{"reject":["1-65535"]}', CAST(x'6d61696c0d0a3c7363726970743e' AS TEXT), 'Tor 0.4.8.9 on Linux', '0.4.8.9', 1, 'recommended', 3, '["friend"]', '["0000000800000000000000000000000000000000"]');
INSERT INTO relays VALUES (6, X'0000000500000000000000000000000000000000', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO states VALUES (1, 8448, 'de', 24940, '0.4.8.9');
INSERT INTO states VALUES (2, 8448, NULL, NULL, NULL);
INSERT INTO states VALUES (3, 8448, NULL, NULL, '0.4.5');
INSERT INTO spans VALUES (1, 491994, NULL, 2);
INSERT INTO spans VALUES (2, 491994, 491995, 1);
INSERT INTO spans VALUES (5, 491997, NULL, 1);
INSERT INTO spans VALUES (6, 491995, 491996, 3);
INSERT INTO documents VALUES ('details', 'details.json', 491997, '2026-02-15T19:10:11.5Z', 1234, 3, 1);
INSERT INTO documents VALUES ('bandwidth', 'bandwidth.json', 491994, '2026-02-15T19:10:11.5Z', 1234, 3, 1);
INSERT INTO documents VALUES ('uptime', 'uptime.json', 491997, '2026-02-15T19:10:11.5Z', 1234, 3, 1);
INSERT INTO published_histories VALUES (1, 2, 'bandwidth', 491994, X'011B00000028B52FFD201BD90000010404E06091690000000040380000680601A48066503F00010500');
INSERT INTO published_histories VALUES (2, 3, 'bandwidth', 491994, X'010100000028B52FFD200109000000');
INSERT INTO published_histories VALUES (3, 2, 'uptime', 491994, X'013A00000028B52FFD203A7501007402020004E06091690000000040380000680601A48066503F000301020460D101E603FFFFE7030000010072329D');
INSERT INTO published_histories VALUES (4, 4, 'uptime', 491997, X'011B00000028B52FFD201BD90000010004C02592690000000040380000680601A48066503F00010700');
