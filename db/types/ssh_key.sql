-- A public key, as the HTTP routes answer it.
create or replace view api.ssh_key with (security_invoker = true) as
select
    k.id,
    k.user_id,
    k.name,
    k.public_key,
    k.key_sha256,
    k.created_at,
    k.last_used_at
from ccp.ssh_keys as k;
comment on view api.ssh_key is 'A public key with which its user comes into all own hosts.';
comment on column api.ssh_key.id is 'Identity.';
comment on column api.ssh_key.user_id is 'Whose key.';
comment on column api.ssh_key.name is 'What the user calls it.';
comment on column api.ssh_key.public_key is 'Type and base64.';
comment on column api.ssh_key.key_sha256 is 'SHA-256 of the key blob, lower hex.';
comment on column api.ssh_key.created_at is 'When it was registered.';
comment on column api.ssh_key.last_used_at is 'When it last let its user in (or null).';
grant select on api.ssh_key to ccp_as_user;

create type api.ssh_key_page as (ssh_keys api.ssh_key[], next_cursor text);
comment on type api.ssh_key_page is 'A page of keys, newest first.';
comment on column api.ssh_key_page.ssh_keys is 'The keys.';
comment on column api.ssh_key_page.next_cursor is 'Where the next page begins (or null).';
