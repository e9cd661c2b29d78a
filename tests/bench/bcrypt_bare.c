// SPDX-License-Identifier: Apache-2.0
// bcrypt and nothing else: `bcrypt_bare THREADS SECONDS` prints how many hashes of cost 10 a second that makes.
#include <crypt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 64 };

static atomic_bool over;
static atomic_long hashes;

static void *hash(void *ignored)
{
	struct crypt_data *data = calloc(1, sizeof(*data));

	while (data && !atomic_load(&over) &&
		crypt_r("correct horse battery", "$2b$10$J1cmH2UG5ywnFROy6/WX/.", data))
		atomic_fetch_add(&hashes, 1);
	free(data);
	return ignored;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int count = argc == 3 ? atoi(argv[1]) : 0;
	int seconds = argc == 3 ? atoi(argv[2]) : 0;

	if (count < 1 || count > THREADS_MAX || seconds < 1)
		return 2;
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, hash, NULL) != 0)
			return 1;
	sleep((unsigned)seconds);
	printf("%.1f\n", (double)atomic_load(&hashes) / seconds);
	atomic_store(&over, true);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
