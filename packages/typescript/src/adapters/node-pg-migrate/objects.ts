import type { Span, Step, Value } from '@tenant-lint/model';
import { literal, piece, quoted, type Piece } from '../migration/pieces.js';
import type { Call, Run } from '../migration/run.js';
import { idOf, literalName, textSql } from './names.js';

/** Calls about schemas, types, views, functions, triggers, roles and privileges. False if the call is none of these. */
export function otherCall(step: Step, call: Call, run: Run): boolean {
  const { name, arguments: args = [] } = step;
  const span: Span = { ...call.span, end: step.span.end };
  const [first, second, third, fourth] = args;
  const sql = (...pieces: readonly (string | readonly Piece[])[]): true => {
    run.script.sql(
      pieces.flatMap((p) => (typeof p === 'string' ? [piece(p, span)] : p)),
      span,
    );
    return true;
  };
  const unknown = (): true => (run.script.unknown(`${name}: the names are computed`, span), true);
  const of = (options: Value | undefined, key: string): Value | undefined => run.property(options, key);
  const flag = (options: Value | undefined, key: string, text: string): string =>
    run.isTrue(of(options, key)) ? text : '';
  const list = (value: Value | undefined): readonly string[] | undefined =>
    (run.items(value) ?? [run.value(value)]).map((v) => idOf(v, run)).every((i) => i !== undefined)
      ? (run.items(value) ?? [run.value(value)]).map((v) => literalName(idOf(v, run)!))
      : undefined;
  const id = idOf(first, run);
  const own = id && literalName(id);
  const text = (value: Value | undefined): readonly Piece[] => textSql(value, span, run);
  switch (name) {
    case 'createSchema':
      return own === undefined
        ? unknown()
        : sql(`CREATE SCHEMA ${flag(second, 'ifNotExists', 'IF NOT EXISTS ')}${own}`);
    case 'dropSchema':
      return own === undefined
        ? unknown()
        : sql(`DROP SCHEMA ${flag(second, 'ifExists', 'IF EXISTS ')}${own}${flag(second, 'cascade', ' CASCADE')}`);
    case 'createExtension':
    case 'addExtension': {
      const all = list(first);
      if (!all) return unknown();
      for (const extension of all) sql(`CREATE EXTENSION ${flag(second, 'ifNotExists', 'IF NOT EXISTS ')}${extension}`);
      return true;
    }
    case 'createType':
    case 'addType': {
      const labels = run.texts(second);
      if (own === undefined) return unknown();
      if (labels) return sql(`CREATE TYPE ${own} AS ENUM (${labels.map(literal).join(', ')})`);
      const attributes = run
        .entries(second, span)
        ?.map((e) => `${quoted(e.name)} ${run.text(e.value) ?? run.text(of(e.value, 'type')) ?? 'text'}`);
      return attributes ? sql(`CREATE TYPE ${own} AS (${attributes.join(', ')})`) : unknown();
    }
    case 'dropType':
      return own === undefined ? unknown() : sql(`DROP TYPE ${flag(second, 'ifExists', 'IF EXISTS ')}${own}`);
    case 'addTypeValue': {
      const label = run.text(second);
      return own === undefined || label === undefined
        ? unknown()
        : sql(`ALTER TYPE ${own} ADD VALUE ${literal(label)}`);
    }
    case 'createView':
    case 'createMaterializedView': {
      if (own === undefined) return unknown();
      const options = of(second, 'options');
      const entries = options
        ? (run.entries(options, span) ?? []).map((e) => `${e.name}=${run.text(e.value) ?? 'true'}`)
        : [];
      const kind = name === 'createView' ? 'VIEW' : 'MATERIALIZED VIEW';
      const columns = run.texts(of(second, 'columns'));
      return sql(
        `CREATE ${flag(second, 'replace', 'OR REPLACE ')}${kind} ${own}${columns ? ` (${columns.map(quoted).join(', ')})` : ''}` +
          `${entries.length > 0 ? ` WITH (${entries.join(', ')})` : ''} AS `,
        text(third),
      );
    }
    case 'dropView':
    case 'dropMaterializedView':
      return own === undefined
        ? unknown()
        : sql(`DROP ${name === 'dropView' ? '' : 'MATERIALIZED '}VIEW ${flag(second, 'ifExists', 'IF EXISTS ')}${own}`);
    case 'createFunction':
      return own === undefined ? unknown() : createFunction(own, second, third, fourth);
    case 'dropFunction': {
      const parameters = parametersOf(second, run);
      return own === undefined || parameters === undefined
        ? unknown()
        : sql(
            `DROP FUNCTION ${flag(third, 'ifExists', 'IF EXISTS ')}${own}${parameters}${flag(third, 'cascade', ' CASCADE')}`,
          );
    }
    case 'createTrigger': {
      const trigger = idOf(second, run);
      const called = idOf(of(third, 'function') ?? second, run);
      const when = run.text(of(third, 'when')) ?? 'AFTER';
      const operations = run.texts(of(third, 'operation'));
      if (own === undefined || !trigger || !called || !operations) return unknown();
      if (fourth) createFunction(literalName(called), undefined, third, fourth, 'trigger');
      const level = run.text(of(third, 'level')) ?? 'STATEMENT';
      const condition = of(third, 'condition');
      return sql(
        `CREATE TRIGGER ${quoted(trigger.name)} ${when} ${operations.join(' OR ')} ON ${own} FOR EACH ${level} `,
        ...(condition ? ['WHEN (', text(condition), ') '] : []),
        `EXECUTE PROCEDURE ${literalName(called)}()`,
      );
    }
    case 'dropTrigger': {
      const trigger = idOf(second, run);
      return own === undefined || !trigger
        ? unknown()
        : sql(`DROP TRIGGER ${flag(third, 'ifExists', 'IF EXISTS ')}${quoted(trigger.name)} ON ${own}`);
    }
    case 'createRole':
    case 'alterRole':
      return own === undefined
        ? unknown()
        : sql(
            `${name === 'createRole' ? 'CREATE' : 'ALTER'} ROLE ${own} ${roleOptions(second, name === 'createRole', run)}`,
          );
    case 'dropRole':
      return own === undefined ? unknown() : sql(`DROP ROLE ${flag(second, 'ifExists', 'IF EXISTS ')}${own}`);
    case 'grantRoles':
    case 'revokeRoles': {
      const [of1, to] = [list(first), list(second)];
      return of1 && to
        ? sql(
            `${name === 'grantRoles' ? 'GRANT' : 'REVOKE'} ${of1.join(', ')} ${name === 'grantRoles' ? 'TO' : 'FROM'} ${to.join(', ')}`,
          )
        : unknown();
    }
    case 'grantOnTables':
    case 'revokeOnTables':
    case 'grantOnSchemas':
    case 'revokeOnSchemas':
      return privileges();
    case 'createSequence':
    case 'dropSequence':
    case 'alterSequence':
    case 'renameSequence':
    case 'createOperator':
    case 'createCast':
    case 'refreshMaterializedView':
      run.script.pass(name);
      return true;
    default:
      return false;
  }

  function createFunction(
    own: string,
    parameters: Value | undefined,
    options: Value | undefined,
    body: Value | undefined,
    returned?: string,
  ): true {
    const taken = parametersOf(parameters, run);
    const language = run.text(of(options, 'language'));
    if (taken === undefined || language === undefined) return unknown();
    const returns = returned ?? run.text(of(options, 'returns')) ?? 'void';
    const behavior = run.text(of(options, 'behavior')) ?? 'VOLATILE';
    const security = run.text(of(options, 'security')) === 'DEFINER' ? ' SECURITY DEFINER' : '';
    const settings = (run.items(of(options, 'set')) ?? []).map((s) => {
      const value = run.text(of(s, 'value')) ?? '';
      return ` SET ${run.text(of(s, 'configurationParameter')) ?? ''} ${value === 'FROM CURRENT' ? value : `TO ${value}`}`;
    });
    return sql(
      `CREATE ${flag(options, 'replace', 'OR REPLACE ')}FUNCTION ${own}${taken} RETURNS ${returns} AS $pgm$`,
      text(body),
      `$pgm$ ${behavior} LANGUAGE ${language}${security}${settings.join('')}`,
    );
  }

  function privileges(): true {
    const granted = run.texts(of(first, 'privileges'));
    const roles = list(of(first, 'roles'));
    const schemas = list(of(first, 'schemas') ?? of(first, 'schema') ?? { kind: 'list', of: [] });
    const tables = of(first, 'tables');
    if (!granted || !roles || !schemas) return unknown();
    const isGrant = name.startsWith('grant');
    let on: string | undefined;
    if (name.endsWith('Schemas')) on = `SCHEMA ${schemas.join(', ')}`;
    else if (run.text(tables) === 'ALL') on = `ALL TABLES IN SCHEMA ${schemas.join(', ')}`;
    else on = list(tables)?.join(', ');
    if (on === undefined) return unknown();
    const roleList = roles.map((r) => (r === '"PUBLIC"' ? 'PUBLIC' : r)).join(', ');
    return sql(`${isGrant ? 'GRANT' : 'REVOKE'} ${granted.join(', ')} ON ${on} ${isGrant ? 'TO' : 'FROM'} ${roleList}`);
  }
}

