// SPDX-License-Identifier: Apache-2.0
// Asks the tunnel of a run every few seconds whether it works.
#include "agent/host/pulse.h"

#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/host/host.h"
#include "lib/err.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/mem.h"
#include "lib/pool.h"

struct pulse {
	struct agent *agent;
	char host_id[SPEC_ID_SIZE];
	uint64_t run_number;
	void (*silent)(void *data);
	void *data;
	struct tunnel_pulse tunnel;
	struct loop_source *timer;
	bool asked; // an answer is to be heard next
	int doubt; // what was heard last, other than that all is well
	bool busy; // the exit's tunnel is being renewed
	bool ended; // freed as soon as it is not busy
	struct pool_job job;
};

int pulse_new(struct agent *a, const struct host *host, void (*silent)(void *data), void *data,
	struct pulse **ret, struct err *e)
{
	const struct tunnel_place place = run_place(&host->run);
	const struct tunnel *t = &host->run.tunnel;
	struct pulse *p = xnew(struct pulse);
	*p = (struct pulse){.agent = a,
		.run_number = host->run.number,
		.silent = silent,
		.data = data,
		.tunnel = TUNNEL_PULSE_INIT};
	memcpy(p->host_id, host->id, sizeof(p->host_id));
	p->tunnel.kind = t->kind;
	if (t->kind->pulse_open(&place, t, &p->tunnel, e) != 0) {
		pulse_free(p);
		return -1;
	}
	*ret = p;
	return 0;
}

void pulse_free(struct pulse *p)
{
	if (!p)
		return;
	loop_source_free(p->timer);
	tunnel_pulse_close(&p->tunnel);
	free(p);
}

void pulse_end(struct pulse *p)
{
	if (!p->busy) {
		pulse_free(p);
		return;
	}
	p->ended = true;
	loop_source_free(p->timer);
	p->timer = NULL;
}

// A host that is taken is left: if its exit stays silent the next pulse says so again.
static void renew(struct pool_job *job, struct db *db)
{
	struct pulse *p = container_of(job, struct pulse, job);
	struct hosts *hosts = p->agent->hosts;
	struct host *host = host_try_take(hosts, p->host_id);
	struct err e;

	(void)db;
	if (!host)
		return;
	if (host->run.number == p->run_number) {
		const struct tunnel_place place = run_place(&host->run);

		if (p->tunnel.kind->renew(&place, &host->run.tunnel, &e) == 0)
			log_info("an exit that was silent is greeted again",
				log_text("host", host->id));
		else
			log_warning("an exit that is silent cannot be greeted again",
				log_text("host", host->id), log_err(&e));
	}
	host_release(hosts, host);
}

static void renew_done(struct pool_job *job)
{
	struct pulse *p = container_of(job, struct pulse, job);

	p->busy = false;
	if (p->ended)
		pulse_free(p);
	else
		p->silent(p->data);
}

static void renew_submit(struct pulse *p)
{
	if (p->busy)
		return;
	p->job = (struct pool_job){.run = renew, .done = renew_done};
	p->busy = pool_submit_first(p->agent->check_pool, &p->job) == 0;
}

// Of a machine that is busy an answer may be late; twice in a row is worth a look.
static void judge(struct pulse *p, int heard)
{
	bool sure = heard != 0 && heard == p->doubt;

	p->doubt = sure ? 0 : heard;
	loop_timer_set(p->timer, (p->doubt != 0 ? PULSE_DOUBT_MS : PULSE_MS) - PULSE_ANSWER_MS, 0);
	if (sure && heard == TUNNEL_UNANSWERED && p->tunnel.kind->renew)
		renew_submit(p);
	else if (sure)
		p->silent(p->data);
}

static void on_timer(void *data)
{
	struct pulse *p = data;
	const struct tunnel_kind *kind = p->tunnel.kind;
	struct err e;
	int r = p->asked ? kind->pulse_hear(&p->tunnel, &e) : kind->pulse_ask(&p->tunnel, &e);

	p->asked = !p->asked && r == 0;
	if (p->asked)
		loop_timer_set(p->timer, PULSE_ANSWER_MS, 0);
	else
		judge(p, r);
}

int pulse_begin(struct pulse *p, struct err *e)
{
	enum { APART_MS = 2473 }; // runs that begin together are asked at times far apart

	if (loop_timer(p->agent->loop, on_timer, p, &p->timer, e) < 0)
		return -1;
	loop_timer_set(p->timer, (int64_t)(p->run_number * APART_MS % PULSE_MS), 0);
	return 0;
}
