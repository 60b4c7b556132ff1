-- How the name of an account looks, in every way of writing it (src/app/names.rs): no other account may look so. The
-- app fills this in for the accounts that are there. Of two that look the same, the older one has the look, and both
-- keep their names.
CREATE TABLE account_looks (
    look    TEXT PRIMARY KEY,
    account INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX account_looks_account ON account_looks (account);

-- Not a foreign key: an account that is deleted by hand, where SQLite does not check those, frees its name too.
CREATE TRIGGER account_looks_freed AFTER DELETE ON accounts BEGIN
    DELETE FROM account_looks WHERE account = old.id;
END;
