-- Since when an account is disabled, in seconds since 1970; NULL for one that may sign in.
ALTER TABLE accounts ADD COLUMN disabled INTEGER;
