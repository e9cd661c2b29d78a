-- What every refused request is answered.
create type api.problem_field as (field text, message text);
comment on type api.problem_field is 'One thing that is wrong with the input.';
comment on column api.problem_field.field is 'Which field.';
comment on column api.problem_field.message is 'What is wrong with it.';

create type api.problem as (
    type text, title text, status integer, detail text, instance text, error_code ccp.error_code, message text,
    request_id text, errors api.problem_field[]
);
comment on type api.problem is 'A problem document (RFC 9457).';
comment on column api.problem.type is 'URN of the problem.';
comment on column api.problem.title is 'The status in words.';
comment on column api.problem.status is 'HTTP status.';
comment on column api.problem.detail is 'What went wrong, as a sentence.';
comment on column api.problem.instance is 'The path that was asked for.';
comment on column api.problem.error_code is 'The problem as one word, for programs; ccp.error_codes tells what to do about each.';
comment on column api.problem.message is 'The same as detail.';
comment on column api.problem.request_id is 'Id of the request, as in X-Request-Id and the log.';
comment on column api.problem.errors is 'What is wrong with the input (or null).';
