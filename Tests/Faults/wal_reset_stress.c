// wal_reset_stress - many processes that all write and all checkpoint, as fast as they can, and a ledger of what was
// acknowledged to them.
//
//   cc -O1 -o wal_reset_stress wal_reset_stress.c -lsqlite3
//   wal_reset_stress DB SECONDS [PROCESSES=8] [PAGES=10] [guard|noguard] [PAUSE_US=0]
//   LD_PRELOAD=./libwalrace.so WALRACE_DELAY_US=2000 wal_reset_stress ...    widens the bug's window (walrace.c)
//
// DB is made anew. Each process commits rows one by one with the store's settings and busy handler, and checkpoints
// (PASSIVE, by a second connection, under the write lock held by the first) after each commit that leaves PAGES or more
// in the WAL. Each commit inserts a row and changes an older one of the same process. What COMMIT acknowledged is counted
// in memory that the processes share. At the end a fresh connection compares. Prints one JSON object:
//
//   {"sqlite":"3.40.1","integrity":"ok","acked":n,"found":n,"stale":0,"unknown":0,"errors":0,"crashed":0,...}
//
// All is well when integrity is ok, found = acked, and stale (rows without their latest acknowledged change), errors and
// crashed are 0. `unknown` are rows whose COMMIT failed: they may be there or not. `noguard` with the window widened is
// the control: it fails within seconds on SQLite before 3.51.3 (in the window's natural length, minutes are not enough).
#define _GNU_SOURCE
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PROCESSES = 64, CHANGED_BEHIND = 100 };

/// What one process knows to be committed: rows 1 to `acked`, of which those up to `acked - CHANGED_BEHIND` were changed.
typedef struct {
    _Alignas(64) atomic_long acked;
    atomic_long errors, checkpoints, skipped;
} Ledger;

static const char *path;
static int pages = 10, is_guarded = 1, pause_us, wal_pages;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(sqlite3 *db, const char *what) {
    fprintf(stderr, "wal_reset_stress: %s: %s\n", what, db ? sqlite3_errmsg(db) : "failed");
    exit(1);
}

static void run_sql(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(db, sql);
}

static int wait_busy(void *context, int tries) {
    (void)context;
    if (tries >= 9000) return 0;
    usleep(200 + (unsigned)random() % 1800);
    return 1;
}

static int note_pages(void *context, sqlite3 *db, const char *name, int count) {
    (void)context, (void)db, (void)name;
    wal_pages = count;
    return SQLITE_OK;
}

static sqlite3 *open_connection(void) {
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) fail(db, path);
    sqlite3_busy_handler(db, wait_busy, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    run_sql(db, "PRAGMA mmap_size = 0; PRAGMA cache_spill = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                "PRAGMA wal_autocheckpoint = 0");
    return db;
}

static int step(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) fail(db, sql);
    return statement;
}

