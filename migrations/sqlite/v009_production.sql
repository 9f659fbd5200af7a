-- What running in production asked for. Only tables, columns and indexes are added, so that workers of schema 8 go on. Times are
-- milliseconds since 1970 (UTC).

-- Whether a schedule follows the machine's time zone: `time_zone` is what that was when a worker last looked.
ALTER TABLE schedules ADD COLUMN follows_machine INTEGER NOT NULL DEFAULT 0;

-- The attempt that gave an answer which another has replaced: its number, and when it ran.
ALTER TABLE replaced_results ADD COLUMN attempt INTEGER;
ALTER TABLE replaced_results ADD COLUMN began_at INTEGER;
ALTER TABLE replaced_results ADD COLUMN ended_at INTEGER;

-- The template of the prompts that an ingest was begun with, as SHA-256; null without one, or if it was begun by schema 8.
ALTER TABLE ingests ADD COLUMN template BLOB;

-- Which queues a worker serves, so that others can say that nobody serves one: a JSON array of names; null is all of them.
ALTER TABLE workers ADD COLUMN queues TEXT;

-- Notifications are claimed by target, so that one that hangs delays no other.
CREATE INDEX notices_by_target ON notices (notification, next_at) WHERE state = 'waiting';
