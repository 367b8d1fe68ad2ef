-- Who may say something about incidents, and what they said.

CREATE TABLE tokens (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,        -- shown beside what its holder says
    hash       BLOB NOT NULL UNIQUE,        -- SHA-256 of the token, which is kept nowhere
    created_at TEXT NOT NULL,
    revoked_at TEXT                         -- from then on it opens nothing
);

-- Beside what is detected, never part of it: a replay of the history does not read this table.
CREATE TABLE incident_notes (
    id            INTEGER PRIMARY KEY,
    incident      TEXT    NOT NULL,         -- the stable id of the incident
    at            TEXT    NOT NULL,
    token_id      INTEGER NOT NULL REFERENCES tokens (id),
    action        TEXT    NOT NULL,         -- acknowledge, annotate, merge, separate
    text          TEXT    NOT NULL DEFAULT '',
    into_incident TEXT                      -- of a merge: the incident that it is part of
);
CREATE INDEX incident_notes_by_incident ON incident_notes (incident);
