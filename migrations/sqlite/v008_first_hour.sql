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

-- What calls cost whose price is not known. `cost_usd` is 0 for them, and only the known part in a sum.
ALTER TABLE results ADD COLUMN unpriced INTEGER;        -- 1 or 0; nil, written by schema 7, is 1 for a call that cost 0
ALTER TABLE cache_entries ADD COLUMN unpriced INTEGER;  -- the same
ALTER TABLE landings ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE job_errors ADD COLUMN unpriced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE charges ADD COLUMN unpriced INTEGER;        -- the same
ALTER TABLE batches ADD COLUMN unpriced_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN unpriced_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN unpriced_answers INTEGER NOT NULL DEFAULT 0;  -- of `cache_answers`
-- Schema 7 did not tell free from unknown.
UPDATE lanes SET unpriced_calls = CASE WHEN cost_usd = 0 THEN calls ELSE 0 END,
    unpriced_answers = CASE WHEN saved_usd = 0 THEN cache_answers ELSE 0 END;

-- What was paid in each hour, for ever: by lane, and by the target that was called, which may be a fallback.
CREATE TABLE usage_hours (
    hour           INTEGER NOT NULL,  -- hours since 1970
    lane_id        INTEGER NOT NULL,
    target         TEXT    NOT NULL,
    calls          INTEGER NOT NULL DEFAULT 0,
    unpriced_calls INTEGER NOT NULL DEFAULT 0,
    input_tokens   INTEGER NOT NULL DEFAULT 0,
    output_tokens  INTEGER NOT NULL DEFAULT 0,
    cost_usd       REAL    NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, lane_id, target)
) STRICT, WITHOUT ROWID;
INSERT INTO usage_hours (hour, lane_id, target, calls, unpriced_calls, input_tokens, output_tokens, cost_usd)
    SELECT at / 3600000, lane_id, target, sum(calls), sum(CASE WHEN cost_usd = 0 THEN calls ELSE 0 END), sum(input_tokens),
    sum(output_tokens), sum(cost_usd) FROM charges WHERE outcome <> 'doubtful' GROUP BY at / 3600000, lane_id, target;

-- What refusals have taught about a provider's or target's limit of calls: "phase base ceiling share-before since …", read by one type.
ALTER TABLE resources ADD COLUMN congestion TEXT;

-- The answer that a job had before it was asked again: what was paid for is not lost if the new attempt fails.
CREATE TABLE replaced_results (
    job_id        INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    replaced_at   INTEGER NOT NULL,
    reply         TEXT    NOT NULL,
    answered_by   TEXT    NOT NULL,
    target        TEXT    NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd      REAL    NOT NULL,
    latency_ms    INTEGER NOT NULL,
    unpriced      INTEGER
) STRICT;

-- Whether a notification is sent only if its subject failed: `--on-failure`.
ALTER TABLE watches ADD COLUMN failures_only INTEGER NOT NULL DEFAULT 0;

-- The latest firings of each schedule, and what each of them added: at most 100, counted as in `schedules.firings`.
CREATE TABLE schedule_firings (
    schedule_id INTEGER NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL,
    fired_at    INTEGER NOT NULL,
    by_hand     INTEGER NOT NULL DEFAULT 0,   -- 1: by `schedule run`
    job_id      INTEGER,                      -- may have been removed since
    run_id      INTEGER,
    PRIMARY KEY (schedule_id, number)
) STRICT, WITHOUT ROWID;

-- The length of an ingest's input, so that one that has only grown is recognized and continues with its tail. Nil, written by schema 7, for
-- one that cannot be continued.
ALTER TABLE ingests ADD COLUMN bytes INTEGER;
