import { unknownValue, type Step, type Value } from '@tenant-lint/model';
import { furtherColumns, openColumn, type Build } from '../query-text/build.js';
import type { BuilderStep } from '../query-text/calls.js';
import { bind, joined, quoted, sql, unknownName, type Frag } from '../query-text/frag.js';
import { fieldsOf, itemsOf, type Fields } from '../query-text/items.js';
import { clause } from './conditions.js';
import { functionOf } from '../query-text/functions.js';
import { expressionOf, stepsOnParameter } from './operands.js';
import { allOf, innerQuery, joinsText, selected, sourceText, sourcesText } from './select.js';

/** `insertInto`, `updateTable`, `deleteFrom` and what follows. */
export function writeText(steps: readonly BuilderStep[], build: Build, schema: Value | undefined): Frag {
  const [start] = steps as [BuilderStep];
  const { span } = start;
  const [table] = start.arguments ?? [];
  const target = table ? sourcesText(table, build, start, schema) : unknownName(unknownValue('no table'), span);
  const where = clause(steps, ['where', 'whereRef'], build);
  const condition = where ? sql(span, ' WHERE ', where) : [];
  const returned = returning(steps, build);
  switch (start.name) {
    case 'updateTable': {
      const from = steps.filter((s) => s.name === 'from' && s.arguments?.[0]);
      const list = from.map((s) => sourcesText(s.arguments![0], build, s, schema));
      const sources = list.length > 0 ? sql(span, ' FROM ', joined(list, ', ', span)) : [];
      return sql(
        span,
        'UPDATE ',
        target,
        ' SET ',
        assigned(steps, build),
        sources,
        joinsText(steps, build, schema),
        condition,
        returned,
      );
    }
    case 'deleteFrom': {
      const using = steps.filter((s) => s.name === 'using' && s.arguments?.[0]);
      const list = using.map((s) => sourcesText(s.arguments![0], build, s, schema));
      const sources = list.length > 0 ? sql(span, ' USING ', joined(list, ', ', span)) : [];
      return sql(span, 'DELETE FROM ', target, sources, joinsText(steps, build, schema), condition, returned);
    }
    default:
      return sql(
        span,
        'INSERT INTO ',
        insertedInto(table, build, start, schema),
        inserted(steps, build),
        conflict(steps, build),
        returned,
      );
  }
}

const insertedInto = (table: Value | undefined, build: Build, step: Step, schema?: Value): Frag =>
  table ? sourceText(table, build, step, schema) : unknownName(unknownValue('no table'), step.span);

function inserted(steps: readonly BuilderStep[], build: Build): Frag {
  const values = steps.findLast((s) => s.name === 'values' && s.arguments?.[0]);
  const query = steps.findLast((s) => s.name === 'expression' && s.arguments?.[0]);
  const [start] = steps as [BuilderStep];
  if (query) {
    const columns = steps.findLast((s) => s.name === 'columns')?.arguments?.[0];
    const names = columns && itemsOf(columns, build)?.map((i) => build.name(i.value, query.span));
    const list = names ? sql(query.span, ' (', joined(names, ', ', query.span), ')') : [];
    return sql(query.span, list, ' ', innerQuery(query.arguments![0], build, query));
  }
  if (!values) return sql(start.span, ' DEFAULT VALUES');
  const fields = fieldsGiven(values.arguments![0]!, build);
  const names = [...fields.set.keys()].map((n) => sql(values.span, quoted(build.columnName(n))));
  const given = [...fields.set.values()].map((v) => expressionOf(v, build, values));
  if (fields.open || names.length === 0) {
    names.push(sql(values.span, quoted(openColumn)));
    given.push(bind(furtherColumns(fields, build), values.span));
  }
  return sql(values.span, ' (', joined(names, ', ', values.span), ') VALUES (', joined(given, ', ', values.span), ')');
}

