-- Consensus weights and bandwidths by the hour, and what happens to relays.

-- The hours whose consensus weights are known, with sums by class of flags (dir-spec, section 3.8.3).
CREATE TABLE hour_weights (
    hour              INTEGER PRIMARY KEY,
    source            TEXT    NOT NULL,     -- who told: details, directory, collector
    guard_weight      INTEGER NOT NULL,     -- of relays with Guard and without Exit
    exit_weight       INTEGER NOT NULL,     -- with Exit and without Guard
    both_weight       INTEGER NOT NULL,     -- with both
    middle_weight     INTEGER NOT NULL,     -- with neither
    bandwidth_weights TEXT                  -- JSON: Wgg and so on in units of 1/10,000; NULL where not told
);

-- Consensus weight, advertised and observed bandwidth of each relay at each hour of a day, encoded as in docs/store.md.
CREATE TABLE measures (
    day     INTEGER PRIMARY KEY,            -- days since 1970-01-01
    figures BLOB NOT NULL
);

-- Restarts, changes of address, overload: what a details document or consensus tells of a moment.
CREATE TABLE events (
    relay_id INTEGER NOT NULL REFERENCES relays (id),
    at       TEXT    NOT NULL,
    kind     TEXT    NOT NULL,              -- restart, overload, address
    detail   TEXT    NOT NULL DEFAULT '',   -- of an address: the one from then on
    PRIMARY KEY (relay_id, at, kind)
) WITHOUT ROWID;
CREATE INDEX events_by_time ON events (at);

INSERT INTO events (relay_id, at, kind) SELECT id, last_restarted, 'restart' FROM relays WHERE last_restarted IS NOT NULL;
INSERT INTO events (relay_id, at, kind) SELECT id, overload_general_at, 'overload' FROM relays WHERE overload_general_at IS NOT NULL;
