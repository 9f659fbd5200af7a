#define _GNU_SOURCE
#include "CAgentQueue.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

// A handler, not an ignored or blocked signal: those are inherited by the programs that this one starts.

enum { none, requested, stopping };
static atomic_int state = none;
/// How many threads are within a transaction.
static atomic_int holders = 0;
static _Thread_local int depth = 0;

/// Stops the process if that was requested and no other thread is doing it. The signal is sent to this thread, so that it takes effect
/// before the next line.
static void stop_if_requested(void) {
    int expected = requested;
    if (!atomic_compare_exchange_strong(&state, &expected, stopping)) return;
    raise(SIGSTOP);
    atomic_store(&state, none);
}

// A thread that enters counts itself before it looks at the request, and the handler requests before it looks at the count: one of the two
// sees the other.

static void on_stop(int number) {
    (void)number;
    int code = errno;
    atomic_store(&state, requested);
    if (atomic_load(&holders) == 0) stop_if_requested();
    errno = code;
}

static void on_continue(int number) {
    (void)number;
    atomic_store(&state, none);
}

static void leave(void) {
    if (atomic_fetch_sub(&holders, 1) == 1) stop_if_requested();
}

void platform_defer_stops(void) {
    struct sigaction action;
    if (sigaction(SIGTSTP, NULL, &action) != 0 || action.sa_handler != SIG_DFL) return;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = on_continue;
    sigaction(SIGCONT, &action, NULL);
    action.sa_handler = on_stop;
    sigaction(SIGTSTP, &action, NULL);
}

void platform_begin_unstoppable(void) {
    if (depth++ > 0) return;
    for (;;) {
        atomic_fetch_add(&holders, 1);
        if (atomic_load(&state) == none) return;
        leave();
        while (atomic_load(&state) != none) usleep(1000);
    }
}

void platform_end_unstoppable(void) {
    if (--depth == 0) leave();
}
