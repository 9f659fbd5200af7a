// yardstick - the practical limit of SQLite on the queue's own schema: the statements of AgentQueueStore in plain C,
// one thread, libsqlite3 alone. What the store reaches is judged as a ratio to what this reaches in the same run.
//
//   cc -O2 -o yardstick yardstick.c -lsqlite3
//
//   yardstick init     DB MIGRATION.sql...           makes the file, with the store's settings, and runs the migrations
//   yardstick enqueue  DB SYNC N PER_TX MAX_SECONDS [PAYLOAD_BYTES]     a request has 200 bytes unless told
//   yardstick drain    DB SYNC K MAX_SECONDS [cache|nocache]            claims K in one transaction, settles K in another
//   yardstick seed     DB N STATE                    adds rows fast; the lane's counts are right
//   yardstick claimlat DB N K [SYNC]                 N claims of K jobs each: the time of each, COMMIT included
//
// SYNC is FULL or NORMAL. Each prints one JSON object. `seed` works on a database that the store made, too (it takes the
// write lock as the store does); STATE is one that needs no other row: available, scheduled, retryable, completed,
// cancelled or discarded.
//
// The statements and settings are those of Enqueue, Claim, Settle, Cache, Ledger and DatabaseFile, word for word: one
// that changes there changes here. As in the store, counts are written once a transaction, and checkpoints are guarded.
// Left out is what the store does outside its write transactions (the read before a claim, the bell).
#include <errno.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CHECKPOINT_PAGES = 1000, MOST_AT_ONCE = 4096, REPLY_BYTES = 200 };

static const char *const TARGET = "local/yardstick";

// MARK: Tools

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}
static int64_t monotonic(void) { return clock_ns(CLOCK_MONOTONIC); }
static int64_t wall_ms(void) { return clock_ns(CLOCK_REALTIME) / 1000000; }

static void fail(sqlite3 *db, const char *what) {
    fprintf(stderr, "yardstick: %s: %s\n", what, db ? sqlite3_errmsg(db) : strerror(errno));
    exit(1);
}

static void run_sql(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(db, sql);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) fail(db, sql);
    return statement;
}

/// Runs a statement whose rows, if any, do not matter; returns how many rows it changed.
static int run(sqlite3 *db, sqlite3_stmt *statement) {
    int code;
    do { code = sqlite3_step(statement); } while (code == SQLITE_ROW);
    if (code != SQLITE_DONE) fail(db, sqlite3_sql(statement));
    sqlite3_reset(statement);
    return sqlite3_changes(db);
}

/// The first column of the first row, or `none`.
static int64_t first(sqlite3 *db, sqlite3_stmt *statement, int64_t none) {
    int code = sqlite3_step(statement);
    int64_t value = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : none;
    while (code == SQLITE_ROW) code = sqlite3_step(statement);
    if (code != SQLITE_DONE) fail(db, sqlite3_sql(statement));
    sqlite3_reset(statement);
    return value;
}

static uint64_t seed_state;
static uint64_t next_random(void) {
    seed_state ^= seed_state << 13;
    seed_state ^= seed_state >> 7;
    seed_state ^= seed_state << 17;
    return seed_state;
}

/// Stands for a SHA-256: as long, and as scattered.
static void make_digest(uint64_t digest[4]) {
    for (int i = 0; i < 4; i++) digest[i] = next_random();
}

static int wait_busy(void *context, int tries) {
    (void)context;
    if (tries >= 9000) return 0;
    usleep(200 + next_random() % 1800);
    return 1;
}

static int ascending(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

// MARK: The store's connections

typedef struct {
    sqlite3 *db;
    sqlite3 *checkpointer;  // made at the first checkpoint
    const char *path;
    const char *sync;
    int wal_pages;
    int checkpoint_pages;
    int64_t lane;
    int64_t now;
    sqlite3_stmt *begin, *commit, *rollback, *cached, *insert_job, *insert_request, *lanes, *minutes, *counters, *ready,
        *token, *take, *old_bytes, *insert_entry, *leave, *insert_result, *dependents;
} Store;

/// What a transaction changes in the rows that count: see Ledger.
typedef struct {
    int64_t states[8];  // pending, scheduled, available, running, retryable, completed, cancelled, discarded
    int64_t served, calls, input_tokens, output_tokens, completed, cache_entries, cache_bytes, cache_misses;
} Ledger;

static sqlite3 *open_connection(const char *path, const char *sync) {
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) fail(db, path);
    sqlite3_busy_handler(db, wait_busy, NULL);
    const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW, SQLITE_DBCONFIG_DQS_DML,
                       SQLITE_DBCONFIG_DQS_DDL};
    const int on[] = {SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) sqlite3_db_config(db, off[i], 0, NULL);
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) sqlite3_db_config(db, on[i], 1, NULL);
    run_sql(db, "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8192; PRAGMA cache_spill = OFF;"
                "PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 33554432");
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA synchronous = %s", sync);
    run_sql(db, pragma);
    sqlite3_wal_autocheckpoint(db, 0);
    return db;
}

