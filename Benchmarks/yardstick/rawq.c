// rawq.c - the practical limit of a SQLite job queue on this machine: plain C on the system libsqlite3, no ORM, no
// language runtime, and a schema of one table with two indexes. It is the baseline that does not depend on any peer, nor
// on this project's schema (yardstick.c is the limit on that): the whole life of jobs is compared with its `produce` and
// `consume`, one producer process with a row a transaction and two consumer processes that claim ten (`k=10`, `dv:1000`).
//
//   cc -O2 -o rawq rawq.c -lsqlite3
//
// All commands print one JSON object. SYNC is NORMAL or FULL (journal mode is always WAL).
//   rawq fsync   FILE SECONDS                     fdatasync loop: rewrite of 4 KiB, append of 4 KiB, append of 8x4 KiB
//   rawq init    DB SYNC
//   rawq enqueue DB SYNC N PER_TX MAX_SECONDS
//   rawq drain   DB SYNC K MAX_SECONDS MODE       MODE: split (claim tx + settle tx) | fused (settle+claim in one tx)
//        (environment, for drain only: RAWQ_RESULT_TABLE=1 at init and drain keeps results in a table of their own;
//         RAWQ_NO_LEASE_INDEX=1 at init leaves out the partial index on running leases; for every command
//         RAWQ_CHECKPOINT_PAGES=n sets wal_autocheckpoint, 1000 otherwise)
//   rawq seed    DB SYNC N STATE PRIORITY DELAY_S bulk rows (STATE available|scheduled|completed)
//   rawq claimlat DB SYNC N                       N single claims, latency percentiles
//   rawq produce DB SYNC N INTERVAL_US LOG NOTIFY first sequence number 0; NOTIFY '-' or a unix datagram socket path
//   rawq consume DB SYNC K LOG WAIT HANDLER_US LEASE_MS
//        WAIT: poll:US | dv:US | inotify:US | sock:PATH  (US = fallback interval)
// Log records are fixed 40-byte lines "T seq ns pid": R ready, P enqueued, S handler start, E settled, F settle refused, X error.
#define _GNU_SOURCE
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/stat.h>

#define PAYLOAD 200
#define LOGLEN 40

static int64_t mono(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000LL + t.tv_nsec; }
static int64_t wall_us(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return t.tv_sec * 1000000LL + t.tv_nsec / 1000; }
static void die(sqlite3 *db, const char *w) { fprintf(stderr, "%s: %s\n", w, db ? sqlite3_errmsg(db) : strerror(errno)); exit(1); }
static void ex(sqlite3 *db, const char *s) { char *e = 0; if (sqlite3_exec(db, s, 0, 0, &e)) { fprintf(stderr, "%s: %s\n", s, e); exit(1); } }
static sqlite3_stmt *prep(sqlite3 *db, const char *s) { sqlite3_stmt *p; if (sqlite3_prepare_v3(db, s, -1, SQLITE_PREPARE_PERSISTENT, &p, 0)) die(db, s); return p; }
static int step_done(sqlite3 *db, sqlite3_stmt *p) { int r = sqlite3_step(p); sqlite3_reset(p); if (r != SQLITE_DONE) { fprintf(stderr, "step: %s\n", sqlite3_errmsg(db)); return 1; } return 0; }
static int cmp64(const void *a, const void *b) { int64_t x = *(int64_t *)a, y = *(int64_t *)b; return x < y ? -1 : x > y; }

