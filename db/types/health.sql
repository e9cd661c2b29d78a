-- How the system is, for the health check.
create type api.health as (status api.health_state, checks api.texts);
comment on type api.health is 'How the system is.';
comment on column api.health.status is 'ok or degraded; unavailable with 503.';
comment on column api.health.checks is 'Each part: ok, stale, absent or away; locks may be filling, a disk short or full.';
