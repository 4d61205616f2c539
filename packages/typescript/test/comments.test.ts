import { describe, expect, it } from 'vitest';
import type { TypeName, Value } from '@tenant-lint/model';
import { extractTypescript } from '../src/index.js';

const read = (text: string, file = 'src/a.js') => extractTypescript(text, { file });

const knex: Value = { kind: 'import', from: 'src/a.js', module: 'knex', name: 'Knex', path: [] };
const shape = (type: TypeName | undefined) => type && { text: type.text, name: type.name };
const parameter = (text: string, index = 0, file?: string): TypeName | undefined =>
  read(text, file).functions.find((f) => f.parameters.length > 0)?.parameters[index]?.type;

describe('types that comments of JavaScript declare', () => {
  const functions: readonly (readonly [string, string])[] = [
    ['a declaration', "/** @param {import('knex').Knex} db */\nfunction load(db) {}"],
    ['a function in a variable', "/** @param {import('knex').Knex} db */\nconst load = async (db) => db;"],
    ['an export of CommonJS', "/** @param {import('knex').Knex} db */\nexports.load = function (db) {};"],
    ['a property', "const all = {\n  /** @param {import('knex').Knex} db */\n  load: (db) => db,\n};"],
    ['a method of an object', "const all = {\n  /** @param {import('knex').Knex} db */\n  load(db) {},\n};"],
    ['a method of a class', "class A {\n  /** @param {import('knex').Knex} db */\n  load(db) {}\n}"],
    ['a default export', "/** @param {import('knex').Knex} db */\nexport default (db) => db;"],
    ['a returned function', "const make = () => {\n  /** @param {import('knex').Knex} db */\n  return (db) => db;\n};"],
    ['a definition before it', "/** @typedef {import('knex').Knex} Db */\n/** @param {Db} db */\nfunction load(db) {}"],
    ['a definition after it', "/** @param {Db} db */\nfunction load(db) {}\n/** @typedef {import('knex').Knex} Db */"],
    ['an import of the comment', "/** @import { Knex } from 'knex' */\n/** @param {Knex} db */\nfunction load(db) {}"],
    ['a name that may not be null', "/** @param {!import('knex').Knex} db */\nfunction load(db) {}"],
  ];
  for (const [what, text] of functions) {
    it(what, () => {
      expect(shape(parameter(text))).toEqual({ text: 'Knex', name: knex });
    });
  }

  it('what may be missing', () => {
    expect(parameter("/** @param {import('knex').Knex=} db */\nfunction load(db) {}")).toMatchObject({
      optional: true,
    });
    expect(parameter("/** @param {?import('knex').Knex} db */\nfunction load(db) {}")).toMatchObject({
      nullable: true,
    });
  });

  it('properties of a parameter, and of a definition', () => {
    const tags =
      "/**\n * @param {object} ctx\n * @param {import('knex').Knex} ctx.db\n * @param {string} [ctx.org]\n */\nfunction load(ctx) {}";
    expect(shape(parameter(tags)?.properties?.['db'])).toEqual({ text: 'Knex', name: knex });
    expect(parameter(tags)?.properties?.['org']?.optional).toBe(true);
    const defined =
      "/**\n * @typedef {object} Ctx\n * @property {import('knex').Knex} db\n */\n/** @param {Ctx} ctx */\nfunction load(ctx) {}";
    expect(shape(parameter(defined)?.properties?.['db'])).toEqual({ text: 'Knex', name: knex });
  });

  it('a variable that holds what a call gives, and a field', () => {
    const held = read("/** @type {import('knex').Knex} */\nconst db = make();");
    expect(held.types?.map(({ value, type }) => [value.kind, type.text])).toEqual([['result', 'Knex']]);
    const field = read("class A {\n  /** @type {import('knex').Knex} */\n  db;\n}").classes[0]?.fields['db'];
    expect(shape(field?.type)).toEqual({ text: 'Knex', name: knex });
  });

  it('comments of TypeScript say nothing', () => {
    expect(parameter("/** @param {import('knex').Knex} db */\nfunction load(db) {}", 0, 'src/a.ts')).toBeUndefined();
  });

  it('broken comments cost nothing', () => {
    for (const text of [
      '/** @param {import( db */ function f(db) {}',
      '/** @typedef {*/ const a = 1;',
      '/** @type */ const b = g();',
      '/** @param {{{{ x */ function f(x) {}',
    ])
      expect(() => read(text)).not.toThrow();
  });
});

describe('types written in place', () => {
  it('an import in the type', () => {
    const type = parameter("function load(db: import('kysely').Kysely<DB>) {}", 0, 'src/a.ts');
    expect(shape(type)).toEqual({
      text: 'Kysely<DB>',
      name: { kind: 'import', from: 'src/a.ts', module: 'kysely', name: 'Kysely', path: [] },
    });
  });

  it('another name for one type', () => {
    const type = parameter(
      "import type { Kysely } from 'kysely';\ntype Db = Kysely<DB>;\nfunction load(db: Db) {}",
      0,
      'src/a.ts',
    );
    expect(type?.text).toBe('Kysely<DB>');
  });
});
