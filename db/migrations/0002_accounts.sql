-- People: users, their logins and keys, penalties of client addresses, and remembered requests.

create table ccp.users (
    id uuid primary key default gen_random_uuid(),
    username ccp.username not null,
    short_id ccp.short_id not null,
    role ccp.role not null default 'user',
    password_hash ccp.bcrypt,
    password_changed_at timestamptz,
    expires_at timestamptz,
    expiry_announced_at timestamptz,
    idle_stop_minutes ccp.idle_minutes,
    disabled_at timestamptz,
    deleting_at timestamptz,
    deleted_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default clock.now(),
    updated_at timestamptz not null default clock.now(),
    constraint username_is_unique unique (username),
    constraint user_short_id_is_unique unique (short_id),
    constraint deleting_user_is_disabled check (deleting_at is null or disabled_at is not null),
    constraint tombstone_was_being_deleted check (deleted_at is null or deleting_at is not null),
    constraint tombstone_cannot_log_in check (deleted_at is null or password_hash is null),
    constraint announced_expiry_exists check (expiry_announced_at is null or expires_at is not null)
) with (fillfactor = 85);
comment on table ccp.users is 'People. Whether one has expired is computed from expires_at at each use and never stored.';
comment on column ccp.users.id is 'Identity.';
comment on column ccp.users.username is 'Name to log in with, lower case.';
comment on column ccp.users.short_id is 'Short public id, used in links; never reused.';
comment on column ccp.users.role is 'user (own things) or admin (everything).';
comment on column ccp.users.password_hash is 'bcrypt ($2b$) of the login password; null: cannot log in.';
comment on column ccp.users.password_changed_at is 'When the password last changed.';
comment on column ccp.users.expires_at is 'From then on nothing of this user runs or comes in; null: never.';
comment on column ccp.users.expiry_announced_at is 'When user.expired was written for this expires_at.';
comment on column ccp.users.idle_stop_minutes is
'Hosts of this user that say nothing else are stopped when nobody has been in them for so long; null: as the setting says.';
comment on column ccp.users.disabled_at is 'When an admin disabled the user; null: enabled.';
comment on column ccp.users.deleting_at is 'When an admin asked for the deletion; it begins with the hosts.';
comment on column ccp.users.deleted_at is
'When the last host was gone. The row stays as a tombstone, and its name taken, while the audit log may name it.';
comment on column ccp.users.version is 'Rises with each edit; the ETag.';
comment on column ccp.users.created_at is 'When the row was made.';
comment on column ccp.users.updated_at is 'When it was last edited.';

create index users_by_expiry on ccp.users (expires_at) where expires_at is not null;
create index users_by_creation on ccp.users (created_at, id);
create index users_by_beginning_of_name on ccp.users (username text_pattern_ops);
create index users_by_beginning_of_short_id on ccp.users (short_id text_pattern_ops);
create index users_deleted on ccp.users (deleted_at) where deleted_at is not null;
create index users_disabled on ccp.users (id) where disabled_at is not null;

create trigger users_keep_expiry_announced before update of expires_at on ccp.users
for each row when (old.expires_at is distinct from new.expires_at)
execute function account.reset_expiry_announced();

create trigger users_touch
before update of username, role, password_hash, expires_at, idle_stop_minutes, disabled_at, deleting_at on ccp.users
for each row when (old.* is distinct from new.*)
execute function clock.touch();

create table ccp.logins (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null,
    cookie_id uuid,
    generation integer not null default 1,
    address inet,
    created_at timestamptz not null default clock.now(),
    refreshed_at timestamptz not null default clock.now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoke_reason text,
    constraint login_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint cookie_has_one_login unique (cookie_id),
    constraint generation_is_positive check (generation > 0),
    constraint revocation_has_a_reason check ((revoked_at is null) = (revoke_reason is null))
);
comment on table ccp.logins is 'One row per token family: made by a login, revocable as a whole.';
comment on column ccp.logins.id is 'Identity; the claim lid of its tokens.';
comment on column ccp.logins.user_id is 'Whose login.';
comment on column ccp.logins.cookie_id is
'The part of its refresh cookie that stays; null: not a browser''s. Only that cookie renews a browser''s login.';
comment on column ccp.logins.generation is
'Only tokens of this generation count; a refresh by token raises it. One by cookie does not: each tab has a token of its own.';
comment on column ccp.logins.address is 'Where the user came from.';
comment on column ccp.logins.created_at is 'When the user logged in.';
comment on column ccp.logins.refreshed_at is 'When a token was last made.';
comment on column ccp.logins.expires_at is 'No token of the family counts after this.';
comment on column ccp.logins.revoked_at is 'When it was logged out or revoked.';
comment on column ccp.logins.revoke_reason is 'Why: logout, reuse, password, admin.';
create index logins_of_a_user on ccp.logins (user_id);

create table ccp.refresh_cookies (
    sha256 ccp.sha256 primary key,
    login_id uuid not null,
    made_at timestamptz not null default clock.now(),
    replaced_at timestamptz,
    constraint cookie_belongs_to_a_login foreign key (login_id) references ccp.logins (id) on delete cascade
);
comment on table ccp.refresh_cookies is
'The cookies by which a browser''s login may be renewed now. Each is replaced when it is used, and goes soon after: one that is '
'not here was used before.';
comment on column ccp.refresh_cookies.sha256 is 'Digest of its secret part.';
comment on column ccp.refresh_cookies.login_id is 'Whose cookie.';
comment on column ccp.refresh_cookies.made_at is 'When the browser got it.';
comment on column ccp.refresh_cookies.replaced_at is 'When another took its place; it counts for ten seconds more.';
create index cookies_of_a_login on ccp.refresh_cookies (login_id);

