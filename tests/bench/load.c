/*
 * The far ends of the benchmark, in C so that they are not what limits it: a service, a null SAM bridge in front of it, a
 * load generator, and a plain copy loop as a peer to compare with. Linux, loopback only. Prints one line of JSON.
 *
 *   load serve PLAIN SAM                     the service on port PLAIN, and behind a SAM bridge on port SAM; at the UDP
 *                                            ports of these numbers an echo, and a bridge that reflects datagrams
 *   load copy PORT TARGET                    a relay: two threads a connection, 64 KB read and written
 *   load bulk VIA STREAMS BYTES up|down      seconds for BYTES over each of STREAMS connections
 *   load connects VIA AT_ONCE COUNT          connection, handshake, one byte there and back, closed by the service
 *   load requests VIA AT_ONCE COUNT          the same with a request of HTTP, 4 KB, and an answer of 4 KB
 *   load ping VIA STREAMS MILLISECONDS       round trips of 64 bytes, one a millisecond, beside STREAMS bulk uploads
 *   load exchange VIA COUNT                  round trips of two writes and one answer
 *   load steady VIA STREAMS MILLISECONDS     the same uploads without round trips
 *   load hold VIA COUNT                      idle connections; then "burst BYTES" and "probe" on stdin, one answer each
 *   load stall VIA COUNT                     connections that nobody reads, until stdin ends
 *   load paced VIA PER_SECOND COUNT          datagrams of 64 bytes at that rate: round trips, and the share that is lost
 *   load flood VIA COUNT                     datagrams of 64 bytes as fast as they go: the rate of answers, and the loss
 *
 * VIA is "tcp:PORT", or "socks:PORT:HOST:HOSTPORT" for SOCKS5. A connection begins with what the service is to do, one
 * letter and a count of 8 bytes: take (U) or send (D) that many bytes, echo (E), echo once and close (C), answer every
 * second byte (W), answer a request once it is whole and close (G, its own first letter), or never read (X).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 262144
#define HEAD 9
#define EVENTS 256
#define ANSWER 4096

static char chunk[CHUNK];

static void die(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static void no_delay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void unblock(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static int open_listener(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = loopback(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) die("Cannot listen");
  return fd;
}

static void *new(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) die("Cannot allocate");
  return memory;
}

/* ---- The service ---- */

enum stage { SAM_LINE, ORDER, REQUEST, WORK };

struct served {
  int fd, poll;
  enum stage stage;
  char text[8192];
  size_t length;
  char order;
  uint64_t left;
};

struct listening {
  int fd;
  enum stage stage;
};

static int bulk_poll;

/* A destination of Ed25519, all zeros, 391 bytes in I2P's base64; with its private keys 288 more. */
static const char *destination(int is_private) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~";
  static __thread char text[1024];
  unsigned char bytes[681] = {0};
  memcpy(bytes + 384, "\x05\x00\x04\x00\x07\x00\x04", 7);
  size_t at = 0;
  for (size_t i = 0; i < 681; i += 3) {
    uint32_t bits = bytes[i] << 16 | bytes[i + 1] << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) text[at++] = digits[bits >> shift & 63];
  }
  if (is_private) {
    strcpy(text + 679 / 3 * 4, "AA==");
  } else {
    strcpy(text + 391 / 3 * 4, "BA==");
  }
  return text;
}

static void watch(struct served *one, int poll, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = one};
  if (one->poll == poll) {
    epoll_ctl(poll, EPOLL_CTL_MOD, one->fd, &event);
    return;
  }
  if (one->poll) epoll_ctl(one->poll, EPOLL_CTL_DEL, one->fd, NULL);
  one->poll = poll;
  epoll_ctl(poll, EPOLL_CTL_ADD, one->fd, &event);
}

static void drop(struct served *one) {
  close(one->fd);
  free(one);
}

static int say(int fd, const char *text, size_t length) { return send(fd, text, length, MSG_NOSIGNAL) == (ssize_t)length; }

