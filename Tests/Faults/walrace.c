// walrace - makes SQLite's WAL-reset race (sqlite.org/wal.html section 11; fixed in 3.51.3) happen at every checkpoint
// it is armed for, through the public API alone.
//
//   cc -O1 -shared -fPIC -o libwalrace.so walrace.c -lsqlite3
//
// A checkpointer takes the CKPT lock, reads the WAL's header (mxFrame = N), drops its mappings, and only then looks
// whether there is anything to copy. If in between another connection commits and, finding all of the WAL copied,
// begins it anew, the checkpointer goes on with the old header and marks N frames of the new WAL as copied that never
// were. This is a VFS around the default one that acts at two calls of the checkpointing connection:
//
//   xShmLock(CKPT, exclusive)  before it: a commit and a whole checkpoint by the other connection, so that the WAL is
//                              all copied, and its header new to the checkpointer
//   xUnfetch(0, NULL)          the window (also with mmap_size=0): a commit by the other connection. It resets the WAL,
//                              or gets SQLITE_BUSY where a guard holds the write lock
//
// The other connection is one of this process on the wrapped VFS; it stands for another process, and has no busy handler.
//
// Three ways in:
//   - linked in: walrace_register, walrace_arm, walrace_disarm (walrace.h)
//   - dlopen from a running test: the same three; every connection opened after walrace_register(1) goes through the shim
//   - LD_PRELOAD=./libwalrace.so, with these in the environment:
//       WALRACE_DB          the database file whose checkpoints are raced
//       WALRACE_SQL         what the other connection runs; unless told, it counts one cache hit more
//       WALRACE_AT          the first checkpoint to race, from 1 on; 1 unless told
//       WALRACE_COUNT       how many; 0 (all) unless told
//       WALRACE_LOG         a file that gets one line of JSON when the process ends: struct walrace_counts
//       WALRACE_DELAY_US    apart from all that: every checkpoint of every database waits, at random up to so long, before
//                           it takes its lock and in the window, for other processes to race by themselves
//       WALRACE_LIBVERSION  what sqlite3_libversion_number says: with 3051003 the store takes the library for a fixed
//                           one, and leaves out its guard
#define _GNU_SOURCE
#include "walrace.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CKPT_LOCK = 1 };  // WAL_CKPT_LOCK of wal.c, among the eight locks of the WAL's index

typedef struct {
    sqlite3_file base;
    sqlite3_file *real;
    const char *path;  // SQLite keeps it until the file is closed
    int is_racing;     // this connection's checkpoint is under way and its window is to come
} File;

static sqlite3_vfs *real_vfs;
static sqlite3_vfs shim_vfs;
static unsigned delay_us;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char path[PATH_MAX];  // empty: not armed
    char sql[4096];
    int at, count;
    struct walrace_counts counts;
    sqlite3 *other;
    int pages;  // the WAL's length after the other connection's latest commit
} race;

// MARK: The other connection. It uses the real VFS, so nothing of it comes back here

static int note_pages(void *context, sqlite3 *db, const char *name, int pages) {
    (void)context, (void)db, (void)name;
    race.pages = pages;
    return SQLITE_OK;
}

