import { always, and, type LowerContext, type Predicate, type Value } from '@tenant-lint/model';
import { classOf, decoratorsFrom, lineage, nameIn } from '../entities/classes.js';
import { flag, option, text } from '../entities/options.js';
import { unknownCondition, type Lowering, type Rows } from '../prisma/lowering.js';
import { isMikro } from './names.js';
import { whereCondition } from './where.js';

/**
 * The conditions that `@Filter` adds to every query of an entity manager: those that are on by default or switched on by name, unless
 * `filters` of the options switches them off. A filter whose parameters are not set throws, so its parameters have values.
 */
export function filterCondition(rows: Rows, options: Value | undefined, l: Lowering): Predicate {
  const { context } = l;
  const found = rows.name.by === 'binding' ? classOf(nameIn(rows.name.file, rows.name.name), context) : undefined;
  if (!found) return always('no filter');
  const given = option(options, 'filters', context);
  const isOff = given?.kind === 'constant' && given.value === false;
  const conditions = lineage(found, context).of.flatMap(({ facts }) =>
    decoratorsFrom(facts.decorators, context, isMikro)
      .filter((d) => d.name === 'Filter')
      .flatMap((d) => {
        const name = text(option(d.arguments[0], 'name', context), context) ?? '';
        const on = isOff ? false : given && switched(given, name, context);
        const isDefault = flag(d.arguments[0], 'default', context) ?? false;
        if (!(on ?? isDefault) && !isDefault) return [];
        const added = condition(option(d.arguments[0], 'cond', context), rows, l);
        if (on ?? isDefault) return [added];
        l.lost.push({ how: 'disabled', predicate: added, span: found.facts.span, at: l.span });
        return [];
      }),
  );
  if (isOff) return always('filters are switched off');
  return conditions.length === 0 ? always('no filter') : and(...conditions);
}

/** Whether the options of a call name the filter, and how; undefined where they say nothing of it. */
function switched(given: Value, name: string, context: LowerContext): boolean | undefined {
  if (given.kind === 'list') return given.of.some((i) => text(i.value, context) === name) ? true : undefined;
  const own = option(given, name, context);
  if (!own) return undefined;
  return !(own.kind === 'constant' && own.value === false);
}

/** `cond` of a filter; its parameters are set by the program once for a request. */
function condition(cond: Value | undefined, rows: Rows, l: Lowering): Predicate {
  if (!cond) return unknownCondition('the condition of a filter was not found', l.span);
  if (cond.kind !== 'function') return whereCondition(cond, rows, l);
  const returns = l.context.function(cond.function)?.returns ?? [];
  const [only] = returns;
  return only && returns.length === 1
    ? whereCondition(parameters(only.value, cond.function), rows, l)
    : unknownCondition('the condition of a filter was not found', l.span);
}

/** The parameters of a filter stand for what `setFilterParams` was given. */
function parameters(value: Value, of: string): Value {
  if (value.kind === 'parameter' && value.function === of && value.index === 0)
    return { kind: 'tenant', verified: true, source: `filter parameter ${value.path.join('.')}` };
  if (value.kind === 'missing-able') return parameters(value.of, of);
  if (value.kind === 'object')
    return {
      ...value,
      entries: value.entries.map((e) => ('set' in e ? { ...e, value: parameters(e.value, of) } : e)),
    };
  if (value.kind === 'list') return { ...value, of: value.of.map((i) => ({ ...i, value: parameters(i.value, of) })) };
  return value;
}
