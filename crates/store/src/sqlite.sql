-- What is remembered, embedded form. Types and statements keep to what PostgreSQL also has: whole numbers,
-- text, bytes; instants are milliseconds since 1970, civil days are days since 1970.
-- INVARIANT: every key begins with the participant, so that no verb can reach another's rows.

CREATE TABLE sequence (
  participant TEXT NOT NULL, name TEXT NOT NULL, next BIGINT NOT NULL,
  PRIMARY KEY (participant, name)
) WITHOUT ROWID;

CREATE TABLE process (
  participant TEXT NOT NULL, kind TEXT NOT NULL, pid TEXT NOT NULL,
  version BIGINT NOT NULL, state TEXT NOT NULL, peer TEXT NOT NULL, peer_pid TEXT,
  at BIGINT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (participant, kind, pid)
) WITHOUT ROWID;
CREATE INDEX process_by_peer ON process (participant, kind, peer, peer_pid);

CREATE TABLE answer (
  participant TEXT NOT NULL, peer TEXT NOT NULL, process TEXT NOT NULL, digest BLOB NOT NULL,
  status BIGINT NOT NULL, body BLOB NOT NULL, at BIGINT NOT NULL,
  PRIMARY KEY (participant, peer, process, digest)
) WITHOUT ROWID;

CREATE TABLE outbox (
  participant TEXT NOT NULL, number BIGINT NOT NULL, kind TEXT NOT NULL, pid TEXT NOT NULL,
  url TEXT NOT NULL, body BLOB NOT NULL, attempts BIGINT NOT NULL, not_before BIGINT NOT NULL,
  PRIMARY KEY (participant, number)
) WITHOUT ROWID;
CREATE INDEX outbox_by_process ON outbox (participant, kind, pid, number);

CREATE TABLE leaf (
  participant TEXT NOT NULL, number BIGINT NOT NULL, commitment BLOB NOT NULL,
  kind TEXT NOT NULL, process TEXT NOT NULL, at BIGINT NOT NULL, salt BLOB, event BLOB,
  PRIMARY KEY (participant, number)
) WITHOUT ROWID;
CREATE INDEX leaf_by_process ON leaf (participant, process, number);

CREATE TABLE checkpoint (
  participant TEXT NOT NULL, size BIGINT NOT NULL, root BLOB NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (participant)
) WITHOUT ROWID;

CREATE TABLE kept (
  participant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  version BIGINT NOT NULL, about TEXT, at BIGINT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (participant, kind, id)
) WITHOUT ROWID;
CREATE INDEX kept_by_about ON kept (participant, kind, about, id);

CREATE TABLE lease (
  participant TEXT NOT NULL, flow TEXT NOT NULL, epoch BIGINT NOT NULL, until BIGINT NOT NULL,
  holder TEXT NOT NULL, standing TEXT NOT NULL, decision BLOB NOT NULL,
  cause BLOB, changed_at BIGINT NOT NULL,
  PRIMARY KEY (participant, flow)
) WITHOUT ROWID;
CREATE INDEX lease_by_standing ON lease (participant, standing, flow);

CREATE TABLE chunk (
  participant TEXT NOT NULL, flow TEXT NOT NULL, number BIGINT NOT NULL,
  digest BLOB NOT NULL, bytes BIGINT NOT NULL, n_rows BIGINT NOT NULL, position TEXT NOT NULL,
  PRIMARY KEY (participant, flow, number)
) WITHOUT ROWID;

CREATE TABLE manifest (
  participant TEXT NOT NULL, transfer TEXT NOT NULL, number BIGINT NOT NULL,
  digest BLOB NOT NULL, at BIGINT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (participant, transfer, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX manifest_by_digest ON manifest (participant, digest);
CREATE INDEX manifest_by_time ON manifest (participant, at);

CREATE TABLE part (
  participant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL,
  at BIGINT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (participant, kind, id, name)
) WITHOUT ROWID;
CREATE INDEX part_by_name ON part (participant, kind, name, at, id);

CREATE TABLE token (
  participant TEXT NOT NULL, id TEXT NOT NULL, hash BLOB NOT NULL, role TEXT NOT NULL,
  label TEXT NOT NULL, made_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT,
  PRIMARY KEY (participant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX token_by_hash ON token (participant, hash);

CREATE TABLE status (
  participant TEXT NOT NULL, source TEXT NOT NULL,
  issued_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (participant, source)
) WITHOUT ROWID;

CREATE TABLE counted (
  participant TEXT NOT NULL, counter TEXT NOT NULL, id TEXT NOT NULL,
  day BIGINT NOT NULL, n BIGINT NOT NULL,
  PRIMARY KEY (participant, counter, id)
) WITHOUT ROWID;
CREATE INDEX counted_by_day ON counted (participant, counter, day);

CREATE TABLE write_key (
  participant TEXT NOT NULL, name TEXT NOT NULL, digest BLOB NOT NULL, at BIGINT NOT NULL,
  status BIGINT, body BLOB,
  PRIMARY KEY (participant, name)
) WITHOUT ROWID;