/* Where the bridge sends the datagrams of the one session that has any. */
static volatile int reflected_to;

static int answer_line(struct served *one, const char *line) {
  char text[1280];
  if (!strncmp(line, "HELLO", 5)) {
    strcpy(text, "HELLO REPLY RESULT=OK VERSION=3.1\n");
  } else if (!strncmp(line, "SESSION CREATE", 14)) {
    const char *port = strstr(line, " PORT=");
    if (strstr(line, "STYLE=DATAGRAM") && port) reflected_to = atoi(port + 6);
    snprintf(text, sizeof text, "SESSION STATUS RESULT=OK DESTINATION=%s\n", destination(1));
  } else if (!strncmp(line, "NAMING LOOKUP NAME=", 19)) {
    int length = strcspn(line + 19, " \r\n");
    snprintf(text, sizeof text, "NAMING REPLY RESULT=OK NAME=%.*s VALUE=%s\n", length, line + 19, destination(0));
  } else if (!strncmp(line, "STREAM CONNECT", 14)) {
    strcpy(text, "STREAM STATUS RESULT=OK\n");
    one->stage = ORDER;
  } else {
    return 0;
  }
  return say(one->fd, text, strlen(text));
}

/* Does what can be done now; false when the connection is over. */
static int work(struct served *one) {
  if (one->order == 'D') {
    while (one->left > 0) {
      ssize_t count = send(one->fd, chunk, one->left < CHUNK ? one->left : CHUNK, MSG_NOSIGNAL);
      if (count < 0) return errno == EAGAIN;
      one->left -= count;
      /* One chunk a turn, so that all connections get theirs. */
      return 1;
    }
    watch(one, bulk_poll, EPOLLIN);
    return recv(one->fd, one->text, 1, 0) != 0;
  }
  static __thread char buffer[CHUNK];
  ssize_t count = recv(one->fd, buffer, CHUNK, 0);
  if (count <= 0) return count < 0 && errno == EAGAIN;
  if (one->order == 'U') {
    one->left -= (uint64_t)count < one->left ? (uint64_t)count : one->left;
    return one->left > 0 || say(one->fd, "k", 1);
  }
  if (one->order == 'W') {
    one->left += count;
    for (; one->left >= 2; one->left -= 2)
      if (!say(one->fd, "k", 1)) return 0;
    return 1;
  }
  for (ssize_t sent = 0; sent < count;) {
    ssize_t part = send(one->fd, buffer + sent, count - sent, MSG_NOSIGNAL);
    if (part < 0 && errno != EAGAIN) return 0;
    if (part > 0) sent += part;
  }
  return one->order != 'C';
}

/* Answers a request whose head is whole; false when the connection is over. */
static int answer_request(struct served *one) {
  if (strstr(one->text, "\r\n\r\n") == NULL) return one->length < sizeof one->text - 1;
  say(one->fd, chunk, ANSWER);
  return 0;
}

/* The order has come: whoever moves much goes to the thread of its own. */
static int begin(struct served *one) {
  one->order = one->text[0];
  if (one->order == 'G') {
    one->stage = REQUEST;
    return answer_request(one);
  }
  memcpy(&one->left, one->text + 1, 8);
  one->stage = WORK;
  size_t ahead = one->length - HEAD;
  if (one->order == 'X') {
    watch(one, one->poll, EPOLLRDHUP);
    return 1;
  }
  if (one->order == 'U') one->left -= ahead;
  if (one->order == 'W') {
    one->left = ahead % 2;
    if (ahead >= 2 && !say(one->fd, "k", 1)) return 0;
  }
  if ((one->order == 'E' || one->order == 'C') && ahead > 0) {
    if (!say(one->fd, one->text + HEAD, ahead)) return 0;
    if (one->order == 'C') return 0;
  }
  if (one->order == 'U') watch(one, bulk_poll, EPOLLIN);
  if (one->order == 'D') watch(one, bulk_poll, EPOLLIN | EPOLLOUT);
  return 1;
}

