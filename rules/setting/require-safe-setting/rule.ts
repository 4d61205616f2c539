import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Related, SchemaFunction } from '@tenant-lint/model';
import {
  functionsNamed,
  isTenantSetting,
  settingReads,
  tenantSettings,
  walk,
  type SettingRead,
} from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'require-safe-setting',
    group: 'setting',
    summary:
      'Require that policies and functions read settings so that an unset one lets nothing through and breaks nothing',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['S02', 'S03', 'S05', 'S10'],
    messages: {
      raises: {
        severity: 'info',
        what: '{by} reads {name} without saying that it may be missing.',
        why: 'In a session where nobody set it, every statement that comes by fails with an error instead of finding no rows.',
        fix: "Write nullif(current_setting('{name}', true), ''), if no rows are meant.",
      },
      emptyText: {
        what: '{by} casts {name} to {type} without regard to an empty text.',
        why: 'After a transaction that set it, the setting of the session is an empty text instead of NULL, and the cast fails every statement on that connection.',
        fix: "Write nullif(current_setting('{name}', true), '')::{type}.",
      },
      unqualified: {
        what: '{by} reads {name}, a name without a dot.',
        why: 'Only settings with a dot in their name can be made up; setting this one fails, so the condition never sees a tenant.',
        fix: 'Call it by two names, such as app.{name}, wherever it is set and read.',
      },
      halfConverted: {
        what: '{by} reads {name} silently, while other policies call {helper}, which refuses to go on without it.',
        why: 'Without a tenant these rows are silently not found, where the others raise an error: the mistake shows in one place and hides in the other.',
        fix: 'Call {helper} here as well.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const settings = tenantSettings(model);
    const reads = settingReads(model).filter((read) => isTenantSetting(model, settings, read.name));
    // A setting is read in many places, and each mistake about it is one finding.
    const found = new Map<string, { message: MessageId; data: Record<string, string>; places: SettingRead[] }>();
    const helpers = raisingHelpers(model);
    for (const read of reads) {
      for (const [message, more] of problemsOf(read, helpers)) {
        const key = `${message} ${read.name}`;
        const before = found.get(key);
        if (before) before.places.push(read);
        else found.set(key, { message, data: { name: read.name, by: sentence(read.by), ...more }, places: [read] });
      }
    }
    for (const [key, { message, data, places }] of found) {
      const [first] = places;
      if (first === undefined) continue;
      yield { message, data, span: first.span, related: others(first, places), confidence: 'certain', key };
    }
  },
});

type MessageId = 'raises' | 'emptyText' | 'unqualified' | 'halfConverted';

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const others = (first: SettingRead, places: readonly SettingRead[]): Related[] =>
  places
    .filter(
      ({ span }, i) =>
        span !== first.span && places.findIndex((p) => p.span.file === span.file && p.span.start === span.start) === i,
    )
    .slice(0, 20)
    .map(({ span, by }) => ({ span, text: `so does ${by}` }));

function* problemsOf(
  read: SettingRead,
  helpers: ReadonlyMap<string, string>,
): Iterable<readonly [MessageId, Record<string, string>]> {
  if (!read.name.includes('.')) {
    yield ['unqualified', {}];
    return;
  }
  if (!read.missingOk) {
    const deliberate = 'function' in read.in && raises(read.in.function);
    if (!deliberate) yield ['raises', {}];
    return;
  }
  const type = castWithoutCare(read);
  if (type !== undefined) yield ['emptyText', { type }];
  const helper = helpers.get(read.name);
  if (helper !== undefined && 'policy' in read.in) yield ['halfConverted', { helper }];
}

/** Types whose input refuses an empty text. */
const strict = /^(?:uuid|int|bigint|smallint|numeric|decimal|real|double|float|bool|date|time|json)/;

/** The type that a setting is cast to although it may be an empty text. */
function castWithoutCare(read: SettingRead): string | undefined {
  if ('function' in read.in && /\bexception\s+when\b/i.test(read.in.function.text)) return undefined;
  for (const node of [...read.around].reverse()) {
    // A branch was taken by looking at the setting first.
    if (node['kind'] === 'choice' && mentions(node['test'], read.name)) return undefined;
    if (node['kind'] !== 'apply') {
      if (node['kind'] === undefined || node['kind'] === 'choice') continue;
      return undefined;
    }
    const name = String(node['function']);
    const type = /^cast:(.*)$/.exec(name)?.[1];
    if (type !== undefined && strict.test(type)) return guardedOutside(read) ? undefined : type;
    if (type === undefined && !/^(?:coalesce|trim|btrim|lower|upper)$/.test(name)) return undefined;
  }
  // PL/pgSQL casts what it returns.
  if (!('function' in read.in)) return undefined;
  const { returns, language, body } = read.in.function;
  const isReturned = body.known && language === 'plpgsql' && strict.test(returns);
  return isReturned ? returns : undefined;
}

const guardedOutside = (read: SettingRead): boolean =>
  read.around.some((node) => node['kind'] === 'choice' && mentions(node['test'], read.name));

function mentions(root: unknown, setting: string): boolean {
  let found = false;
  walk(root, (node) => {
    found ||= node['kind'] === 'setting' && node['name'] === setting;
  });
  return found;
}

const raises = (declared: SchemaFunction): boolean => /\braise\s+(?:exception\b|'|sqlstate\b)/i.test(declared.text);

/** By setting: a function that policies call, and that raises an error where the setting is missing. */
function raisingHelpers(model: Model): ReadonlyMap<string, string> {
  const helpers = new Map<string, string>();
  for (const table of model.schema.tables.values()) {
    for (const policy of table.policies) {
      walk([policy.using, policy.check], (node) => {
        if (node['kind'] !== 'apply' || typeof node['function'] !== 'string') return;
        for (const called of functionsNamed(model, node['function'])) {
          if (!raises(called)) continue;
          for (const [, name] of called.text.matchAll(/current_setting\(\s*'([^']+)'/gi))
            if (name !== undefined) helpers.set(name.toLowerCase(), called.name.name);
        }
      });
    }
  }
  return helpers;
}
