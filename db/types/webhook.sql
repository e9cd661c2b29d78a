-- A webhook, as the HTTP routes answer it: never its secret.
create or replace view api.webhook with (security_invoker = true) as
select
    w.id,
    w.label,
    w.url,
    w.event_types,
    (case when w.status = 'active' and w.failing_since is not null then 'failing' else w.status end)::ccp.webhook_state as status,
    w.failing_since,
    w.failing_reason::text as failing_reason,
    case when w.retry_at > clock.now() then w.retry_at end as retry_at,
    (
        select d.created_at
        from ccp.webhook_deliveries as d
        where d.webhook_id = w.id and d.delivered_at is null
        order by d.event_id
        limit 1
    ) as waiting_since,
    w.version::text as version,
    w.created_at,
    w.updated_at
from ccp.webhooks as w;
comment on view api.webhook is 'Where events are sent.';
comment on column api.webhook.id is 'Identity.';
comment on column api.webhook.label is 'What people call it.';
comment on column api.webhook.url is 'Where to.';
comment on column api.webhook.event_types is 'Which types of events; null: all (or null).';
comment on column api.webhook.status is
'active; disabled by an administrator: what happens meanwhile is not sent later; failing: nothing is sent until it is '
'changed, or a test of it is taken.';
comment on column api.webhook.failing_since is 'Since when it has been failing (or null).';
comment on column api.webhook.failing_reason is 'Why, as a sentence (or null).';
comment on column api.webhook.retry_at is 'Until when its receiver has asked to be left alone, by Retry-After (or null).';
comment on column api.webhook.waiting_since is 'When the first event was queued that is still to be sent (or null).';
comment on column api.webhook.version is 'Rises with each edit; the ETag.';
comment on column api.webhook.created_at is 'When it was made.';
comment on column api.webhook.updated_at is 'When it was last edited.';

create type api.webhook_page as (webhooks api.webhook[], next_cursor text);
comment on type api.webhook_page is 'A page of webhooks, newest first.';
comment on column api.webhook_page.webhooks is 'The webhooks.';
comment on column api.webhook_page.next_cursor is 'Where the next page begins (or null).';

create type api.new_webhook as (
    id uuid, label text, url text, event_types ccp.event_type[], status ccp.webhook_state, version text, created_at timestamptz,
    secret text
);
comment on type api.new_webhook is 'A webhook just made.';
comment on column api.new_webhook.id is 'Identity.';
comment on column api.new_webhook.label is 'What people call it.';
comment on column api.new_webhook.url is 'Where to.';
comment on column api.new_webhook.event_types is 'Which types of events; null: all (or null).';
comment on column api.new_webhook.status is 'active or disabled.';
comment on column api.new_webhook.version is 'Rises with each edit; the ETag.';
comment on column api.new_webhook.created_at is 'When it was made.';
comment on column api.new_webhook.secret is
'What its messages are signed with, as the Standard Webhooks specification writes it; shown this once (or null).';

create type api.new_webhook_secret as (id uuid, secret text);
comment on type api.new_webhook_secret is 'A webhook''s new secret.';
comment on column api.new_webhook_secret.id is 'Identity of the webhook.';
comment on column api.new_webhook_secret.secret is 'What its messages are signed with from now on; shown this once (or null).';

create type api.webhook_delivery as (
    id text, type ccp.event_type, attempts integer, response_status integer, error_message text, created_at timestamptz,
    first_tried_at timestamptz, tried_at timestamptz, delivered_at timestamptz
);
comment on type api.webhook_delivery is 'An event that was, or is to be, sent to a webhook.';
comment on column api.webhook_delivery.id is 'Identity of the event; evt_ and this is the webhook-id of its messages.';
comment on column api.webhook_delivery.type is 'The event''s type.';
comment on column api.webhook_delivery.attempts is 'How often it was tried.';
comment on column api.webhook_delivery.response_status is 'HTTP status of the last answer (or null).';
comment on column api.webhook_delivery.error_message is 'Why the last try failed (or null).';
comment on column api.webhook_delivery.created_at is 'When it was queued.';
comment on column api.webhook_delivery.first_tried_at is 'When its day of tries began (or null).';
comment on column api.webhook_delivery.tried_at is 'When it was tried last (or null).';
comment on column api.webhook_delivery.delivered_at is 'When the receiver took it (or null).';

create type api.webhook_delivery_page as (deliveries api.webhook_delivery[], next_cursor text);
comment on type api.webhook_delivery_page is 'A page of deliveries, newest first.';
comment on column api.webhook_delivery_page.deliveries is 'The deliveries.';
comment on column api.webhook_delivery_page.next_cursor is 'Where the next page begins (or null).';
