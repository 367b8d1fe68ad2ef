-- What domains say of the relays that claim them.

-- The proof of the claim in a relay's contact, as far as it has been looked for.
CREATE TABLE proofs (
    relay_id   INTEGER PRIMARY KEY REFERENCES relays (id),
    domain     TEXT    NOT NULL,            -- that the relay claims
    method     TEXT    NOT NULL,            -- uri-rsa, dns-rsa
    result     TEXT,                        -- validated, unauthorised, misconfigured; NULL as long as no attempt came to anything
    reason     TEXT    NOT NULL DEFAULT '', -- of the result
    checked_at TEXT,                        -- when the result was found
    asked_at   TEXT    NOT NULL,            -- when the domain was last asked for this relay
    n_failures INTEGER NOT NULL,            -- attempts in a row, up to the last, that did not find the relay named
    trouble    TEXT                         -- why the last attempt came to nothing; NULL where it came to a result
);
