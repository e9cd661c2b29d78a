-- A label is one line that a terminal and a log can show.
begin;
select plan(13);

select is(l.label::ccp.label::text, l.label, format('%L is a label', l.label))
from (values ('exit 1'), ('出口'), ('ß – “x”'), (repeat('x', 100))) as l (label);
select throws_ok(format('select %L::ccp.label', 'a' || l.control), '23514', null, format('U+%s is in none', to_hex(ascii(l.control))))
from (values (e'\x01'), (e'\n'), (e'\r'), (e'\x1b'), (e'\x7f'), (e'\u0080'), (e'\u009f'), (e'\u2028'), (e'\u2029')) as l (control);
select * from finish();
rollback;
