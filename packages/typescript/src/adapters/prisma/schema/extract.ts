import { createHash } from 'node:crypto';
import {
  lineStartsOf,
  type Directive,
  type FileFacts,
  type SchemaEvent,
  type Span,
  type Unchecked,
} from '@tenant-lint/model';
import { parseDirective } from '../../../extract/directives.js';
import { argument, databaseName, find, tableOfModel, text as textOf, type Declared } from './model.js';
import { parseSchema, type Block, type Range } from './parse.js';
import type { Token } from './tokens.js';

const providers = new Set([
  'postgresql',
  'postgres',
  'mysql',
  'sqlite',
  'sqlserver',
  'mongodb',
  'cockroachdb',
  'prisma+postgres',
]);

/**
 * Facts of a file in the Prisma schema language: a table for every model and view, a type for every enum. Every provider gives facts, as
 * who owns a row does not depend on the database. Lines that cannot be read are named in `unchecked`; never throws.
 */
export function extractPrisma(text: string, options: { readonly file: string }): FileFacts {
  const { file } = options;
  const parsed = parseSchema(text);
  const span = (range: Range): Span => ({ file, start: range.start, end: range.end });
  const ofKeyword = (...keywords: string[]): Block[] => parsed.blocks.filter((b) => keywords.includes(b.keyword));
  const declared: Declared = {
    file,
    models: new Map(ofKeyword('model', 'view').map((b) => [b.name, b])),
    enums: new Map(ofKeyword('enum', 'type').map((b) => [b.name, b.keyword === 'enum' ? databaseName(b) : 'jsonb'])),
  };
  const schema: SchemaEvent[] = [];
  const unchecked: Unchecked[] = parsed.errors.map((e) => ({
    file,
    reason: 'syntax',
    detail: e.message,
    span: span(e),
  }));
  const features = new Set<string>();
  for (const block of parsed.blocks) {
    const setting = (name: string): Block['members'][number] | undefined => block.members.find((m) => m.name === name);
    switch (block.keyword) {
      case 'model':
      case 'view':
        schema.push({ action: tableOfModel(block, declared), span: span(block), direction: 'up' });
        break;
      case 'enum': {
        const labels = block.members.map(databaseName);
        const schemaName = textOf(argument(find(block, 'schema'), 0, 'name'));
        const name = { ...(schemaName === undefined ? {} : { schema: schemaName }), name: databaseName(block) };
        schema.push({ action: { do: 'create type', name, type: 'enum', labels }, span: span(block), direction: 'up' });
        break;
      }
      case 'generator': {
        const value = setting('previewFeatures')?.value;
        if (value?.kind === 'list') for (const item of value.items) if ('text' in item) features.add(item.text);
        break;
      }
      case 'datasource': {
        const provider = setting('provider');
        const given = provider?.value?.kind === 'list' ? provider.value.items : provider?.value ? [provider.value] : [];
        if (provider && !given.some((g) => g.kind === 'string' && providers.has(g.text))) {
          const detail = `the provider of datasource ${block.name} is not one of Prisma's`;
          unchecked.push({ file, reason: 'unsupported', detail, span: span(provider) });
        }
        break;
      }
      case 'type':
        // A composite type has no rows of its own.
        break;
      default:
        unchecked.push({ file, reason: 'unsupported', detail: `block '${block.keyword}'`, span: span(block) });
    }
  }
  return {
    file,
    hash: createHash('sha256').update(text).digest('hex'),
    dialect: 'prisma',
    lineStarts: lineStartsOf(text),
    directives: directivesIn(parsed.comments, file),
    imports: [],
    exports: [],
    bindings: {},
    classes: [],
    functions: [],
    chains: [],
    schema,
    queries: [],
    unchecked,
    ...(features.size > 0 ? { features: [...features] } : {}),
  };
}

const directive = /^(?:\/\/+|\/\*)[ \t]*tenant-lint-(disable-next-line|disable-line|disable|enable)(?![\w-])/;

function directivesIn(comments: readonly Token[], file: string): Directive[] {
  return comments.flatMap((comment) => {
    const found = directive.exec(comment.text);
    if (!found) return [];
    const body = comment.text.slice(found[0].length).replace(/\*\/$/, '');
    const span = { file, start: comment.start, end: comment.end };
    return [parseDirective(found[1] as Directive['kind'], body, span)];
  });
}
