-- What running in production asked for. Only tables, columns and indexes are added, so that workers of schema 8 go on. Times are
-- milliseconds since 1970 (UTC).

-- Whether a schedule follows the machine's time zone: `time_zone` is what that was when a worker last looked.
ALTER TABLE schedules ADD COLUMN follows_machine INTEGER NOT NULL DEFAULT 0;
