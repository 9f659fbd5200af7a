#define _GNU_SOURCE
#include "CAgentQueue.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int platform_sqlite_set_option(struct sqlite3 *connection, int option, bool on) {
    int value = -1;
    if (sqlite3_db_config(connection, option, on ? 1 : 0, &value) != SQLITE_OK) return -1;
    return value;
}

int platform_sqlite_forgo_memory_statistics(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// The words lie in a file that several processes map, so the futexes are not private ones.

uint32_t platform_word_load(const uint32_t *word) { return atomic_load_explicit((const _Atomic uint32_t *)word, memory_order_acquire); }

void platform_bell_ring(uint32_t *word) {
    atomic_fetch_add_explicit((_Atomic uint32_t *)word, 1, memory_order_release);
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

void platform_bell_wait(uint32_t *word, uint32_t seen, int64_t milliseconds) {
    struct timespec limit = {.tv_sec = milliseconds / 1000, .tv_nsec = (milliseconds % 1000) * 1000000};
    syscall(SYS_futex, word, FUTEX_WAIT, seen, &limit, NULL, 0);
}

void platform_store(int64_t *slot, int64_t value) { atomic_store_explicit((_Atomic int64_t *)slot, value, memory_order_release); }

static struct flock byte_range(short type, int64_t offset) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
}

int platform_lock_byte(int descriptor, int64_t offset, bool exclusive) {
    struct flock range = byte_range(exclusive ? F_WRLCK : F_RDLCK, offset);
    return fcntl(descriptor, F_SETLK, &range) == 0 ? 0 : (errno == EACCES ? EAGAIN : errno);
}

int platform_unlock_byte(int descriptor, int64_t offset) {
    struct flock range = byte_range(F_UNLCK, offset);
    return fcntl(descriptor, F_SETLK, &range) == 0 ? 0 : errno;
}

int64_t platform_lock_holder(int descriptor, int64_t offset) {
    struct flock range = byte_range(F_WRLCK, offset);
    if (fcntl(descriptor, F_GETLK, &range) != 0) return -(int64_t)errno;
    if (range.l_type == F_UNLCK) return 0;
    return range.l_pid > 0 ? range.l_pid : 1;  // a holder in another pid namespace has no number here
}

int platform_rename_new(const char *from, const char *to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

int platform_pidfd_open(pid_t pid) {
    int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
    return descriptor >= 0 ? descriptor : -errno;
}

int platform_wake_descriptor(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor >= 0 ? descriptor : -errno;
}

void platform_wake(int descriptor) { eventfd_write(descriptor, 1); }

void platform_wake_clear(int descriptor) {
    eventfd_t count;
    eventfd_read(descriptor, &count);
}

int platform_allocate(int descriptor, int64_t length) {
    while (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, length) != 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int64_t platform_boottime_ms(void) { return clock_ns(CLOCK_BOOTTIME) / 1000000; }
int64_t platform_wall_ms(void) { return clock_ns(CLOCK_REALTIME) / 1000000; }
int64_t platform_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
