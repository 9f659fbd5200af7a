-- The gateway: requests as their clients wrote them, who sent them and whether the answer arrived, and the keys that open it. Only tables,
-- columns and indexes are added, so that workers of schema 9 go on. Times are milliseconds since 1970 (UTC).

-- The request as its client wrote it, beside the canonical `body`: null for a job that did not come through the gateway.
ALTER TABLE requests ADD COLUMN native TEXT;
ALTER TABLE requests ADD COLUMN native_form TEXT;  -- JSON: form, version, betas, required
ALTER TABLE jobs ADD COLUMN native INTEGER;        -- 1 if its request has one: a claim then reads it too

-- What the provider answered to a call that failed: its status, the form that it speaks, and the beginning of its body.
ALTER TABLE job_errors ADD COLUMN status INTEGER;
ALTER TABLE job_errors ADD COLUMN form TEXT;
ALTER TABLE job_errors ADD COLUMN body TEXT;

-- A key that a client sends is `aq-ID-SECRET`. Only the SHA-256 of the secret is stored. A row is never deleted, so that a job's key can
-- be named for as long as the job is there.
CREATE TABLE api_keys (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    scopes        TEXT    NOT NULL,                                -- a JSON array of names
    targets       TEXT,                                            -- a JSON array of globs; null is all targets
    queue         TEXT    NOT NULL,                                -- where its jobs go
    cache         INTEGER CHECK (cache IN (0, 1)),                 -- null is what the configuration says
    on_disconnect TEXT CHECK (on_disconnect IN ('auto', 'finish', 'cancel')),
    best_priority INTEGER CHECK (best_priority BETWEEN 1 AND 9),   -- the most urgent that it may ask for
    rpm           INTEGER CHECK (rpm >= 1),                        -- calls that may begin in a minute; null is no limit, as below
    tpm           INTEGER CHECK (tpm >= 1),                        -- tokens in a minute
    concurrency   INTEGER CHECK (concurrency >= 1),                -- calls at once
    usd_per_day   REAL CHECK (usd_per_day >= 0),
    usd_total     REAL CHECK (usd_total >= 0),
    spent_usd     REAL    NOT NULL DEFAULT 0,                      -- in all, while it has limits
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    last_used_at  INTEGER,                                         -- to the minute
    revoked_at    INTEGER
) STRICT;
CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_at IS NULL;

-- The key whose limits hold for a queue's jobs, and for a call under way: null where there are none. Its use is the row `key:NAME` of
-- `resources`.
ALTER TABLE queues ADD COLUMN key_id INTEGER;
ALTER TABLE reservations ADD COLUMN key_id INTEGER;

-- Where a gateway listens, such as 127.0.0.1:8484; null for a worker.
ALTER TABLE workers ADD COLUMN listens_at TEXT;

-- What monitoring is told, as counts that only rise. As many jobs have ended in a state as are in it, and as have left it since: deleted,
-- or retried.
ALTER TABLE lanes ADD COLUMN removed_completed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN removed_cancelled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lanes ADD COLUMN removed_discarded INTEGER NOT NULL DEFAULT 0;

-- Calls that brought no answer, for the jobs of a lane and by what was called.
CREATE TABLE failed_calls (
    lane_id INTEGER NOT NULL,
    target  TEXT    NOT NULL,
    calls   INTEGER NOT NULL DEFAULT 0,
    paid    INTEGER NOT NULL DEFAULT 0,            -- how many of them were paid for: `usage_hours` counts these too
    PRIMARY KEY (lane_id, target)
) STRICT, WITHOUT ROWID;

-- A job that the gateway added. A request for several samples is one call of several jobs, of which `choice` 0 speaks for all.
CREATE TABLE gateway_calls (
    job_id            INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    call_id           INTEGER NOT NULL,                            -- the job that is choice 0
    choice            INTEGER NOT NULL CHECK (choice >= 0),
    key_id            INTEGER NOT NULL,                            -- 0 where no key is asked for
    form              TEXT    NOT NULL CHECK (form IN ('chat', 'messages', 'responses', 'embeddings')),
    attach            BLOB    NOT NULL CHECK (length(attach) = 32),  -- SHA-256 of what makes two requests the same, the key included
    idempotency_key   TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    response_id       TEXT,
    previous_response TEXT,
    trace             TEXT,                                        -- the client's `traceparent`
    server_id         INTEGER NOT NULL,                            -- the process whose clients wait for it: its byte in the lock file
    clients           INTEGER NOT NULL DEFAULT 1,                  -- how many clients have waited for it
    is_shared         INTEGER NOT NULL DEFAULT 0 CHECK (is_shared IN (0, 1)),  -- clients of several processes have waited for it
    received_at       INTEGER,                                     -- when a client had been sent the end
    lost_at           INTEGER,                                     -- when the last client left
    is_cached         INTEGER NOT NULL DEFAULT 0 CHECK (is_cached IN (0, 1))   -- the cache answered as it was added: kept for a day
) STRICT;
CREATE INDEX gateway_calls_attach ON gateway_calls (attach, job_id) WHERE choice = 0;
CREATE INDEX gateway_calls_idempotency ON gateway_calls (key_id, idempotency_key, job_id) WHERE choice = 0 AND idempotency_key IS NOT NULL;
CREATE UNIQUE INDEX gateway_calls_response ON gateway_calls (response_id) WHERE response_id IS NOT NULL;
CREATE INDEX gateway_calls_cached ON gateway_calls (job_id) WHERE is_cached = 1;
CREATE INDEX gateway_calls_choices ON gateway_calls (call_id, choice) WHERE choice > 0;

