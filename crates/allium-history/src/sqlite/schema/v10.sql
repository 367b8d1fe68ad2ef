-- Workers keep what they know, so that they go on where they stopped.

-- The state of a worker, as bytes that only this worker reads.
CREATE TABLE worker_states (
    name    TEXT PRIMARY KEY,               -- of the worker
    content BLOB NOT NULL                   -- version byte 1, length of the state as u32, a zstd frame of the state
);
