-- What it means that a host's files take too much of their disk, and what helps; null: they do not. It is inlined into the view,
-- so its readers may call it.
create or replace function host.disk_sentence(p_excess text, p_disk_is_short boolean, p_node text)
returns text
language sql
immutable
return p_excess || case
    when p_disk_is_short then
        ', and the disk of ' || p_node || ' is nearly full: it is kept stopped until there is room, or it is rebuilt and takes '
        || 'less'
    else ': remove some, for when the disk of ' || p_node || ' is nearly full it is stopped'
end;

revoke all on function host.disk_sentence(text, boolean, text) from public;
grant execute on function host.disk_sentence(text, boolean, text) to ccp_automation, ccp_dba;

comment on function host.disk_sentence(text, boolean, text) is
'What it means that a host''s files take too much of their disk, and what helps; null: they do not.';
