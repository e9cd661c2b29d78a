// SPDX-License-Identifier: Apache-2.0
// The parts of ccp-init, PID 1 of every container: gate, sshd's keeper, the first home.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/container/gate_wire.h"

// Where things are inside the container. Everything below /.ccp is a read-only mount of the
// agent's.
#define INIT_SSHD "/usr/sbin/sshd"
#define INIT_SSHD_CONFIG "/.ccp/etc/sshd_config"
#define INIT_SSHD_PID "/run/ccp-sshd.pid" // a FIFO until sshd listens and has written its pid
#define INIT_HOME "/home/dev"
#define INIT_SKEL "/etc/skel"

enum { INIT_DEV_ID = 1000 }; // uid and gid of the login user `dev`

// log.c: one line "ccp-init: what: errno's text" on stderr, which are our own words.
void init_log(const char *what);

// CLOCK_MONOTONIC.
long init_now_ms(void);

// words.c: stdout and stderr of ccp-init and of sshd are a pipe whose other end ccp-init reads
// itself. What the runtime gave us, which ends in Docker, is closed, and what is
// said costs the container's own time and a page of its memory. The pipe never blocks a writer that
// got it from us: what comes too fast is lost.
struct words {
	int fd; // the reading end
	long window_ms; // begin of the second in which window_bytes were read
	ssize_t window_bytes;
	size_t size;
	char text[GATE_WORDS_SIZE]; // the last lines
};

// -1 when there is no descriptor left.
int words_init(struct words *w, long now_ms);
// How long nothing may be read because too much was; 0: read when something is there.
int words_pause_ms(const struct words *w, long now_ms);
void words_read(struct words *w, long now_ms);

// gate.c: the listener and the peers that want to hear of changes.
enum { GATE_PEERS_MAX = 8 };

struct gate {
	int listener;
	int peers[GATE_PEERS_MAX]; // -1: free
	enum gate_state state;
	const char *words; // GATE_WORDS_SIZE bytes that go with each answer
};

// Binds and listens; -1 with a log line when it cannot (then the container must end: the name is
// taken).
int gate_init(struct gate *g, const char *words);
// Takes one waiting connection; hangs up on peers from inside the container and when all places are
// taken.
void gate_accept(struct gate *g);
// Reads one message of peer i. True when it asks to open a gate that waits.
bool gate_serve(struct gate *g, int i);
// Changes the state and tells every peer.
void gate_change(struct gate *g, enum gate_state state);
// Closes everything: peers see the end.
void gate_done(struct gate *g);

// sshd.c: starts sshd and watches for it to listen.
struct sshd {
	pid_t pid; // 0: does not run
	int pid_fifo; // our end of INIT_SSHD_PID; -1: none
	long backoff_ms; // pause before the next start
	long started_ms; // CLOCK_MONOTONIC of the last start
};

void sshd_init(struct sshd *s);
// Forks and executes sshd with an empty environment but PATH and TZ. -1 with a log line when fork
// fails.
int sshd_start(struct sshd *s);
// Reads the FIFO; true when sshd has written its pid, which it does after listen(). A file has its
// place then.
bool sshd_listens(struct sshd *s);
// sshd has ended: returns the milliseconds to wait before sshd_start, growing from 100 to 5,000
// while it keeps dying.
long sshd_ended(struct sshd *s);

// machine.c: makes /run/sshd and /run/lock, lets /etc/localtime and /etc/timezone say what TZ says, and
// adds our own name to /etc/hosts if it is gone from there. Nothing of the user runs yet, but these
// are the user's files: none is waited for. Says what went wrong on stderr and goes on.
void machine_begin(void);

// home.c: copies /etc/skel into an empty home, owned by `dev`. Nothing of the user runs yet, and an
// empty home holds no link to follow. Says what went wrong on stderr and goes on: a login without
// dotfiles is better than none.
void home_fill(void);