static int proceed(struct served *one) {
  if (one->order == 'X') return 0;
  if (one->stage == WORK) return work(one);
  ssize_t count = recv(one->fd, one->text + one->length, sizeof one->text - 1 - one->length, 0);
  if (count <= 0) return count < 0 && errno == EAGAIN;
  one->length += count;
  one->text[one->length] = 0;
  if (one->stage == SAM_LINE) {
    char *end = strchr(one->text, '\n');
    if (end == NULL) return one->length < sizeof one->text - 1;
    one->length = 0;
    return answer_line(one, one->text);
  }
  if (one->stage == REQUEST) return answer_request(one);
  return one->length < HEAD || begin(one);
}

static void *serve_polled(void *argument) {
  int poll = *(int *)argument;
  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(poll, events, EVENTS, -1);
    for (int i = 0; i < count; i++) {
      struct served *one = events[i].data.ptr;
      if (!proceed(one)) drop(one);
    }
  }
  return NULL;
}

static void *accept_all(void *argument) {
  static int poll;
  static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
  struct listening *listening = argument;
  pthread_mutex_lock(&once);
  if (poll == 0) {
    pthread_t thread;
    poll = epoll_create1(0);
    pthread_create(&thread, NULL, serve_polled, &poll);
  }
  pthread_mutex_unlock(&once);
  for (;;) {
    int fd = accept4(listening->fd, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) continue;
    no_delay(fd);
    struct served *one = new(1, sizeof *one);
    one->fd = fd;
    one->stage = listening->stage;
    watch(one, poll, EPOLLIN);
  }
  return NULL;
}

#define DATAGRAM 65536
#define RECEIVE_BUFFER 4000000

/* A socket for datagrams that is not what loses them. */
static int open_datagrams(int port) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = RECEIVE_BUFFER;
  struct sockaddr_in address = loopback(port);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("Cannot bind");
  return fd;
}

static void *echo_datagrams(void *argument) {
  int fd = *(int *)argument;
  char *bytes = new(1, DATAGRAM);
  for (;;) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t count = recvfrom(fd, bytes, DATAGRAM, 0, (struct sockaddr *)&from, &size);
    if (count >= 0) sendto(fd, bytes, count, 0, (struct sockaddr *)&from, size);
  }
  return NULL;
}

/* What a session sends comes back to it, from the destination of the bridge: line and payload. */
static void *reflect_datagrams(void *argument) {
  int fd = *(int *)argument;
  char *bytes = new(1, DATAGRAM), *answer = new(1, DATAGRAM);
  size_t head = sprintf(answer, "%s\n", destination(0));
  for (;;) {
    ssize_t count = recv(fd, bytes, DATAGRAM, 0);
    char *end = count > 0 ? memchr(bytes, '\n', count) : NULL;
    if (end == NULL || reflected_to == 0) continue;
    size_t length = count - (end + 1 - bytes);
    if (head + length > DATAGRAM) continue;
    memcpy(answer + head, end + 1, length);
    struct sockaddr_in to = loopback(reflected_to);
    sendto(fd, answer, head + length, 0, (struct sockaddr *)&to, sizeof to);
  }
  return NULL;
}

static void serve(int plain, int sam) {
  int echo = open_datagrams(plain), reflector = open_datagrams(sam);
  struct listening listeners[] = {{open_listener(plain), ORDER}, {open_listener(sam), SAM_LINE}};
  pthread_t thread;
  bulk_poll = epoll_create1(0);
  pthread_create(&thread, NULL, serve_polled, &bulk_poll);
  pthread_create(&thread, NULL, accept_all, &listeners[0]);
  pthread_create(&thread, NULL, echo_datagrams, &echo);
  pthread_create(&thread, NULL, reflect_datagrams, &reflector);
  printf("ready\n");
  fflush(stdout);
  accept_all(&listeners[1]);
}

/* ---- The copy loop ---- */

struct direction {
  int from, to;
};

