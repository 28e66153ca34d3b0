-- Tables that came after the first form of the schema. A program of before does not know them and leaves them alone.

CREATE TABLE IF NOT EXISTS once (
  participant TEXT NOT NULL, by TEXT NOT NULL, name TEXT NOT NULL, until BIGINT NOT NULL,
  PRIMARY KEY (participant, by, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS once_by_end ON once (participant, until);
