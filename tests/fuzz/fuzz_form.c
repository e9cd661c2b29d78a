// SPDX-License-Identifier: Apache-2.0
// Fuzzes the parser of queries and forms, and every type's check with what it lets through.
// uses: api/check.c api/form.c api/field.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/field.h"
#include "api/form.h"
#include "lib/err.h"
#include "lib/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form form;
	struct err e;

	if (form_parse((const char *)data, size, &form, &e) == 0)
		for (size_t i = 0; i < form.count; i++) {
			const struct form_pair *pair = &form.pairs[i];
			if (strlen(pair->value) != pair->value_len)
				abort(); // a NUL went through
			for (int type = 0; type < FIELD_TYPES; type++) {
				const struct field field = {.name = "x",
					.type = (enum field_type)type,
					.max = 100,
					.pattern = "a|b"};
				_cleanup_(str_done) struct str why = STR_INIT(512);
				_cleanup_(freep) char *value = NULL;
				if (type == FIELD_TEXT)
					continue; // its pattern would have to be prepared
				if (!field_check(
					    &field, pair->value, pair->value_len, &value, &why) &&
					why.len == 0)
					abort(); // refused without a word
			}
		}
	form_done(&form);
	return 0;
}