static int open_other(void) {
    if (race.other) return SQLITE_OK;
    int code = sqlite3_open_v2(race.path, &race.other, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, real_vfs->zName);
    if (code != SQLITE_OK) return code;
    sqlite3_db_config(race.other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(race.other, 0);
    sqlite3_wal_hook(race.other, note_pages, NULL);
    return SQLITE_OK;
}

static int commit_other(void) {
    int code = sqlite3_exec(race.other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(race.other, race.sql, NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(race.other, "COMMIT", NULL, NULL, NULL);
    if (code == SQLITE_OK) race.counts.commits++;
    else if (code == SQLITE_BUSY) race.counts.busy++;
    else fprintf(stderr, "walrace: %s: %s\n", race.sql, sqlite3_errmsg(race.other));
    if (!sqlite3_get_autocommit(race.other)) sqlite3_exec(race.other, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/// The checkpointer is about to take its lock.
static void before_checkpoint(File *file) {
    pthread_mutex_lock(&lock);
    file->is_racing = 0;
    if (race.path[0] && file->path && !strcmp(file->path, race.path)) {
        int number = ++race.counts.checkpoints;
        if (number >= race.at && (race.count == 0 || number - race.at < race.count) && open_other() == SQLITE_OK) {
            commit_other();
            sqlite3_wal_checkpoint_v2(race.other, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
            file->is_racing = 1;
        }
    }
    pthread_mutex_unlock(&lock);
}

/// The checkpointer has read the header, and not yet looked at the rest.
static void in_window(File *file) {
    pthread_mutex_lock(&lock);
    file->is_racing = 0;
    if (race.other) {
        int before = race.pages;
        if (commit_other() == SQLITE_OK && race.pages <= before) race.counts.resets++;
    }
    pthread_mutex_unlock(&lock);
}

// MARK: The shim's files

#define REAL(file) (((File *)(file))->real)

static int shim_close(sqlite3_file *f) {
    int code = REAL(f)->pMethods->xClose(REAL(f));
    free(REAL(f));
    REAL(f) = NULL;
    return code;
}
static int shim_read(sqlite3_file *f, void *buffer, int amount, sqlite3_int64 offset) {
    return REAL(f)->pMethods->xRead(REAL(f), buffer, amount, offset);
}
static int shim_write(sqlite3_file *f, const void *buffer, int amount, sqlite3_int64 offset) {
    return REAL(f)->pMethods->xWrite(REAL(f), buffer, amount, offset);
}
static int shim_truncate(sqlite3_file *f, sqlite3_int64 size) { return REAL(f)->pMethods->xTruncate(REAL(f), size); }
static int shim_sync(sqlite3_file *f, int flags) { return REAL(f)->pMethods->xSync(REAL(f), flags); }
static int shim_size(sqlite3_file *f, sqlite3_int64 *size) { return REAL(f)->pMethods->xFileSize(REAL(f), size); }
static int shim_lock(sqlite3_file *f, int level) { return REAL(f)->pMethods->xLock(REAL(f), level); }
static int shim_unlock(sqlite3_file *f, int level) { return REAL(f)->pMethods->xUnlock(REAL(f), level); }
static int shim_reserved(sqlite3_file *f, int *result) { return REAL(f)->pMethods->xCheckReservedLock(REAL(f), result); }
static int shim_control(sqlite3_file *f, int code, void *argument) {
    return REAL(f)->pMethods->xFileControl(REAL(f), code, argument);
}
static int shim_sector(sqlite3_file *f) { return REAL(f)->pMethods->xSectorSize(REAL(f)); }
static int shim_device(sqlite3_file *f) { return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f)); }
static int shim_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **at) {
    return REAL(f)->pMethods->xShmMap(REAL(f), region, size, extend, at);
}
/// Half of the time none, else a random one.
static void delay(void) {
    if (delay_us && random() % 2) usleep((unsigned)random() % delay_us);
}
static int shim_shm_lock(sqlite3_file *f, int offset, int count, int flags) {
    if (offset == CKPT_LOCK && count == 1) {
        if (flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE)) {
            delay();
            before_checkpoint((File *)f);
        } else if (flags & SQLITE_SHM_UNLOCK) ((File *)f)->is_racing = 0;
    }
    return REAL(f)->pMethods->xShmLock(REAL(f), offset, count, flags);
}
static void shim_shm_barrier(sqlite3_file *f) { REAL(f)->pMethods->xShmBarrier(REAL(f)); }
static int shim_shm_unmap(sqlite3_file *f, int drop) { return REAL(f)->pMethods->xShmUnmap(REAL(f), drop); }
static int shim_fetch(sqlite3_file *f, sqlite3_int64 offset, int amount, void **at) {
    return REAL(f)->pMethods->xFetch(REAL(f), offset, amount, at);
}
static int shim_unfetch(sqlite3_file *f, sqlite3_int64 offset, void *at) {
    int code = REAL(f)->pMethods->xUnfetch(REAL(f), offset, at);
    if (!at) delay();
    if (!at && ((File *)f)->is_racing) in_window((File *)f);
    return code;
}

static const sqlite3_io_methods shim_methods = {
    3, shim_close, shim_read, shim_write, shim_truncate, shim_sync, shim_size, shim_lock, shim_unlock, shim_reserved, shim_control,
    shim_sector, shim_device, shim_shm_map, shim_shm_lock, shim_shm_barrier, shim_shm_unmap, shim_fetch, shim_unfetch};

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out) {
    (void)vfs;
    if (!(flags & SQLITE_OPEN_MAIN_DB)) return real_vfs->xOpen(real_vfs, name, f, flags, out);
    File *file = (File *)f;
    memset(file, 0, sizeof *file);
    file->real = calloc(1, (size_t)real_vfs->szOsFile);
    if (!file->real) return SQLITE_NOMEM;
    int code = real_vfs->xOpen(real_vfs, name, file->real, flags, out);
    if (code != SQLITE_OK) {
        if (file->real->pMethods) file->real->pMethods->xClose(file->real);
        free(file->real);
        return code;
    }
    file->path = name;
    file->base.pMethods = &shim_methods;
    return SQLITE_OK;
}

// MARK: The ways in

static void find_vfs(void) {
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);
    if (!found) return;
    shim_vfs = *found;
    shim_vfs.pNext = NULL;
    shim_vfs.zName = "walrace";
    shim_vfs.xOpen = shim_open;
    if (shim_vfs.szOsFile < (int)sizeof(File)) shim_vfs.szOsFile = (int)sizeof(File);
    real_vfs = found;
}

