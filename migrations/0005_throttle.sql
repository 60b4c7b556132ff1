-- How many wrong passwords were tried of late: by one address for one name, by one address, for one name (three kinds of
-- key, each a keyed hash, so that no name that somebody typed is here). `clear_at` is when the last of them will be
-- forgotten, in milliseconds since 1970: the one number of a bucket (src/app/throttle/bucket.rs). The rows that are
-- cleared first go first.
CREATE TABLE throttle (
    key      BLOB PRIMARY KEY,
    clear_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX throttle_clear_at ON throttle (clear_at);
