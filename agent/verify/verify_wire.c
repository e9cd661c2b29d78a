// SPDX-License-Identifier: Apache-2.0
// The messages between the agent and its verify child, as JSON.
#include "agent/verify/verify_wire.h"

#include <errno.h>
#include <string.h>

#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"

static const char *const kind_names[] = {[VERIFY_LIGHT] = "light", [VERIFY_FULL] = "full"};

static const char *const check_names[] = {
	[CHECK_EXIT_IP] = "exit_ip",
	[CHECK_DNS] = "dns",
	[CHECK_CONNECTIVITY] = "connectivity",
	[CHECK_FULL_SIZE] = "full_size",
};

static const char *const codes[] = {"exit_mismatch", "dns_failed", "mtu", "inconclusive"};

enum { FITS_MAX = 1500 }; // bytes

static const struct json_limits limits = {.bytes = 65536, .depth = 4, .values = 256};

char *verify_spec_print(const struct verify_spec *spec, int total_ms)
{
	_cleanup_(json_freep) cJSON *json = json_new_object();
	char text[ADDR_TEXT_MAX];
	json_set_text(json, "kind", kind_names[spec->kind]);
	json_set_text(json, "expected", addr_text(&spec->expected, text));
	json_set_text(json, "resolver", addr_text(&spec->resolver, text));
	json_set_text(json, "zone", spec->dns_check_zone);
	json_set_int(json, "total_ms", total_ms);
	json_set(json, "echo_urls", cJSON_Duplicate(spec->echo_urls, true));
	json_set(json, "connect_targets", cJSON_Duplicate(spec->connect_targets, true));
	return json_print(json);
}

// An array of min..max texts, none empty, none longer than VERIFY_URL_MAX.
static int texts_check(const cJSON *array, int min, int max, const char *what, struct err *e)
{
	int count = cJSON_GetArraySize(array);
	if (count < min || count > max)
		return err_say(e, EINVAL, "the setting %s needs %d to %d entries, it has %d", what,
			min, max, count);
	const cJSON *item;
	cJSON_ArrayForEach (item, array) {
		const char *text = cJSON_GetStringValue(item);
		if (!text || text[0] == '\0' || strlen(text) > VERIFY_URL_MAX)
			return err_say(
				e, EINVAL, "the setting %s has an entry that is not a text", what);
	}
	return 0;
}

static int spec_texts_take(const cJSON *json, struct verify_spec *ret, struct err *e)
{
	const char *kind, *expected, *resolver;
	if (json_get_text(json, "kind", &kind, e) != 0 ||
		json_get_text(json, "expected", &expected, e) != 0 ||
		json_get_text(json, "resolver", &resolver, e) != 0 ||
		json_get_text(json, "zone", &ret->dns_check_zone, e) != 0)
		return -1;
	if (addr_parse(expected, &ret->expected, e) < 0 ||
		addr_parse(resolver, &ret->resolver, e) < 0)
		return -1;
	ret->kind = strcmp(kind, kind_names[VERIFY_FULL]) == 0 ? VERIFY_FULL : VERIFY_LIGHT;
	size_t zone = strlen(ret->dns_check_zone);
	if (zone == 0 || zone > VERIFY_ZONE_MAX)
		return err_say(e, EINVAL, "the setting dns_check_zone is empty or too long");
	return 0;
}

int verify_spec_parse(const char *text, size_t len, struct verify_spec *ret, int *ret_total_ms,
	cJSON **ret_json, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	struct verify_spec spec = {0};
	int64_t total_ms;
	if (json_parse(text, len, &limits, &json, e) != 0)
		return -1;
	if (spec_texts_take(json, &spec, e) != 0 ||
		json_get_array(json, "echo_urls", &spec.echo_urls, e) != 0 ||
		json_get_array(json, "connect_targets", &spec.connect_targets, e) != 0 ||
		json_get_int(json, "total_ms", 1, VERIFY_TOTAL_MS, &total_ms, e) != 0)
		return -1;
	bool full = spec.kind == VERIFY_FULL;
	if (texts_check(spec.echo_urls, full ? VERIFY_ECHO_NEEDED : 1, VERIFY_ECHO_MAX, "echo_urls",
		    e) < 0 ||
		texts_check(spec.connect_targets, full, VERIFY_CONNECT_MAX, "connect_targets", e) <
			0)
		return -1;
	*ret = spec;
	*ret_total_ms = (int)total_ms;
	*ret_json = TAKE_PTR(json);
	return 0;
}

