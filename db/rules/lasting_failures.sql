-- Failures that do not pass by themselves, and what helps.
insert into pg_temp.lasting_failures (code, remedy)
values
    ('image_missing', 'its image is on its machine and fit, or it has another one'),
    ('settings_incomplete', 'its settings, its exit or ccp.settings are completed'),
    ('rebuild_needed', 'it is rebuilt');
