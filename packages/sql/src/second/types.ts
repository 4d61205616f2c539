import type { DataTypeDef } from 'pgsql-ast-parser';
import { only, strings, Untranslated, type Tree } from './shape.js';

/** Types that the grammar itself writes in another way. */
const own: Readonly<Record<string, string>> = {
  int: 'int4',
  integer: 'int4',
  smallint: 'int2',
  bigint: 'int8',
  real: 'float4',
  float: 'float8',
  'double precision': 'float8',
  decimal: 'numeric',
  dec: 'numeric',
  numeric: 'numeric',
  boolean: 'bool',
  varchar: 'varchar',
  'character varying': 'varchar',
  char: 'bpchar',
  character: 'bpchar',
  time: 'time',
  timestamp: 'timestamp',
  interval: 'interval',
  bit: 'bit',
  'time with time zone': 'timetz',
  'time without time zone': 'time',
  'timestamp with time zone': 'timestamptz',
  'timestamp without time zone': 'timestamp',
  json: 'json',
};
/** Of these the grammar knows the word itself, so the name is in the catalogue's schema. */
const words = new Set(Object.keys(own));

/** The name of a type as the grammar writes it. */
export function typeName(type: DataTypeDef): Tree {
  if (type.kind === 'array') {
    const of = typeName(type.arrayOf);
    return {
      ...of,
      arrayBounds: [...((of['arrayBounds'] as readonly Tree[] | undefined) ?? []), { Integer: { ival: -1 } }],
    };
  }
  if (!('name' in type)) throw new Untranslated('a type');
  const quoted = 'doubleQuoted' in type && type.doubleQuoted === true;
  const name = quoted ? type.name : type.name.toLowerCase();
  const builtIn = !quoted && type.schema === undefined && words.has(name);
  const typmods = (type.config ?? []).map((n): Tree => ({ A_Const: { ival: n === 0 ? {} : { ival: n } } }));
  return only({
    names: builtIn
      ? strings('pg_catalog', own[name]!)
      : strings(...(type.schema === undefined ? [] : [type.schema]), name),
    typmods:
      builtIn && name.startsWith('char') && name !== 'character varying' && typmods.length === 0
        ? [{ A_Const: { ival: { ival: 1 } } }]
        : typmods,
    typemod: -1,
    location: -1,
  });
}
