-- What the first hour with the queue asked for. Only tables, columns and indexes are added, so that workers of schema 7 go on. Times are
-- milliseconds since 1970 (UTC).

-- Why a job that was ready was not called, and for how long: written when a wait of more than a second ends.
CREATE TABLE job_waits (
    job_id   INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    began_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    reason   TEXT    NOT NULL CHECK (reason IN ('limit', 'pause', 'breaker', 'queue', 'dependency')),
    detail   TEXT    NOT NULL,                -- whose limit, and which; the dependencies; and so on: a clause
    PRIMARY KEY (job_id, began_at, reason),
    CHECK (ended_at >= began_at)
) STRICT, WITHOUT ROWID;

-- The request that was sent in a job's place, where it is not the one that was asked for: memories were put into its prompt.
CREATE TABLE sent_requests (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    body   TEXT    NOT NULL                   -- JSON
) STRICT;

-- When the attempt began that an error ended.
ALTER TABLE job_errors ADD COLUMN began_at INTEGER;

-- The latest pause of a queue that has ended.
ALTER TABLE queues ADD COLUMN last_paused_at INTEGER;
ALTER TABLE queues ADD COLUMN resumed_at INTEGER;