static void *copy_one_way(void *argument) {
  struct direction way = *(struct direction *)argument;
  free(argument);
  char *buffer = new(1, 65536);
  for (ssize_t count; (count = read(way.from, buffer, 65536)) > 0;)
    for (ssize_t sent = 0, part; sent < count; sent += part)
      if ((part = send(way.to, buffer + sent, count - sent, MSG_NOSIGNAL)) < 0) goto end;
end:
  shutdown(way.to, SHUT_WR);
  shutdown(way.from, SHUT_RD);
  free(buffer);
  return NULL;
}

static int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = loopback(port);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("Cannot connect");
  no_delay(fd);
  return fd;
}

static void *copy_both_ways(void *argument) {
  struct direction way = *(struct direction *)argument, *back = new(1, sizeof *back);
  *back = (struct direction){way.to, way.from};
  pthread_t thread;
  pthread_create(&thread, NULL, copy_one_way, back);
  copy_one_way(argument);
  pthread_join(thread, NULL);
  close(way.from);
  close(way.to);
  return NULL;
}

static void copy(int port, int target) {
  int listener = open_listener(port);
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    no_delay(fd);
    struct direction *way = new(1, sizeof *way);
    *way = (struct direction){fd, dial(target)};
    pthread_t thread;
    pthread_create(&thread, NULL, copy_both_ways, way);
    pthread_detach(thread);
  }
}

/* ---- The load generator ---- */

static struct {
  int port;
  unsigned char request[300];
  size_t length;
} via;

static void parse_via(char *text) {
  char *kind = strtok(text, ":");
  via.port = atoi(strtok(NULL, ":"));
  if (strcmp(kind, "socks")) return;
  char *host = strtok(NULL, ":");
  int port = atoi(strtok(NULL, ":"));
  unsigned char *at = via.request;
  memcpy(at, "\x05\x01\x00", 3);
  at += 3;
  if (inet_pton(AF_INET, host, at + 1) == 1) {
    *at = 1;
    at += 5;
  } else {
    at[0] = 3;
    at[1] = strlen(host);
    memcpy(at + 2, host, at[1]);
    at += 2 + at[1];
  }
  *at++ = port >> 8;
  *at++ = port;
  via.length = at - via.request;
}

static void give(int fd, const void *bytes, size_t length) {
  for (size_t sent = 0; sent < length;) {
    ssize_t part = send(fd, (const char *)bytes + sent, length - sent, MSG_NOSIGNAL);
    if (part <= 0) die("Cannot send");
    sent += part;
  }
}

static void take(int fd, void *bytes, size_t length) {
  for (size_t got = 0; got < length;) {
    ssize_t part = recv(fd, (char *)bytes + got, length - got, 0);
    if (part == 0) errno = ECONNRESET;
    if (part <= 0) die("Cannot receive");
    got += part;
  }
}

/* A connection to the service. Ends with a reset: a mere FIN would leave a relay to wait for an answer. */
static int reach(void) {
  unsigned char reply[10];
  struct linger reset = {1, 0};
  int fd = dial(via.port);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  if (via.length > 0) {
    give(fd, "\x05\x01\x00", 3);
    take(fd, reply, 2);
    give(fd, via.request, via.length);
    take(fd, reply, 10);
    if (reply[1] != 0) {
      fprintf(stderr, "load: refused with SOCKS5 code %d\n", reply[1]);
      exit(1);
    }
  }
  return fd;
}

static void order(int fd, char what, uint64_t count) {
  char head[HEAD] = {what};
  memcpy(head + 1, &count, 8);
  give(fd, head, HEAD);
}

static int reach_for(char what, uint64_t count) {
  int fd = reach();
  order(fd, what, count);
  return fd;
}

struct bulk {
  int fd;
  uint64_t left;
};