/** What an object sets, given as such or by a callback. */
function fieldsGiven(given: Value, build: Build): Fields {
  const id = functionOf(given, build);
  if (id === undefined) return fieldsOf(given, build);
  build.callbacks.add(id);
  const [returned] = build.context.function(id)?.returns ?? [];
  return returned ? fieldsOf(returned.value, build) : { set: new Map(), open: true, rest: [], settled: new Set() };
}

/** The SET list: `set({...})` and `set('column', value)`, the later one of a column. */
function assigned(steps: readonly BuilderStep[], build: Build, name = 'set'): Frag {
  const own = steps.filter((s) => s.name === name && s.arguments?.[0]);
  const set = new Map<string, Frag>();
  let open = own.length === 0;
  const rest: Value[] = [];
  const [start] = steps as [BuilderStep];
  for (const s of own) {
    const [first, second] = s.arguments ?? [];
    const text = second && build.text(first);
    if (text !== undefined && second)
      set.set(build.columnName(text.split('.').at(-1) ?? text), expressionOf(second, build, s));
    else if (second) open = true;
    else if (first) {
      const fields = fieldsGiven(first, build);
      open ||= fields.open;
      rest.push(...fields.rest);
      for (const [column, value] of fields.set) set.set(build.columnName(column), expressionOf(value, build, s));
    }
  }
  const parts = [...set].map(([column, value]) => sql(start.span, `${quoted(column)} = `, value));
  if (open || parts.length === 0) {
    const further = furtherColumns({ set: new Map(), open, rest, settled: new Set(set.keys()) }, build);
    parts.push(sql(start.span, `${quoted(openColumn)} = `, bind(further, start.span)));
  }
  return joined(parts, ', ', start.span);
}

function conflict(steps: readonly BuilderStep[], build: Build): Frag {
  const step = steps.findLast((s) => s.name === 'onConflict' && s.arguments?.[0]);
  if (!step) return [];
  const inner = stepsOnParameter(step.arguments![0]!, build);
  const { span } = step;
  if (!inner) return sql(span, ' ON CONFLICT DO UPDATE SET ', `${quoted(openColumn)} = NULL`);
  const columns = inner.flatMap((s): readonly Frag[] => {
    const [given] = s.arguments ?? [];
    if (s.name === 'column') return [build.name(given, s.span)];
    if (s.name === 'expression' && given) return [sql(s.span, '(', expressionOf(given, build, s), ')')];
    return s.name === 'columns' && given
      ? (itemsOf(given, build) ?? [{ value: given }]).map((i) => build.name(i.value, s.span))
      : [];
  });
  const constraint = build.text(inner.find((s) => s.name === 'constraint')?.arguments?.[0]);
  const at = inner.findIndex((s) => s.name === 'doUpdateSet' || s.name === 'doNothing');
  const update = inner[at];
  const arbiter =
    constraint !== undefined
      ? sql(span, ` ON CONSTRAINT ${quoted(constraint)}`)
      : columns.length > 0
        ? sql(span, ' (', joined(columns, ', ', span), ')')
        : [];
  if (update?.name !== 'doUpdateSet') return sql(span, ' ON CONFLICT', arbiter, ' DO NOTHING');
  const before = clause(inner.slice(0, at), ['where', 'whereRef'], build);
  const after = clause(inner.slice(at), ['where', 'whereRef'], build);
  return sql(
    span,
    ' ON CONFLICT',
    arbiter,
    ...(before ? [' WHERE ', before] : []),
    ' DO UPDATE SET ',
    assigned([update], build, 'doUpdateSet'),
    ...(after ? [' WHERE ', after] : []),
  );
}

function returning(steps: readonly BuilderStep[], build: Build): Frag {
  const parts = steps.flatMap((s): readonly Frag[] => {
    const [given] = s.arguments ?? [];
    if (s.name === 'returningAll' && s.arguments) return allOf(given, build, s);
    return s.name === 'returning' && given ? selected(given, build, s) : [];
  });
  const [start] = steps as [BuilderStep];
  return parts.length === 0 ? [] : sql(start.span, ' RETURNING ', joined(parts, ', ', start.span));
}