static sqlite3 *open_db(const char *path, const char *sync) {
  sqlite3 *db; if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0)) die(db, path);
  sqlite3_busy_timeout(db, 10000);
  ex(db, "PRAGMA journal_mode=WAL");
  char b[64]; snprintf(b, sizeof b, "PRAGMA synchronous=%s", sync); ex(db, b);
  if (getenv("RAWQ_CHECKPOINT_PAGES")) sqlite3_wal_autocheckpoint(db, atoi(getenv("RAWQ_CHECKPOINT_PAGES")));
  return db;
}
static void schema(sqlite3 *db) {
  ex(db, "CREATE TABLE IF NOT EXISTS jobs(id INTEGER PRIMARY KEY, queue TEXT NOT NULL, state TEXT NOT NULL, priority INTEGER NOT NULL,"
         " scheduled_at INTEGER NOT NULL, created_at INTEGER NOT NULL, attempt INTEGER NOT NULL, max_attempts INTEGER NOT NULL,"
         " lease_token TEXT, lease_expires_at INTEGER, worker TEXT, payload BLOB, result BLOB) STRICT;"
         "CREATE INDEX IF NOT EXISTS jobs_available ON jobs(queue, priority, scheduled_at, id) WHERE state='available'");
  if (getenv("RAWQ_RESULT_TABLE")) ex(db, "CREATE TABLE IF NOT EXISTS results(id INTEGER PRIMARY KEY, result BLOB NOT NULL) STRICT");
  if (!getenv("RAWQ_NO_LEASE_INDEX"))
    ex(db, "CREATE INDEX IF NOT EXISTS jobs_leases ON jobs(lease_expires_at) WHERE state='running'");
}
static const char *INS = "INSERT INTO jobs(queue,state,priority,scheduled_at,created_at,attempt,max_attempts,payload) VALUES('default','available',0,?1,?1,0,5,?2)";
static const char *CLAIM =
  "UPDATE jobs SET state='running', attempt=attempt+1, lease_token=?1, lease_expires_at=?2, worker=?3 WHERE id IN ("
  "SELECT id FROM jobs WHERE state='available' AND queue='default' AND scheduled_at<=?4 ORDER BY priority, scheduled_at, id LIMIT ?5)"
  " RETURNING id, payload, attempt";
static const char *SETTLE = "UPDATE jobs SET state='completed', result=?1, lease_token=NULL, lease_expires_at=NULL WHERE id=?2 AND state='running' AND lease_token=?3";
static const char *SETTLE2 = "UPDATE jobs SET state='completed', lease_token=NULL, lease_expires_at=NULL WHERE ?1 IS NOT NULL AND id=?2 AND state='running' AND lease_token=?3";
static const char *RESCUE = "UPDATE jobs SET state='available', lease_token=NULL, lease_expires_at=NULL WHERE state='running' AND lease_expires_at<?1";

static void mkpayload(char *p, long seq) { memset(p, 'x', PAYLOAD); char t[32]; snprintf(t, sizeof t, "%012ld", seq); memcpy(p, t, 12); }
static void token(char *t) { static uint64_t s; if (!s) { int f = open("/dev/urandom", O_RDONLY); if (read(f, &s, 8) != 8) s = mono(); close(f); }
  uint64_t a[2]; for (int i = 0; i < 2; i++) { s ^= s << 13; s ^= s >> 7; s ^= s << 17; a[i] = s; } snprintf(t, 33, "%016llx%016llx", (unsigned long long)a[0], (unsigned long long)a[1]); }

static int logfd = -1;
static void logline(char k, long seq, int64_t ns) { if (logfd < 0) return; char b[LOGLEN + 8]; snprintf(b, sizeof b, "%c %010ld %018lld %07d\n", k, seq, (long long)ns, (int)getpid());
  if (write(logfd, b, LOGLEN) != LOGLEN) perror("log"); }   // 1+1+10+1+18+1+7+1 = 40

typedef struct { sqlite3 *db; sqlite3_stmt *claim, *settle, *rescue, *begin, *commit, *res; char tok[33], worker[24], result[PAYLOAD]; long ids[1024], seqs[1024]; int n; } W;
static void w_init(W *w, sqlite3 *db) { memset(w, 0, sizeof *w); w->db = db; w->claim = prep(db, CLAIM); int two = getenv("RAWQ_RESULT_TABLE") != 0; w->settle = prep(db, two ? SETTLE2 : SETTLE); if (two) w->res = prep(db, "INSERT INTO results VALUES(?1,?2)"); w->rescue = prep(db, RESCUE);
  w->begin = prep(db, "BEGIN IMMEDIATE"); w->commit = prep(db, "COMMIT"); memset(w->result, 'r', PAYLOAD); snprintf(w->worker, sizeof w->worker, "w%d", (int)getpid()); }