static void bulk(int streams, uint64_t bytes, int up) {
  struct bulk *all = new(streams, sizeof *all);
  char *buffer = new(1, CHUNK);
  int poll = epoll_create1(0), open = streams;
  for (int i = 0; i < streams; i++) {
    all[i] = (struct bulk){reach(), bytes};
    struct epoll_event event = {.events = up ? EPOLLOUT : EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  double since = now();
  for (int i = 0; i < streams; i++) {
    order(all[i].fd, up ? 'U' : 'D', bytes);
    unblock(all[i].fd);
  }
  while (open > 0) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poll, events, EVENTS, 60000);
    if (count == 0) {
      fprintf(stderr, "load: nothing moved for a minute\n");
      exit(1);
    }
    for (int i = 0; i < count; i++) {
      struct bulk *one = events[i].data.ptr;
      if (up && one->left > 0) {
        ssize_t part = send(one->fd, chunk, one->left < CHUNK ? one->left : CHUNK, MSG_NOSIGNAL);
        if (part < 0 && errno != EAGAIN) die("Cannot send");
        if (part > 0) one->left -= part;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
        if (one->left == 0) epoll_ctl(poll, EPOLL_CTL_MOD, one->fd, &event);
        continue;
      }
      ssize_t part = recv(one->fd, buffer, CHUNK, 0);
      if (part == 0) errno = ECONNRESET;
      if (part < 0 && errno == EAGAIN) continue;
      if (part <= 0) die("Cannot receive");
      if (!up) one->left -= part;
      if (one->left == 0) {
        epoll_ctl(poll, EPOLL_CTL_DEL, one->fd, NULL);
        open--;
      }
    }
  }
  double seconds = now() - since;
  printf("{\"seconds\":%.6f}\n", seconds);
}

static int by_value(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return difference < 0 ? -1 : difference > 0;
}

/* Times in milliseconds. */
static void print_times(double *times, int count, double seconds) {
  qsort(times, count, sizeof *times, by_value);
  printf("{\"count\":%d,\"seconds\":%.6f,\"p50\":%.4f,\"p99\":%.4f,\"max\":%.4f}\n", count, seconds, times[count / 2] * 1e3,
         times[(int)(count * 0.99)] * 1e3, times[count - 1] * 1e3);
}

struct visit {
  int fd, step;
  size_t wanted, got;
  double since;
  unsigned char reply[ANSWER];
};

static int visits_poll;

/* What a visit sends, and how many bytes come back. */
static char visit_request[4200] = "C\0\0\0\0\0\0\0\0c";
static size_t visit_length = HEAD + 1, visit_answer = 1;

static void ask_for_page(void) {
  char filler[4001] = {0};
  memset(filler, 'c', 4000);
  visit_length = snprintf(visit_request, sizeof visit_request,
                          "GET / HTTP/1.1\r\nHost: site.i2p\r\nUser-Agent: curl/8.5.0\r\nX-Filler: %s\r\n\r\n", filler);
  visit_answer = ANSWER;
}

static void start_visit(struct visit *one) {
  struct sockaddr_in address = loopback(via.port);
  *one = (struct visit){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), .since = now()};
  if (one->fd < 0) die("Cannot open socket");
  no_delay(one->fd);
  if (connect(one->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) die("Cannot connect");
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = one};
  epoll_ctl(visits_poll, EPOLL_CTL_ADD, one->fd, &event);
}

/* The next step of a visit: true when it is over. */
static int step_visit(struct visit *one) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
  int is_socks = via.length > 0;
  if (one->step > 0) {
    ssize_t part = recv(one->fd, one->reply + one->got, one->wanted - one->got, 0);
    if (part < 0 && errno == EAGAIN) return 0;
    if (part == 0) errno = ECONNRESET;
    if (part <= 0) die("Cannot receive");
    one->got += part;
    if (one->got < one->wanted) return 0;
  }
  one->got = 0;
  one->step++;
  if (one->step == 1) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(one->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if ((errno = error)) die("Cannot connect");
    epoll_ctl(visits_poll, EPOLL_CTL_MOD, one->fd, &event);
    /* A direct connection has no handshake. */
    if (!is_socks) one->step = 3;
  }
  switch (one->step) {
    case 1:
      one->wanted = 2;
      give(one->fd, "\x05\x01\x00", 3);
      return 0;
    case 2:
      one->wanted = 10;
      give(one->fd, via.request, via.length);
      return 0;
    case 3:
      if (is_socks && one->reply[1] != 0) {
        fprintf(stderr, "load: refused with SOCKS5 code %d\n", one->reply[1]);
        exit(1);
      }
      one->wanted = visit_answer;
      give(one->fd, visit_request, visit_length);
      return 0;
    default:
      return 1;
  }
}