/** `(a uuid, b text)`; undefined where a parameter is computed. */
function parametersOf(value: Value | undefined, run: Run): string | undefined {
  if (value === undefined || run.value(value).kind === 'undefined') return '()';
  const items = run.items(value)?.map((v): string | undefined => {
    const text = run.text(v);
    if (text !== undefined) return text;
    const type = run.text(run.property(v, 'type'));
    const parts = [run.text(run.property(v, 'mode')), run.text(run.property(v, 'name')), type];
    const given = run.text(run.property(v, 'default'));
    return type === undefined
      ? undefined
      : parts.filter((p) => p !== undefined).join(' ') + (given === undefined ? '' : ` DEFAULT ${given}`);
  });
  return items?.every((i) => i !== undefined) ? `(${items.join(', ')})` : undefined;
}

function roleOptions(value: Value | undefined, isNew: boolean, run: Run): string {
  const words: string[] = [];
  for (const option of ['superuser', 'createdb', 'createrole', 'inherit', 'login', 'replication', 'bypassrls']) {
    const given = run.property(value, option);
    const on =
      given === undefined ? (isNew && option !== 'bypassrls' ? option === 'inherit' : undefined) : run.isTrue(given);
    if (on !== undefined) words.push(`${on ? '' : 'NO'}${option.toUpperCase()}`);
  }
  const inRole = run.texts(run.property(value, 'inRole'));
  if (inRole) words.push(`IN ROLE ${inRole.join(', ')}`);
  return words.length === 0 ? 'WITH INHERIT' : `WITH ${words.join(' ')}`;
}
