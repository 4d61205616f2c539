import { literal, quoted } from '../migration/pieces.js';
import type { Value } from '@tenant-lint/model';
import type { Run } from '../migration/run.js';

const plain: Readonly<Record<string, string>> = {
  STRING: 'varchar(255)',
  CHAR: 'char(255)',
  TEXT: 'text',
  CITEXT: 'citext',
  TINYINT: 'smallint',
  SMALLINT: 'smallint',
  MEDIUMINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  FLOAT: 'double precision',
  REAL: 'real',
  DOUBLE: 'double precision',
  DECIMAL: 'decimal',
  NUMERIC: 'decimal',
  BOOLEAN: 'boolean',
  DATE: 'timestamptz',
  DATEONLY: 'date',
  TIME: 'time',
  NOW: 'timestamptz',
  JSON: 'json',
  JSONB: 'jsonb',
  UUID: 'uuid',
  BLOB: 'bytea',
  INET: 'inet',
  CIDR: 'cidr',
  MACADDR: 'macaddr',
  TSVECTOR: 'tsvector',
  HSTORE: 'hstore',
  GEOMETRY: 'geometry',
  GEOGRAPHY: 'geography',
};

export interface DataType {
  readonly type: string;
  /** The labels of an enum, whose type the library makes for the column. */
  readonly labels?: readonly string[];
  readonly array?: boolean;
}

/** `Sequelize.STRING(20)`, `DataTypes.ARRAY(DataTypes.TEXT)`, `'UUID'`; undefined where it is none that is known. */
export function dataTypeOf(value: Value | undefined, run: Run, depth = 0): DataType | undefined {
  const found = run.value(value);
  if (found.kind === 'constant') {
    const text = String(found.value);
    const known = Object.hasOwn(plain, text.toUpperCase()) ? plain[text.toUpperCase()] : undefined;
    return { type: known ?? text };
  }
  if (found.kind === 'instance') return dataTypeOf(found.of, run, depth + 1);
  if ('path' in found && found.kind !== 'result') {
    const name = found.path.findLast((p) => Object.hasOwn(plain, p)) ?? (found.kind === 'import' ? found.name : '');
    return Object.hasOwn(plain, name) ? { type: plain[name]! } : undefined;
  }
  const made = run.made(found);
  const called = made?.steps.find((s) => s.arguments !== undefined);
  if (!made || !called || depth > 4) return undefined;
  const [first, second] = called.arguments ?? [];
  const number = run.text(first);
  switch (called.name) {
    case 'STRING':
      return { type: `varchar(${/^\d+$/.test(number ?? '') ? number! : '255'})` };
    case 'CHAR':
      return { type: `char(${number ?? '255'})` };
    case 'DECIMAL':
    case 'NUMERIC':
      return {
        type:
          number === undefined
            ? 'decimal'
            : `decimal(${number}${run.text(second) === undefined ? '' : `, ${run.text(second)!}`})`,
      };
    case 'ARRAY': {
      const of = dataTypeOf(first, run, depth + 1);
      return of && { ...of, type: `${of.type}[]`, array: true };
    }
    case 'RANGE':
      return { type: number === undefined ? 'int4range' : `${number.toLowerCase()}range` };
    case 'ENUM': {
      const values = run.property(first, 'values') ?? first;
      const labels = called.arguments!.length === 1 ? run.texts(values) : called.arguments!.map((a) => run.text(a));
      return labels?.every((l) => l !== undefined) ? { type: 'enum', labels } : undefined;
    }
    default:
      return Object.hasOwn(plain, called.name) ? { type: plain[called.name]! } : undefined;
  }
}

/** The name that the library gives the type of an enum column. */
export const enumName = (table: string, column: string, schema: string | undefined): string =>
  `${schema === undefined ? '' : `${quoted(schema)}.`}${quoted(`enum_${table}_${column}`)}`;
export const enumSql = (name: string, labels: readonly string[]): string =>
  `CREATE TYPE ${name} AS ENUM (${labels.map(literal).join(', ')})`;
