-- Failures of sources stay in sight after the next success.

-- Visits of the last seven days in which a source failed.
CREATE TABLE source_failures (
    name   TEXT NOT NULL REFERENCES sources (name),
    at     TEXT NOT NULL,                   -- when it was asked
    reason TEXT NOT NULL,
    PRIMARY KEY (name, at)
) WITHOUT ROWID;

INSERT INTO source_failures (name, at, reason) SELECT name, asked_at, failure FROM sources WHERE failure IS NOT NULL;
