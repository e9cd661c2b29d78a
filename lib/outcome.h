// SPDX-License-Identifier: Apache-2.0
// Named outcomes: where each module's numbers begin, so that no two of them are equal.
#pragma once

// A function that may end in more ways than "done" and "failed" returns, besides 0 and -1, an
// outcome of its module's enum. A caller passes on only what its own header names: an outcome that
// slips through is a number that no test there expects, never another module's meaning.
enum outcome_base {
	OUTCOMES_WAIT = 1, // through every blocking call: below all others
	// lib
	OUTCOMES_ARGS = 0x100,
	OUTCOMES_DB = 0x200,
	OUTCOMES_HASH = 0x300,
	OUTCOMES_JSON = 0x400,
	OUTCOMES_POOL = 0x500,
	OUTCOMES_PROC = 0x600,
	OUTCOMES_SOCK = 0x700,
	OUTCOMES_TASK = 0x800,
	OUTCOMES_IMPORT = 0x900,
	// agent
	OUTCOMES_DOCKER = 0x1100,
	OUTCOMES_IMAGE = 0x1200,
	OUTCOMES_SOCKDIAG = 0x1300,
	OUTCOMES_TUNNEL = 0x1400,
	OUTCOMES_ENGINE = 0x1500,
	OUTCOMES_UAPI = 0x1600,
	OUTCOMES_ROOTFS = 0x1700,
	OUTCOMES_GENL = 0x1a00,
	// api
	OUTCOMES_CATALOGUE = 0x2100,
	OUTCOMES_ROUTE = 0x2200,
	OUTCOMES_STEP = 0x2300,
	OUTCOMES_TOKEN = 0x2400,
	OUTCOMES_HEAD = 0x2500,
	OUTCOMES_CHUNKS = 0x2600,
	// sshproxy
	OUTCOMES_MESSAGE = 0x3100,
};
