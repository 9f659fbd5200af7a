-- Runs of pipelines, schedules, and who is told of an end. Times are milliseconds since 1970 (UTC).

-- A pipeline as a run found it: a run goes by it to its end, whatever becomes of the file. Runs of the same share a row.
CREATE TABLE pipelines (
    digest     BLOB PRIMARY KEY CHECK (length(digest) = 32),  -- SHA-256 of the definition
    definition TEXT NOT NULL                                  -- JSON, with its roles, its mode's settings and its schemas in it
) STRICT;

CREATE TABLE runs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    name         TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 128),  -- what was asked for: a pipeline's or a mode's name
    pipeline     BLOB    NOT NULL REFERENCES pipelines (digest),
    inputs       TEXT    NOT NULL,                                         -- a JSON object
    options      TEXT    NOT NULL,                                         -- what holds for all its jobs: a JSON object
    state        TEXT    NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
    version      INTEGER NOT NULL DEFAULT 1,                               -- grows with everything that is written of it
    is_due       INTEGER NOT NULL DEFAULT 0 CHECK (is_due IN (0, 1)),      -- whether to look at it although no job of it has ended
    sweep        INTEGER NOT NULL DEFAULT 0 CHECK (sweep IN (0, 1, 2, 3)), -- jobs still to be cancelled: those that wait (1), all (2); it is being pruned (3)
    output       TEXT,                                                     -- JSON
    reason       TEXT,                                                     -- why it did not complete
    unique_key   TEXT CHECK (length(unique_key) BETWEEN 1 AND 512),
    created_at   INTEGER NOT NULL,
    finalized_at INTEGER,
    CHECK ((finalized_at IS NOT NULL) = (state <> 'running'))
) STRICT;
CREATE INDEX runs_due ON runs (id) WHERE is_due = 1;
CREATE INDEX runs_swept ON runs (id) WHERE sweep <> 0;
CREATE INDEX runs_final ON runs (finalized_at) WHERE finalized_at IS NOT NULL;
CREATE INDEX runs_pipeline ON runs (pipeline);
-- A key binds until its run has failed, or is cancelled or pruned.
CREATE UNIQUE INDEX runs_unique ON runs (unique_key) WHERE unique_key IS NOT NULL AND state IN ('running', 'completed');

-- The call of a step: one row for each that was ever begun, and none is begun twice.
CREATE TABLE run_steps (
    run_id  INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path    TEXT    NOT NULL,                            -- its place in the run, such as refine/2/review[1]
    job_id  INTEGER UNIQUE REFERENCES jobs (id),         -- none where the call could not be made
    state   TEXT    NOT NULL CHECK (state IN ('running', 'completed', 'failed')),  -- as the run knows: a job's end is told a moment later
    message TEXT,                                        -- why it could not be made
    PRIMARY KEY (run_id, path),
    CHECK (job_id IS NOT NULL OR state = 'failed')
) STRICT, WITHOUT ROWID;

-- Jobs of runs that have ended, which their runs have yet to be told.
CREATE TABLE run_ends (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX run_ends_run ON run_ends (run_id);

-- The run that a job was made for; it stays known when another job has taken its place.
ALTER TABLE jobs ADD COLUMN run_id INTEGER REFERENCES runs (id) ON DELETE SET NULL;
CREATE INDEX jobs_run ON jobs (run_id) WHERE run_id IS NOT NULL;

CREATE TABLE schedules (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 128),
    cron       TEXT    NOT NULL,
    time_zone  TEXT    NOT NULL,
    missed     TEXT    NOT NULL CHECK (missed IN ('skip', 'once', 'all')),
    most       INTEGER NOT NULL DEFAULT 1 CHECK (most BETWEEN 1 AND 1000),  -- how many missed firings `all` makes up for
    work       TEXT    NOT NULL,     -- JSON: {"job": …a line of JSONL…} or {"run": {…}}
    next_at    INTEGER,              -- none while it is paused, or where no time fits any more
    fired_at   INTEGER,
    firings    INTEGER NOT NULL DEFAULT 0,
    last_job   INTEGER,
    last_run   INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    paused_at  INTEGER
) STRICT;
CREATE INDEX schedules_due ON schedules (next_at) WHERE next_at IS NOT NULL;

-- Who is to be told when a job, a batch or a run ends: by the name of a notification of the configuration.
CREATE TABLE watches (
    kind         TEXT    NOT NULL CHECK (kind IN ('job', 'batch', 'run')),
    subject_id   INTEGER NOT NULL,
    notification TEXT    NOT NULL CHECK (length(notification) BETWEEN 1 AND 128),
    PRIMARY KEY (kind, subject_id, notification)
) STRICT, WITHOUT ROWID;

-- What has ended and is to be told, until it is.
CREATE TABLE notices (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT    NOT NULL CHECK (kind IN ('job', 'batch', 'run')),
    subject_id   INTEGER NOT NULL,
    notification TEXT    NOT NULL,
    body         TEXT    NOT NULL,     -- JSON: what is told, as of the end
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    next_at      INTEGER NOT NULL,     -- when it is tried; while a process delivers it, when another may
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    error        TEXT
) STRICT;
CREATE INDEX notices_waiting ON notices (next_at) WHERE state = 'waiting';
CREATE INDEX notices_ended ON notices (ended_at) WHERE ended_at IS NOT NULL;
