-- The queue: jobs, what they ask, what was answered, and the rows that count them.
-- Times are milliseconds since 1970 (UTC), except where a column says CLOCK_BOOTTIME.

CREATE TABLE queues (
    name      TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 128),
    paused_at INTEGER
) STRICT, WITHOUT ROWID;

-- A lane is what claims choose between: the jobs of one queue, target and kind. It keeps its own counts, changed in
-- the transactions that change jobs, so that neither a claim nor `stats` ever counts rows.
CREATE TABLE lanes (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    queue         TEXT NOT NULL REFERENCES queues (name),
    provider      TEXT NOT NULL,
    target        TEXT NOT NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('generate', 'embed', 'memorize')),
    pending       INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
    scheduled     INTEGER NOT NULL DEFAULT 0 CHECK (scheduled >= 0),
    available     INTEGER NOT NULL DEFAULT 0 CHECK (available >= 0),
    running       INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
    retryable     INTEGER NOT NULL DEFAULT 0 CHECK (retryable >= 0),
    completed     INTEGER NOT NULL DEFAULT 0 CHECK (completed >= 0),
    cancelled     INTEGER NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    discarded     INTEGER NOT NULL DEFAULT 0 CHECK (discarded >= 0),
    served        INTEGER NOT NULL DEFAULT 0,  -- the token of the lane's latest claim: the smallest was longest unserved
    calls         INTEGER NOT NULL DEFAULT 0,  -- answers paid for, ever
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_usd      REAL    NOT NULL DEFAULT 0,
    cache_answers INTEGER NOT NULL DEFAULT 0,  -- answers that cost nothing, ever
    saved_usd     REAL    NOT NULL DEFAULT 0,
    UNIQUE (queue, target, kind)
) STRICT;

CREATE TABLE batches (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 256),
    created_at INTEGER NOT NULL,
    jobs       INTEGER NOT NULL DEFAULT 0,
    completed  INTEGER NOT NULL DEFAULT 0,
    cancelled  INTEGER NOT NULL DEFAULT 0,
    discarded  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A worker process. Its id is also its byte in the lock file: while the process lives, that byte is locked.
CREATE TABLE workers (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    pid        INTEGER NOT NULL,
    boot_id    TEXT    NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

-- Rows are small, because every state change rewrites one: what a job asks and was answered stands beside it.
CREATE TABLE jobs (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    lane_id             INTEGER NOT NULL REFERENCES lanes (id),
    state               TEXT    NOT NULL CHECK (state IN ('pending', 'scheduled', 'available', 'running', 'retryable',
                                                          'completed', 'cancelled', 'discarded')),
    priority            INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 9),
    attempt             INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    max_attempts        INTEGER NOT NULL CHECK (max_attempts BETWEEN 1 AND 1000),
    crashes             INTEGER NOT NULL DEFAULT 0 CHECK (crashes >= 0),  -- workers that died while they called for it
    use_cache           INTEGER NOT NULL DEFAULT 1 CHECK (use_cache IN (0, 1)),
    token               INTEGER,                                          -- of the claim that holds it
    worker_id           INTEGER,
    lease_expires_at    INTEGER,                                          -- CLOCK_BOOTTIME of that worker's boot, ms
    created_at          INTEGER NOT NULL,
    scheduled_at        INTEGER NOT NULL,
    attempted_at        INTEGER,
    finalized_at        INTEGER,
    expires_at          INTEGER,
    cancel_requested_at INTEGER,
    timeout_ms          INTEGER CHECK (timeout_ms > 0),
    batch_id            INTEGER REFERENCES batches (id),
    cancelled_through   INTEGER,                                          -- the dependency whose end cancelled it
    unique_key          TEXT CHECK (length(unique_key) BETWEEN 1 AND 512),
    digest              BLOB    NOT NULL CHECK (length(digest) = 32),     -- SHA-256 of the canonical request
    CHECK ((finalized_at IS NOT NULL) = (state IN ('completed', 'cancelled', 'discarded'))),
    CHECK ((state = 'running') = (token IS NOT NULL)),
    CHECK ((token IS NULL) = (worker_id IS NULL)),
    CHECK ((token IS NULL) = (lease_expires_at IS NULL)),
    CHECK (attempt <= max_attempts)
) STRICT;

