import type {
  ColumnConstraint,
  CreateColumnDef,
  QName,
  Statement,
  TableAlteration,
  TableConstraint,
  TableReference,
} from 'pgsql-ast-parser';
import { only, string, Untranslated, type Tree } from './shape.js';
import type { Statements } from './statements.js';
import { typeName } from './types.js';

const enforced = { is_enforced: true, initially_valid: true };

/** Plain DDL: tables, indexes, views, types, schemas. Undefined for other statements. */
export function definition(s: Statement, to: Statements): Tree | undefined {
  switch (s.type) {
    case 'create table':
      return {
        CreateStmt: only({
          relation: { ...to.relation(s.name), relpersistence: s.temporary ? 't' : s.unlogged ? 'u' : 'p' },
          tableElts: [
            ...s.columns.map((c) => {
              if (c.kind === 'column') return column(c, to);
              throw new Untranslated('LIKE in CREATE TABLE');
            }),
            ...(s.constraints ?? []).map((c) => tableConstraint(c, to)),
          ],
          inhRelations: (s.inherits ?? []).map((i) => ({ RangeVar: to.relation(i) })),
          oncommit: 'ONCOMMIT_NOOP',
          if_not_exists: s.ifNotExists === true,
        }),
      };
    case 'alter table': {
      const renames = s.changes.flatMap((c) => renaming(c, to.relation(s.table)));
      const [only1, ...more] = renames;
      if (only1 && more.length === 0 && s.changes.length === 1) return only1;
      return {
        AlterTableStmt: only({
          relation: to.relation(s.table),
          cmds: s.changes.map((c) => ({ AlterTableCmd: command(c, to) })),
          objtype: 'OBJECT_TABLE',
          missing_ok: s.ifExists === true,
        }),
      };
    }
    case 'create index':
      return {
        IndexStmt: only({
          idxname: s.indexName?.name,
          relation: to.relation(s.table),
          accessMethod: s.using?.name ?? 'btree',
          indexParams: s.expressions.map(({ expression }) => ({
            IndexElem: only({
              ...(expression.type === 'ref' ? { name: expression.name } : { expr: to.expressions.one(expression) }),
              ordering: 'SORTBY_DEFAULT',
              nulls_ordering: 'SORTBY_NULLS_DEFAULT',
            }),
          })),
          whereClause: s.where ? to.expressions.one(s.where) : undefined,
          unique: s.unique === true,
          concurrent: s.concurrently === true,
          if_not_exists: s.ifNotExists === true,
        }),
      };
    case 'create view':
      return {
        ViewStmt: only({
          view: to.relation(s.name),
          aliases: (s.columnNames ?? []).map((c) => string(c.name)),
          query: to.query(s.query),
          replace: s.orReplace === true,
          withCheckOption:
            s.checkOption === undefined ? 'NO_CHECK_OPTION' : `${s.checkOption.toUpperCase()}_CHECK_OPTION`,
        }),
      };
    case 'create schema':
      return { CreateSchemaStmt: only({ schemaname: s.name.name, if_not_exists: s.ifNotExists === true }) };
    case 'create enum':
      return { CreateEnumStmt: { typeName: names(s.name), vals: s.values.map((v) => string(v.value)) } };
    case 'create extension':
      return { CreateExtensionStmt: only({ extname: s.extension.name, if_not_exists: s.ifNotExists === true }) };
    case 'drop table':
    case 'drop index':
    case 'drop sequence': {
      const removeType = `OBJECT_${s.type.slice(5).toUpperCase()}`;
      return {
        DropStmt: only({
          objects: s.names.map((n) => ({ List: { items: names(n) } })),
          removeType,
          behavior: s.cascade === 'cascade' ? 'DROP_CASCADE' : 'DROP_RESTRICT',
          missing_ok: s.ifExists === true,
        }),
      };
    }
    default:
      return undefined;
  }
}

const names = (name: QName): readonly Tree[] => [
  ...(name.schema === undefined ? [] : [string(name.schema)]),
  string(name.name),
];

function column(c: CreateColumnDef, to: Statements): Tree {
  const constraints = (c.constraints ?? []).flatMap((k) => columnConstraint(k, to));
  return { ColumnDef: only({ colname: c.name.name, typeName: typeName(c.dataType), is_local: true, constraints }) };
}