int walrace_register(int as_default) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_vfs);
    return real_vfs ? sqlite3_vfs_register(&shim_vfs, as_default) : SQLITE_ERROR;
}

void walrace_arm(const char *path, const char *sql, int at, int count) {
    walrace_disarm();
    pthread_mutex_lock(&lock);
    memset(&race.counts, 0, sizeof race.counts);
    race.pages = 0;
    race.at = at;
    race.count = count;
    snprintf(race.sql, sizeof race.sql, "%s", sql);
    if (!realpath(path, race.path)) snprintf(race.path, sizeof race.path, "%s", path);
    pthread_mutex_unlock(&lock);
}

struct walrace_counts walrace_count(void) {
    pthread_mutex_lock(&lock);
    struct walrace_counts counts = race.counts;
    pthread_mutex_unlock(&lock);
    return counts;
}

struct walrace_counts walrace_disarm(void) {
    pthread_mutex_lock(&lock);
    race.path[0] = 0;
    if (race.other) sqlite3_close(race.other);
    race.other = NULL;
    struct walrace_counts counts = race.counts;
    pthread_mutex_unlock(&lock);
    return counts;
}

// MARK: LD_PRELOAD: the first connection that the program opens brings the shim in

static void write_log(void) {
    struct walrace_counts counts = walrace_disarm();
    FILE *file = getenv("WALRACE_LOG") ? fopen(getenv("WALRACE_LOG"), "a") : NULL;
    if (!file) return;
    fprintf(file, "{\"checkpoints\":%d,\"commits\":%d,\"busy\":%d,\"resets\":%d}\n", counts.checkpoints, counts.commits,
            counts.busy, counts.resets);
    fclose(file);
}

static void enter(void) {
    const char *path = getenv("WALRACE_DB"), *sql = getenv("WALRACE_SQL");
    const char *at = getenv("WALRACE_AT"), *count = getenv("WALRACE_COUNT"), *delay = getenv("WALRACE_DELAY_US");
    delay_us = delay ? (unsigned)atoi(delay) : 0;
    if ((!path && !delay_us) || walrace_register(1) != SQLITE_OK || !path) return;
    walrace_arm(path, sql ? sql : "UPDATE counters SET value = value + 1 WHERE name = 'cache_hits'", at ? atoi(at) : 1,
                count ? atoi(count) : 0);
    atexit(write_log);
}

int sqlite3_open_v2(const char *path, sqlite3 **db, int flags, const char *vfs) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static int (*next)(const char *, sqlite3 **, int, const char *);
    pthread_once(&once, enter);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "sqlite3_open_v2");
    return next(path, db, flags, vfs);
}

int sqlite3_libversion_number(void) {
    const char *version = getenv("WALRACE_LIBVERSION");
    return version ? atoi(version) : SQLITE_VERSION_NUMBER;
}
