-- The user and group ids on its node that a host's slot stands for: 65,536 from `base` are what its container has for 0 to
-- 65535, and `owner` owns its user namespace, so that the kernel counts for it what all of its users take together. No
-- process ever runs as `owner`. As `engine` runs what carries its tunnel, if that needs not be root.
--
-- All lie above what Linux distributions give to accounts and, with usual numbers of accounts, to subordinate ids, and
-- below 2^31, where signed readers end. Slots go from the top down: the first 4,094 ranges and all owners are where
-- systemd's table of ids has nothing at all, those below lie where systemd-nspawn also chooses; 0x7ffe0000 to 0x7ffeffff,
-- which that table reserves, is left out. The eight ids above the last engine's, 2147475452 to 2147475459, are those of exits'
-- tests. An agent reports what is taken there all the same (ccp.nodes.taken_ids).
create or replace function host.ids(p_slot integer)
returns jsonb
language sql
immutable
set search_path = pg_catalog, pg_temp
as $$
    select jsonb_build_object('base', 2147287040 - p_slot * 65536, 'owner', 2147418112 + p_slot, 'engine', 2147446782 + p_slot)
$$;

revoke all on function host.ids(integer) from public;
grant execute on function host.ids(integer) to ccp_automation, ccp_dba;

comment on function host.ids(integer) is
'The user and group ids of a slot: base, the first of 65,536, the owner of the user namespace, and the engine.';
