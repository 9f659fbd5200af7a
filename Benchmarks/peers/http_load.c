// http_load - a model server that answers at once, and clients that ask it or what stands before it. One thread a connection, so that
// the measuring costs less than what is measured.
//
//   cc -O2 -pthread -o http_load http_load.c
//
//   http_load upstream PORT [PIECES GAP_MS [DELAY_MS]]    serves chat completions until it is killed; whole ones after DELAY_MS
//   http_load load PORT KEY MODE CLIENTS REQUESTS         MODE: whole, cached or stream; prints one JSON object
//
// A streamed answer's first piece holds the time at which it was sent (`T<ns>;`, the clock is the machine's), so that a client
// can tell how long the piece was on its way.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 32768 };

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static bool send_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent, count -= sent;
    }
    return true;
}

static struct sockaddr_in local(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void at_once(int fd) { setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)); }

static void start(pthread_t *thread, void *(*body)(void *), void *argument) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    if (pthread_create(thread, &attributes, body, argument)) fail("pthread_create");
}

// Reads until the head and as much of the body as Content-Length says are there, or the last chunk. Returns the bytes; -1 if the
// connection ends before. `first` is told when each piece came.
static int read_message(int fd, char *buffer, void (*first)(void *, char *), void *argument) {
    int count = 0;
    while (count < BUFFER - 1) {
        ssize_t got = recv(fd, buffer + count, BUFFER - 1 - count, 0);
        if (got <= 0) return -1;
        count += got;
        buffer[count] = 0;
        char *body = strstr(buffer, "\r\n\r\n");
        if (!body) continue;
        body += 4;
        if (first) first(argument, body);
        *(body - 2) = 0;
        char *length = strcasestr(buffer, "\ncontent-length:");
        bool is_chunked = strcasestr(buffer, "\ntransfer-encoding: chunked") != NULL;
        *(body - 2) = '\r';
        if (length && count - (body - buffer) >= atol(length + 16)) return count;
        if (is_chunked && count >= 5 && !memcmp(buffer + count - 5, "0\r\n\r\n", 5)) return count;
        if (!length && !is_chunked) return count;
    }
    return -1;
}

// MARK: The model server

static int pieces = 20, gap_ms = 0, delay_ms = 0;

static const char WHOLE[] =
    "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
    "\"assistant\",\"content\":\"The answer is forty-two.\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
    "\"completion_tokens\":6,\"total_tokens\":15}}";

static bool send_event(int fd, const char *choice, const char *usage) {
    char data[512], chunk[640];
    int length = snprintf(
        data, sizeof data,
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[%s]%s}\n\n", choice, usage);
    int all = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n", length, data);
    return send_all(fd, chunk, all);
}

static bool send_stream(int fd) {
    static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    if (!send_all(fd, head, sizeof head - 1)) return false;
    for (int piece = 0; piece < pieces; piece++) {
        char choice[256];
        if (piece == 0)
            snprintf(choice, sizeof choice,
                     "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"T%lld; \"},\"finish_reason\":null}", (long long)now_ns());
        else
            snprintf(choice, sizeof choice, "{\"index\":0,\"delta\":{\"content\":\"word \"},\"finish_reason\":null}");
        if (!send_event(fd, choice, "")) return false;
        if (gap_ms) usleep(gap_ms * 1000);
    }
    if (!send_event(fd, "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}", "")) return false;
    if (!send_event(fd, "", ",\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":20,\"total_tokens\":29}")) return false;
    static const char end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
    return send_all(fd, end, sizeof end - 1);
}

static void *answer(void *argument) {
    int fd = (int)(intptr_t)argument;
    char *buffer = malloc(BUFFER);
    while (read_message(fd, buffer, NULL, NULL) > 0) {
        if (strstr(buffer, "\"stream\":true") || strstr(buffer, "\"stream\": true")) {
            if (!send_stream(fd)) break;
            continue;
        }
        if (delay_ms) usleep(delay_ms * 1000);
        char reply[1024];
        int length = snprintf(reply, sizeof reply, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                              sizeof WHOLE - 1, WHOLE);
        if (!send_all(fd, reply, length)) break;
    }
    close(fd);
    free(buffer);
    return NULL;
}

static void serve(int port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    struct sockaddr_in address = local(port);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) fail("listen");
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        at_once(fd);
        pthread_t thread;
        start(&thread, answer, (void *)(intptr_t)fd);
        pthread_detach(thread);
    }
}

