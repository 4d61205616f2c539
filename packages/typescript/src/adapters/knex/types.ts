import type { Step } from '@tenant-lint/model';
import { literal } from '../migration/pieces.js';
import type { Run } from '../migration/run.js';

const plainTypes: Readonly<Record<string, string>> = {
  increments: 'serial',
  bigincrements: 'bigserial',
  bigIncrements: 'bigserial',
  smallincrements: 'smallserial',
  integer: 'integer',
  int: 'integer',
  tinyint: 'smallint',
  smallint: 'smallint',
  mediumint: 'integer',
  bigint: 'bigint',
  bigInteger: 'bigint',
  text: 'text',
  float: 'real',
  double: 'double precision',
  boolean: 'boolean',
  bool: 'boolean',
  date: 'date',
  time: 'time',
  binary: 'bytea',
  json: 'json',
  jsonb: 'jsonb',
  uuid: 'uuid',
  geometry: 'geometry',
  geography: 'geography',
  point: 'point',
  bit: 'bit',
};

/** A type as the library writes it for Postgres; a list of labels becomes a check. Undefined: no method that makes a column. */
export function typeOf(
  step: Step,
  run: Run,
): { type: string; values?: readonly string[]; native?: string } | undefined {
  const args = step.arguments ?? [];
  const number = (i: number): number | undefined => {
    const v = run.value(args[i]);
    return v.kind === 'constant' && typeof v.value === 'number' ? v.value : undefined;
  };
  const known = Object.hasOwn(plainTypes, step.name) ? plainTypes[step.name] : undefined;
  if (known !== undefined) return { type: known };
  switch (step.name) {
    case 'string':
    case 'varchar':
      return { type: `varchar(${number(1) ?? 255})` };
    case 'decimal': {
      const none = run.value(args[1]);
      return none.kind === 'constant' && none.value === null
        ? { type: 'decimal' }
        : { type: `decimal(${number(1) ?? 8}, ${number(2) ?? 2})` };
    }
    case 'datetime':
    case 'dateTime':
    case 'timestamp': {
      const options = run.value(args[1]);
      const tz = run.property(options, 'useTz');
      const without = options.kind === 'object' ? tz?.kind === 'constant' && tz.value === false : run.isTrue(options);
      const precision = run.property(options, 'precision');
      const digits = precision?.kind === 'constant' ? `(${String(precision.value)})` : '';
      return { type: `${without ? 'timestamp' : 'timestamptz'}${digits}` };
    }
    case 'enu':
    case 'enum': {
      const values = run.texts(args[1]) ?? [];
      const native = run.isTrue(run.property(args[2], 'useNative'))
        ? run.text(run.property(args[2], 'enumName'))
        : undefined;
      return native === undefined ? { type: 'text', values } : { type: `"${native}"`, values, native };
    }
    case 'specificType':
    case 'specType': {
      const type = run.text(args[1]);
      return type === undefined ? undefined : { type };
    }
    default:
      return undefined;
  }
}

export const listOf = (values: readonly string[]): string => values.map(literal).join(', ');