-- Each index costs every new job some time, even where its condition leaves the job out: so there are few.
-- The claim reads the first entries of one lane here, and no others. A job that was running when two workers died is
-- in the second index instead: it will run alone.
CREATE INDEX jobs_available ON jobs (lane_id, priority) WHERE state = 'available' AND crashes < 2;
CREATE INDEX jobs_suspect ON jobs (lane_id, priority) WHERE state = 'available' AND crashes >= 2;
CREATE INDEX jobs_waiting ON jobs (state, scheduled_at) WHERE state IN ('scheduled', 'retryable');
CREATE INDEX jobs_running ON jobs (worker_id, cancel_requested_at, lease_expires_at) WHERE state = 'running';
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL AND finalized_at IS NULL;
CREATE INDEX jobs_final ON jobs (state, finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX jobs_batch ON jobs (batch_id) WHERE batch_id IS NOT NULL;
-- A key binds until its job is cancelled, discarded or pruned.
CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state NOT IN ('cancelled', 'discarded');

-- What a job asks: the canonical request (JSON), and what its owner wrote on it.
CREATE TABLE requests (
    job_id    INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    body      TEXT NOT NULL,
    custom_id TEXT,
    metadata  TEXT
) STRICT;

CREATE TABLE results (
    job_id        INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    reply         TEXT    NOT NULL,  -- JSON: text or embeddings, finish_reason, usage
    answered_by   TEXT    NOT NULL CHECK (answered_by IN ('provider', 'cache', 'coalesced', 'fallback')),
    target        TEXT    NOT NULL,
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_usd      REAL    NOT NULL DEFAULT 0,
    latency_ms    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE job_errors (
    id      INTEGER PRIMARY KEY,
    job_id  INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    class   TEXT    NOT NULL,
    message TEXT    NOT NULL
) STRICT;
CREATE INDEX job_errors_job ON job_errors (job_id);

CREATE TABLE job_tags (
    job_id INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    tag    TEXT    NOT NULL CHECK (length(tag) BETWEEN 1 AND 128),
    PRIMARY KEY (job_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_tags_tag ON job_tags (tag, job_id);

-- An edge stands as long as its jobs do: `retry` of the first restores what its end cancelled.
CREATE TABLE dependencies (
    job_id     INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    depends_on INTEGER NOT NULL REFERENCES jobs (id),
    met        INTEGER NOT NULL DEFAULT 0 CHECK (met IN (0, 1)),
    PRIMARY KEY (job_id, depends_on)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependencies_upon ON dependencies (depends_on, met, job_id);

-- Jobs whose dependents have not all been told what became of them. What to tell follows from the job's state.
CREATE TABLE cascades (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE
) STRICT;

-- Bulk input by name: a run that crashed continues after `lines_done`.
CREATE TABLE ingests (
    name       TEXT PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 256),
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),  -- SHA-256 of the whole input: another file is refused
    lines_done INTEGER NOT NULL,
    jobs       INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cache_entries (
    id            INTEGER PRIMARY KEY,
    digest        BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    target        TEXT    NOT NULL,
    reply         TEXT    NOT NULL,
    bytes         INTEGER NOT NULL CHECK (bytes > 0),
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_usd      REAL    NOT NULL DEFAULT 0,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    last_used_at  INTEGER NOT NULL,
    hits          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX cache_entries_expires ON cache_entries (expires_at);
CREATE INDEX cache_entries_used ON cache_entries (last_used_at);

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters (name, value) VALUES ('token', 0), ('cache_entries', 0), ('cache_bytes', 0), ('cache_hits', 0), ('cache_misses', 0);

-- What happened in each minute, for throughput without counting.
CREATE TABLE minutes (
    minute        INTEGER PRIMARY KEY,  -- minutes since 1970
    completed     INTEGER NOT NULL DEFAULT 0,
    discarded     INTEGER NOT NULL DEFAULT 0,
    cancelled     INTEGER NOT NULL DEFAULT 0,
    input_tokens  INTEGER NOT NULL DEFAULT 0,
    output_tokens INTEGER NOT NULL DEFAULT 0,
    cost_usd      REAL    NOT NULL DEFAULT 0
) STRICT;
