// SPDX-License-Identifier: Apache-2.0
// Loads the worker's sealing key and tells its public half.
#include "workers/sealing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/db.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/mem.h"

int sealing_load(const char *state_dir, struct sealing *ret, struct err *e)
{
	_cleanup_(freep) char *path = xasprintf("%s/worker", state_dir);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ret->told = false;
	if (fd < 0)
		return err_set(e, errno, "open %s", path);
	return seal_pair_load(fd, "sealing.key", &ret->pair, e);
}

int sealing_tell(struct sealing *sealing, struct db *db, const struct wait *w, struct err *e)
{
	_cleanup_(db_result_freep) struct pg_result *rows = NULL;
	char key[KEY32_TEXT_SIZE];

	if (sealing->told)
		return 0;
	key32_text(sealing->pair.public_key, key);
	int r = db_call(db, DB_CALL("select webhook.set_sealing_key($1)", key), w, &rows, e);
	if (r != 0)
		return r;
	sealing->told = true;
	if (strcmp(db_text(rows, 0, 0), "ok") != 0)
		log_error(
			"webhooks are sealed to another worker's key: copy its sealing.key here, or set "
			"webhook_sealing_key to null, restart this worker and give each webhook another secret");
	return 0;
}
