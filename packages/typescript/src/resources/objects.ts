import {
  propertyOf,
  undefinedValue,
  type Adapter,
  type CallChain,
  type LowerContext,
  type ResourceAccess,
  type Value,
} from '@tenant-lint/model';
import { lastCall, madeBy } from './made.js';

type Operation = NonNullable<ResourceAccess['operation']>;

/** Commands of the S3 client, with the part of their input that names the object. */
const commands: Readonly<Record<string, readonly [operation: Operation, key: string]>> = {
  GetObjectCommand: ['read', 'Key'],
  HeadObjectCommand: ['read', 'Key'],
  CopyObjectCommand: ['read', 'CopySource'],
  PutObjectCommand: ['write', 'Key'],
  CreateMultipartUploadCommand: ['write', 'Key'],
  DeleteObjectCommand: ['delete', 'Key'],
  ListObjectsV2Command: ['list', 'Prefix'],
  ListObjectsCommand: ['list', 'Prefix'],
};

/** Methods of clients whose first (or second) argument names the object, by the packages that make the client. */
const methods: readonly {
  readonly modules: RegExp;
  readonly methods: Readonly<Record<string, readonly [operation: Operation, key: number, payload?: number]>>;
}[] = [
  {
    modules: /^@supabase\//,
    methods: {
      download: ['read', 0],
      createSignedUrl: ['read', 0],
      createSignedUploadUrl: ['write', 0],
      upload: ['write', 0, 1],
      update: ['write', 0, 1],
      remove: ['delete', 0],
      list: ['list', 0],
    },
  },
  { modules: /^@vercel\/blob/, methods: { put: ['write', 0, 1], head: ['read', 0], del: ['delete', 0] } },
  { modules: /^@google-cloud\/storage$/, methods: { file: ['read', 0] } },
  {
    modules: /^@azure\/storage-blob$/,
    methods: { getBlobClient: ['read', 0], getBlockBlobClient: ['read', 0], uploadBlockBlob: ['write', 0, 1] },
  },
  {
    modules: /^minio$/,
    methods: {
      getObject: ['read', 1],
      presignedGetObject: ['read', 1],
      presignedPutObject: ['write', 1],
      putObject: ['write', 1, 2],
      removeObject: ['delete', 1],
    },
  },
];

function resource(chain: CallChain, context: LowerContext): ResourceAccess | undefined {
  const last = lastCall(chain);
  if (!last?.arguments) return undefined;
  const common = { kind: 'object' as const, chain: chain.id, function: chain.function, span: chain.span };
  for (const argument of last.arguments) {
    const value = argument.kind === 'instance' ? argument : context.resolve(argument);
    const command = value.kind === 'instance' ? madeBy(value.of, context) : undefined;
    const found = command && /^@aws-sdk\/client-s3$/.test(command.module) ? commands[command.name] : undefined;
    const input = value.kind === 'instance' ? value.arguments[0] : undefined;
    if (!command || !found || !input) continue;
    const given = context.resolve(input);
    return {
      ...common,
      library: 's3',
      method: command.name,
      operation: found[0],
      key: propertyOf(given, found[1]),
      payload: propertyOf(given, 'Body'),
    };
  }
  return byMethod(chain, context, common) ?? undefined;
}

function byMethod(
  chain: CallChain,
  context: LowerContext,
  common: Pick<ResourceAccess, 'kind' | 'chain' | 'function' | 'span'>,
): ResourceAccess | undefined {
  const storage = chain.steps.findIndex((s) => s.name === 'storage' && !s.arguments);
  const made = madeBy(chain.receiver, context);
  for (const one of methods) {
    const at = chain.steps.findIndex((s) => s.arguments !== undefined && Object.hasOwn(one.methods, s.name || ''));
    const step = chain.steps[at];
    const direct = made && chain.steps.length === 1 && chain.steps[0]?.name === '' ? one.methods[made.name] : undefined;
    const found = direct ?? (step && one.methods[step.name]);
    const args = (direct ? chain.steps[0] : step)?.arguments;
    if (!found || !args || !made || !one.modules.test(made.module)) continue;
    // A client of Supabase has other methods of these names; its buckets are below `storage`.
    if (
      /supabase/.test(made.module) &&
      !(storage >= 0 && chain.steps[storage + 1]?.name === 'from' && at > storage + 1)
    )
      continue;
    if (made.module.startsWith('@vercel/blob') && found[0] === 'write' && isSuffixed(args[2], chain, context))
      return undefined;
    const key: Value = args[found[1]] ?? undefinedValue;
    return {
      ...common,
      library: made.module,
      method: step?.name ?? made.name,
      operation: chain.steps.some((s) => s.name === 'save' || s.name === 'createWriteStream') ? 'write' : found[0],
      key,
      payload: (found[2] === undefined ? undefined : args[found[2]]) ?? undefinedValue,
    };
  }
  return undefined;
}

/** Whether the store puts something random behind the name: where it is asked to, and before version 1 unless it is asked not to. */
function isSuffixed(options: Value | undefined, chain: CallChain, context: LowerContext): boolean {
  const asked = options ? propertyOf(context.resolve(options), 'addRandomSuffix') : undefinedValue;
  if (asked.kind === 'constant') return asked.value === true;
  return /^[~^]?0\./.test(context.version(chain.span.file, '@vercel/blob') ?? '');
}

/** Stores of objects: what is found by a key that the program makes. */
export const objects: Adapter = {
  id: 'objects',
  title: 'Stores of objects',
  packages: [
    '@aws-sdk/client-s3',
    '@aws-sdk/s3-request-presigner',
    '@supabase/supabase-js',
    '@vercel/blob',
    '@google-cloud/storage',
    '@azure/storage-blob',
    'minio',
  ],
  vocabulary:
    /['"](?:@aws-sdk\/(?:client-s3|s3-request-presigner)|@vercel\/blob(?:\/\w+)?|@google-cloud\/storage|@azure\/storage-blob|minio)['"]|\.storage\s*\.\s*from\s*\(/,
  resource,
  lower: () => 'not mine',
};
