-- Where the batch after one begins that dealt with these, in their order: after the last, if they were as many as it may have.
create or replace function clock.batch_after(p_ids uuid[], p_limit integer)
returns uuid
language sql
immutable
return case when cardinality(p_ids) = p_limit then p_ids[p_limit] end;

revoke all on function clock.batch_after(uuid[], integer) from public;

comment on function clock.batch_after(uuid[], integer) is
'Where the batch after one begins that dealt with these; null: there is no more.';