static void connects(int at_once, int count) {
  struct visit *all = new(at_once, sizeof *all);
  double *times = new(count, sizeof *times);
  int started = 0, ended = 0;
  visits_poll = epoll_create1(0);
  double since = now();
  for (; started < at_once && started < count; started++) start_visit(&all[started]);
  while (ended < count) {
    struct epoll_event events[EVENTS];
    int ready = epoll_wait(visits_poll, events, EVENTS, 60000);
    if (ready == 0) {
      fprintf(stderr, "load: nothing moved for a minute\n");
      exit(1);
    }
    for (int i = 0; i < ready; i++) {
      struct visit *one = events[i].data.ptr;
      if (!step_visit(one)) continue;
      times[ended++] = now() - one->since;
      close(one->fd);
      if (started < count) {
        started++;
        start_visit(one);
      }
    }
  }
  print_times(times, count, now() - since);
}

static void wait_until(double time) {
  struct timespec at = {(time_t)time, (long)((time - (time_t)time) * 1e9)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static volatile int stopped;
static uint64_t moved;

static void *upload(void *argument) {
  int *fds = argument, poll = epoll_create1(0);
  for (int i = 0; fds[i] >= 0; i++) {
    unblock(fds[i]);
    struct epoll_event event = {.events = EPOLLOUT, .data.fd = fds[i]};
    epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &event);
  }
  while (!stopped) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poll, events, EVENTS, 100);
    for (int i = 0; i < count; i++) {
      ssize_t part = send(events[i].data.fd, chunk, CHUNK, MSG_NOSIGNAL);
      if (part > 0) moved += part;
    }
  }
  return NULL;
}

static void ping(int streams, int milliseconds) {
  int *fds = new(streams + 1, sizeof *fds);
  for (int i = 0; i < streams; i++) fds[i] = reach_for('U', UINT64_MAX);
  fds[streams] = -1;
  int fd = reach_for('E', 0);
  pthread_t thread;
  pthread_create(&thread, NULL, upload, fds);
  double *times = new(milliseconds, sizeof *times), since = now();
  uint64_t before = moved;
  char bytes[64] = {0};
  int count = 0;
  for (double at = since; at < since + milliseconds / 1e3; at += 1e-3) {
    wait_until(at);
    double sent = now();
    give(fd, bytes, sizeof bytes);
    take(fd, bytes, sizeof bytes);
    times[count++] = now() - sent;
    if (now() > at + 1e-3) at = now();
  }
  double seconds = now() - since;
  uint64_t bytes_moved = moved - before;
  stopped = 1;
  qsort(times, count, sizeof *times, by_value);
  printf("{\"count\":%d,\"p50\":%.4f,\"p99\":%.4f,\"max\":%.4f,\"bytesPerSecond\":%.0f}\n", count, times[count / 2] * 1e3,
         times[(int)(count * 0.99)] * 1e3, times[count - 1] * 1e3, bytes_moved / seconds);
}

static void steady(int streams, int milliseconds) {
  int *fds = new(streams + 1, sizeof *fds);
  for (int i = 0; i < streams; i++) fds[i] = reach_for('U', UINT64_MAX);
  fds[streams] = -1;
  pthread_t thread;
  pthread_create(&thread, NULL, upload, fds);
  double since = now();
  uint64_t before = moved;
  wait_until(since + milliseconds / 1e3);
  double seconds = now() - since;
  printf("{\"bytesPerSecond\":%.0f}\n", (moved - before) / seconds);
  stopped = 1;
}