char *verify_report_print(enum verify_kind kind, const struct verify_result *result)
{
	_cleanup_(json_freep) cJSON *json = json_new_object();
	cJSON *checks = json_set_array(json, "checks");
	char text[ADDR_TEXT_MAX];
	for (int i = 0; i < verify_checks_of(kind); i++) {
		cJSON *check = json_add(checks, json_new_object());
		json_set_text(check, "name", check_names[i]);
		json_set_text(check, "outcome", outcome_name(result->checks[i].outcome));
		json_set_text(check, "code", result->checks[i].code);
		json_set_int(check, "us", result->checks[i].took_us);
		json_set_text(check, "detail", result->checks[i].detail);
	}
	json_set_text(json, "observed_ip",
		result->observed.family ? addr_text(&result->observed, text) : NULL);
	json_set_int(json, "fits", result->fits);
	return json_print(json);
}

char *verify_report_print_error(const char *sentence)
{
	_cleanup_(json_freep) cJSON *json = json_new_object();
	json_set_text(json, "error", sentence);
	return json_print(json);
}

// One of our own codes, so that no text of the child's goes into the database as one.
static const char *code_find(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_SIZE(codes); i++)
		if (strcmp(code, codes[i]) == 0)
			return codes[i];
	return NULL;
}

static int check_read(
	const cJSON *check, const char *expected_name, struct evidence *ev, struct err *e)
{
	const char *name, *outcome_text, *detail, *code_text = NULL;
	int64_t us;
	if (json_get_text(check, "name", &name, e) != 0 ||
		json_get_text(check, "outcome", &outcome_text, e) != 0 ||
		json_get_text(check, "detail", &detail, e) != 0 ||
		json_opt_text(check, "code", &code_text, e) < 0 ||
		json_get_int(check, "us", 0, 60000000, &us, e) != 0)
		return -1;
	int outcome = outcome_by_name(outcome_text);
	const char *code = code_find(code_text);
	if (strcmp(name, expected_name) != 0 || outcome < 0 ||
		(outcome == OUTCOME_PASSED) != (!code) || (code_text && !code))
		return err_say(e, EBADMSG, "check \"%.20s\" is not as expected", name);
	evidence_add(ev, expected_name, outcome, code, us, "%.200s", detail);
	return 0;
}

static int checks_read(const cJSON *json, enum verify_kind kind, struct evidence *ev, struct err *e)
{
	const cJSON *checks;
	const char *observed = NULL;
	struct addr seen;
	int64_t fits = 0;
	if (json_get_array(json, "checks", &checks, e) != 0 ||
		json_opt_text(json, "observed_ip", &observed, e) < 0 ||
		json_opt_int(json, "fits", 0, FITS_MAX, &fits, e) < 0)
		return -1;
	if (cJSON_GetArraySize(checks) != verify_checks_of(kind))
		return err_say(e, EBADMSG, "it holds %d checks", cJSON_GetArraySize(checks));
	if (observed && addr_parse(observed, &seen, e) < 0)
		return -1;
	int i = 0;
	const cJSON *check;
	cJSON_ArrayForEach (check, checks) {
		if (check_read(check, check_names[i++], ev, e) < 0)
			return -1;
	}
	if (observed)
		addr_text(&seen, ev->observed_ip);
	ev->fits = (int)fits;
	return 0;
}

int verify_report_read(
	const char *text, size_t len, enum verify_kind kind, struct evidence *ev, struct err *e)
{
	_cleanup_(json_freep) cJSON *json = NULL;
	const char *sentence = NULL;
	if (json_parse(text, len, &limits, &json, e) != 0)
		return err_wrap(e, "the verification's report");
	if (json_opt_text(json, "error", &sentence, e) == 0)
		return err_say(e, EIO, "the verification could not run: %.300s", sentence);
	if (checks_read(json, kind, ev, e) < 0)
		return err_wrap(e, "the verification's report");
	return 0;
}
