// SPDX-License-Identifier: Apache-2.0
// Every kind of task with its steps, in the order in which they are done.
#include "agent/task/kinds.h"

#include "agent/task/create.h"
#include "agent/task/delete.h"
#include "agent/task/egress_test.h"
#include "agent/task/host_task.h"
#include "agent/task/rebuild.h"
#include "agent/task/start.h"
#include "agent/task/steps.h"
#include "agent/task/switch.h"
#include "agent/task/verify.h"

// clang-format off
// name, stage and progress and sentence that are reported as the step begins, function. A stage that
// names something done is reported when it is done, so with the step after it; host_starting and
// verifying are reported as they begin.

static const struct task_step create_steps[] = {
	{"image",   NULL,                0,  NULL,                                    step_image},
	{"pin",     NULL,                0,  NULL,                                    step_pin_image},
	{"keys",    "image_ready",       50, "Making the host's keys and home",       create_keys},
	{0},
};

#define START_STEPS \
	{"create",  "image_ready",       15, "Making the container",                  start_create}, \
	{"boot",    "container_created", 25, "Starting the container behind its gate", start_boot}, \
	{"wall",    NULL,                0,  NULL,                                    start_wall}, \
	{"tunnel",  "firewall_ready",    40, "Connecting the tunnel to the exit",     start_tunnel}, \
	{"examine", "tunnel_ready",      55, "Examining tunnel and wall",             start_examine}, \
	{"verify",  "verifying",         65, "Proving the exit from inside",          start_verify}, \
	{"prove",   NULL,                0,  NULL,                                    start_prove}, \
	{"gate",    NULL,                0,  NULL,                                    start_gate}, \
	{"finish",  "ssh_ready",         95, "The host answers",                      start_finish}

static const struct task_step start_steps[] = {
	{"prepare", "host_starting",     5,  "Preparing the host",                    start_prepare},
	START_STEPS,
	{0},
};

static const struct task_step stop_steps[] = {
	{"end",     NULL,                0,  NULL,                                    step_end},
	{0},
};

static const struct task_step rebuild_steps[] = {
	{"end",     "host_starting",     5,  "Ending the host",                       step_end},
	{"image",   NULL,                0,  NULL,                                    step_image},
	{"remove",  NULL,                0,  NULL,                                    step_remove},
	{"pin",     NULL,                0,  NULL,                                    step_pin_image},
	{"home",    NULL,                0,  NULL,                                    rebuild_home},
	{"prepare", NULL,                0,  NULL,                                    rebuild_start},
	START_STEPS,
	{0},
};

static const struct task_step verify_steps[] = {
	{"verify",  "verifying",         10, "Proving the exit from inside",          verify_exit},
	{0},
};

static const struct task_step switch_steps[] = {
	{"prepare", "verifying",         10, "Preparing the other exit",              switch_prepare},
	{"close",   NULL,                0,  NULL,                                    switch_close},
	{"leave",   NULL,                0,  NULL,                                    switch_leave},
	{"wall",    NULL,                0,  NULL,                                    switch_wall},
	{"tunnel",  NULL,                0,  NULL,                                    start_tunnel},
	{"examine", NULL,                0,  NULL,                                    start_examine},
	{"verify",  NULL,                0,  NULL,                                    start_verify},
	{"prove",   NULL,                0,  NULL,                                    start_prove},
	{"finish",  NULL,                0,  NULL,                                    start_finish},
	{0},
};

static const struct task_step delete_steps[] = {
	{"end",     NULL,                0,  NULL,                                    step_end},
	{"remove",  NULL,                0,  NULL,                                    delete_containers},
	{"files",   NULL,                0,  NULL,                                    delete_files},
	{0},
};

static const struct task_step egress_test_steps[] = {
	{"host",    NULL,                0,  NULL,                                    egress_test_host},
	{"wall",    NULL,                0,  NULL,                                    egress_test_wall},
	{"tunnel",  "verifying",         20, "Proving the exit",                      egress_test_tunnel},
	{"examine", NULL,                0,  NULL,                                    egress_test_examine},
	{"verify",  NULL,                0,  NULL,                                    egress_test_verify},
	{"finish",  NULL,                0,  NULL,                                    egress_test_finish},
	{0},
};

#define KIND(name, table) \
	{.kind = name, .steps = table, .begin = host_task_begin, .undo = host_task_undo, .end = host_task_end}

const struct task_kind agent_kinds[] = {
	KIND("host.create",  create_steps),
	KIND("host.start",   start_steps),
	KIND("host.stop",    stop_steps),
	KIND("host.rebuild", rebuild_steps),
	KIND("host.verify",  verify_steps),
	KIND("host.delete",  delete_steps),
	{.kind = "host.switch", .steps = switch_steps, .begin = host_task_begin, .undo = switch_undo, .end = host_task_end},
	{.kind = "egress.test", .steps = egress_test_steps, .begin = egress_test_begin, .end = egress_test_end},
	{0},
};
// clang-format on
