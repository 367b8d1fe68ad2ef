-- What consensuses state of relays beside their state, for relays that no document knows better.

-- The newest statement on a relay by a consensus of a directory server or of CollecTor.
CREATE TABLE statements (
    relay_id            INTEGER PRIMARY KEY REFERENCES relays (id),
    since_hour          INTEGER NOT NULL,   -- the consensus that made it first, as far as is known
    nickname            TEXT,
    or_addresses        TEXT,               -- JSON list, the primary one first
    measured            INTEGER,            -- 0: the consensus marks its weight as unmeasured
    exit_policy_summary TEXT                -- JSON as in relays
);
