// SPDX-License-Identifier: Apache-2.0
// The overlay in mountinfo: dockerd's layout is read, everything else is refused.
// uses: runtime/overlay.c
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "lib/err.h"
#include "runtime/overlay.h"

#define ROOT "/d/overlay2/1f/merged"
#define BEFORE "26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define AFTER \
	"54 26 0:39 / /d/overlay2/20/merged rw - overlay overlay rw,lowerdir=/x,upperdir=/y,workdir=/z\n"
#define HEAD "53 26 0:38 / " ROOT " rw,relatime shared:2 master:3 - overlay overlay "
#define LAYERS \
	"lowerdir=/d/overlay2/l/AA:/d/overlay2/l/BB,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work"

static int find(const char *text, struct overlay *ret, struct err *e)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	assert_non_null(file);
	int r = overlay_find(file, ROOT, ret, e);
	fclose(file);
	return r;
}

static void layers_are_read(void **state)
{
	static const char *const texts[] = {
		BEFORE HEAD "rw," LAYERS "\n" AFTER,
		BEFORE AFTER HEAD "rw," LAYERS ",index=off,xino=off\n",
		HEAD "rw,lowerdir=l/AA:l/BB,upperdir=1f/diff,workdir=1f/work\n",
		HEAD LAYERS,
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct overlay o;
		struct err e;
		if (find(texts[i], &o, &e) < 0)
			fail_msg("%s", e.message);
		assert_string_equal(o.home, "/d/overlay2");
		assert_string_equal(o.id, "1f");
		assert_int_equal(o.lower_count, 2);
		assert_string_equal(o.lowers[0], "l/AA");
		assert_string_equal(o.lowers[1], "l/BB");
		overlay_done(&o);
	}
}

static const struct {
	const char *text;
	const char *sentence;
} refused[] = {
	{"", "nothing is mounted at"},
	{BEFORE AFTER, "nothing is mounted at"},
	{"53 26 0:38 / " ROOT " rw\n", "nothing is mounted at"},
	{"53 26 0:38 / " ROOT " rw - overlay overlay\n", "nothing is mounted at"},
	{HEAD "rw,lowerdir=/d/overlay2xl/AA,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"is not in /d/overlay2"},
	{HEAD "\n", "the option ,"},
	{HEAD "rw\n", "no layer that it can write to"},
	{HEAD "rw," LAYERS "\n" HEAD "rw," LAYERS "\n", "two file systems are mounted at"},
	{"53 26 0:38 / " ROOT " rw - aufs none rw\n", "is on aufs"},
	{"53 26 0:38 / " ROOT " rw - btrfs /dev/sda rw\n", "is on btrfs"},
	{HEAD "rw,lowerdir=/d/overlay2/l/AA,workdir=/d/overlay2/1f/work\n",
		"no layer that it can write to"},
	{HEAD "rw,lowerdir=/d/overlay2/l/AA,upperdir=/d/overlay2/1f/diff\n",
		"no layer that it can write to"},
	{HEAD "rw,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"no layer that it can write to"},
	{HEAD "rw," LAYERS ",lowerdir=/d/overlay2/l/CC\n", "names its layers twice"},
	{HEAD "rw,lowerdir=/e/AA,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"a layer of the container's overlay is not in /d/overlay2"},
	{HEAD "rw,lowerdir=/d/overlay2/../x,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"is not in /d/overlay2"},
	{HEAD "rw,lowerdir=l/A\\072B,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"is not in /d/overlay2"},
	{HEAD "rw,lowerdir=l/AA::l/BB,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"is not in /d/overlay2"},
	{HEAD "rw,lowerdir=l/AA/,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work\n",
		"is not in /d/overlay2"},
	{HEAD "rw,lowerdir=l/AA,upperdir=/d/overlay2/20/diff,workdir=/d/overlay2/1f/work\n",
		"writes to /d/overlay2/20/diff, not to /d/overlay2/1f/diff"},
	{HEAD "rw,lowerdir=l/AA,upperdir=/d/overlay2/1f/diff,workdir=/d/overlay2/1f/work2\n",
		"writes to /d/overlay2/1f/work2, not to"},
	{HEAD "rw," LAYERS ",redirect_dir=on\n", "the option redirect_dir=on,"},
	{HEAD "rw," LAYERS ",context=\"x\"\n", "the option context="},
	{HEAD "rw," LAYERS ",userxattr\n", "the option userxattr,"},
	{HEAD "rw," LAYERS ",volatile\n", "the option volatile,"},
	{HEAD "ro," LAYERS "\n", "the option ro,"},
	{HEAD "rw," LAYERS ",lowerdir\n", "the option lowerdir,"},
	{HEAD "rw," LAYERS ",upperdirs=/x\n", "the option upperdirs=/x,"},
};

static void everything_else_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct overlay o;
		struct err e = {0};
		if (find(refused[i].text[0] ? refused[i].text : "\n", &o, &e) == 0)
			fail_msg("taken: %s", refused[i].text);
		if (!strstr(e.message, refused[i].sentence))
			fail_msg("%s: %s", refused[i].text, e.message);
	}
}

static void the_root_is_dockerds(void **state)
{
	static const char *const roots[] = {"/merged", "/a/merged", "/d/overlay2/1f/root",
		"/d/overlay2/merged/", "/d/overlay2//merged", "/d/overlay2/1fmerged", "merged"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		_cleanup_(freep) char *text =
			xasprintf("53 26 0:38 / %s rw - overlay overlay rw," LAYERS "\n", roots[i]);
		FILE *file = fmemopen(text, strlen(text), "r");
		struct overlay o;
		struct err e;
		if (overlay_find(file, roots[i], &o, &e) == 0)
			fail_msg("taken: %s", roots[i]);
		assert_non_null(strstr(e.message, "is not .../overlay2/<id>/merged"));
		fclose(file);
	}
}

static void as_many_layers_as_an_overlay_can_have(void **state)
{
	(void)state;
	for (int more = 0; more < 2; more++) {
		_cleanup_(str_done) struct str s = STR_INIT(65536);
		struct overlay o;
		struct err e = {0};
		str_add(&s, HEAD "rw,upperdir=1f/diff,workdir=1f/work,lowerdir=l/0");
		for (int i = 1; i < OVERLAY_LOWERS_MAX + more; i++)
			str_addf(&s, ":l/%d", i);
		assert_int_equal(find(str_text(&s), &o, &e), more ? -1 : 0);
		if (more)
			assert_non_null(strstr(e.message, "more than 500 layers"));
		else
			overlay_done(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_are_read),
		cmocka_unit_test(everything_else_is_refused),
		cmocka_unit_test(the_root_is_dockerds),
		cmocka_unit_test(as_many_layers_as_an_overlay_can_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
