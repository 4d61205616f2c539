import type { Span, Step, Value } from '@tenant-lint/model';
import {
  alterTableSql,
  checkSql,
  columnSql,
  createIndexSql,
  createTableSql,
  foreignKeySql,
  keySql,
  names,
  type ColumnSql,
  type ReferenceSql,
} from '../migration/ddl.js';
import { literal, literalOf, piece, quoted, quotedPath, type Piece } from '../migration/pieces.js';
import type { Run } from '../migration/run.js';
import { valueSql } from './expression.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Build = (callback: Value, column: ColumnBuilder) => void;

/** What the callback of a column or constraint asks for. */
export class ColumnBuilder {
  readonly column: Mutable<ColumnSql>;
  readonly reference: Mutable<ReferenceSql>;
  /** Actions of ALTER COLUMN. */
  readonly actions: (readonly Piece[])[] = [];
  nullsNotDistinct = false;

  constructor(name: string, type: string, span: Span) {
    this.column = { name, type, span };
    this.reference = { table: '', columns: [] };
  }

  unknown(run: Run): void {
    run.script.unknown(`${this.column.name}: the column is built by a function that was not found`, this.column.span);
  }

  apply(steps: readonly Step[], run: Run): void {
    for (const step of steps) this.#step(step, run);
  }

  #step(step: Step, run: Run): void {
    const { column } = this;
    const [first] = step.arguments ?? [];
    const { span } = step;
    switch (step.name) {
      case 'primaryKey':
        column.primary = true;
        return;
      case 'notNull':
        column.notNull = true;
        return;
      case 'unique':
        column.unique = true;
        return;
      case 'nullsNotDistinct':
        this.nullsNotDistinct = true;
        return;
      case 'defaultTo':
        column.default = valueSql(first, span, run);
        return;
      case 'check':
        column.check = valueSql(first, span, run);
        return;
      case 'generatedAlwaysAs':
        column.generated = valueSql(first, span, run);
        return;
      case 'generatedAlwaysAsIdentity':
        column.identity = 'always';
        return;
      case 'generatedByDefaultAsIdentity':
      case 'identity':
        column.identity = 'by default';
        return;
      case 'references': {
        const text = run.text(first);
        if (text === undefined) return run.script.unknown('references: the name is computed', span);
        const parts = text.split('.');
        this.reference.table = quotedPath(parts.slice(0, -1).join('.'));
        this.reference.columns = parts.slice(-1);
        column.references = this.reference;
        return;
      }
      case 'onDelete':
        this.reference.onDelete = run.text(first);
        return;
      case 'onUpdate':
        this.reference.onUpdate = run.text(first);
        return;
      case 'setNotNull':
        this.actions.push([piece('SET NOT NULL', span)]);
        return;
      case 'dropNotNull':
        this.actions.push([piece('DROP NOT NULL', span)]);
        return;
      case 'setDefault':
        this.actions.push([piece('SET DEFAULT ', span), ...valueSql(first, span, run)]);
        return;
      case 'dropDefault':
        this.actions.push([piece('DROP DEFAULT', span)]);
        return;
      case 'setDataType':
        this.actions.push([piece('TYPE ', span), ...typeSql(first, span, run)]);
        return;
      case '$call':
        // The helper gets the builder itself; its calls are seen when it runs.
        return run.script.remark('a column is built by a helper', span);
      case 'stored':
      case 'ifNotExists':
      case 'unsigned':
      case 'autoIncrement':
      case 'deferrable':
      case 'initiallyDeferred':
      case 'notDeferrable':
      case 'initiallyImmediate':
        return;
      default:
        run.script.remark(`${step.name} on a column was not understood`, span);
    }
  }
}

/** The type of a column: a name as the library has it, or an expression. */
function typeSql(value: Value | undefined, span: Span, run: Run): readonly Piece[] {
  const text = run.text(value);
  if (text === undefined) return valueSql(value, span, run);
  return [piece(text === 'datetime' ? 'timestamp' : text === 'blob' ? 'bytea' : text, span)];
}

/** One chain on `db.schema`, up to execute(). */
export class SchemaStatement {
  readonly #steps: readonly Step[];
  readonly #span: Span;
  readonly #guarded: boolean;
  readonly #run: Run;
  readonly #build: Build;

