-- Packs of hourly lists describe relays too: nickname, contact, country, asn, as_name and effective_family_id may be filled in
-- where details_hour is NULL and described_hour is not. A details document has the word: it sets described_hour to NULL.

-- The primary address where a source names no port.
ALTER TABLE relays ADD COLUMN bare_address TEXT;
-- The newest hour of the pack that describes the relay.
ALTER TABLE relays ADD COLUMN described_hour INTEGER;
