-- A signing key, as the HTTP routes answer it: never its secret.
create or replace view api.signing_key with (security_invoker = true) as
select
    k.kid,
    case
        when k.signs_at > clock.now() then 'pending'
        when k.retired_at is null or k.retired_at > clock.now() then 'signing'
        else 'verifying'
    end as state,
    k.created_at,
    k.signs_at,
    k.retired_at,
    k.expires_at
from ccp.signing_keys as k
where k.expires_at is null or k.expires_at > clock.now();
comment on view api.signing_key is 'A key of login tokens.';
comment on column api.signing_key.kid is 'Key id in a token''s header.';
comment on column api.signing_key.state is 'pending (signs soon), signing or verifying.';
comment on column api.signing_key.created_at is 'When it was made.';
comment on column api.signing_key.signs_at is 'When it begins to sign, or began.';
comment on column api.signing_key.retired_at is 'When it stops signing, or stopped (or null).';
comment on column api.signing_key.expires_at is 'When it stops verifying (or null).';

create type api.signing_keys as (signing_keys api.signing_key[], next_cursor text);
comment on type api.signing_keys is 'The signing keys, at most 16.';
comment on column api.signing_keys.signing_keys is 'The keys, the one that signs last first.';
comment on column api.signing_keys.next_cursor is 'There is no next page (or null).';
