// wal_reset_race - the store's way of writing and checkpointing, with and without its guard, under the WAL-reset race.
//
//   cc -O1 -o wal_reset_race wal_reset_race.c walrace.c -lsqlite3
//   wal_reset_race guard|noguard DB [RACES]
//
// DB is made anew. A writer connection commits 600 rows one by one; when the WAL has 50 pages, a second connection
// checkpoints (PASSIVE), under the write lock held by the writer (guard) or not (noguard); walrace.c puts a third
// connection's commit into the first RACES checkpoints' windows (1 unless told; 0: all). Then all is closed, and a fresh
// connection counts. Every row counted as expected was acknowledged by a COMMIT. Prints one JSON object:
//
//   {"sqlite":"3.40.1","integrity":"ok","rows_expected":601,"rows_found":601,"checkpoints":…,"busy":…,"resets":…}
//
// With `guard`: "ok", found = expected, resets = 0. With `noguard` on SQLite before 3.51.3: rows lost or a broken index.
#include "walrace.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 600, CHECKPOINT_PAGES = 50 };

static int wal_pages;

static void fail(sqlite3 *db, const char *what) {
    fprintf(stderr, "wal_reset_race: %s: %s\n", what, db ? sqlite3_errmsg(db) : "failed");
    exit(1);
}

static void run_sql(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(db, sql);
}

static sqlite3 *open_connection(const char *path, const char *vfs) {
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) != SQLITE_OK) fail(db, path);
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    run_sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0; PRAGMA cache_spill = OFF");
    sqlite3_wal_autocheckpoint(db, 0);
    return db;
}

static int note_pages(void *context, sqlite3 *db, const char *name, int pages) {
    (void)context, (void)db, (void)name;
    wal_pages = pages;
    return SQLITE_OK;
}

/// The first row's first column, or the error, as text.
static void ask(sqlite3 *db, const char *sql, char *answer, size_t size) {
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(statement);
    snprintf(answer, size, "%s", code == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : sqlite3_errmsg(db));
    for (char *c = answer; *c; c++)
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ') *c = ' ';
    sqlite3_finalize(statement);
}

/// How many of the ids from 1 to `last` have a row that can be read.
static int find(sqlite3 *db, const char *sql, int last) {
    sqlite3_stmt *statement;
    int found = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) return 0;
    for (int id = 1; id <= last; id++) {
        sqlite3_bind_int(statement, 1, id);
        found += sqlite3_step(statement) == SQLITE_ROW;
        sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return found;
}

int main(int count, char **words) {
    if (count < 3 || (strcmp(words[1], "guard") && strcmp(words[1], "noguard"))) {
        fprintf(stderr, "usage: wal_reset_race guard|noguard DB [RACES]\n");
        return 2;
    }
    int is_guarded = !strcmp(words[1], "guard"), races = count > 3 ? atoi(words[3]) : 1;
    const char *path = words[2];
    char other[4096];
    for (int i = 0; i < 3; i++) {
        snprintf(other, sizeof other, "%s%s", path, (const char *[]){"", "-wal", "-shm"}[i]);
        unlink(other);
    }
    if (walrace_register(0) != SQLITE_OK) fail(NULL, "the VFS");
    sqlite3 *writer = open_connection(path, "walrace");
    run_sql(writer, "CREATE TABLE rows (id INTEGER PRIMARY KEY, mark TEXT NOT NULL UNIQUE, body TEXT NOT NULL);"
                    "CREATE TABLE rivals (id INTEGER PRIMARY KEY)");
    sqlite3_wal_hook(writer, note_pages, NULL);
    walrace_arm(path, "INSERT INTO rivals DEFAULT VALUES", 1, races);
    sqlite3 *checkpointer = open_connection(path, "walrace");
    for (int i = 0; i < ROWS; i++) {
        run_sql(writer, "BEGIN IMMEDIATE");
        run_sql(writer, "INSERT INTO rows (mark, body) VALUES (hex(randomblob(16)), hex(zeroblob(400)))");
        run_sql(writer, "COMMIT");
        if (wal_pages < CHECKPOINT_PAGES) continue;
        wal_pages = 0;
        if (is_guarded) run_sql(writer, "BEGIN IMMEDIATE");
        sqlite3_wal_checkpoint_v2(checkpointer, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        if (is_guarded) run_sql(writer, "ROLLBACK");
    }
    struct walrace_counts counts = walrace_disarm();
    sqlite3_close(writer);
    sqlite3_close(checkpointer);

    char integrity[256];
    sqlite3 *reader = open_connection(path, NULL);
    ask(reader, "PRAGMA integrity_check(1)", integrity, sizeof integrity);
    int found = find(reader, "SELECT length(body) FROM rows NOT INDEXED WHERE id = ?", ROWS)
                + find(reader, "SELECT 1 FROM rivals WHERE id = ?", counts.commits);
    printf("{\"sqlite\":\"%s\",\"integrity\":\"%s\",\"rows_expected\":%d,\"rows_found\":%d,\"checkpoints\":%d,\"busy\":%d,"
           "\"resets\":%d}\n",
           sqlite3_libversion(), integrity, ROWS + counts.commits, found, counts.checkpoints, counts.busy,
           counts.resets);
    sqlite3_close(reader);
    return 0;
}