  constructor(steps: readonly Step[], span: Span, guarded: boolean, run: Run, build: Build) {
    this.#steps = steps;
    this.#span = span;
    this.#guarded = guarded;
    this.#run = run;
    this.#build = build;
  }

  emit(): void {
    const at = this.#steps.findIndex((s) => /^(?:create|alter|drop|refresh)[A-Z]/.test(s.name));
    const first = this.#steps[at];
    const name = this.#run.text(first?.arguments?.[0]);
    if (!first || name === undefined) return this.#unknown(`${first?.name ?? 'a statement'}: the name is computed`);
    const schemaStep = this.#steps.slice(0, at).find((s) => s.name === 'withSchema');
    const schema = schemaStep && this.#run.text(schemaStep.arguments?.[0]);
    if (schemaStep && schema === undefined) return this.#unknown('the name of the schema is computed');
    const qualified = (given: string): string =>
      given.includes('.') || schema === undefined ? quotedPath(given) : `${quoted(schema)}.${quoted(given)}`;
    const own = qualified(name);
    const steps = this.#steps.slice(at + 1);
    const has = (step: string): boolean => steps.some((s) => s.name === step);
    const cascade = has('cascade') ? ' CASCADE' : '';
    const ifExists = has('ifExists') ? 'IF EXISTS ' : '';
    switch (first.name) {
      case 'createTable':
        return this.#createTable(own, steps, qualified);
      case 'alterTable':
        return this.#alterTable(own, steps, qualified);
      case 'dropTable':
        return this.#sql(`DROP TABLE ${ifExists}${own}${cascade}`);
      case 'createIndex':
        return this.#createIndex(name, steps, qualified);
      case 'dropIndex':
        return this.#sql(`DROP INDEX ${ifExists}${own}${cascade}`);
      case 'createSchema':
        return this.#sql(`CREATE SCHEMA ${has('ifNotExists') ? 'IF NOT EXISTS ' : ''}${quoted(name)}`);
      case 'dropSchema':
        return this.#sql(`DROP SCHEMA ${ifExists}${quoted(name)}${cascade}`);
      case 'createType': {
        const labels = this.#run.texts(steps.find((s) => s.name === 'asEnum')?.arguments?.[0]);
        return labels
          ? this.#sql(`CREATE TYPE ${own} AS ENUM (${labels.map(literal).join(', ')})`)
          : this.#unknown('createType: the labels are computed');
      }
      case 'dropType':
        return this.#sql(`DROP TYPE ${ifExists}${own}`);
      case 'createView': {
        const as = steps.find((s) => s.name === 'as');
        const text = as?.arguments?.[0] && valueSql(as.arguments[0], as.span, this.#run);
        if (!text || text.some((p) => p.hole !== undefined))
          return this.#unknown('createView: the query is built in code');
        const kind = has('materialized') ? 'MATERIALIZED VIEW' : 'VIEW';
        const replace = has('orReplace') ? 'OR REPLACE ' : '';
        return this.#pieces([piece(`CREATE ${replace}${kind} ${own} AS `, this.#span), ...text]);
      }
      case 'dropView':
        return this.#sql(`DROP ${has('materialized') ? 'MATERIALIZED ' : ''}VIEW ${ifExists}${own}`);
      case 'refreshMaterializedView':
        return this.#run.script.pass('refresh of a view');
      default:
        this.#unknown(`${first.name} was not understood`);
    }
  }

  #unknown(why: string): void {
    this.#run.script.unknown(why, this.#span);
  }