static int w_claim(W *w, int k, int64_t lease_us) {
  int64_t now = wall_us(); token(w->tok);
  sqlite3_bind_text(w->claim, 1, w->tok, 32, SQLITE_STATIC); sqlite3_bind_int64(w->claim, 2, now + lease_us);
  sqlite3_bind_text(w->claim, 3, w->worker, -1, SQLITE_STATIC); sqlite3_bind_int64(w->claim, 4, now); sqlite3_bind_int(w->claim, 5, k);
  w->n = 0; int r;
  while ((r = sqlite3_step(w->claim)) == SQLITE_ROW) {
    w->ids[w->n] = sqlite3_column_int64(w->claim, 0);
    char t[13]; memcpy(t, sqlite3_column_blob(w->claim, 1), 12); t[12] = 0; w->seqs[w->n++] = atol(t);
  }
  sqlite3_reset(w->claim);
  if (r != SQLITE_DONE) { fprintf(stderr, "claim: %s\n", sqlite3_errmsg(w->db)); logline('X', 0, mono()); return -1; }
  return w->n;
}
static int w_settle1(W *w, long id) {
  sqlite3_bind_blob(w->settle, 1, w->result, PAYLOAD, SQLITE_STATIC); sqlite3_bind_int64(w->settle, 2, id); sqlite3_bind_text(w->settle, 3, w->tok, 32, SQLITE_STATIC);
  if (step_done(w->db, w->settle)) { logline('X', 0, mono()); return -1; }
  int n = sqlite3_changes(w->db);
  if (n && w->res) { sqlite3_bind_int64(w->res, 1, id); sqlite3_bind_blob(w->res, 2, w->result, PAYLOAD, SQLITE_STATIC); if (step_done(w->db, w->res)) return -1; }
  return n;
}
static void w_settle(W *w) { // one transaction for the batch
  int tx = w->n > 1 || w->res;
  if (tx) step_done(w->db, w->begin);
  for (int i = 0; i < w->n; i++) w_settle1(w, w->ids[i]);
  if (tx) step_done(w->db, w->commit);
}
static int64_t data_version(sqlite3_stmt *dv) { sqlite3_step(dv); int64_t v = sqlite3_column_int64(dv, 0); sqlite3_reset(dv); return v; }
static volatile sig_atomic_t stop; static void on_term(int s) { (void)s; stop = 1; }

