// SPDX-License-Identifier: Apache-2.0
// Rows of SQL with one column, as fakes: what a test says.
#pragma once

#include <inttypes.h>
#include <stdio.h>

#include "lib/db.h"

static struct {
	int rows;
	const char *text; // in each
} sql;

int db_rows(const struct pg_result *rows)
{
	(void)rows;
	return sql.rows;
}

const char *db_text(const struct pg_result *rows, int row, int column)
{
	(void)rows;
	(void)row;
	(void)column;
	return sql.text;
}

void db_result_freep(struct pg_result **rows)
{
	(void)rows;
}

struct db_number db_number(int64_t number)
{
	struct db_number n;
	snprintf(n.text, sizeof(n.text), "%" PRId64, number);
	return n;
}
