import {
  undefinedValue,
  type Adapter,
  type CallChain,
  type LowerContext,
  type ResourceAccess,
  type Value,
} from '@tenant-lint/model';
import { lastCall, madeBy } from './made.js';

/** Methods that look for something, by the packages that make the client; all of the call narrows what is found. */
const engines: readonly { readonly modules: RegExp; readonly methods: readonly string[] }[] = [
  {
    modules: /^@elastic\/elasticsearch$|^@opensearch-project\/opensearch$/,
    methods: ['search', 'count', 'msearch', 'esql'],
  },
  { modules: /^algoliasearch(?:\/.*)?$/, methods: ['search', 'searchSingleIndex', 'browse', 'browseObjects'] },
  { modules: /^meilisearch$/, methods: ['search', 'multiSearch'] },
  { modules: /^typesense$/, methods: ['search'] },
  { modules: /^@pinecone-database\/pinecone$/, methods: ['query'] },
  { modules: /^@qdrant\/js-client-rest$/, methods: ['search', 'query', 'scroll'] },
  { modules: /^@zilliz\/milvus2-sdk-node$/, methods: ['search', 'query'] },
  { modules: /^@clickhouse\/client(?:-\w+)?$/, methods: ['query'] },
];

function resource(chain: CallChain, context: LowerContext): ResourceAccess | undefined {
  const last = lastCall(chain);
  if (!last?.arguments) return undefined;
  const known = engines.filter((e) => e.methods.includes(last.name));
  if (known.length === 0) return undefined;
  const made = madeBy(chain.receiver, context);
  if (!made || !known.some((e) => e.modules.test(made.module))) return undefined;
  // A namespace, an index per tenant, a key that is limited to one tenant: steps before, and how the client was made.
  const narrowing = chain.steps.flatMap((s) => s.arguments ?? []);
  const key: Value = {
    kind: 'list',
    of: [...narrowing, ...madeWith(chain.receiver, context, 0)].map((value) => ({ value })),
  };
  return {
    kind: 'search',
    library: made.module,
    method: last.name,
    operation: 'find',
    key,
    payload: undefinedValue,
    chain: chain.id,
    function: chain.function,
    span: chain.span,
  };
}

/** What a client, and what it was made of, was made with. */
function madeWith(value: Value, context: LowerContext, depth: number): readonly Value[] {
  if (depth > 4) return [];
  const resolved = context.resolve(value);
  if (resolved.kind === 'instance') return resolved.arguments;
  const chain = resolved.kind === 'result' ? context.chain(resolved.chain) : undefined;
  return chain
    ? [...chain.steps.flatMap((s) => s.arguments ?? []), ...madeWith(chain.receiver, context, depth + 1)]
    : [];
}

/** Engines that search: for text, for vectors, in columns. */
export const searches: Adapter = {
  id: 'search',
  title: 'Search engines',
  packages: [
    '@elastic/elasticsearch',
    '@opensearch-project/opensearch',
    'algoliasearch',
    'meilisearch',
    'typesense',
    '@pinecone-database/pinecone',
    '@qdrant/js-client-rest',
    '@zilliz/milvus2-sdk-node',
    '@clickhouse/client',
    '@clickhouse/client-web',
  ],
  vocabulary:
    /['"](?:@elastic\/elasticsearch|@opensearch-project\/opensearch|algoliasearch(?:\/\w+)?|meilisearch|typesense|@pinecone-database\/pinecone|@qdrant\/js-client-rest|@zilliz\/milvus2-sdk-node|@clickhouse\/client(?:-\w+)?)['"]/,
  resource,
  lower: () => 'not mine',
};
