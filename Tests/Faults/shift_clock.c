// LD_PRELOAD: the wall clock is ahead by the seconds (a long, native order) in the file SHIFT_FILE, which may change at any time; the
// other clocks stay. It sets no environment: libfaketime does, and a Swift program then finds no arguments. (A wait until a time of the
// wall clock is made by the kernel, which knows nothing of this: keep to shifts that are not negative, and it is only longer.)
//
// cc -shared -fPIC -O1 -o shift_clock.so shift_clock.c
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long *shift;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SHIFT_FILE");
    int descriptor = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor < 0) return;
    void *mapping = mmap(0, sizeof(long), PROT_READ, MAP_SHARED, descriptor, 0);
    if (mapping != MAP_FAILED) shift = mapping;
    close(descriptor);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && shift && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *shift;
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    (void)zone;
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    if (now) *now = time.tv_sec;
    return time.tv_sec;
}