function columnConstraint(c: ColumnConstraint, to: Statements): readonly Tree[] {
  const conname = 'constraintName' in c ? c.constraintName?.name : undefined;
  switch (c.type) {
    case 'not null':
      return [{ Constraint: only({ contype: 'CONSTR_NOTNULL', conname, ...enforced }) }];
    case 'null':
      return [{ Constraint: { contype: 'CONSTR_NULL' } }];
    case 'primary key':
      return [{ Constraint: only({ contype: 'CONSTR_PRIMARY', conname }) }];
    case 'unique':
      return [{ Constraint: only({ contype: 'CONSTR_UNIQUE', conname }) }];
    case 'default':
      return [{ Constraint: { contype: 'CONSTR_DEFAULT', raw_expr: to.expressions.one(c.default) } }];
    case 'check':
      return [
        { Constraint: only({ contype: 'CONSTR_CHECK', conname, ...enforced, raw_expr: to.expressions.one(c.expr) }) },
      ];
    case 'reference':
      return [{ Constraint: only({ contype: 'CONSTR_FOREIGN', conname, ...foreign(c, to) }) }];
    case 'add generated':
      return [
        c.expression
          ? {
              Constraint: {
                contype: 'CONSTR_GENERATED',
                generated_when: 'a',
                generated_kind: 's',
                raw_expr: to.expressions.one(c.expression),
              },
            }
          : { Constraint: { contype: 'CONSTR_IDENTITY', generated_when: c.always === 'by default' ? 'd' : 'a' } },
      ];
    default:
      throw new Untranslated('a constraint of a column');
  }
}

const actions = { cascade: 'c', 'no action': 'a', restrict: 'r', 'set null': 'n', 'set default': 'd' } as const;

const foreign = (c: TableReference, to: Statements): Tree => ({
  ...enforced,
  pktable: to.relation(c.foreignTable),
  pk_attrs: c.foreignColumns.map((n) => string(n.name)),
  fk_matchtype: c.match === 'full' ? 'f' : 's',
  fk_upd_action: actions[c.onUpdate ?? 'no action'],
  fk_del_action: actions[c.onDelete ?? 'no action'],
});

function tableConstraint(c: TableConstraint, to: Statements): Tree {
  const conname = c.constraintName?.name;
  switch (c.type) {
    case 'primary key':
    case 'unique': {
      const contype = c.type === 'unique' ? 'CONSTR_UNIQUE' : 'CONSTR_PRIMARY';
      return { Constraint: only({ contype, conname, keys: c.columns.map((n) => string(n.name)) }) };
    }
    case 'check':
      return {
        Constraint: only({ contype: 'CONSTR_CHECK', conname, ...enforced, raw_expr: to.expressions.one(c.expr) }),
      };
    case 'foreign key':
      return {
        Constraint: only({
          contype: 'CONSTR_FOREIGN',
          conname,
          ...foreign(c, to),
          fk_attrs: c.localColumns.map((n) => string(n.name)),
        }),
      };
  }
}

/** Renamings are statements of their own in the grammar. */
function renaming(c: TableAlteration, relation: Tree): readonly Tree[] {
  const behavior = 'DROP_RESTRICT';
  switch (c.type) {
    case 'rename':
      return [{ RenameStmt: { renameType: 'OBJECT_TABLE', relation, newname: c.to.name, behavior } }];
    case 'rename column':
      return [
        {
          RenameStmt: {
            renameType: 'OBJECT_COLUMN',
            relationType: 'OBJECT_TABLE',
            relation,
            subname: c.column.name,
            newname: c.to.name,
            behavior,
          },
        },
      ];
    case 'rename constraint':
      return [
        {
          RenameStmt: {
            renameType: 'OBJECT_TABCONSTRAINT',
            relation,
            subname: c.constraint.name,
            newname: c.to.name,
            behavior,
          },
        },
      ];
    default:
      return [];
  }
}

function command(c: TableAlteration, to: Statements): Tree {
  const behavior = 'behaviour' in c && c.behaviour === 'cascade' ? 'DROP_CASCADE' : 'DROP_RESTRICT';
  switch (c.type) {
    case 'add column':
      return only({ subtype: 'AT_AddColumn', def: column(c.column, to), behavior, missing_ok: c.ifNotExists === true });
    case 'drop column':
      return only({ subtype: 'AT_DropColumn', name: c.column.name, behavior, missing_ok: c.ifExists === true });
    case 'add constraint':
      return { subtype: 'AT_AddConstraint', def: tableConstraint(c.constraint, to), behavior };
    case 'drop constraint':
      return only({ subtype: 'AT_DropConstraint', name: c.constraint.name, behavior, missing_ok: c.ifExists === true });
    case 'alter column': {
      const name = c.column.name;
      switch (c.alter.type) {
        case 'set not null':
          return { subtype: 'AT_SetNotNull', name, behavior };
        case 'drop not null':
          return { subtype: 'AT_DropNotNull', name, behavior };
        case 'drop default':
          return { subtype: 'AT_ColumnDefault', name, behavior };
        case 'set default':
          return { subtype: 'AT_ColumnDefault', name, def: to.expressions.one(c.alter.default), behavior };
        case 'set type':
          return {
            subtype: 'AT_AlterColumnType',
            name,
            def: { ColumnDef: { typeName: typeName(c.alter.dataType) } },
            behavior,
          };
        default:
          throw new Untranslated('ALTER COLUMN ADD GENERATED');
      }
    }
    case 'owner':
      return { subtype: 'AT_ChangeOwner', newowner: { roletype: 'ROLESPEC_CSTRING', rolename: c.to.name }, behavior };
    default:
      throw new Untranslated('several renamings in one statement');
  }
}
