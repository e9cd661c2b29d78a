// SPDX-License-Identifier: Apache-2.0
// Reads mountinfo and the options of an overlay.
#include "runtime/overlay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/err.h"
#include "lib/mem.h"

// --- options

enum {
	SEEN_UPPER = 1,
	SEEN_WORK = 2,
};

// The path below o->home: options name it whole, or relative when dockerd found them too long.
static const char *below_home(const struct overlay *o, const char *path)
{
	size_t len = strlen(o->home);

	if (strncmp(path, o->home, len) == 0 && path[len] == '/')
		path += len + 1;
	return path;
}

// Letters, digits and a few marks, no part that is "." or "..", nothing absolute.
static bool is_plain(const char *path)
{
	for (;; path++) {
		size_t len = strspn(
			path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
		if (len == 0 || path[0] == '.')
			return false;
		path += len;
		if (*path != '/')
			return *path == '\0';
	}
}

static int lowers_read(struct overlay *o, char *value, struct err *e)
{
	if (o->lowers)
		return err_say(e, EINVAL, "the container's overlay names its layers twice");
	o->lowers = xcalloc(OVERLAY_LOWERS_MAX, sizeof(*o->lowers));
	for (char *one; (one = strsep(&value, ":"));) {
		const char *path = below_home(o, one);
		if (!is_plain(path))
			return err_say(e, EINVAL,
				"a layer of the container's overlay is not in %s: the runtime ccp knows the graph"
				" driver overlay2 alone",
				o->home);
		if (o->lower_count == OVERLAY_LOWERS_MAX)
			return err_say(
				e, E2BIG, "the image has more than %d layers", OVERLAY_LOWERS_MAX);
		o->lowers[o->lower_count++] = xstrdup(path);
	}
	return 0;
}

// upperdir and workdir must be what dockerd calls them.
static int own_check(const struct overlay *o, const char *value, const char *name, struct err *e)
{
	_cleanup_(freep) char *wanted = xasprintf("%s/%s", o->id, name);

	if (strcmp(below_home(o, value), wanted) == 0)
		return 0;
	return err_say(e, EINVAL,
		"the container's overlay writes to %.128s, not to %s/%s: the runtime ccp knows the graph driver"
		" overlay2 alone",
		value, o->home, wanted);
}

// Options that dockerd sets or the kernel shows by itself; the overlay that replaces this one has
// the same.
static const char *const same_for_both[] = {"rw", "index=off", "nouserxattr", "redirect_dir=off",
	"redirect_dir=nofollow", "metacopy=off", "xino=off", "xino=auto", "xino=on", "uuid=on",
	"uuid=null", "uuid=auto", "uuid=off", "nfs_export=off"};

// What is behind "name=", or NULL.
static char *value_of(char *option, const char *name)
{
	size_t len = strlen(name);

	return strncmp(option, name, len) == 0 ? option + len : NULL;
}

static int option_read(struct overlay *o, unsigned *seen, char *option, struct err *e)
{
	char *lowers = value_of(option, "lowerdir=");
	const char *upper = value_of(option, "upperdir="), *work = value_of(option, "workdir=");

	*seen |= (upper ? SEEN_UPPER : 0) | (work ? SEEN_WORK : 0);
	if (lowers)
		return lowers_read(o, lowers, e);
	if (upper)
		return own_check(o, upper, "diff", e);
	if (work)
		return own_check(o, work, "work", e);
	for (size_t i = 0; i < ARRAY_SIZE(same_for_both); i++) {
		if (strcmp(option, same_for_both[i]) == 0)
			return 0;
	}
	return err_say(e, EINVAL,
		"the container's overlay has the option %.64s, which the runtime ccp does not know",
		option);
}

static int options_read(struct overlay *o, char *options, struct err *e)
{
	unsigned seen = 0;

	for (char *one; (one = strsep(&options, ","));) {
		if (option_read(o, &seen, one, e) < 0)
			return -1;
	}
	if (!o->lowers || seen != (SEEN_UPPER | SEEN_WORK))
		return err_say(
			e, EINVAL, "the container's overlay has no layer that it can write to");
	return 0;
}

// --- mountinfo

struct line {
	char *at; // where it is mounted
	char *type;
	char *options; // of the file system
};

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
static bool line_read(char *text, struct line *ret)
{
	char *word = NULL;

	for (int i = 0; i < 5; i++)
		word = strsep(&text, " ");
	ret->at = word;
	while (word && strcmp(word, "-") != 0)
		word = strsep(&text, " ");
	ret->type = strsep(&text, " ");
	(void)strsep(&text, " ");
	ret->options = strsep(&text, " \n");
	return ret->options;
}

// The line of the mount at `root`, cut into *ret; *text holds it, the caller frees it. ENOENT when
// there is none.
static int line_find(
	FILE *mountinfo, const char *root, char **text, struct line *ret, struct err *e)
{
	_cleanup_(freep) char *buffer = NULL;
	size_t size = 0;
	struct line line;

	while (getline(&buffer, &size, mountinfo) >= 0) {
		if (!line_read(buffer, &line) || strcmp(line.at, root) != 0)
			continue;
		if (*text)
			return err_say(e, EBUSY, "two file systems are mounted at %s", root);
		*text = TAKE_PTR(buffer);
		*ret = line;
	}
	if (!*text)
		return err_say(e, ENOENT,
			"nothing is mounted at %s: the runtime ccp knows the graph driver overlay2 alone",
			root);
	return 0;
}

// Cuts <home>/<id>/merged.
static bool root_cut(struct overlay *o, const char *root)
{
	o->home = xstrdup(root);
	char *merged = strrchr(o->home, '/');
	if (!merged || strcmp(merged, "/merged") != 0)
		return false;
	*merged = '\0';
	char *id = strrchr(o->home, '/');
	if (!id || id == o->home || id[1] == '\0')
		return false;
	*id = '\0';
	o->id = xstrdup(id + 1);
	return true;
}

static int overlay_read(struct overlay *o, const char *root, const struct line *line, struct err *e)
{
	if (strcmp(line->type, "overlay") != 0)
		return err_say(e, EINVAL,
			"the container's root is on %s: the runtime ccp knows the graph driver overlay2 alone",
			line->type);
	if (!root_cut(o, root))
		return err_say(e, EINVAL,
			"the container's root %s is not .../overlay2/<id>/merged: the runtime ccp knows the graph"
			" driver overlay2 alone",
			root);
	return options_read(o, line->options, e);
}

int overlay_find(FILE *mountinfo, const char *root, struct overlay *ret, struct err *e)
{
	_cleanup_(freep) char *text = NULL;
	struct overlay o = {0};
	struct line line = {0};

	if (line_find(mountinfo, root, &text, &line, e) < 0)
		return -1;
	if (overlay_read(&o, root, &line, e) < 0) {
		overlay_done(&o);
		return -1;
	}
	*ret = o;
	return 0;
}

void overlay_done(struct overlay *o)
{
	for (size_t i = 0; i < o->lower_count; i++)
		freep(&o->lowers[i]);
	freep(&o->lowers);
	freep(&o->home);
	freep(&o->id);
}
