-- One call for several jobs: identical requests wait for the first's answer, and batchable ones share a call.

ALTER TABLE jobs ADD COLUMN inputs INTEGER NOT NULL DEFAULT 1 CHECK (inputs > 0);  -- of an embed job: its texts
ALTER TABLE jobs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0);   -- of an embed job: its request's
ALTER TABLE jobs ADD COLUMN cache_ttl_ms INTEGER CHECK (cache_ttl_ms > 0);         -- nil is the configuration's

-- A flight is a running job that may answer others: this index finds it, and cannot disagree with the jobs.
CREATE INDEX jobs_flying ON jobs (digest) WHERE state = 'running' AND use_cache = 1;

-- Jobs that are `pending` until an identical one is answered. Those of one digest wait for the same answer.
CREATE TABLE followers (
    job_id   INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    digest   BLOB    NOT NULL,
    lane_id  INTEGER NOT NULL,
    priority INTEGER NOT NULL
) STRICT;
CREATE INDEX followers_digest ON followers (digest, lane_id, priority, job_id);

-- Answers that more jobs wait for than one transaction completes.
CREATE TABLE landings (
    digest        BLOB PRIMARY KEY CHECK (length(digest) = 32),
    reply         TEXT    NOT NULL,
    target        TEXT    NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd      REAL    NOT NULL,
    latency_ms    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Whether a reservation is of a call of its own (1), or of a job that shares another's (0).
ALTER TABLE reservations ADD COLUMN requests INTEGER NOT NULL DEFAULT 1 CHECK (requests IN (0, 1));

INSERT INTO counters (name, value) VALUES ('cache_evictions', 0), ('coalesced', 0);
