-- What a tick does, in this order; each rule in a transaction of its own, so that none waits for the work of another.
-- Sessions come first, for they may hold up what follows.
insert into pg_temp.tick_rules (rule, place, every, batch)
values
    ('access.limit_sessions', 1, interval '0', null),
    ('process.declare_silent_dead', 2, interval '0', null),
    ('clock.enforce_deadlines', 3, interval '0', null),
    ('task.release_orphans', 4, interval '0', 100),
    ('account.enforce', 5, interval '0', 50),
    ('host.make_room', 6, interval '0', 50),
    ('host.stop_idle', 7, interval '30 seconds', 50),
    ('clock.resume', 8, interval '0', 1000),
    ('clock.reconcile_all', 9, interval '0', 100),
    ('host.follow_exits', 10, interval '5 seconds', 100),
    ('egress.note_states', 11, interval '5 seconds', 100),
    ('clock.forget_failures', 12, interval '10 seconds', 1000),
    ('access.penalties_forget', 13, interval '0', null),
    ('webhook.dispatch', 14, interval '0', null),
    ('live.forget', 15, interval '0', null),
    ('event.make_months', 16, interval '0', null),
    ('event.retain_daily', 17, interval '0', null);
