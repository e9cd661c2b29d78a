// SPDX-License-Identifier: Apache-2.0
// What every unit test needs before cmocka's own header, and a few words of ours.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/mem.h"

// The port that the kernel chose for a listener.
static inline uint16_t unit_port(int fd)
{
	struct sockaddr_storage own = {0};
	socklen_t len = sizeof(own);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	return addr_from_socket((struct sockaddr *)&own).port;
}

// The same before and after: no descriptor was left open.
static inline int lowest_free_fd(void)
{
	int fd = dup(STDIN_FILENO);
	close(fd);
	return fd;
}
