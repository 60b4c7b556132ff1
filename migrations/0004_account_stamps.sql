-- A number that changes with the password, and when an account is disabled or enabled: a session that was signed in
-- before has another one (src/app/standing.rs). 0 for an account to which neither has happened.
ALTER TABLE accounts ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER accounts_stamped AFTER UPDATE OF password_hash, disabled ON accounts BEGIN
    UPDATE accounts SET stamp = random() WHERE id = new.id;
END;

-- The numbers of deleted accounts. A number in neither table is of an app that has the same key and accounts of its own:
-- its cookies open here too.
CREATE TABLE deleted_accounts (id INTEGER PRIMARY KEY) STRICT;

CREATE TRIGGER accounts_deleted AFTER DELETE ON accounts BEGIN
    INSERT OR IGNORE INTO deleted_accounts (id) VALUES (old.id);
END;
