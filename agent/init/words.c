// SPDX-License-Identifier: Apache-2.0
// The last words of ccp-init and its sshd: a pipe to ourselves, read at a bounded rate.
#include "agent/init/init.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
	READ_BYTES = 4096,
	WINDOW_MS = 1000,
	WINDOW_BYTES = 65536, // sshd says less in a day
};

int words_init(struct words *w, long now_ms)
{
	int ends[2];

	*w = (struct words){.window_ms = now_ms};
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	w->fd = ends[0];
	dup2(ends[1], STDOUT_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return 0;
}

int words_pause_ms(const struct words *w, long now_ms)
{
	long left_ms = w->window_ms + WINDOW_MS - now_ms;

	return w->window_bytes < WINDOW_BYTES || left_ms <= 0 ? 0 : (int)left_ms;
}

// Only the end is kept, and that from the start of a line.
static void keep_last(struct words *w, const char *text, size_t size)
{
	const size_t room = sizeof(w->text) - 1;

	if (size > room) {
		text += size - room;
		size = room;
	}
	if (w->size + size > room) {
		size_t drop = w->size + size - room;
		const char *line = memchr(w->text + drop, '\n', w->size - drop);

		if (line)
			drop = (size_t)(line - w->text) + 1;
		w->size -= drop;
		memmove(w->text, w->text + drop, w->size);
	}
	memcpy(w->text + w->size, text, size);
	w->size += size;
	w->text[w->size] = '\0';
}

void words_read(struct words *w, long now_ms)
{
	char text[READ_BYTES];
	ssize_t size = read(w->fd, text, sizeof(text));

	if (size <= 0)
		return;
	if (now_ms - w->window_ms >= WINDOW_MS) {
		w->window_ms = now_ms;
		w->window_bytes = 0;
	}
	w->window_bytes += size;
	keep_last(w, text, (size_t)size);
}
