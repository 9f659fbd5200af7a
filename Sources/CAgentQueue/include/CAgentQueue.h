// The few C lines that Swift cannot say: variadic SQLite configuration, futexes and atomics in shared memory, byte
// locks, process descriptors.
#ifndef AGENT_QUEUE_CPLATFORM_H
#define AGENT_QUEUE_CPLATFORM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vectors.h"

struct sqlite3;

/// Switches off SQLite's count of its own memory (`sqlite3_config`, which is variadic): every allocation of every thread would
/// take one mutex for it. Before SQLite is first used; later it changes nothing. Returns SQLite's result code.
int platform_sqlite_forgo_memory_statistics(void);

/// Sets one of SQLite's boolean options of a connection (`sqlite3_db_config`, which is variadic), and reads it back.
/// Returns the option's value, or -1 on an error.
int platform_sqlite_set_option(struct sqlite3 *connection, int option, bool on);

/// The value of a word in shared memory, read after everything its writer did before.
uint32_t platform_word_load(const uint32_t *word);
/// Adds one to a word in shared memory and wakes every thread, of any process, that waits on it.
void platform_bell_ring(uint32_t *word);
/// Waits until the word no longer holds `seen`, or the time is over, or a signal or a stray wake: look again after it.
void platform_bell_wait(uint32_t *word, uint32_t seen, int64_t milliseconds);

/// Stores a value into shared memory so that a process that reads it later, even after our death, sees it.
void platform_store(int64_t *slot, int64_t value);

/// A POSIX record lock on one byte. `exclusive` or shared, never waiting.
/// Returns 0, or an errno (EAGAIN: another process holds it).
int platform_lock_byte(int descriptor, int64_t offset, bool exclusive);
/// Gives one byte free. Returns 0 or an errno.
int platform_unlock_byte(int descriptor, int64_t offset);
/// Whether another process holds a lock that keeps an exclusive one away: its pid, 0 if none does, -errno on an error.
int64_t platform_lock_holder(int descriptor, int64_t offset);

/// Renames a file unless there is one of the new name. Returns 0 or errno.
int platform_rename_new(const char *from, const char *to);

/// Makes SIGTSTP (Ctrl-Z) stop the process only while no thread is between the two calls below. Changes nothing where the signal is
/// ignored.
void platform_defer_stops(void);
/// Begins what must not be interrupted by a stop, and waits while the process is about to stop. May be nested in a thread.
void platform_begin_unstoppable(void);
/// Ends it. If a stop was asked for meanwhile and no other thread is within, stops the process here.
void platform_end_unstoppable(void);

/// A descriptor that becomes readable when the process ends, or -errno.
int platform_pidfd_open(pid_t pid);

/// A descriptor that `platform_wake` makes readable, or -errno.
int platform_wake_descriptor(void);
/// Makes it readable.
void platform_wake(int descriptor);
/// Makes it no longer readable.
void platform_wake_clear(int descriptor);

/// Allocates the first `length` bytes of a file without changing its length or content. Returns 0 or errno.
int platform_allocate(int descriptor, int64_t length);

/// CLOCK_BOOTTIME in ms: goes on during suspend, and no one sets it.
int64_t platform_boottime_ms(void);
/// CLOCK_REALTIME in ms since 1970.
int64_t platform_wall_ms(void);
/// CLOCK_MONOTONIC in ns.
int64_t platform_monotonic_ns(void);

#endif
