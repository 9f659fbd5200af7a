// powercut - what would be left of a database after the power went.
//
//   cc -O1 -shared -fPIC -o libpowercut.so powercut.c
//   cc -O1 -DPOWERCUT_RESTORE -o powercut powercut.c
//
//   LD_PRELOAD=./libpowercut.so POWERCUT_DB=/abs/db POWERCUT_DIR=/abs/folder program ...
//   (kill -9 every such program), then:  powercut /abs/db /abs/folder SEED
//
// Under LD_PRELOAD, whenever a program has synced POWERCUT_DB or its WAL (fsync, fdatasync), a copy of the file as it
// is then goes to POWERCUT_DIR, before the call returns: that much is durable. `powercut` puts back these copies, and of
// every 512-byte sector that was written since, keeps or loses at random (SEED) what was written; the file's length is
// the synced one, the latest, or one between. The WAL's index (-shm), which no one syncs, is gone. Prints one JSON object:
//
//   {"kept":n,"lost":n}       sectors of database and WAL that were not synced
//
// The file is read through the descriptor that is synced: opening it once more would drop SQLite's locks.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffixes[] = {"", "-wal"};

#ifndef POWERCUT_RESTORE

/// Which of the watched files a descriptor is, as an index of `suffixes`; -1 for others.
static int watched(int file) {
    const char *database = getenv("POWERCUT_DB");
    if (!database || !getenv("POWERCUT_DIR")) return -1;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return -1;
    path[length] = 0;
    size_t prefix = strlen(database);
    if (strncmp(path, database, prefix) != 0) return -1;
    for (int i = 0; i < 2; i++)
        if (!strcmp(path + prefix, suffixes[i])) return i;
    return -1;
}

static void copy(int from, int to) {
    static __thread char buffer[1 << 16];
    off_t offset = 0;
    ssize_t got;
    while ((got = pread(from, buffer, sizeof buffer, offset)) > 0) {
        if (pwrite(to, buffer, (size_t)got, offset) != got) abort();
        offset += got;
    }
    if (got < 0) abort();
}

static void keep(int file) {
    int saved = errno, which = watched(file);
    if (which < 0) return;
    char path[PATH_MAX], draft[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", getenv("POWERCUT_DIR"));
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX) != 0) abort();
    snprintf(path, sizeof path, "%s/durable%s", getenv("POWERCUT_DIR"), suffixes[which]);
    snprintf(draft, sizeof draft, "%s/draft", getenv("POWERCUT_DIR"));
    int to = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0) abort();
    copy(file, to);
    close(to);
    if (rename(draft, path) != 0) abort();
    close(lock);
    errno = saved;
}

int fsync(int file) {
    static int (*next)(int);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "fsync");
    int code = next(file);
    if (code == 0) keep(file);
    return code;
}

int fdatasync(int file) {
    static int (*next)(int);
    if (!next) *(void **)&next = dlsym(RTLD_NEXT, "fdatasync");
    int code = next(file);
    if (code == 0) keep(file);
    return code;
}

#else

enum { SECTOR = 512 };

typedef struct {
    char *bytes;
    size_t size;
} Content;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/// A file's content; nothing where there is none. Its bytes are followed by `room` zeros.
static Content load(const char *path, size_t room) {
    Content content = {0};
    struct stat status = {0};
    int file = open(path, O_RDONLY);
    if (file >= 0 && fstat(file, &status) != 0) fail(path);
    content.size = file >= 0 ? (size_t)status.st_size : 0;
    content.bytes = calloc(1, content.size + room + SECTOR);
    if (!content.bytes) fail("memory");
    for (size_t done = 0; done < content.size;) {
        ssize_t got = pread(file, content.bytes + done, content.size - done, (off_t)done);
        if (got <= 0) fail(path);
        done += (size_t)got;
    }
    if (file >= 0) close(file);
    return content;
}

static uint64_t state;
static uint64_t next_random(void) {
    state += 0x9E3779B97F4A7C15;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "usage: powercut DB FOLDER SEED\n");
        return 2;
    }
    state = strtoull(words[3], NULL, 10);
    long kept = 0, lost = 0;
    char path[PATH_MAX], durable[PATH_MAX];
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s%s", words[1], suffixes[i]);
        snprintf(durable, sizeof durable, "%s/durable%s", words[2], suffixes[i]);
        Content now = load(path, 0);
        Content then = load(durable, now.size);
        size_t shorter = now.size < then.size ? now.size : then.size, longer = now.size + then.size - shorter;
        size_t between = longer > shorter ? shorter + next_random() % (longer - shorter) / SECTOR * SECTOR : shorter;
        size_t size = (size_t[]){then.size, now.size, between}[next_random() % 3];
        uint64_t losing = next_random() % 5;  // of four: none, some, or all
        for (size_t at = 0; at < now.size; at += SECTOR) {
            size_t length = now.size - at < SECTOR ? now.size - at : SECTOR;
            if (!memcmp(now.bytes + at, then.bytes + at, length) && at + length <= then.size) continue;
            if (next_random() % 4 < losing) {
                lost++;
                continue;
            }
            memcpy(then.bytes + at, now.bytes + at, length);
            kept++;
        }
        // Written in place: what opened the file since would otherwise see another.
        int file = open(path, O_WRONLY | O_CREAT, 0600);
        if (file < 0 || ftruncate(file, 0) != 0) fail(path);
        for (size_t done = 0; done < size;) {
            ssize_t put = pwrite(file, then.bytes + done, size - done, (off_t)done);
            if (put <= 0) fail(path);
            done += (size_t)put;
        }
        close(file);
        free(now.bytes);
        free(then.bytes);
    }
    snprintf(path, sizeof path, "%s-shm", words[1]);
    unlink(path);
    printf("{\"kept\":%ld,\"lost\":%ld}\n", kept, lost);
    return 0;
}

#endif
