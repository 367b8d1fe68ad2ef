-- Sums of the pages of this file, by which damage is found, and parity, by which it is repaired. Every change brings them up to date.

-- Encoded as in docs/store.md. Row n below 1,000,000: the sums of 500 pages from page 500 n + 1 on. Others: parity.
CREATE TABLE page_sums (
    id   INTEGER PRIMARY KEY,
    sums BLOB NOT NULL
);

-- What the pages of page_sums themselves must be, and where every table begins: one row, alone on one page that ends with its own sum.
CREATE TABLE page_seal (
    id      INTEGER PRIMARY KEY,
    content BLOB NOT NULL
);
