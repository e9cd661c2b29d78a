-- A setting, as the HTTP routes answer it.
create or replace view api.setting with (security_invoker = true) as
select
    s.name,
    s.value,
    s.default_value,
    s.type,
    s.min,
    s.max,
    s.pattern,
    s.optional,
    s.description,
    s.version::text as version,
    s.updated_at,
    s.updated_by
from ccp.settings as s;
comment on view api.setting is 'A setting, read live by every program.';
comment on column api.setting.name is 'Name.';
comment on column api.setting.value is 'Its value (or null).';
comment on column api.setting.default_value is 'The value that a new installation has (or null).';
comment on column api.setting.type is 'number (whole), text, or a list: of texts, or of networks.';
comment on column api.setting.min is 'The least number, or the least length of the text or list.';
comment on column api.setting.max is 'The greatest.';
comment on column api.setting.pattern is 'What the text, or each text of the list, must match (or null).';
comment on column api.setting.optional is 'It may be null.';
comment on column api.setting.description is 'What it does, with its unit.';
comment on column api.setting.version is 'Rises with each change; the ETag.';
comment on column api.setting.updated_at is 'When it last changed.';
comment on column api.setting.updated_by is 'Who changed it then (or null).';

create type api.setting_page as (settings api.setting[], next_cursor text);
comment on type api.setting_page is 'All settings by name.';
comment on column api.setting_page.settings is 'The settings.';
comment on column api.setting_page.next_cursor is 'Always null: they are few (or null).';