int main(int c, char **v) {
  if (c < 3) { fprintf(stderr, "see the head of rawq.c\n"); return 2; }
  const char *cmd = v[1], *path = v[2];
  if (!strcmp(cmd, "fsync")) {
    double secs = atof(v[3]); printf("{");
    const char *names[3] = {"rewrite4k", "append4k", "append32k"};
    for (int m = 0; m < 3; m++) {
      int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644); if (fd < 0) die(0, path);
      static char buf[32768]; memset(buf, m + 1, sizeof buf);
      if (m == 0) { if (pwrite(fd, buf, 4096, 0) != 4096) die(0, "pwrite"); fsync(fd); }
      size_t len = m == 2 ? 32768 : 4096; off_t off = 0; long n = 0, cap = 1 << 20; int64_t *lat = malloc(cap * 8), t0 = mono();
      while (n < cap && mono() - t0 < secs * 1e9) { int64_t a = mono(); if (pwrite(fd, buf, len, m ? off : 0) < 0) die(0, "pwrite"); off += len; if (fdatasync(fd)) die(0, "fdatasync"); lat[n++] = mono() - a; }
      double s = (mono() - t0) / 1e9; qsort(lat, n, 8, cmp64);
      printf("%s\"%s\":{\"per_s\":%.0f,\"p50_us\":%.0f,\"p99_us\":%.0f}", m ? "," : "", names[m], n / s, lat[n / 2] / 1e3, lat[(long)(n * .99)] / 1e3);
      close(fd); unlink(path); free(lat);
    }
    printf("}\n"); return 0;
  }
  sqlite3 *db = open_db(path, v[3]);
  if (!strcmp(cmd, "init")) { schema(db); printf("{\"sqlite\":\"%s\"}\n", sqlite3_libversion()); }
  else if (!strcmp(cmd, "enqueue")) {
    long n = atol(v[4]), per = atol(v[5]); double max = atof(v[6]); schema(db); sqlite3_stmt *p = prep(db, INS); char pl[PAYLOAD]; int64_t t0 = mono(); long i = 0, tx = 0;
    while (i < n && mono() - t0 < max * 1e9) {
      if (per > 1) ex(db, "BEGIN IMMEDIATE");
      for (long j = 0; j < per && i < n; j++, i++) { mkpayload(pl, i); sqlite3_bind_int64(p, 1, wall_us()); sqlite3_bind_blob(p, 2, pl, PAYLOAD, SQLITE_STATIC); if (step_done(db, p)) return 1; }
      if (per > 1) ex(db, "COMMIT");
      tx++;
    }
    double s = (mono() - t0) / 1e9; printf("{\"n\":%ld,\"secs\":%.4f,\"per_s\":%.0f,\"tx_per_s\":%.0f}\n", i, s, i / s, tx / s);
  } else if (!strcmp(cmd, "drain")) {
    int k = atoi(v[4]); double max = atof(v[5]); int fused = !strcmp(v[6], "fused"); W w; w_init(&w, db); long done = 0; int64_t t0 = mono();
    if (!fused) { while (mono() - t0 < max * 1e9 && w_claim(&w, k, 30000000) > 0) { w_settle(&w); done += w.n; } }
    else { // one transaction: settle the previous batch, claim the next
      int have = w_claim(&w, k, 30000000);
      while (have > 0 && mono() - t0 < max * 1e9) { step_done(db, w.begin); for (int i = 0; i < w.n; i++) w_settle1(&w, w.ids[i]); done += w.n; have = w_claim(&w, k, 30000000); step_done(db, w.commit); }
    }
    double s = (mono() - t0) / 1e9; printf("{\"n\":%ld,\"secs\":%.4f,\"per_s\":%.0f}\n", done, s, done / s);
  } else if (!strcmp(cmd, "seed")) {
    long n = atol(v[4]); schema(db); int64_t now = wall_us(); ex(db, "PRAGMA synchronous=OFF; BEGIN");
    sqlite3_stmt *p = prep(db, "INSERT INTO jobs(queue,state,priority,scheduled_at,created_at,attempt,max_attempts,payload,result) VALUES('default',?1,?2,?3,?4,0,5,?5,?6)"); char pl[PAYLOAD];
    for (long i = 0; i < n; i++) { mkpayload(pl, i); sqlite3_bind_text(p, 1, v[5], -1, SQLITE_STATIC); sqlite3_bind_int(p, 2, atoi(v[6])); sqlite3_bind_int64(p, 3, now + atol(v[7]) * 1000000LL + i / 100); sqlite3_bind_int64(p, 4, now);
      sqlite3_bind_blob(p, 5, pl, PAYLOAD, SQLITE_STATIC); if (!strcmp(v[5], "completed")) sqlite3_bind_blob(p, 6, pl, PAYLOAD, SQLITE_STATIC); if (step_done(db, p)) return 1; }
    ex(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"); printf("{\"n\":%ld}\n", n);
  } else if (!strcmp(cmd, "claimlat")) {
    long n = atol(v[4]); W w; w_init(&w, db); int64_t *lat = malloc(n * 8); long i = 0; for (; i < n; i++) { int64_t a = mono(); if (w_claim(&w, 1, 30000000) < 1) break; lat[i] = mono() - a; }
    if (!i) { printf("{\"n\":0}\n"); return 0; } qsort(lat, i, 8, cmp64); printf("{\"n\":%ld,\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", i, lat[i / 2] / 1e3, lat[(long)(i * .99)] / 1e3, lat[i - 1] / 1e3);
  } else if (!strcmp(cmd, "produce")) {
    long n = atol(v[4]), iv = atol(v[5]); logfd = open(v[6], O_WRONLY | O_CREAT | O_APPEND, 0644); sqlite3_stmt *p = prep(db, INS); char pl[PAYLOAD];
    int sk = -1; struct sockaddr_un a = {.sun_family = AF_UNIX}; if (strcmp(v[7], "-")) { sk = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0); strncpy(a.sun_path, v[7], sizeof a.sun_path - 1); }
    logline('P', -1, mono()); srand(getpid());
    for (long i = 0; i < n; i++) {
      if (iv) usleep(iv + rand() % iv);
      mkpayload(pl, i); sqlite3_bind_int64(p, 1, wall_us()); sqlite3_bind_blob(p, 2, pl, PAYLOAD, SQLITE_STATIC);
      if (step_done(db, p)) { logline('X', i, mono()); i--; continue; }
      int64_t t = mono(); if (sk >= 0) sendto(sk, "x", 1, 0, (struct sockaddr *)&a, sizeof a); logline('P', i, t);
    }
    printf("{}\n");
  } else if (!strcmp(cmd, "consume")) {
    int k = atoi(v[4]); logfd = open(v[5], O_WRONLY | O_CREAT | O_APPEND, 0644); char *wm = v[6]; long hus = atol(v[7]); int64_t lease = atol(v[8]) * 1000LL; signal(SIGTERM, on_term);
    W w; w_init(&w, db); sqlite3_stmt *dv = prep(db, "PRAGMA data_version"); int mode = wm[0]; char *arg = strchr(wm, ':') + 1; long us = mode == 's' ? 0 : atol(arg); struct pollfd pf = {.events = POLLIN}; char junk[4096];
    if (mode == 'i') { pf.fd = inotify_init1(IN_NONBLOCK); char wp[4096]; snprintf(wp, sizeof wp, "%s-wal", path); data_version(dv); if (inotify_add_watch(pf.fd, wp, IN_MODIFY) < 0) die(0, wp); }
    if (mode == 's') { pf.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0); struct sockaddr_un a = {.sun_family = AF_UNIX}; strncpy(a.sun_path, arg, sizeof a.sun_path - 1); unlink(arg); if (bind(pf.fd, (struct sockaddr *)&a, sizeof a)) die(0, arg); us = 200000; }
    logline('R', 0, mono()); int64_t last_rescue = 0, ver = -1; int spins = 0;
    while (!stop) {
      if (lease && mono() - last_rescue > 200000000LL) { last_rescue = mono(); sqlite3_bind_int64(w.rescue, 1, wall_us()); step_done(db, w.rescue); }
      int n = w_claim(&w, k, lease ? lease : 30000000);
      if (n > 0) {
        spins = 0;
        for (int i = 0; i < n; i++) { logline('S', w.seqs[i], mono()); if (hus) usleep(hus); }
        if (n > 1) step_done(db, w.begin);
        int ok[1024]; for (int i = 0; i < n; i++) ok[i] = w_settle1(&w, w.ids[i]);
        if (n > 1) step_done(db, w.commit);
        for (int i = 0; i < n; i++) logline(ok[i] == 1 ? 'E' : 'F', w.seqs[i], mono());
        continue;
      }
      if (mode == 'p') usleep(us);
      else if (mode == 'd') { int64_t lim = mono() + 200000000LL; for (;;) { int64_t x = data_version(dv); if (x != ver) { ver = x; break; } if (stop || mono() > lim) break; usleep(us); } }
      else { // inotify on the WAL fires before the commit is visible, so look again a few times shortly after
        int to = mode == 'i' && spins < 4 ? 1 : (int)(us / 1000); int r = poll(&pf, 1, to);
        if (r > 0) { spins = 0; while (read(pf.fd, junk, sizeof junk) > 0) {} } else spins++; }
    }
  } else { fprintf(stderr, "unknown command %s\n", cmd); return 2; }
  sqlite3_close(db); return 0;
}