static void exchange(int count) {
  int fd = reach_for('W', 0);
  double *times = new(count, sizeof *times), since = now();
  for (int i = 0; i < count; i++) {
    char byte = 'w';
    double sent = now();
    give(fd, &byte, 1);
    /* Long enough for a relay to have passed on the first byte alone. */
    usleep(300);
    give(fd, &byte, 1);
    take(fd, &byte, 1);
    times[i] = now() - sent;
  }
  print_times(times, count, now() - since);
}

static void hold(int count) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int *fds = new(count, sizeof *fds);
  char line[128], *buffer = new(1, CHUNK);
  for (int i = 0; i < count; i++) fds[i] = reach_for('E', 0);
  printf("{\"open\":%d}\n", count);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    int amount = 0;
    double since = now();
    if (sscanf(line, "burst %d", &amount) == 1) {
      /* All send at once, then all take what comes back. */
      for (int i = 0; i < count; i++) give(fds[i], chunk, amount);
      for (int i = 0; i < count; i++)
        for (int left = amount; left > 0;) {
          int part = left < CHUNK ? left : CHUNK;
          take(fds[i], buffer, part);
          left -= part;
        }
    } else if (!strncmp(line, "probe", 5)) {
      int fd = reach_for('E', 0);
      give(fd, "p", 1);
      take(fd, buffer, 1);
      close(fd);
    } else {
      break;
    }
    printf("{\"seconds\":%.6f}\n", now() - since);
    fflush(stdout);
  }
}

/* ---- Datagrams ---- */

#define PAYLOAD 64

/* Milliseconds without an answer after which none is waited for any more. */
#define SILENCE 300

static struct {
  int fd, count;
  size_t head;
  unsigned char bytes[512];
  double *sent, *times, last;
  volatile int got, is_sent;
} datagrams;

