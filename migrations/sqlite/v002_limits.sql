-- What all processes know of the providers together, what each call cost, and answers that are read while they come.

-- A provider (`openai`) or a target (`openai/gpt-5`). Made when there is something to know of it.
CREATE TABLE resources (
    name                TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 256),
    running             INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),  -- its rows in `reservations`
    waiting_since       INTEGER,  -- since when a claim waits for something to end: a call, a probe, a reservation of money
    -- A pause. After it, and until a call succeeds that began after the token `trial_after`, one call at a time.
    paused_until        INTEGER,
    pause_class         TEXT,
    pause_reason        TEXT,
    pauses              INTEGER NOT NULL DEFAULT 0,  -- in a row, for a refused key or an empty account
    parks               INTEGER NOT NULL DEFAULT 0,  -- in a row, for a rate limit that named no time
    trial_after         INTEGER,
    trials              INTEGER NOT NULL DEFAULT 0,  -- calls under way that began after it
    -- The rates a minute: "capacity level as-of renews-at-once origin"; origin is configured, observed or inferred.
    requests            TEXT,
    tokens              TEXT,
    input_tokens        TEXT,
    output_tokens       TEXT,
    -- Calls that the provider took, in the minute and in the one before: what a first refusal teaches.
    minute              INTEGER NOT NULL DEFAULT 0,
    minute_calls        INTEGER NOT NULL DEFAULT 0,
    last_minute_calls   INTEGER NOT NULL DEFAULT 0,
    breaker             TEXT    NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open', 'half_open')),
    breaker_until       INTEGER,  -- open: until then
    breaker_probe       INTEGER,  -- half open: the call that all depends on
    breaker_consecutive INTEGER NOT NULL DEFAULT 0,
    breaker_slots       TEXT    NOT NULL DEFAULT '',  -- "number:calls:failures …", oldest first
    day                 INTEGER NOT NULL DEFAULT 0,  -- UTC days since 1970
    spent_usd           REAL    NOT NULL DEFAULT 0,  -- on that day; what may have been paid included
    reserved_usd        REAL    NOT NULL DEFAULT 0,
    error_class         TEXT,
    error_message       TEXT,
    error_at            INTEGER,
    updated_at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What is set aside for a call under way. Most calls need no row: only what is limited, a probe, or a fallback does.
CREATE TABLE reservations (
    job_id        INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    token         INTEGER NOT NULL,  -- the job's lease
    call          INTEGER NOT NULL,  -- from the counter of the tokens; the lease's own, unless the attempt went on elsewhere
    target        TEXT    NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    worst_usd     REAL    NOT NULL,
    is_probe      INTEGER NOT NULL CHECK (is_probe IN (0, 1)),
    batch_id      INTEGER  -- whose budget holds the worst
) STRICT;

-- One row for each call that was paid for, or may have been. It outlives its job.
CREATE TABLE charges (
    id            INTEGER PRIMARY KEY,
    at            INTEGER NOT NULL,
    lane_id       INTEGER NOT NULL,
    target        TEXT    NOT NULL,
    job_id        INTEGER NOT NULL,
    token         INTEGER NOT NULL,
    attempt       INTEGER NOT NULL,
    batch_id      INTEGER,
    outcome       TEXT    NOT NULL CHECK (outcome IN ('answered', 'failed', 'fenced', 'doubtful')),
    calls         INTEGER NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_usd      REAL    NOT NULL
) STRICT;
-- Few: calls whose worker died, or whose connection broke. A late answer finds its call here.
CREATE INDEX charges_doubtful ON charges (job_id, token) WHERE outcome = 'doubtful';

-- Jobs whose answer someone reads while it comes.
CREATE TABLE streams (
    job_id   INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    token    INTEGER,                     -- the lease that the pieces came under
    edition  INTEGER,                     -- changes when the text begins anew
    sequence INTEGER NOT NULL DEFAULT 0   -- of the last piece ever
) STRICT;

CREATE TABLE stream_chunks (
    job_id   INTEGER NOT NULL REFERENCES streams (job_id) ON DELETE CASCADE,
    sequence INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (job_id, sequence)
) STRICT, WITHOUT ROWID;

ALTER TABLE job_errors ADD COLUMN target TEXT;
ALTER TABLE job_errors ADD COLUMN cost_usd REAL NOT NULL DEFAULT 0;
ALTER TABLE job_errors ADD COLUMN partial TEXT;
ALTER TABLE jobs ADD COLUMN budget_usd REAL CHECK (budget_usd >= 0);
ALTER TABLE batches ADD COLUMN budget_usd REAL CHECK (budget_usd >= 0);
ALTER TABLE batches ADD COLUMN spent_usd REAL NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN reserved_usd REAL NOT NULL DEFAULT 0;

-- From when on every charge is kept: pruning moves it.
INSERT INTO counters (name, value) VALUES ('charges_since', 0);
