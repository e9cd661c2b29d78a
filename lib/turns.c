// SPDX-License-Identifier: Apache-2.0
// Lines within lines: networks, their addresses, the names there.
#include "lib/turns.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/mem.h"

enum { DEPTH = 3 };

// Of the waiting items those with one key, in order of their turns. Lines of the last depth hold
// items, others lines. An empty one is freed.
struct turns_line {
	uint64_t key;
	struct turns_line *next;
	struct turns_line *lines;
	struct turns_item *items;
	unsigned waiting;
};

static uint64_t key_of(const struct turns_item *item, int depth)
{
	const uint64_t keys[DEPTH] = {
		item->who.source.network, item->who.source.address, item->who.name};
	return keys[depth];
}

static void line_append(struct turns_line **lines, struct turns_line *line)
{
	while (*lines)
		lines = &(*lines)->next;
	line->next = NULL;
	*lines = line;
}

static struct turns_line *line_of(struct turns_line **lines, uint64_t key)
{
	for (struct turns_line *line = *lines; line; line = line->next)
		if (line->key == key)
			return line;
	struct turns_line *line = xnew(struct turns_line);
	line->key = key;
	line_append(lines, line);
	return line;
}

static void item_append(struct turns_item **items, struct turns_item *item)
{
	while (*items)
		items = &(*items)->next;
	item->next = NULL;
	*items = item;
}

void turns_add(struct turns *turns, struct turns_item *item)
{
	struct turns_line **lines = &turns->lines;
	struct turns_line *line = NULL;
	for (int depth = 0; depth < DEPTH; depth++) {
		line = line_of(lines, key_of(item, depth));
		line->waiting++;
		lines = &line->lines;
	}
	item_append(&line->items, item);
	turns->waiting++;
}

static struct turns_item *take(struct turns_line **lines)
{
	struct turns_line *line = *lines;
	struct turns_item *item;
	*lines = line->next;
	if (line->lines) {
		item = take(&line->lines);
	} else {
		item = line->items;
		line->items = item->next;
	}
	if (--line->waiting > 0)
		line_append(lines, line);
	else
		free(line);
	return item;
}

struct turns_item *turns_take(struct turns *turns)
{
	if (turns->waiting == 0)
		return NULL;
	turns->waiting--;
	return take(&turns->lines);
}

static struct turns_line **longest(struct turns_line **lines)
{
	struct turns_line **found = lines;
	for (struct turns_line **at = lines; *at; at = &(*at)->next)
		if ((*at)->waiting >= (*found)->waiting)
			found = at;
	return found;
}

static struct turns_item *drop(struct turns_line **lines)
{
	struct turns_line **at = longest(lines);
	struct turns_line *line = *at;
	struct turns_item *item;
	if (line->lines) {
		item = drop(&line->lines);
	} else {
		struct turns_item **last = &line->items;
		while ((*last)->next)
			last = &(*last)->next;
		item = *last;
		*last = NULL;
	}
	if (--line->waiting == 0) {
		*at = line->next;
		free(line);
	}
	return item;
}

struct turns_item *turns_drop(struct turns *turns)
{
	assert(turns->waiting > 0);
	turns->waiting--;
	return drop(&turns->lines);
}