// MARK: The clients

static int target_port, per_client;
static const char *key, *mode;
static pthread_barrier_t barrier;

struct client {
    int number, failed, done;
    int64_t *times, *lags;
};

struct first {
    int64_t lag;
};

static void note_first(void *argument, char *body) {
    struct first *first = argument;
    if (first->lag >= 0) return;
    char *mark = strstr(body, "\"T");
    if (mark && strchr(mark, ';')) first->lag = now_ns() - atoll(mark + 2);
}

static int connect_once(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = local(target_port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    at_once(fd);
    return fd;
}

static void *ask(void *argument) {
    struct client *client = argument;
    char *buffer = malloc(BUFFER), request[2048], body[1024];
    bool streams = !strcmp(mode, "stream"), is_cached = !strcmp(mode, "cached");
    int fd = connect_once();
    pthread_barrier_wait(&barrier);
    for (int index = 0; index < per_client; index++) {
        int length = snprintf(
            body, sizeof body, "{\"model\":\"up/m\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"Question %d of client %d?\"}]}",
            streams ? "true" : "false", is_cached ? 0 : index, is_cached ? 0 : client->number);
        int all = snprintf(
            request, sizeof request,
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: Bearer %s\r\ncontent-type: application/json\r\n%s"
            "content-length: %d\r\n\r\n%s",
            target_port, key, is_cached ? "cache-control: max-age=3600\r\n" : "", length, body);
        struct first first = {.lag = streams ? -1 : 0};
        int64_t begin = now_ns();
        bool is_answered = send_all(fd, request, all) && read_message(fd, buffer, streams ? note_first : NULL, &first) > 0;
        if (!is_answered || strncmp(buffer, "HTTP/1.1 200", 12)) {
            client->failed++;
            close(fd);
            fd = connect_once();
            continue;
        }
        client->times[client->done] = now_ns() - begin;
        client->lags[client->done++] = first.lag;
    }
    close(fd);
    free(buffer);
    return NULL;
}

static int ascending(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

static double percentile(int64_t *values, int count, double share) {
    return count == 0 ? -1 : values[(int)((count - 1) * share)] / 1000.0;
}

static void load(int clients, int requests) {
    per_client = requests / clients > 0 ? requests / clients : 1;
    int most = per_client * clients, done = 0, failed = 0;
    int64_t *times = calloc(most, 8), *lags = calloc(most, 8);
    struct client *all = calloc(clients, sizeof *all);
    pthread_t *threads = calloc(clients, sizeof *threads);
    pthread_barrier_init(&barrier, NULL, clients + 1);
    for (int index = 0; index < clients; index++) {
        all[index] = (struct client){.number = index, .times = calloc(per_client, 8), .lags = calloc(per_client, 8)};
        start(&threads[index], ask, &all[index]);
    }
    pthread_barrier_wait(&barrier);
    int64_t begin = now_ns();
    for (int index = 0; index < clients; index++) {
        pthread_join(threads[index], NULL);
        memcpy(times + done, all[index].times, all[index].done * 8);
        memcpy(lags + done, all[index].lags, all[index].done * 8);
        done += all[index].done, failed += all[index].failed;
    }
    double seconds = (now_ns() - begin) / 1e9;
    qsort(times, done, 8, ascending);
    qsort(lags, done, 8, ascending);
    printf("{\"requests\":%d,\"failed\":%d,\"per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"first_p50_us\":%.1f,\"first_p99_us\":%.1f}\n",
           done, failed, done / seconds, percentile(times, done, 0.5), percentile(times, done, 0.99), percentile(lags, done, 0.5),
           percentile(lags, done, 0.99));
}

int main(int count, char **arguments) {
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (count >= 3 && !strcmp(arguments[1], "upstream")) {
        if (count >= 5) pieces = atoi(arguments[3]), gap_ms = atoi(arguments[4]);
        if (count >= 6) delay_ms = atoi(arguments[5]);
        serve(atoi(arguments[2]));
    } else if (count == 7 && !strcmp(arguments[1], "load")) {
        target_port = atoi(arguments[2]), key = arguments[3], mode = arguments[4];
        load(atoi(arguments[5]), atoi(arguments[6]));
        return 0;
    }
    fprintf(stderr, "usage: http_load upstream PORT [PIECES GAP_MS [DELAY_MS]] | load PORT KEY whole|cached|stream CLIENTS REQUESTS\n");
    return 64;
}
