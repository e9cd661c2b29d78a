-- What monitoring scrapes.
create type api.exposition as (text text);
comment on type api.exposition is 'What there is to measure.';
comment on column api.exposition.text is 'In the text form of Prometheus, version 0.0.4.';