static void write_rows(int process, Ledger *ledger, double end) {
    srandom((unsigned)getpid());
    sqlite3 *writer = open_connection(), *checkpointer = open_connection();
    sqlite3_wal_hook(writer, note_pages, NULL);
    sqlite3_stmt *begin = prepare(writer, "BEGIN IMMEDIATE"), *commit = prepare(writer, "COMMIT");
    sqlite3_stmt *rollback = prepare(writer, "ROLLBACK");
    sqlite3_stmt *insert = prepare(writer, "INSERT INTO rows (process, number, mark) VALUES (?, ?, hex(randomblob(60)))");
    sqlite3_stmt *change = prepare(
        writer, "UPDATE rows SET version = 2, mark = hex(randomblob(60)) WHERE process = ? AND number = ?");
    sqlite3_bind_int(insert, 1, process);
    sqlite3_bind_int(change, 1, process);
    for (long number = 1; now() < end;) {
        if (pause_us) usleep((unsigned)random() % (unsigned)pause_us);
        sqlite3_bind_int64(insert, 2, number);
        sqlite3_bind_int64(change, 2, number - CHANGED_BEHIND);
        if (step(begin) && step(insert) && step(change) && step(commit)) {
            atomic_store(&ledger->acked, number++);
        } else {
            atomic_fetch_add(&ledger->errors, 1);
            fprintf(stderr, "wal_reset_stress: process %d, row %ld: %s\n", process, number, sqlite3_errmsg(writer));
            if (!sqlite3_get_autocommit(writer)) step(rollback);
            return;  // a row of unknown outcome is the last of its process
        }
        if (wal_pages < pages) continue;
        wal_pages = 0;
        if (is_guarded && !step(begin)) {
            atomic_fetch_add(&ledger->skipped, 1);
            continue;
        }
        int code = sqlite3_wal_checkpoint_v2(checkpointer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        if (is_guarded) step(rollback);
        atomic_fetch_add(code == SQLITE_OK ? &ledger->checkpoints : &ledger->skipped, 1);
    }
}

static long count(sqlite3 *db, const char *sql, int process, long number) {
    sqlite3_stmt *statement = prepare(db, sql);
    sqlite3_bind_int(statement, 1, process);
    sqlite3_bind_int64(statement, 2, number);
    long found = sqlite3_step(statement) == SQLITE_ROW ? (long)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return found;
}

int main(int words, char **word) {
    if (words < 3) {
        fprintf(stderr, "usage: wal_reset_stress DB SECONDS [PROCESSES] [PAGES] [guard|noguard] [PAUSE_US]\n");
        return 2;
    }
    path = word[1];
    double seconds = atof(word[2]);
    int processes = words > 3 ? atoi(word[3]) : 8;
    if (words > 4) pages = atoi(word[4]);
    if (words > 5) is_guarded = strcmp(word[5], "noguard") != 0;
    if (words > 6) pause_us = atoi(word[6]);
    if (processes < 1 || processes > MOST_PROCESSES) return 2;
    Ledger *ledgers = mmap(NULL, sizeof(Ledger) * MOST_PROCESSES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ledgers == MAP_FAILED) fail(NULL, "memory");
    char name[4096];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, (const char *[]){"", "-wal", "-shm"}[i]);
        unlink(name);
    }
    sqlite3 *db = open_connection();
    run_sql(db, "CREATE TABLE rows (process INTEGER, number INTEGER, version INTEGER NOT NULL DEFAULT 1, mark TEXT NOT NULL,"
                " UNIQUE (process, number)); CREATE INDEX rows_mark ON rows (mark);");
    sqlite3_close(db);  // before fork: a connection must not cross one

    double end = now() + seconds;
    for (int i = 0; i < processes; i++) {
        pid_t child = fork();
        if (child < 0) fail(NULL, "fork");
        if (child == 0) {
            write_rows(i, &ledgers[i], end);
            _exit(0);
        }
    }
    int crashed = 0, status;
    while (wait(&status) > 0) crashed += status != 0;

    db = open_connection();
    char integrity[256];
    sqlite3_stmt *check = prepare(db, "PRAGMA integrity_check(1)");
    int code = sqlite3_step(check);
    const char *verdict = code == SQLITE_ROW ? (const char *)sqlite3_column_text(check, 0) : sqlite3_errmsg(db);
    snprintf(integrity, sizeof integrity, "%s", verdict);
    for (char *c = integrity; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = ' ';
    sqlite3_finalize(check);
    long acked = 0, found = 0, stale = 0, unknown = 0, errors = 0, checkpoints = 0, skipped = 0;
    for (int i = 0; i < processes; i++) {
        long last = atomic_load(&ledgers[i].acked);
        acked += last;
        found += count(db, "SELECT count(*) FROM rows NOT INDEXED WHERE process = ? AND number <= ?", i, last);
        unknown += count(db, "SELECT count(*) FROM rows NOT INDEXED WHERE process = ? AND number > ?", i, last);
        stale += count(db, "SELECT count(*) FROM rows NOT INDEXED WHERE process = ? AND number <= ? AND version = 1", i,
                       last - CHANGED_BEHIND);
        errors += atomic_load(&ledgers[i].errors);
        checkpoints += atomic_load(&ledgers[i].checkpoints);
        skipped += atomic_load(&ledgers[i].skipped);
    }
    sqlite3_close(db);
    printf("{\"sqlite\":\"%s\",\"integrity\":\"%s\",\"acked\":%ld,\"found\":%ld,\"stale\":%ld,\"unknown\":%ld,\"errors\":%ld,"
           "\"crashed\":%d,\"checkpoints\":%ld,\"skipped\":%ld}\n",
           sqlite3_libversion(), integrity, acked, found, stale, unknown, errors, crashed, checkpoints, skipped);
    return 0;
}
