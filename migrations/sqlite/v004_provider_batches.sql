-- Requests that go to a provider as one batch, which answers within a day at a lower price.

ALTER TABLE jobs ADD COLUMN batch_api INTEGER NOT NULL DEFAULT 0 CHECK (batch_api IN (0, 1));
ALTER TABLE jobs ADD COLUMN deadline_at INTEGER;  -- when its answer is wanted; near it, the job is called for alone

CREATE TABLE provider_batches (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    target           TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    kind             TEXT    NOT NULL,
    -- collecting: takes jobs. submitting: sent, perhaps; the provider is asked before it is sent again. submitted: at the provider.
    -- cancelling: given up there, what is done comes back. ended: nothing is to come.
    state            TEXT    NOT NULL CHECK (state IN ('collecting', 'submitting', 'submitted', 'cancelling', 'ended')),
    label            TEXT    NOT NULL UNIQUE,           -- what it is found by at the provider
    remote_id        TEXT,
    is_certain       INTEGER NOT NULL DEFAULT 1 CHECK (is_certain IN (0, 1)),  -- 0: found by count and time alone
    excluded         TEXT    NOT NULL DEFAULT '[]',     -- remote ids that were found to be another's, JSON
    jobs             INTEGER NOT NULL DEFAULT 0 CHECK (jobs >= 0),
    bytes            INTEGER NOT NULL DEFAULT 0,
    created_at       INTEGER NOT NULL,
    submitting_at    INTEGER,                           -- when the intent was written
    submitted_at     INTEGER,
    expires_at       INTEGER,
    due_at           INTEGER NOT NULL,                  -- when it is to be looked at next
    looks            INTEGER NOT NULL DEFAULT 0,
    first_deadline   INTEGER,                           -- of its jobs
    worker_id        INTEGER,                           -- who looks after it now
    token            INTEGER,
    lease_expires_at INTEGER,                           -- CLOCK_BOOTTIME, ms
    error            TEXT
) STRICT;
CREATE INDEX provider_batches_due ON provider_batches (due_at) WHERE state <> 'ended';
CREATE INDEX provider_batches_collecting ON provider_batches (target, kind) WHERE state = 'collecting';

-- The jobs of a batch, `pending` until its answers come. A job leaves with its answer.
CREATE TABLE provider_batch_jobs (
    job_id   INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
    batch_id INTEGER NOT NULL REFERENCES provider_batches (id),
    digest   BLOB    NOT NULL,
    bytes    INTEGER NOT NULL
) STRICT;
CREATE INDEX provider_batch_jobs_batch ON provider_batch_jobs (batch_id, job_id);
CREATE INDEX provider_batch_jobs_digest ON provider_batch_jobs (digest);
