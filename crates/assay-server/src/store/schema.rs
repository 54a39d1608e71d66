//! The tables, as numbered migrations; a published one is never changed.

/// Migrations in order; the schema's number is how many were applied.
pub(super) const MIGRATIONS: &[&[&str]] = &[
    &[
        "CREATE TABLE nonces (hotkey TEXT NOT NULL, nonce BIGINT NOT NULL, PRIMARY KEY (hotkey, nonce))",
        "CREATE INDEX nonces_by_time ON nonces (nonce)",
        "CREATE TABLE corpora (name TEXT PRIMARY KEY, root TEXT NOT NULL, index_root TEXT NOT NULL, first BIGINT NOT NULL, \
     units BIGINT NOT NULL, bytes BIGINT NOT NULL, added_ms BIGINT NOT NULL)",
        "CREATE TABLE units (position BIGINT PRIMARY KEY, unit_id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, \
     path TEXT NOT NULL, bytes BIGINT NOT NULL, leaf TEXT NOT NULL)",
        "CREATE TABLE queue (unit_id TEXT PRIMARY KEY, state TEXT NOT NULL, attempts BIGINT NOT NULL, failed TEXT NOT NULL, \
     round BIGINT NOT NULL)",
        "CREATE INDEX queue_by_state ON queue (state, unit_id)",
        "CREATE TABLE heads (block BIGINT PRIMARY KEY, hash TEXT NOT NULL, parent TEXT NOT NULL, time_ms BIGINT NOT NULL, \
     taken_ms BIGINT NOT NULL)",
        "CREATE TABLE metagraphs (block BIGINT PRIMARY KEY, reason TEXT NOT NULL, document TEXT NOT NULL)",
        "CREATE TABLE weights (block BIGINT NOT NULL, mechanism BIGINT NOT NULL, document TEXT NOT NULL, \
     PRIMARY KEY (block, mechanism))",
        "CREATE TABLE commitments (hotkey TEXT NOT NULL, kind TEXT NOT NULL, block BIGINT NOT NULL, place BIGINT NOT NULL, \
     bytes TEXT NOT NULL, PRIMARY KEY (hotkey, kind, block, place, bytes))",
        "CREATE INDEX commitments_by_block ON commitments (block)",
        "CREATE TABLE pulses (round BIGINT PRIMARY KEY, block BIGINT NOT NULL)",
        "CREATE TABLE rounds (round BIGINT PRIMARY KEY, block BIGINT NOT NULL, beacon TEXT NOT NULL, index_root TEXT NOT NULL, \
     next_cursor BIGINT NOT NULL, units BIGINT NOT NULL, replicas BIGINT NOT NULL, digest TEXT NOT NULL, \
     document TEXT NOT NULL, settled BIGINT NOT NULL)",
        "CREATE TABLE leases (round BIGINT NOT NULL, unit_id TEXT NOT NULL, holder TEXT NOT NULL, state TEXT NOT NULL, \
     progress BIGINT NOT NULL, taken_ms BIGINT NOT NULL, heard_ms BIGINT NOT NULL, deadline BIGINT NOT NULL, \
     unit_root TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (round, unit_id, holder))",
        "CREATE INDEX leases_by_holder ON leases (holder, round)",
        "CREATE INDEX leases_by_end ON leases (deadline, state)",
        "CREATE TABLE submissions (round BIGINT NOT NULL, hotkey TEXT NOT NULL, root TEXT NOT NULL, payload TEXT NOT NULL, \
     block BIGINT NOT NULL, refusal TEXT NOT NULL, units TEXT NOT NULL, PRIMARY KEY (round, hotkey))",
        "CREATE INDEX submissions_by_root ON submissions (root)",
        "CREATE TABLE reports (digest TEXT PRIMARY KEY, sequence BIGINT NOT NULL UNIQUE, kind TEXT NOT NULL, \
     round BIGINT NOT NULL, validator TEXT NOT NULL, subject TEXT NOT NULL, line TEXT NOT NULL, \
     received_ms BIGINT NOT NULL, UNIQUE (kind, round, validator, subject))",
        "CREATE INDEX reports_by_round ON reports (round, sequence)",
        "CREATE TABLE proofs (digest TEXT PRIMARY KEY, sequence BIGINT NOT NULL UNIQUE, state TEXT NOT NULL, \
     round BIGINT NOT NULL, hotkey TEXT NOT NULL, prover TEXT NOT NULL, kind TEXT NOT NULL, line TEXT NOT NULL, \
     finding TEXT NOT NULL, received_ms BIGINT NOT NULL)",
        "CREATE INDEX proofs_by_state ON proofs (state, sequence)",
        "CREATE TABLE miners (hotkey TEXT NOT NULL, registered BIGINT NOT NULL, credibility BIGINT NOT NULL, \
     cap BIGINT NOT NULL, passed BIGINT NOT NULL, PRIMARY KEY (hotkey, registered))",
        "CREATE TABLE verdicts (round BIGINT NOT NULL, hotkey TEXT NOT NULL, verdict TEXT NOT NULL, \
     delivered BIGINT NOT NULL, faults BIGINT NOT NULL, reports TEXT NOT NULL, credibility BIGINT NOT NULL, \
     cap BIGINT NOT NULL, PRIMARY KEY (round, hotkey))",
        "CREATE INDEX verdicts_by_hotkey ON verdicts (hotkey, round)",
        "CREATE TABLE recipes (recipe_id TEXT PRIMARY KEY, hotkey TEXT NOT NULL, coldkey TEXT NOT NULL, block BIGINT NOT NULL, \
     toml TEXT NOT NULL)",
        "CREATE TABLE datasets (name TEXT NOT NULL, release TEXT NOT NULL, document TEXT NOT NULL, added_ms BIGINT NOT NULL, \
     PRIMARY KEY (name, release))",
        "CREATE TABLE audit (sequence BIGINT PRIMARY KEY, time_ms BIGINT NOT NULL, kind TEXT NOT NULL, \
     document TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL)",
    ],
    &[
        "CREATE TABLE network (id BIGINT PRIMARY KEY, document TEXT NOT NULL)",
        "ALTER TABLE verdicts ADD COLUMN assigned BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE verdicts ADD COLUMN units BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE verdicts ADD COLUMN records BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE verdicts ADD COLUMN produced BIGINT NOT NULL DEFAULT 0",
        "ALTER TABLE verdicts ADD COLUMN average BIGINT NOT NULL DEFAULT 0",
        "CREATE TABLE declared (round BIGINT NOT NULL, hotkey TEXT NOT NULL, recipe_id TEXT NOT NULL, units BIGINT NOT NULL, \
     records BIGINT NOT NULL, kept BIGINT NOT NULL, tokens BIGINT NOT NULL, bytes BIGINT NOT NULL, \
     PRIMARY KEY (round, hotkey, recipe_id))",
        "CREATE INDEX declared_by_hotkey ON declared (hotkey, round)",
        "CREATE TABLE removals (number BIGINT PRIMARY KEY, received_ms BIGINT NOT NULL, state TEXT NOT NULL, target TEXT NOT NULL, \
     contact TEXT NOT NULL, reason TEXT NOT NULL)",
        "CREATE INDEX removals_by_target ON removals (target)",
    ],
    &["ALTER TABLE submissions ADD COLUMN records TEXT NOT NULL DEFAULT '[]'"],
    &[
        "CREATE TABLE samples (digest TEXT PRIMARY KEY, sequence BIGINT NOT NULL, round BIGINT NOT NULL, validator TEXT NOT NULL, \
     miner TEXT NOT NULL, root TEXT NOT NULL, line TEXT NOT NULL, received_ms BIGINT NOT NULL, UNIQUE (round, validator, miner))",
        "CREATE INDEX samples_by_root ON samples (root, sequence)",
        "CREATE INDEX samples_by_round ON samples (round, miner, root)",
        "CREATE TABLE sample_rows (unit_id TEXT NOT NULL, idx BIGINT NOT NULL, round BIGINT NOT NULL, validator TEXT NOT NULL, \
     miner TEXT NOT NULL, kept BIGINT NOT NULL, document TEXT NOT NULL, \
     PRIMARY KEY (unit_id, idx, round, validator, miner))",
        "CREATE INDEX sample_rows_by_round ON sample_rows (round, kept)",
    ],
    // By holder and round alone PostgreSQL, before it has statistics, reads all leases of a holder to change one.
    &[
        "DROP INDEX leases_by_holder",
        "CREATE INDEX leases_by_holder ON leases (holder, round, unit_id)",
    ],
    // SQLite reads through all of a long document to reach a column behind it, so it comes last.
    &[
        "CREATE TABLE rounds_by_length (round BIGINT PRIMARY KEY, block BIGINT NOT NULL, beacon TEXT NOT NULL, index_root TEXT NOT NULL, \
     next_cursor BIGINT NOT NULL, units BIGINT NOT NULL, replicas BIGINT NOT NULL, digest TEXT NOT NULL, \
     settled BIGINT NOT NULL, document TEXT NOT NULL)",
        "INSERT INTO rounds_by_length (round, block, beacon, index_root, next_cursor, units, replicas, digest, settled, document) \
     SELECT round, block, beacon, index_root, next_cursor, units, replicas, digest, settled, document FROM rounds",
        "DROP TABLE rounds",
        "ALTER TABLE rounds_by_length RENAME TO rounds",
        "CREATE INDEX rounds_by_settled ON rounds (settled, round)",
        "CREATE INDEX submissions_by_hotkey ON submissions (hotkey, round)",
        "CREATE INDEX reports_by_validator ON reports (validator, kind, sequence)",
    ],
    // Paths and names of archives are searched for by their beginning. A name is what stands behind the last slash. An index of
    // PostgreSQL takes no long text.
    &[
        "CREATE INDEX units_by_path ON units (substr(path, 1, 256))",
        "CREATE INDEX units_by_name ON units (substr(replace(path, rtrim(path, replace(path, '/', '')), ''), 1, 256))",
    ],
];