-- What was done to keys and through the gateway, and by whom.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,  -- a key's name, or who else
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT
) STRICT;
CREATE INDEX audit_at ON audit (at);

-- A file that a client has uploaded or a batch has written. It belongs to one key and is there once it is complete. Its bytes are in pieces of
-- 256 KiB, of which only the last is shorter.
CREATE TABLE files (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id     INTEGER NOT NULL,                  -- 0 where no key is asked for
    name       TEXT    NOT NULL,
    purpose    TEXT    NOT NULL,
    media_type TEXT,
    bytes      INTEGER CHECK (bytes >= 0),        -- null until it is complete
    created_at INTEGER NOT NULL,
    expires_at INTEGER                            -- null is never; what is not complete by then was given up
) STRICT;
CREATE INDEX files_key ON files (key_id, id) WHERE bytes IS NOT NULL;
CREATE INDEX files_expiry ON files (expires_at, id) WHERE expires_at IS NOT NULL;

CREATE TABLE file_chunks (
    file_id INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL CHECK (number >= 0),
    bytes   BLOB    NOT NULL CHECK (length(bytes) BETWEEN 1 AND 262144),
    PRIMARY KEY (file_id, number)
) STRICT;

-- A batch that a client has given: each request of its input becomes a job, and what became of them is written to files when all have ended.
CREATE TABLE client_batches (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    public_id         TEXT    NOT NULL UNIQUE,                     -- also the name of its jobs' row in `batches`
    key_id            INTEGER NOT NULL,                            -- 0 where no key is asked for
    form              TEXT    NOT NULL CHECK (form IN ('chat', 'messages', 'responses', 'embeddings')),
    state             TEXT    NOT NULL CHECK (state IN ('validating', 'in_progress', 'finalizing', 'completed', 'failed', 'expired',
                                                        'cancelling', 'cancelled')),
    attach            BLOB    NOT NULL CHECK (length(attach) = 32),  -- SHA-256 of what makes two of them the same, the key included
    idempotency_key   TEXT CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    creator_id        INTEGER NOT NULL,                            -- the process that its client was connected to
    answered_at       INTEGER,                                     -- when the client had been told of it
    completion_window TEXT    NOT NULL,                            -- as the client wrote it
    metadata          TEXT,
    version           TEXT,                                        -- `anthropic-version`, and as JSON `anthropic-beta`
    betas             TEXT    NOT NULL DEFAULT '[]',
    model             TEXT,                                        -- the first that it names
    input_file        INTEGER NOT NULL,
    output_file       INTEGER,                                     -- shown once it has ended
    error_file        INTEGER,
    output_lifetime   INTEGER,                                     -- ms; null is 30 days
    errors            TEXT,                                        -- JSON: why it failed
    batch_id          INTEGER,                                     -- its jobs' row in `batches`; null before the first
    worker_id         INTEGER,                                     -- the process that reads its input or writes its files
    lines             INTEGER,                                     -- null until they are counted
    added_line        INTEGER NOT NULL DEFAULT 0,                  -- the last that has a row in `client_lines`
    ingested_at       INTEGER,                                     -- when all had
    ends              INTEGER NOT NULL DEFAULT 0,                  -- how often one of its lines has ended
    succeeded         INTEGER NOT NULL DEFAULT 0,
    failed            INTEGER NOT NULL DEFAULT 0,
    cancelled         INTEGER NOT NULL DEFAULT 0,
    expired           INTEGER NOT NULL DEFAULT 0,
    written_line      INTEGER NOT NULL DEFAULT 0,                  -- the last that is in the files
    input_tokens      INTEGER NOT NULL DEFAULT 0,                  -- of those in the files
    output_tokens     INTEGER NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,                            -- what has not begun by then expires
    in_progress_at    INTEGER,
    cancelling_at     INTEGER,
    finalizing_at     INTEGER,
    ended_at          INTEGER
) STRICT;
CREATE INDEX client_batches_key ON client_batches (key_id, id);
CREATE INDEX client_batches_attach ON client_batches (attach, id);
CREATE INDEX client_batches_idempotency ON client_batches (key_id, idempotency_key, id) WHERE idempotency_key IS NOT NULL;
CREATE INDEX client_batches_open ON client_batches (id) WHERE ended_at IS NULL;
CREATE INDEX client_batches_ended ON client_batches (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX client_batches_input ON client_batches (input_file) WHERE ingested_at IS NULL AND ended_at IS NULL;
CREATE UNIQUE INDEX client_batches_batch ON client_batches (batch_id) WHERE batch_id IS NOT NULL;

-- The requests of a batch, in the order of its input.
CREATE TABLE client_lines (
    client_batch INTEGER NOT NULL REFERENCES client_batches (id) ON DELETE CASCADE,
    line         INTEGER NOT NULL CHECK (line >= 1),
    custom_id    TEXT    NOT NULL,
    job_id       INTEGER,                                          -- null for one that never became a job
    outcome      TEXT CHECK (outcome IN ('succeeded', 'failed', 'cancelled', 'expired')),  -- null until it has ended
    ended        INTEGER,                                          -- the batch's `ends` when it did
    error        TEXT,                                             -- JSON: what is wrong with one that never became a job
    PRIMARY KEY (client_batch, line)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX client_lines_job ON client_lines (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX client_lines_ended ON client_lines (client_batch, ended);
