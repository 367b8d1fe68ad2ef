-- Consensuses know no country and no AS. Where none is told, spans carry the last ones that were.

-- 1: country and AS of this hour are told by details or a pack; 0: carried over.
ALTER TABLE consensuses ADD COLUMN places INTEGER NOT NULL DEFAULT 1;
UPDATE consensuses SET places = 0 WHERE source IN ('directory', 'collector');

-- 1: country and AS are unknown because a consensus names another address than the one of which they were known.
ALTER TABLE states ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
DROP INDEX states_by_content;
CREATE UNIQUE INDEX states_by_content
ON states (flags, ifnull(country, ''), asn IS NULL, ifnull(asn, 0), version IS NULL, ifnull(version, ''), moved);
