// The WAL-reset race, made to happen on purpose. See walrace.c.
#ifndef WALRACE_H
#define WALRACE_H

/// What happened at the checkpoints of the armed database.
struct walrace_counts {
    int checkpoints;  // that came by
    int commits;      // of the other connection, that succeeded
    int busy;         // of the other connection, that were kept out: what a guard does
    int resets;       // of the other connection, in the window, that began the WAL anew: each time, the bug has struck
};

/// Registers the wrapping VFS "walrace"; with `as_default`, connections that name no VFS get it. Returns SQLite's code.
int walrace_register(int as_default);
/// Arms the race for one database file: at its checkpoint number `at` (from 1 on) and the following ones, `count` in all
/// (0: every one), another connection runs `sql` inside the window. One database at a time. The file's connections may
/// be open already, if they were opened through the shim.
void walrace_arm(const char *path, const char *sql, int at, int count);
/// What has happened since it was armed.
struct walrace_counts walrace_count(void);
/// Ends the race, closes the other connection, and says what happened.
struct walrace_counts walrace_disarm(void);

#endif