static int note_pages(void *context, sqlite3 *db, const char *name, int pages) {
    (void)db, (void)name;
    ((Store *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static int64_t find_lane(sqlite3 *db) {
    run_sql(db, "BEGIN IMMEDIATE; INSERT INTO queues (name) VALUES ('default') ON CONFLICT DO NOTHING;"
                "INSERT INTO lanes (queue, provider, target, kind) VALUES ('default', 'local', 'local/yardstick', 'generate')"
                " ON CONFLICT DO NOTHING; COMMIT");
    sqlite3_stmt *find = prepare(
        db, "SELECT id FROM lanes WHERE queue = 'default' AND target = 'local/yardstick' AND kind = 'generate'");
    int64_t lane = first(db, find, 0);
    sqlite3_finalize(find);
    return lane;
}

static void open_store(Store *s, const char *path, const char *sync) {
    memset(s, 0, sizeof *s);
    s->path = path;
    s->sync = sync;
    s->checkpoint_pages = CHECKPOINT_PAGES;
    sqlite3 *db = s->db = open_connection(path, sync);
    sqlite3_wal_hook(db, note_pages, s);
    s->lane = find_lane(db);
    s->begin = prepare(db, "BEGIN IMMEDIATE TRANSACTION");
    s->commit = prepare(db, "COMMIT TRANSACTION");
    s->rollback = prepare(db, "ROLLBACK TRANSACTION");
    s->cached = prepare(
        db, "SELECT reply, target, input_tokens, output_tokens, cost_usd FROM cache_entries WHERE digest = ? AND expires_at > ?");
    s->insert_job = prepare(
        db,
        "INSERT INTO jobs (lane_id, state, priority, max_attempts, use_cache, created_at, scheduled_at, finalized_at, expires_at,"
        " timeout_ms, batch_id, cancelled_through, unique_key, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state NOT IN ('cancelled', 'discarded') DO NOTHING");
    s->insert_request = prepare(db, "INSERT INTO requests (job_id, body, custom_id, metadata) VALUES (?, ?, ?, ?)");
    s->lanes = prepare(
        db,
        "UPDATE lanes SET pending = pending + ?, scheduled = scheduled + ?, available = available + ?, running = running + ?,"
        " retryable = retryable + ?, completed = completed + ?, cancelled = cancelled + ?, discarded = discarded + ?,"
        " served = max(served, ?), calls = calls + ?, input_tokens = input_tokens + ?, output_tokens = output_tokens + ?,"
        " cost_usd = cost_usd + ?, cache_answers = cache_answers + ?, saved_usd = saved_usd + ? WHERE id = ?");
    s->minutes = prepare(
        db,
        "INSERT INTO minutes (minute, completed, discarded, cancelled, input_tokens, output_tokens, cost_usd)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (minute) DO UPDATE SET completed = completed + excluded.completed,"
        " discarded = discarded + excluded.discarded, cancelled = cancelled + excluded.cancelled,"
        " input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,"
        " cost_usd = cost_usd + excluded.cost_usd");
    s->counters = prepare(db, "UPDATE counters SET value = value + ? WHERE name = ?");
    s->ready = prepare(
        db,
        "SELECT lanes.id, lanes.queue, lanes.provider, lanes.target, lanes.kind, lanes.served,"
        " (SELECT priority FROM jobs INDEXED BY jobs_available"
        "  WHERE lane_id = lanes.id AND state = 'available' AND crashes < 2 ORDER BY priority LIMIT 1),"
        " EXISTS (SELECT 1 FROM jobs INDEXED BY jobs_suspect WHERE lane_id = lanes.id AND state = 'available' AND crashes >= 2)"
        " FROM lanes JOIN queues ON queues.name = lanes.queue WHERE lanes.available > 0 AND queues.paused_at IS NULL");
    s->token = prepare(db, "UPDATE counters SET value = value + 1 WHERE name = 'token' RETURNING value");
    // The plus: without it SQLite 3.40 cannot use the index over digests inside RETURNING, and reads every entry per job.
    s->take = prepare(
        db,
        "UPDATE jobs SET state = 'running', attempt = attempt + 1, token = ?1, worker_id = ?2, lease_expires_at = ?3,"
        " attempted_at = ?4"
        " WHERE id IN (SELECT id FROM jobs INDEXED BY jobs_available WHERE lane_id = ?5 AND state = 'available' AND crashes < 2"
        "              AND priority <= ?6 ORDER BY priority, id LIMIT ?7)"
        " RETURNING id, batch_id, priority, attempt, max_attempts, crashes, timeout_ms, use_cache, digest,"
        " (SELECT body FROM requests WHERE job_id = jobs.id),"
        " use_cache AND EXISTS (SELECT 1 FROM cache_entries WHERE digest = +jobs.digest AND expires_at > ?4)");
    s->old_bytes = prepare(db, "SELECT bytes FROM cache_entries WHERE digest = ?");
    s->insert_entry = prepare(
        db,
        "INSERT INTO cache_entries (digest, target, reply, bytes, input_tokens, output_tokens, cost_usd, created_at, expires_at,"
        " last_used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?8) ON CONFLICT (digest) DO UPDATE SET target = ?2, reply = ?3,"
        " bytes = ?4, input_tokens = ?5, output_tokens = ?6, cost_usd = ?7, created_at = ?8, expires_at = ?9");
    s->leave = prepare(
        db,
        "UPDATE jobs SET state = 'completed', token = NULL, worker_id = NULL, lease_expires_at = NULL, finalized_at = ?"
        " WHERE id = ? AND state = 'running' AND token = ?");
    s->insert_result = prepare(
        db,
        "INSERT INTO results (job_id, reply, answered_by, target, input_tokens, output_tokens, cost_usd, latency_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    s->dependents = prepare(db, "SELECT 1 FROM dependencies WHERE depends_on = ? LIMIT 1");
}

static void begin(Store *s) {
    run(s->db, s->begin);
    s->now = wall_ms();
}

/// This connection takes the write lock, another checkpoints: see Checkpoints.
static void checkpoint(Store *s) {
    if (!s->checkpointer) s->checkpointer = open_connection(s->path, s->sync);
    run(s->db, s->begin);
    sqlite3_wal_checkpoint_v2(s->checkpointer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    run(s->db, s->rollback);
}

static void bump(Store *s, const char *counter, int64_t change) {
    if (change == 0) return;
    sqlite3_bind_int64(s->counters, 1, change);
    sqlite3_bind_text(s->counters, 2, counter, -1, SQLITE_STATIC);
    run(s->db, s->counters);
}

static void commit(Store *s, const Ledger *ledger) {
    sqlite3_stmt *lanes = s->lanes;
    for (int i = 0; i < 8; i++) sqlite3_bind_int64(lanes, i + 1, ledger->states[i]);
    sqlite3_bind_int64(lanes, 9, ledger->served);
    sqlite3_bind_int64(lanes, 10, ledger->calls);
    sqlite3_bind_int64(lanes, 11, ledger->input_tokens);
    sqlite3_bind_int64(lanes, 12, ledger->output_tokens);
    sqlite3_bind_double(lanes, 13, 0);
    sqlite3_bind_int64(lanes, 14, 0);
    sqlite3_bind_double(lanes, 15, 0);
    sqlite3_bind_int64(lanes, 16, s->lane);
    run(s->db, lanes);
    if (ledger->completed > 0) {
        const int64_t values[] = {s->now / 60000, ledger->completed, 0, 0, ledger->input_tokens, ledger->output_tokens};
        for (int i = 0; i < 6; i++) sqlite3_bind_int64(s->minutes, i + 1, values[i]);
        sqlite3_bind_double(s->minutes, 7, 0);
        run(s->db, s->minutes);
    }
    bump(s, "cache_entries", ledger->cache_entries);
    bump(s, "cache_bytes", ledger->cache_bytes);
    bump(s, "cache_misses", ledger->cache_misses);
    run(s->db, s->commit);
    if (s->wal_pages >= s->checkpoint_pages) {
        s->wal_pages = 0;
        checkpoint(s);
    }
}

// MARK: What the store does with jobs

static char *make_body(int bytes) {
    static const char head[] = "{\"input\":\"", tail[] = "\"}";
    int fixed = (int)(sizeof head + sizeof tail - 2);
    if (bytes < fixed) bytes = fixed;
    char *body = malloc((size_t)bytes + 1);
    if (!body) fail(NULL, "memory");
    memset(body, 'x', (size_t)bytes);
    memcpy(body, head, sizeof head - 1);
    memcpy(body + bytes - (sizeof tail - 1), tail, sizeof tail);
    return body;
}

static void bind_digest(sqlite3_stmt *statement, int position, const void *digest) {
    sqlite3_bind_blob(statement, position, digest, 32, SQLITE_STATIC);
}

static int64_t insert(Store *s, const char *state, int64_t scheduled_at, int is_final, const char *body) {
    uint64_t digest[4];
    make_digest(digest);
    if (!strcmp(state, "available")) {
        bind_digest(s->cached, 1, digest);
        sqlite3_bind_int64(s->cached, 2, s->now);
        first(s->db, s->cached, 0);
    }
    sqlite3_stmt *job = s->insert_job;
    sqlite3_bind_int64(job, 1, s->lane);
    sqlite3_bind_text(job, 2, state, -1, SQLITE_STATIC);
    sqlite3_bind_int64(job, 3, 5);
    sqlite3_bind_int64(job, 4, 5);
    sqlite3_bind_int64(job, 5, 1);
    sqlite3_bind_int64(job, 6, s->now);
    sqlite3_bind_int64(job, 7, scheduled_at);
    if (is_final) sqlite3_bind_int64(job, 8, s->now);
    else sqlite3_bind_null(job, 8);
    for (int i = 9; i <= 13; i++) sqlite3_bind_null(job, i);
    bind_digest(job, 14, digest);
    run(s->db, job);
    int64_t id = sqlite3_last_insert_rowid(s->db);
    sqlite3_bind_int64(s->insert_request, 1, id);
    sqlite3_bind_text(s->insert_request, 2, body, -1, SQLITE_STATIC);
    sqlite3_bind_null(s->insert_request, 3);
    sqlite3_bind_null(s->insert_request, 4);
    run(s->db, s->insert_request);
    return id;
}

static void insert_result(Store *s, int64_t job, const char *reply) {
    sqlite3_stmt *result = s->insert_result;
    sqlite3_bind_int64(result, 1, job);
    sqlite3_bind_text(result, 2, reply, -1, SQLITE_STATIC);
    sqlite3_bind_text(result, 3, "provider", -1, SQLITE_STATIC);
    sqlite3_bind_text(result, 4, TARGET, -1, SQLITE_STATIC);
    sqlite3_bind_int64(result, 5, 10);
    sqlite3_bind_int64(result, 6, 20);
    sqlite3_bind_double(result, 7, 0);
    sqlite3_bind_int64(result, 8, 5);
    run(s->db, result);
}

typedef struct {
    int64_t id;
    unsigned char digest[32];
} Claimed;

static struct {
    int64_t token;
    int count;
    Claimed jobs[MOST_AT_ONCE];
} claimed;

/// One round of claiming, a transaction; returns how many jobs it took.
static int claim(Store *s, int count) {
    Ledger ledger = {0};
    claimed.count = 0;
    begin(s);
    if (first(s->db, s->ready, 0) == 0) {
        run(s->db, s->rollback);
        return 0;
    }
    claimed.token = first(s->db, s->token, 0);
    const int64_t values[] = {claimed.token, 1, clock_ns(CLOCK_BOOTTIME) / 1000000 + 30000, s->now, s->lane, 9, count};
    for (int i = 0; i < 7; i++) sqlite3_bind_int64(s->take, i + 1, values[i]);
    int code;
    while ((code = sqlite3_step(s->take)) == SQLITE_ROW) {
        Claimed *job = &claimed.jobs[claimed.count++];
        job->id = sqlite3_column_int64(s->take, 0);
        memcpy(job->digest, sqlite3_column_blob(s->take, 8), sizeof job->digest);
        if (!sqlite3_column_text(s->take, 9)) fail(s->db, "a job has no request");
    }
    if (code != SQLITE_DONE) fail(s->db, "claim");
    sqlite3_reset(s->take);
    ledger.states[2] = -claimed.count;
    ledger.states[3] = claimed.count;
    ledger.served = claimed.token;
    commit(s, &ledger);
    return claimed.count;
}

/// Settles what was claimed, in one transaction.
static void settle(Store *s, const char *reply, int caches) {
    Ledger ledger = {0};
    int bytes = (int)(strlen(reply) + strlen(TARGET) + 160);
    begin(s);
    for (int i = 0; i < claimed.count; i++) {
        const Claimed *job = &claimed.jobs[i];
        if (caches) {
            bind_digest(s->old_bytes, 1, job->digest);
            int64_t old = first(s->db, s->old_bytes, -1);
            sqlite3_stmt *entry = s->insert_entry;
            bind_digest(entry, 1, job->digest);
            sqlite3_bind_text(entry, 2, TARGET, -1, SQLITE_STATIC);
            sqlite3_bind_text(entry, 3, reply, -1, SQLITE_STATIC);
            sqlite3_bind_int64(entry, 4, bytes);
            sqlite3_bind_int64(entry, 5, 10);
            sqlite3_bind_int64(entry, 6, 20);
            sqlite3_bind_double(entry, 7, 0);
            sqlite3_bind_int64(entry, 8, s->now);
            sqlite3_bind_int64(entry, 9, s->now + 86400000);
            run(s->db, entry);
            ledger.cache_bytes += bytes - (old < 0 ? 0 : old);
            ledger.cache_entries += old < 0;
            ledger.cache_misses++;
        }
        sqlite3_bind_int64(s->leave, 1, s->now);
        sqlite3_bind_int64(s->leave, 2, job->id);
        sqlite3_bind_int64(s->leave, 3, claimed.token);
        if (run(s->db, s->leave) != 1) fail(NULL, "a settle was refused");
        insert_result(s, job->id, reply);
        sqlite3_bind_int64(s->dependents, 1, job->id);
        first(s->db, s->dependents, 0);
        ledger.states[3]--;
        ledger.states[5]++;
        ledger.calls++;
        ledger.input_tokens += 10;
        ledger.output_tokens += 20;
        ledger.completed++;
    }
    commit(s, &ledger);
}

// MARK: Commands

static int init(const char *path, int count, char **migrations) {
    sqlite3 *db = open_connection(path, "FULL");
    run_sql(db, "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = 0x41475155; PRAGMA journal_mode = WAL");
    for (int i = 0; i < count; i++) {
        FILE *file = fopen(migrations[i], "rb");
        if (!file) fail(NULL, migrations[i]);
        fseek(file, 0, SEEK_END);
        long bytes = ftell(file);
        rewind(file);
        char *sql = malloc((size_t)bytes + 1);
        if (!sql || fread(sql, 1, (size_t)bytes, file) != (size_t)bytes) fail(NULL, migrations[i]);
        sql[bytes] = 0;
        fclose(file);
        run_sql(db, "BEGIN IMMEDIATE");
        run_sql(db, sql);
        run_sql(db, "COMMIT");
        free(sql);
    }
    sqlite3_close(db);
    printf("{\"sqlite\":\"%s\",\"migrations\":%d}\n", sqlite3_libversion(), count);
    return 0;
}

static int enqueue(const char *path, const char *sync, long count, long per_tx, double seconds, int payload) {
    Store s;
    open_store(&s, path, sync);
    char *body = make_body(payload);
    int64_t started = monotonic();
    long done = 0, transactions = 0;
    while (done < count && monotonic() - started < seconds * 1e9) {
        Ledger ledger = {0};
        begin(&s);
        for (long i = 0; i < per_tx && done < count; i++, done++) {
            insert(&s, "available", s.now, 0, body);
            ledger.states[2]++;
        }
        commit(&s, &ledger);
        transactions++;
    }
    double took = (double)(monotonic() - started) / 1e9;
    printf("{\"n\":%ld,\"secs\":%.4f,\"per_s\":%.0f,\"tx_per_s\":%.0f}\n", done, took, (double)done / took,
           (double)transactions / took);
    return 0;
}

static int drain(const char *path, const char *sync, int at_once, double seconds, int caches) {
    Store s;
    open_store(&s, path, sync);
    char *reply = make_body(REPLY_BYTES);
    int64_t started = monotonic();
    long done = 0;
    while (monotonic() - started < seconds * 1e9 && claim(&s, at_once) > 0) {
        settle(&s, reply, caches);
        done += claimed.count;
    }
    double took = (double)(monotonic() - started) / 1e9;
    printf("{\"n\":%ld,\"secs\":%.4f,\"per_s\":%.0f}\n", done, took, (double)done / took);
    return 0;
}

static int seed(const char *path, long count, const char *state) {
    static const char *const states[] = {"pending",   "scheduled", "available", "running",
                                         "retryable", "completed", "cancelled", "discarded"};
    int index = 0;
    while (index < 8 && strcmp(states[index], state)) index++;
    if (index == 8 || !strcmp(state, "pending") || !strcmp(state, "running")) {
        fprintf(stderr, "yardstick: seed cannot make jobs that are '%s'\n", state);
        return 2;
    }
    Store s;
    open_store(&s, path, "OFF");
    s.checkpoint_pages = 20000;
    run_sql(s.db, "PRAGMA cache_size = -262144");
    char *body = make_body(200), *reply = make_body(REPLY_BYTES);
    int64_t started = monotonic();
    int is_later = !strcmp(state, "scheduled") || !strcmp(state, "retryable");
    for (long done = 0; done < count;) {
        Ledger ledger = {0};
        begin(&s);
        for (int i = 0; i < 5000 && done < count; i++, done++) {
            int64_t id = insert(&s, state, s.now + (is_later ? 86400000 + done / 100 : 0), index >= 5, body);
            if (index == 5) insert_result(&s, id, reply);
            ledger.states[index]++;
        }
        commit(&s, &ledger);
    }
    sqlite3_exec(s.db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
    s.sync = "FULL";
    checkpoint(&s);
    printf("{\"n\":%ld,\"secs\":%.4f}\n", count, (double)(monotonic() - started) / 1e9);
    return 0;
}

static int claim_latency(const char *path, long rounds, int at_once, const char *sync) {
    Store s;
    open_store(&s, path, sync);
    int64_t *took = calloc((size_t)rounds + 1, sizeof *took);
    if (!took) fail(NULL, "memory");
    long done = 0;
    for (; done < rounds; done++) {
        int64_t started = monotonic();
        if (claim(&s, at_once) == 0) break;
        took[done] = monotonic() - started;
    }
    qsort(took, (size_t)done, sizeof *took, ascending);
    long last = done > 0 ? done - 1 : 0;
    printf("{\"n\":%ld,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", done, (double)took[last / 2] / 1e3,
           (double)took[last * 99 / 100] / 1e3, (double)took[last] / 1e3);
    return 0;
}

static int usage(void) {
    fprintf(stderr, "usage: see the head of yardstick.c\n");
    return 2;
}

int main(int count, char **words) {
    seed_state = ((uint64_t)clock_ns(CLOCK_REALTIME) ^ ((uint64_t)getpid() << 40)) | 1;
    if (count < 4) return usage();
    const char *command = words[1], *path = words[2];
    const char *sync = words[3];
    if (!strcmp(command, "init")) return init(path, count - 3, words + 3);
    if (!strcmp(command, "seed") && count == 5) return seed(path, atol(words[3]), words[4]);
    if (!strcmp(command, "claimlat")) {
        if (count < 5 || atoi(words[4]) < 1 || atoi(words[4]) > MOST_AT_ONCE) return usage();
        return claim_latency(path, atol(words[3]), atoi(words[4]), count > 5 ? words[5] : "NORMAL");
    }
    if (strcmp(sync, "FULL") && strcmp(sync, "NORMAL")) return usage();
    if (!strcmp(command, "enqueue") && count >= 7)
        return enqueue(path, sync, atol(words[4]), atol(words[5]), atof(words[6]), count > 7 ? atoi(words[7]) : 200);
    if (!strcmp(command, "drain") && count >= 6) {
        int at_once = atoi(words[4]);
        if (at_once < 1 || at_once > MOST_AT_ONCE) return usage();
        return drain(path, sync, at_once, atof(words[5]), count <= 6 || strcmp(words[6], "nocache") != 0);
    }
    return usage();
}
