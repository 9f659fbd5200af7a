-- Requests that go to a provider as one batch, which answers within a day at a lower price.

-- 1: waits for company, to go as a batch; 2: so too, but one batch with it was refused already; 0: called for alone.
ALTER TABLE jobs ADD COLUMN batch_api INTEGER NOT NULL DEFAULT 0 CHECK (batch_api IN (0, 1, 2));
ALTER TABLE jobs ADD COLUMN deadline_at INTEGER;  -- when its answer is wanted; near it, the job is called for alone

CREATE TABLE provider_batches (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    target           TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('generate', 'embed')),
    -- collecting: takes jobs, and nothing of it is at the provider. submitting: sent, perhaps; the provider is asked before it
    -- is sent again. submitted: at the provider. cancelling: given up there, what is done comes back. harvesting: its answers
    -- are taken in. returning: those without an answer go back. ended: it holds no jobs.
    state            TEXT    NOT NULL CHECK (state IN ('collecting', 'submitting', 'submitted', 'cancelling', 'harvesting',
                                                       'returning', 'ended')),
    label            TEXT    NOT NULL UNIQUE,           -- what it is found by at the provider, and its items' names begin with
    is_closed        INTEGER NOT NULL DEFAULT 0 CHECK (is_closed IN (0, 1)),   -- 1: takes no more jobs
    remote_id        TEXT,
    is_certain       INTEGER NOT NULL DEFAULT 1 CHECK (is_certain IN (0, 1)),  -- 0: found by count and time alone
    excluded         TEXT    NOT NULL DEFAULT '[]',     -- remote ids that were found to be another's, JSON
    rest             TEXT CHECK (rest IN ('again', 'suspect', 'live')),        -- how those without an answer go back
    jobs             INTEGER NOT NULL DEFAULT 0 CHECK (jobs >= 0),             -- that it holds; once sent, that it was sent with
    inputs           INTEGER NOT NULL DEFAULT 0,        -- of embed jobs: their texts
    bytes            INTEGER NOT NULL DEFAULT 0,
    created_at       INTEGER NOT NULL,
    submitting_at    INTEGER,                           -- when the intent was first written
    unsettled_until  INTEGER,                           -- until when a request that sent it may still arrive
    submitted_at     INTEGER,
    expires_at       INTEGER,
    ended_at         INTEGER,
    due_at           INTEGER NOT NULL,                  -- when it is to be looked at next
    looks            INTEGER NOT NULL DEFAULT 0,
    failures         INTEGER NOT NULL DEFAULT 0,        -- of the provider's answers, in a row
    urgent_at        INTEGER,                           -- when the deadline of one of its jobs is near
    worker_id        INTEGER,                           -- who looks after it now
    token            INTEGER,
    lease_expires_at INTEGER,                           -- CLOCK_BOOTTIME, ms
    error            TEXT,
    CHECK ((token IS NULL) = (worker_id IS NULL)),
    CHECK ((token IS NULL) = (lease_expires_at IS NULL))
) STRICT;
CREATE INDEX provider_batches_open ON provider_batches (provider, state) WHERE state <> 'ended';
CREATE UNIQUE INDEX provider_batches_remote ON provider_batches (provider, remote_id) WHERE remote_id IS NOT NULL;

-- The jobs of a batch, `pending` until its answers come. A job leaves with its answer. One that ended, or was deleted, while it
-- was at the provider is given up: its answer is paid for, and goes to the cache.
CREATE TABLE provider_batch_jobs (
    batch_id    INTEGER NOT NULL REFERENCES provider_batches (id),
    job_id      INTEGER NOT NULL,
    lane_id     INTEGER NOT NULL,
    digest      BLOB,              -- nil where its answer may not serve others
    inputs      INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    is_given_up INTEGER NOT NULL DEFAULT 0 CHECK (is_given_up IN (0, 1)),
    PRIMARY KEY (batch_id, job_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_batch_jobs_job ON provider_batch_jobs (job_id);
CREATE INDEX provider_batch_jobs_digest ON provider_batch_jobs (digest) WHERE digest IS NOT NULL;
CREATE INDEX provider_batch_jobs_waiting ON provider_batch_jobs (batch_id) WHERE is_given_up = 0;
