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

/** Steps that put a job into a queue: where its data and its options are, and which options name the job. */
const queues: readonly {
  readonly modules: RegExp;
  readonly steps: Readonly<
    Record<
      string,
      { readonly data: number; readonly options?: number; readonly names?: readonly string[]; readonly id?: number }
    >
  >;
}[] = [
  {
    modules: /^(?:bullmq|bull|bee-queue)$/,
    steps: {
      add: { data: 1, options: 2, names: ['jobId', 'deduplication'] },
      upsertJobScheduler: { data: 2, id: 0 },
    },
  },
  { modules: /^pg-boss$/, steps: { send: { data: 1, options: 2, names: ['singletonKey'] } } },
  { modules: /^@trigger\.dev\/sdk/, steps: { trigger: { data: 1, options: 2, names: ['idempotencyKey'] } } },
  {
    modules: /^@temporalio\/client$/,
    steps: {
      start: { data: 1, options: 1, names: ['workflowId'] },
      execute: { data: 1, options: 1, names: ['workflowId'] },
    },
  },
];

function resource(chain: CallChain, context: LowerContext): ResourceAccess | undefined {
  const last = lastCall(chain);
  if (!last?.arguments) return undefined;
  const common = {
    kind: 'job' as const,
    chain: chain.id,
    function: chain.function,
    span: chain.span,
    operation: 'send' as const,
  };
  for (const argument of last.arguments) {
    const value = argument.kind === 'instance' ? argument : context.resolve(argument);
    const made = value.kind === 'instance' ? madeBy(value.of, context) : undefined;
    const input = value.kind === 'instance' ? value.arguments[0] : undefined;
    if (!made || !input || made.module !== '@aws-sdk/client-sqs' || made.name !== 'SendMessageCommand') continue;
    const given = context.resolve(input);
    return {
      ...common,
      library: 'sqs',
      method: made.name,
      key: propertyOf(given, 'MessageDeduplicationId'),
      payload: propertyOf(given, 'MessageBody'),
    };
  }
  const made = madeBy(chain.receiver, context);
  const queue = made && queues.find((q) => q.modules.test(made.module));
  const step = queue?.steps[last.name];
  if (!made || !step) return undefined;
  const options = step.options === undefined ? undefined : last.arguments[step.options];
  const id =
    step.id === undefined
      ? named(options && context.resolve(options), step.names ?? [])
      : (last.arguments[step.id] ?? undefinedValue);
  const data = last.arguments[step.data];
  const payload =
    data && step.data === step.options ? propertyOf(context.resolve(data), 'args') : (data ?? undefinedValue);
  return { ...common, library: made.module, method: last.name, key: id, payload };
}

function named(options: Value | undefined, names: readonly string[]): Value {
  for (const name of names) {
    const found = options && propertyOf(options, name);
    if (found && found.kind !== 'undefined' && found.kind !== 'element' && found.kind !== 'unknown')
      return name === 'deduplication' ? propertyOf(found, 'id') : found;
  }
  return undefinedValue;
}

/** Queues of jobs: what runs later, with the authority of the system. */
export const jobs: Adapter = {
  id: 'jobs',
  title: 'Queues of jobs',
  packages: ['bullmq', 'bull', 'bee-queue', 'pg-boss', '@trigger.dev/sdk', '@temporalio/client', '@aws-sdk/client-sqs'],
  vocabulary:
    /['"](?:bullmq|bull|bee-queue|pg-boss|@trigger\.dev\/sdk(?:\/v\d)?|@temporalio\/client|@aws-sdk\/client-sqs)['"]/,
  resource,
  lower: () => 'not mine',
};
