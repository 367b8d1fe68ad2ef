-- How it goes with each source, beside the documents in use.

CREATE TABLE sources (
    name        TEXT PRIMARY KEY,           -- onionoo, directory, collector, presence
    asked_at    TEXT NOT NULL,              -- when it was last asked, or read
    answered_at TEXT,                       -- when it last answered as it should
    newest_hour INTEGER,                    -- the newest consensus that it is known to have
    failure     TEXT,                       -- what went wrong when it was last asked
    n_rejects   INTEGER NOT NULL DEFAULT 0  -- of what it last brought
);

CREATE TABLE source_rejects (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL REFERENCES sources (name),
    origin TEXT NOT NULL,
    place  TEXT NOT NULL,
    relay  BLOB,
    reason TEXT NOT NULL
);
