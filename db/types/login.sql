-- What a login answers.
create type api.login as (token text, role ccp.role, username text, short_id text, expires_in integer);
comment on type api.login is 'A login token and whose it is.';
comment on column api.login.token is 'Send it as "Authorization: Bearer ...".';
comment on column api.login.role is 'user or admin.';
comment on column api.login.username is 'Who logged in.';
comment on column api.login.short_id is 'That user''s short public id.';
comment on column api.login.expires_in is 'Seconds until the token expires; refresh it before.';
