// SPDX-License-Identifier: Apache-2.0
// Reads the machine's lists of accounts and subordinate ids.
#include "agent/machine/taken_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/err.h"
#include "lib/mem.h"

// passwd(5) and group(5) have one id as the third field, subuid(5) and subgid(5) the first of many
// as the second and their number as the third.
struct list {
	const char *name;
	bool is_range;
};
static const struct list lists[] = {
	{"passwd", false}, {"group", false}, {"subuid", true}, {"subgid", true}};

static bool line_read(
	const struct list *list, const char *line, int64_t *ret_first, int64_t *ret_last)
{
	long long first, count = 1;

	if (list->is_range ? sscanf(line, "%*[^:]:%18lld:%18lld", &first, &count) != 2
			   : sscanf(line, "%*[^:]:%*[^:]:%18lld", &first) != 1)
		return false;
	*ret_first = first;
	*ret_last = first + count - 1;
	return true;
}

static void range_add(FILE *out, int64_t first, int64_t last)
{
	first = first < TAKEN_IDS_FIRST ? TAKEN_IDS_FIRST : first;
	last = last > TAKEN_IDS_LAST ? TAKEN_IDS_LAST : last;
	if (first <= last)
		fprintf(out, "%s[%lld,%lld]", ftell(out) > 1 ? "," : "", (long long)first,
			(long long)last);
}

static int list_read(int etc_fd, const struct list *list, FILE *out, struct err *e)
{
	int fd = openat(etc_fd, list->name, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *line = NULL;
	size_t size = 0;
	int64_t first, last;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_set(e, errno, "open /etc/%s", list->name);
	FILE *file = fdopen(fd, "r");
	while (getline(&line, &size, file) > 0) {
		if (line_read(list, line, &first, &last))
			range_add(out, first, last);
	}
	int r = ferror(file) ? err_set(e, EIO, "read /etc/%s", list->name) : 0;
	fclose(file);
	return r;
}

int taken_ids(int etc_fd, char **ret, struct err *e)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int r = 0;

	fputc('{', out);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = list_read(etc_fd, &lists[i], out, e);
	fputc('}', out);
	fclose(out);
	if (r == 0)
		*ret = TAKE_PTR(text);
	free(text);
	return r;
}
