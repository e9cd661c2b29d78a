-- What api.value_rules() reads back of the domains, for each form that a constraint may have.
begin;
select plan(9);

create domain ccp.t_plain as text;
create domain ccp.t_whole as integer constraint whole_is_bounded check (value between -3 and 7);
create domain public.other as integer constraint other_is_bounded check (value between 1 and 2);
create domain ccp.t_quoted as text constraint quoted_is_known check (value ~ '^it''s$');
comment on constraint quoted_is_known on domain ccp.t_quoted is 'be it';
create domain ccp.t_two as text
constraint two_is_short check (length(value) between 2 and 5)
constraint two_is_known check (value ~ '^[ab]*$');
create domain ccp.t_word as text constraint word_is_known check (value in ('up', 'down'));
create domain ccp.t_many as text[] constraint many_are_few check (cardinality(value) between 1 and 4);
create domain ccp.t_paired as text;
create table ccp.t_pairs (one ccp.t_paired, two text, primary key (one, two));
create domain ccp.t_listed as text;
create table ccp.t_listings (note ccp.t_plain, word ccp.t_listed primary key);
insert into ccp.t_listings (note, word) values ('x', 'right'), ('y', 'left');
create unique index listings_note on ccp.t_listings (note);
create domain ccp.t_patterned as text constraint patterned_is_known check (value ~ '^p$');
create table ccp.t_patterns (word ccp.t_patterned primary key);
insert into ccp.t_patterns (word) values ('p');
create table ccp.t_worded (word ccp.t_word primary key);
insert into ccp.t_worded (word) values ('up');

grant select on ccp.t_listings, ccp.t_patterns, ccp.t_worded to ccp_owner;

create function pg_temp.rule(p_type text) returns text language sql as $$
    select concat_ws(' ', r.base, coalesce(r.lowest::text, '-'), coalesce(r.highest::text, '-'),
        coalesce(r.pattern, '-'), coalesce(r.words, '-'), coalesce(r.must, '-'))
    from api.value_rules() as r
    where r.type = p_type
$$;

select is(pg_temp.rule('ccp.t_plain'), 'text - - - - -', 'a domain without a constraint has no rule');
select is(pg_temp.rule('ccp.t_quoted'), 'text - - ^it''s$ - be it', 'a pattern is as it was written, and its comment says what must be');
select is(pg_temp.rule('ccp.t_two'), 'text 2 5 ^[ab]*$ - -', 'constraints of one domain are put together');
select is(pg_temp.rule('ccp.t_word'), 'text - - - up|down -', 'words are told in their order, also where a table is keyed by them');
select is(pg_temp.rule('ccp.t_many'), 'text[] 1 4 - - -', 'a list is bounded by how many it has');
select is(pg_temp.rule('ccp.t_paired'), 'text - - - - -', 'half a key lists no words');
select is(pg_temp.rule('ccp.t_listed'), 'text - - - left|right -', 'a domain that is a table''s key has that table''s words');
select is(pg_temp.rule('ccp.t_patterned'), 'text - - ^p$ - -', 'unless it has a pattern');
select set_eq(
    'select type, count(*)::integer from api.value_rules() group by type',
    $$select format_type(t.oid, null), 1 from pg_type as t join pg_namespace as n on n.oid = t.typnamespace
    where t.typtype = 'd' and n.nspname in ('ccp', 'api')$$,
    'every domain of ours has one row, and no other type'
);

select * from finish();
rollback;