  #pieces(pieces: readonly Piece[], span = this.#span): void {
    this.#run.script.sql(pieces, span);
  }

  #sql(text: string): void {
    this.#pieces([piece(text, this.#span)]);
  }

  #column(step: Step, callback: Value | undefined): ColumnBuilder | undefined {
    const name = this.#run.text(step.arguments?.[0]);
    if (name === undefined) {
      this.#unknown(`${step.name}: the name of the column is computed`);
      return undefined;
    }
    const builder = new ColumnBuilder(name, '', step.span);
    if (callback) this.#build(callback, builder);
    return builder;
  }

  /** A column; its type, which may be an expression, stands as pieces behind its name. */
  #columnSql(step: Step, qualified: (name: string) => string): readonly Piece[] | undefined {
    const [, type, callback] = step.arguments ?? [];
    const builder = this.#column(step, callback);
    if (!builder) return undefined;
    const written = typeSql(type, step.span, this.#run);
    if (written.some((p) => p.hole !== undefined)) {
      this.#run.script.remark(`the type of ${builder.column.name} is computed`, step.span);
      builder.column.type = 'text';
    } else builder.column.type = written.map((p) => p.text).join('');
    this.#qualifyReference(builder, qualified);
    return columnSql(builder.column);
  }

  #qualifyReference(builder: ColumnBuilder, qualified: (name: string) => string): void {
    const { references } = builder.column;
    if (references)
      builder.column.references = { ...references, table: qualified(references.table.replaceAll('"', '')) };
  }

  /** A table constraint; undefined where the step makes none. */
  #constraint(step: Step, qualified: (name: string) => string): readonly Piece[] | undefined {
    const run = this.#run;
    const { span } = step;
    const args = step.arguments ?? [];
    const name = run.text(args[0]);
    const built = (callback: Value | undefined): ColumnBuilder => {
      const builder = new ColumnBuilder(name ?? '', '', span);
      if (callback) this.#build(callback, builder);
      return builder;
    };
    switch (step.name) {
      case 'addPrimaryKeyConstraint': {
        const columns = run.texts(args[1]);
        return columns && keySql('PRIMARY KEY', columns, name, span);
      }
      case 'addUniqueConstraint': {
        const columns = run.texts(args[1]);
        const kind = built(args[2]).nullsNotDistinct ? 'UNIQUE NULLS NOT DISTINCT' : 'UNIQUE';
        return columns && keySql(kind, columns, name, span);
      }
      case 'addForeignKeyConstraint': {
        const columns = run.texts(args[1]);
        const table = run.text(args[2]);
        const referenced = run.texts(args[3]);
        if (!columns || table === undefined || !referenced) return undefined;
        const { onDelete, onUpdate } = built(args[4]).reference;
        // In ALTER TABLE the actions are steps behind it.
        const later = (wanted: string): string | undefined =>
          run.text(this.#steps.slice(this.#steps.indexOf(step) + 1).find((s) => s.name === wanted)?.arguments?.[0]);
        const actions = { onDelete: onDelete ?? later('onDelete'), onUpdate: onUpdate ?? later('onUpdate') };
        return foreignKeySql(columns, { table: qualified(table), columns: referenced, name, ...actions }, span);
      }
      case 'addCheckConstraint':
        return checkSql(valueSql(args[1], span, run), name, span);
      default:
        return undefined;
    }
  }

  #createTable(table: string, steps: readonly Step[], qualified: (name: string) => string): void {
    const columns: (readonly Piece[])[] = [];
    const constraints: (readonly Piece[])[] = [];
    for (const step of steps) {
      if (step.name === 'addColumn') {
        const column = this.#columnSql(step, qualified);
        if (column) columns.push(column);
      } else if (step.name.startsWith('add')) {
        const constraint = this.#constraint(step, qualified);
        if (constraint) constraints.push(constraint);
        else this.#unknown(`${step.name}: the names are computed`);
      } else if (step.name === '$call') this.#unknown('a part of the table is built by a helper');
      else if (step.name === 'as') return this.#unknown('createTable: the query is built in code');
    }
    const end = steps.find((s) => s.name === 'modifyEnd');
    const options = {
      ifNotExists: this.#guarded || steps.some((s) => s.name === 'ifNotExists'),
      temporary: steps.some((s) => s.name === 'temporary'),
      end: end ? [piece(' ', end.span), ...valueSql(end.arguments?.[0], end.span, this.#run)] : [],
    };
    this.#pieces(createTableSql(table, [...columns, ...constraints], options, this.#span));
  }

  #alterTable(table: string, steps: readonly Step[], qualified: (name: string) => string): void {
    for (const step of steps) {
      const span = step.span;
      const alter = (action: readonly Piece[] | string): void => this.#pieces(alterTableSql(table, action, span), span);
      const [one, two] = (step.arguments ?? []).map((a) => this.#run.text(a));
      const named = (text: string): void =>
        one === undefined ? this.#unknown(`${step.name}: the name is computed`) : alter(text);
      switch (step.name) {
        case 'addColumn': {
          const column = this.#columnSql(step, qualified);
          if (column) alter([piece('ADD COLUMN ', span), ...column]);
          break;
        }
        case 'dropColumn':
          named(`DROP COLUMN ${quoted(one ?? '')}`);
          break;
        case 'renameColumn':
          if (one === undefined || two === undefined) this.#unknown('renameColumn: the names are computed');
          else alter(`RENAME COLUMN ${quoted(one)} TO ${quoted(two)}`);
          break;
        case 'alterColumn':
        case 'modifyColumn': {
          const builder = this.#column(step, step.arguments?.[1]);
          for (const action of builder?.actions ?? [])
            alter([piece(`ALTER COLUMN ${quoted(builder?.column.name ?? '')} `, span), ...action]);
          break;
        }
        case 'renameTo':
          named(`RENAME TO ${quoted(one ?? '')}`);
          break;
        case 'setSchema':
          named(`SET SCHEMA ${quoted(one ?? '')}`);
          break;
        case 'dropIndex':
          if (one === undefined) this.#unknown('dropIndex: the name is computed');
          else this.#sql(`DROP INDEX ${quoted(one)}`);
          break;
        case 'dropConstraint':
          named(`DROP CONSTRAINT ${quoted(one ?? '')}`);
          break;
        case 'renameConstraint':
          if (one === undefined || two === undefined) this.#unknown('renameConstraint: the names are computed');
          else alter(`RENAME CONSTRAINT ${quoted(one)} TO ${quoted(two)}`);
          break;
        default: {
          if (['onDelete', 'onUpdate', 'ifExists', 'cascade', 'restrict', 'deferrable'].includes(step.name)) break;
          const constraint = this.#constraint(step, qualified);
          if (constraint) alter([piece('ADD ', span), ...constraint]);
          else this.#unknown(`${step.name} was not understood`);
        }
      }
    }
  }

  #createIndex(name: string, steps: readonly Step[], qualified: (name: string) => string): void {
    const run = this.#run;
    const given = (wanted: string): Step | undefined => steps.find((s) => s.name === wanted);
    const table = run.text(given('on')?.arguments?.[0]);
    const keys = steps.flatMap((s): readonly (string | undefined)[] => {
      if (s.name === 'column' || s.name === 'columns')
        return (
          run
            .texts(s.arguments?.[0])
            ?.map((c) =>
              c.replace(/^(\S+)( (?:asc|desc).*)?$/i, (_, n: string, rest?: string) => quoted(n) + (rest ?? '')),
            ) ?? [undefined]
        );
      if (s.name !== 'expression') return [];
      const text = valueSql(s.arguments?.[0], s.span, run);
      return [text.some((p) => p.hole !== undefined) ? undefined : `(${text.map((p) => p.text).join('')})`];
    });
    if (table === undefined || keys.length === 0 || keys.some((k) => k === undefined))
      return this.#unknown('createIndex: the names are computed');
    const where = steps.filter((s) => s.name === 'where').map((s) => this.#where(s));
    this.#pieces(
      createIndexSql(
        qualified(table),
        {
          name,
          unique: given('unique') !== undefined,
          ifNotExists: given('ifNotExists') !== undefined,
          method: run.text(given('using')?.arguments?.[0]),
          keys: keys.map((k) => k ?? ''),
          nullsNotDistinct: given('nullsNotDistinct') !== undefined,
          where:
            where.length === 0 ? undefined : where.flatMap((w, i) => [piece(i === 0 ? '' : ' AND ', this.#span), ...w]),
        },
        this.#span,
      ),
    );
  }

  /** `where('deleted_at', 'is', null)`, or an expression. */
  #where(step: Step): readonly Piece[] {
    const [left, operator, right] = step.arguments ?? [];
    if (operator === undefined) return valueSql(left, step.span, this.#run);
    const column = this.#run.text(left);
    const word = this.#run.text(operator);
    const operand = right && literalOf(this.#run.value(right));
    return [
      column === undefined || word === undefined || operand === undefined
        ? { text: '', span: step.span, hole: 'the condition of the index' }
        : piece(`${names([column])} ${word} ${operand}`, step.span),
    ];
  }
}
