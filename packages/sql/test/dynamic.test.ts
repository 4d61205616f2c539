import { describe, expect, it } from 'vitest';
import type { Interpolation } from '@tenant-lint/model';
import { extractSql } from '../src/index.js';

/** What the dynamic statements of a function body put into their text: position, whether quoted, and the words around. */
function putIn(statement: string, parameters = 'a text, b text'): string[] {
  const text = `create function f(${parameters}) returns void language plpgsql as $body$\nbegin\n  ${statement};\nend $body$;`;
  const facts = extractSql(text, { file: 'migrations/1.sql', role: 'migration' });
  const [event] = facts.schema;
  if (event?.action.do !== 'create function') throw new Error('no function');
  const show = (i: Interpolation): string => `${i.position}${i.quoted ? ' quoted' : ''}: ${i.around}`;
  return event.action.function.queries.flatMap((q) => q.interpolations ?? []).map(show);
}

describe('dynamic statements of function bodies', () => {
  it('tell the placeholders of format apart', () => {
    expect(putIn("execute format('select * from %s.orders', a)")).toEqual(['schema: select * from ?.orders']);
    expect(putIn("execute format('select * from %I.orders', a)")).toEqual(['schema quoted: select * from ?.orders']);
    expect(putIn("execute format('delete from t where x = %L', a)")).toEqual([
      'fragment quoted: delete from t where x = ?',
    ]);
  });

  it('take numbered placeholders, and leave %% alone', () => {
    expect(putIn("execute format('select 1 %% 2 from %2$I.%1$s', a, b)")).toEqual([
      'schema quoted: select 1 % 2 from ?.?',
      'identifier: select 1 % 2 from ?.?',
    ]);
  });

  it('follow concatenation and quoting functions', () => {
    expect(putIn("execute 'drop schema ' || a || ' cascade'")).toEqual(['schema: drop schema ? cascade']);
    expect(putIn("execute 'select * from ' || quote_ident(a) || '.t'")).toEqual(['schema quoted: select * from ?.t']);
    expect(putIn("execute 'set search_path to ' || a")).toEqual(['schema: set search_path to ?']);
  });

  it('know a value between quotes', () => {
    expect(putIn("execute 'set local app.tenant = ''' || a || ''''")).toEqual(["value: set local app.tenant = '?'"]);
  });

  it('are silent about constants and bind parameters', () => {
    expect(putIn("execute 'select count(*) from orders where id = $1' using a")).toEqual([]);
  });

  it('name what they cannot take apart', () => {
    expect(putIn('execute a')).toEqual(['fragment: ?']);
    expect(putIn('execute some_function(a)')).toEqual(['fragment: ?']);
  });

  it('do not fail on too few arguments', () => {
    expect(putIn("execute format('select %s, %s', a)")).toEqual(['fragment: select ?,']);
  });
});