create table ccp.signing_keys (
    kid ccp.kid primary key,
    secret bytea not null,
    created_at timestamptz not null default clock.now(),
    signs_at timestamptz not null default clock.now(),
    retired_at timestamptz,
    expires_at timestamptz,
    constraint secret_has_32_bytes check (octet_length(secret) = 32),
    constraint retired_key_expires check ((retired_at is null) = (expires_at is null))
);
comment on table ccp.signing_keys is
'HS256 keys of login tokens, by kid. The one that is not retired signs from signs_at on, and until then the one before it; a '
'retired one verifies until it expires.';
comment on column ccp.signing_keys.kid is 'Key id in the token''s header.';
comment on column ccp.signing_keys.secret is 'The key: 32 random bytes.';
comment on column ccp.signing_keys.created_at is 'When it was made.';
comment on column ccp.signing_keys.signs_at is 'When it begins to sign: not before every API process knows it.';
comment on column ccp.signing_keys.retired_at is 'When it stops signing, or stopped.';
comment on column ccp.signing_keys.expires_at is 'When it stops verifying.';
create unique index one_key_signs on ccp.signing_keys ((true)) where retired_at is null;

create table ccp.ssh_keys (
    id uuid primary key default gen_random_uuid(),
    user_id uuid not null,
    name ccp.label not null,
    public_key ccp.ssh_public_key not null,
    key_sha256 ccp.sha256 not null,
    created_at timestamptz not null default clock.now(),
    last_used_at timestamptz,
    constraint ssh_key_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint ssh_key_is_registered_once unique (user_id, key_sha256)
);
comment on table ccp.ssh_keys is 'Public keys with which a user comes into all own hosts.';
comment on column ccp.ssh_keys.id is 'Identity.';
comment on column ccp.ssh_keys.user_id is 'Whose key.';
comment on column ccp.ssh_keys.name is 'What the user calls it.';
comment on column ccp.ssh_keys.public_key is 'type and base64, no comment.';
comment on column ccp.ssh_keys.key_sha256 is 'SHA-256 of the key blob, lower hex.';
comment on column ccp.ssh_keys.created_at is 'When it was registered.';
comment on column ccp.ssh_keys.last_used_at is 'When it last let its user in.';

create table ccp.penalties (
    source text primary key,
    expires_at timestamptz not null,
    refused boolean not null default false,
    reason text not null,
    updated_at timestamptz not null default clock.now(),
    constraint source_is_short check (length(source) <= 200)
);
comment on table ccp.penalties is
'Who has earned a wait, after OpenSSH''s PerSourcePenalties: each offence adds seconds; over a threshold a name at an address is '
'refused until they have passed, and at an address each further mistake counts at once.';
comment on column ccp.penalties.source is
'A network (/32 or /64), or a digest of the name that was tried there, @, and the network: the name may be a password typed '
'into the wrong field.';
comment on column ccp.penalties.expires_at is 'When the penalty has passed.';
comment on column ccp.penalties.refused is 'The threshold was reached: until expires_at a name is refused, an address watched.';
comment on column ccp.penalties.reason is 'The last offence.';
comment on column ccp.penalties.updated_at is 'When the last offence was.';
create index penalties_by_expiry on ccp.penalties (expires_at);

create table ccp.penalty_rules (
    reason text primary key,
    seconds integer not null,
    description text not null,
    constraint penalty_is_bounded check (seconds between 1 and 600)
);
comment on table ccp.penalty_rules is 'How many seconds each offence costs.';
comment on column ccp.penalty_rules.reason is 'The offence.';
comment on column ccp.penalty_rules.seconds is 'Seconds it adds.';
comment on column ccp.penalty_rules.description is 'What happened.';

create table ccp.idempotency_keys (
    user_id uuid not null,
    key ccp.request_key not null,
    route text not null,
    request_sha256 ccp.sha256 not null,
    status integer not null,
    ids jsonb not null default '{}',
    created_at timestamptz not null default clock.now(),
    primary key (user_id, key),
    constraint key_belongs_to_a_user foreign key (user_id) references ccp.users (id) on delete cascade,
    constraint status_is_http check (status between 200 and 599),
    constraint ids_are_an_object check (jsonb_typeof(ids) = 'object')
);
comment on table ccp.idempotency_keys is
'HTTP requests that carried an Idempotency-Key: what they made, never a secret. Kept for a day.';
comment on column ccp.idempotency_keys.user_id is 'Who sent it.';
comment on column ccp.idempotency_keys.key is 'The header''s value.';
comment on column ccp.idempotency_keys.route is 'Method and path.';
comment on column ccp.idempotency_keys.request_sha256 is 'Digest of the request; the same key with another request is refused.';
comment on column ccp.idempotency_keys.status is 'HTTP status that was answered.';
comment on column ccp.idempotency_keys.ids is 'Ids of what was made.';
comment on column ccp.idempotency_keys.created_at is 'When.';
create index idempotency_keys_by_age on ccp.idempotency_keys (created_at);