/* A socket that sends to the echo, or to the relay of an association whose connection stays open. */
static void associate(void) {
  struct timeval patience = {0, SILENCE * 1000};
  datagrams.fd = open_datagrams(0);
  setsockopt(datagrams.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  struct sockaddr_in to = loopback(via.port);
  if (via.length > 0) {
    unsigned char reply[10];
    int fd = dial(via.port);
    give(fd, "\x05\x01\x00", 3);
    take(fd, reply, 2);
    give(fd, "\x05\x03\x00\x01\0\0\0\0\0\0", 10);
    take(fd, reply, 10);
    if (reply[1] != 0) {
      fprintf(stderr, "load: no association, SOCKS5 code %d\n", reply[1]);
      exit(1);
    }
    memcpy(&to.sin_port, reply + 8, 2);
    /* RSV and FRAG take the place of version, command and RSV. */
    memcpy(datagrams.bytes + 3, via.request + 3, via.length - 3);
    datagrams.head = via.length;
  }
  if (connect(datagrams.fd, (struct sockaddr *)&to, sizeof to)) die("Cannot connect");
}

/* The number that an answer carries behind its header; -1 if it is none. */
static int number_of(const unsigned char *bytes, ssize_t count) {
  ssize_t head = via.length == 0 ? 0 : bytes[3] == 3 ? 7 + bytes[4] : bytes[3] == 1 ? 10 : 22;
  int number;
  if (count != head + PAYLOAD) return -1;
  memcpy(&number, bytes + head, sizeof number);
  return number >= 0 && number < datagrams.count ? number : -1;
}

static void *take_answers(void *argument) {
  static unsigned char bytes[DATAGRAM];
  (void)argument;
  for (;;) {
    ssize_t count = recv(datagrams.fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EAGAIN && datagrams.is_sent) return NULL;
    int number = count < 0 ? -1 : number_of(bytes, count);
    if (number < 0) continue;
    datagrams.last = now();
    datagrams.times[datagrams.got++] = datagrams.last - datagrams.sent[number];
  }
}

static void send_one(int number) {
  memcpy(datagrams.bytes + datagrams.head, &number, sizeof number);
  datagrams.sent[number] = now();
  send(datagrams.fd, datagrams.bytes, datagrams.head + PAYLOAD, 0);
}

/* One first, which builds tunnels and is looked up; then all, at a rate or without a pause where that is 0. */
static void send_datagrams(int per_second, int count) {
  unsigned char answer[DATAGRAM];
  datagrams.count = count;
  datagrams.sent = new(count, sizeof(double));
  datagrams.times = new(count, sizeof(double));
  associate();
  for (int attempt = 0;; attempt++) {
    send_one(0);
    if (recv(datagrams.fd, answer, sizeof answer, 0) > 0) break;
    if (attempt == 10) {
      fprintf(stderr, "load: no datagram comes back\n");
      exit(1);
    }
  }
  pthread_t thread;
  pthread_create(&thread, NULL, take_answers, NULL);
  double since = now();
  for (int i = 0; i < count; i++) {
    if (per_second > 0) wait_until(since + (double)i / per_second);
    send_one(i);
  }
  double sending = now() - since;
  datagrams.is_sent = 1;
  pthread_join(thread, NULL);
  int got = datagrams.got;
  if (got == 0) {
    fprintf(stderr, "load: no datagram of %d came back\n", count);
    exit(1);
  }
  qsort(datagrams.times, got, sizeof(double), by_value);
  printf("{\"sent\":%d,\"got\":%d,\"sentPerSecond\":%.0f,\"gotPerSecond\":%.0f,\"p50\":%.4f,\"p99\":%.4f}\n", count, got,
         count / sending, got / (datagrams.last - since), datagrams.times[got / 2] * 1e3,
         datagrams.times[(int)(got * 0.99)] * 1e3);
}

/* Connections over which the service sends and nobody reads, and others that send where the service does not read. */
static void stall(int count) {
  int *fds = new(count, sizeof *fds), blocked = 0;
  for (int i = 0; i < count; i++) {
    fds[i] = reach_for(i % 2 ? 'X' : 'D', UINT64_MAX);
    unblock(fds[i]);
  }
  double last = now();
  /* Sends until nothing has moved for half a second. */
  while (now() - last < 0.5 && blocked < 1000000) {
    for (int i = 1; i < count; i += 2)
      if (send(fds[i], chunk, CHUNK, MSG_NOSIGNAL) > 0) last = now();
    blocked++;
    usleep(1000);
  }
  printf("{\"stalled\":%d}\n", count);
  fflush(stdout);
  char line[16];
  if (fgets(line, sizeof line, stdin) == NULL) return;
}

int main(int count, char **words) {
  signal(SIGPIPE, SIG_IGN);
  memset(chunk, 'x', CHUNK);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (count == 4 && !strcmp(words[1], "serve")) serve(atoi(words[2]), atoi(words[3]));
  if (count == 4 && !strcmp(words[1], "copy")) copy(atoi(words[2]), atoi(words[3]));
  if (count < 4) {
    fprintf(stderr, "load: read the head of load.c\n");
    return 2;
  }
  parse_via(words[2]);
  int number = atoi(words[3]);
  if (count == 6 && !strcmp(words[1], "bulk")) bulk(number, strtoull(words[4], NULL, 10), !strcmp(words[5], "up"));
  if (count == 5 && !strcmp(words[1], "connects")) connects(number, atoi(words[4]));
  if (count == 5 && !strcmp(words[1], "requests")) {
    ask_for_page();
    connects(number, atoi(words[4]));
  }
  if (count == 5 && !strcmp(words[1], "ping")) ping(number, atoi(words[4]));
  if (count == 5 && !strcmp(words[1], "steady")) steady(number, atoi(words[4]));
  if (count == 4 && !strcmp(words[1], "exchange")) exchange(number);
  if (count == 4 && !strcmp(words[1], "hold")) hold(number);
  if (count == 5 && !strcmp(words[1], "paced")) send_datagrams(number, atoi(words[4]));
  if (count == 4 && !strcmp(words[1], "flood")) send_datagrams(0, number);
  if (count == 4 && !strcmp(words[1], "stall")) stall(number);
  return 0;
}
