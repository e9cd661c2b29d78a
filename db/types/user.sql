-- A user, as the HTTP routes answer it.
create or replace view api.user with (security_invoker = true) as
select
    u.id,
    u.username,
    u.short_id,
    u.role,
    (case when u.deleting_at is not null then 'deleting' else account.state(u.disabled_at, u.expires_at) end)::ccp.user_state
        as status,
    u.expires_at,
    u.idle_stop_minutes,
    u.disabled_at,
    u.password_changed_at,
    u.version::text as version,
    u.created_at,
    u.updated_at
from ccp.users as u
where u.deleted_at is null;
comment on view api.user is 'A person who may log in.';
comment on column api.user.id is 'Identity.';
comment on column api.user.username is 'Name to log in with.';
comment on column api.user.short_id is 'Short public id.';
comment on column api.user.role is 'user or admin.';
comment on column api.user.status is 'active, disabled, expired or deleting, as of now.';
comment on column api.user.expires_at is 'From then on nothing of this user runs or comes in (or null).';
comment on column api.user.idle_stop_minutes is
'Hosts that say nothing else are stopped when nobody has been in them for so long; without it the setting counts (or null).';
comment on column api.user.disabled_at is 'When an admin disabled the user (or null).';
comment on column api.user.password_changed_at is 'When the password last changed (or null).';
comment on column api.user.version is 'Rises with each edit; the ETag.';
comment on column api.user.created_at is 'When the user was made.';
comment on column api.user.updated_at is 'When the user was last edited.';
grant select on api.user to ccp_as_user;

create type api.user_page as (users api.user[], next_cursor text);
comment on type api.user_page is 'A page of users, newest first.';
comment on column api.user_page.users is 'The users.';
comment on column api.user_page.next_cursor is 'Where the next page begins (or null).';

create type api.new_user as (
    id uuid, username text, short_id text, role ccp.role, status ccp.user_state, expires_at timestamptz, version text,
    created_at timestamptz, password text
);
comment on type api.new_user is 'A user just made.';
comment on column api.new_user.id is 'Identity.';
comment on column api.new_user.username is 'Name to log in with.';
comment on column api.new_user.short_id is 'Short public id.';
comment on column api.new_user.role is 'user or admin.';
comment on column api.new_user.status is 'active, disabled, expired or deleting, as of now.';
comment on column api.new_user.expires_at is 'From then on nothing of this user runs or comes in (or null).';
comment on column api.new_user.version is 'Rises with each edit; the ETag.';
comment on column api.new_user.created_at is 'When the user was made.';
comment on column api.new_user.password is 'The password that was generated, shown this once (or null).';

create type api.new_password as (id uuid, username text, short_id text, password text, logins integer);
comment on type api.new_password is 'A user''s new password.';
comment on column api.new_password.id is 'Identity of the user.';
comment on column api.new_password.username is 'Name to log in with.';
comment on column api.new_password.short_id is 'Short public id.';
comment on column api.new_password.password is 'The password that was generated, shown this once (or null).';
comment on column api.new_password.logins is 'How many logins ended.';

create type api.password_change as (password_changed_at timestamptz, logins integer);
comment on type api.password_change is 'A password that its user has changed.';
comment on column api.password_change.password_changed_at is 'When it last changed.';
comment on column api.password_change.logins is 'How many other logins ended.';
