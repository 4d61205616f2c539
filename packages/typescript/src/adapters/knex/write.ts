import type { Value } from '@tenant-lint/model';
import { furtherColumns, openColumn, type Build } from '../query-text/build.js';
import { chainOf, type BuilderStep } from '../query-text/calls.js';
import { bind, joined, quoted, sql, type Frag } from '../query-text/frag.js';
import { fieldsOf, itemsOf, type Fields } from '../query-text/items.js';
import { clause } from './conditions.js';
import { operandOf } from './operands.js';
import { builderOf, columnsText, queryText } from './query.js';

const noFields: Fields = { set: new Map(), open: false, rest: [], settled: new Set() };

/** An insert, update, delete or truncate on `source`. */
export function writeText(write: BuilderStep, steps: readonly BuilderStep[], source: Frag, build: Build): Frag {
  const { span } = write;
  const where = clause(steps, 'where', build);
  const condition = where ? sql(span, ' WHERE ', where) : [];
  switch (write.name) {
    case 'truncate':
      return sql(span, 'TRUNCATE ', source);
    case 'del':
    case 'delete':
      return sql(span, 'DELETE FROM ', source, condition, returning(write, 0, steps, build));
    case 'update':
    case 'increment':
    case 'decrement': {
      const from = steps.findLast((s) => s.name === 'updateFrom')?.arguments?.[0];
      const second = write.name === 'update' && build.text(write.arguments?.[0]) === undefined ? 1 : 2;
      return sql(
        span,
        'UPDATE ',
        source,
        ' SET ',
        assigned(steps, build),
        ...(from ? [' FROM ', build.name(from, span)] : []),
        condition,
        returning(write, second, steps, build),
      );
    }
    default:
      return sql(
        span,
        'INSERT INTO ',
        source,
        inserted(write, steps, condition, build),
        returning(write, 1, steps, build),
      );
  }
}

function inserted(write: BuilderStep, steps: readonly BuilderStep[], condition: Frag, build: Build): Frag {
  const { span } = write;
  const given = write.arguments?.[0];
  const chain = given && chainOf(build.value(given), build.context);
  const query = chain && !chain.awaited ? builderOf(chain, build) : undefined;
  if (query) return sql(span, ' ', queryText(query, build));
  const fields = given ? fieldsOf(given, build) : noFields;
  const names = [...fields.set.keys()].map((n) => build.columnName(n));
  const values = [...fields.set.values()].map((v) => operandOf(v, build, write));
  const columns = names.map((n) => quoted(n));
  if (fields.open || names.length === 0) {
    columns.push(quoted(openColumn));
    values.push(bind(furtherColumns(fields, build), span));
  }
  const list = columns.join(', ');
  return sql(span, ` (${list}) VALUES (`, joined(values, ', ', span), ')', conflict(steps, names, condition, build));
}

function conflict(steps: readonly BuilderStep[], names: readonly string[], condition: Frag, build: Build): Frag {
  const step = steps.findLast((s) => s.name === 'onConflict' && s.arguments);
  if (!step) return [];
  const { span } = step;
  const [target] = step.arguments ?? [];
  const items = target && (itemsOf(target, build) ?? [{ value: target }]);
  const raw = target && chainOf(build.value(target), build.context);
  const columns = items?.map((i) => build.name(i.value, span)) ?? [];
  const arbiter = raw
    ? sql(span, ' ', operandOf(target, build, step))
    : columns.length > 0
      ? sql(span, ' (', joined(columns, ', ', span), ')')
      : [];
  const merge = steps.findLast((s) => s.name === 'merge' && s.arguments);
  if (!merge) return sql(span, ' ON CONFLICT', arbiter, ' DO NOTHING');
  const [updates] = merge.arguments ?? [];
  return sql(span, ' ON CONFLICT', arbiter, ' DO UPDATE SET ', merged(updates, names, merge, build), condition);
}

/** `merge()` takes every column of the new row, `merge([...])` those, `merge({...})` other values. */
function merged(updates: Value | undefined, names: readonly string[], step: BuilderStep, build: Build): Frag {
  const fromNew = (list: readonly string[]): Frag =>
    sql(step.span, list.map((n) => `${quoted(n)} = "excluded".${quoted(n)}`).join(', '));
  const open = sql(step.span, `${quoted(openColumn)} = NULL`);
  if (!updates) return names.length > 0 ? fromNew(names) : open;
  const items = itemsOf(updates, build);
  if (items) {
    const listed = items.map((i) => build.text(i.value)).filter((n) => n !== undefined);
    return listed.length === items.length && listed.length > 0 ? fromNew(listed.map((n) => build.columnName(n))) : open;
  }
  return assignments(updates, step, build);
}

function assignments(given: Value, step: BuilderStep, build: Build): Frag {
  const fields = fieldsOf(given, build);
  const parts = [...fields.set].map(([name, value]) =>
    sql(step.span, `${quoted(build.columnName(name))} = `, operandOf(value, build, step)),
  );
  if (fields.open || parts.length === 0)
    parts.push(sql(step.span, `${quoted(openColumn)} = `, bind(furtherColumns(fields, build), step.span)));
  return joined(parts, ', ', step.span);
}

function assigned(steps: readonly BuilderStep[], build: Build): Frag {
  const own = steps.filter((s) => s.arguments && ['update', 'increment', 'decrement'].includes(s.name));
  const parts = own.flatMap((s): readonly Frag[] => {
    const [first, second] = s.arguments ?? [];
    const column = build.text(first);
    if (s.name !== 'update') {
      const name = column ?? openColumn;
      const sign = s.name === 'increment' ? '+' : '-';
      const amount = second ? operandOf(second, build, s) : sql(s.span, '1');
      return [sql(s.span, `${quoted(build.columnName(name))} = ${quoted(build.columnName(name))} ${sign} `, amount)];
    }
    if (column !== undefined && second)
      return [sql(s.span, `${quoted(build.columnName(column))} = `, operandOf(second, build, s))];
    return first ? [assignments(first, s, build)] : [];
  });
  const [head] = own;
  return head ? joined(parts, ', ', head.span) : [];
}

/** What comes back, given by `returning` or by an argument of the write. */
function returning(write: BuilderStep, at: number, steps: readonly BuilderStep[], build: Build): Frag {
  const step = steps.findLast((s) => s.name === 'returning' && s.arguments?.[0]);
  const given = step?.arguments?.[0] ?? write.arguments?.[at];
  const value = given && build.value(given);
  if (!value || !(value.kind === 'list' || build.text(value) !== undefined)) return [];
  const columns = columnsText([value], build, step ?? write);
  return columns.length > 0 ? sql(write.span, ' RETURNING ', joined(columns, ', ', write.span)) : [];
}
