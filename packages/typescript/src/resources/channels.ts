import {
  undefinedValue,
  type Adapter,
  type CallChain,
  type LowerContext,
  type ResourceAccess,
  type Value,
} from '@tenant-lint/model';
import { lastCall, madeBy } from './made.js';

function resource(chain: CallChain, context: LowerContext): ResourceAccess | undefined {
  const last = lastCall(chain);
  if (!last?.arguments) return undefined;
  const common = {
    kind: 'channel' as const,
    chain: chain.id,
    function: chain.function,
    span: chain.span,
    method: last.name,
  };
  const [first, second, third] = last.arguments;
  if (last.name === 'join' && first && isSocket(chain.receiver, context))
    return { ...common, library: 'socket.io', operation: 'join', key: first, payload: undefinedValue };
  const made = madeBy(chain.receiver, context);
  if (last.name === 'emit' && (made?.module === 'socket.io' || isSocket(chain.receiver, context))) {
    const rooms = chain.steps.filter((s) => s.arguments && (s.name === 'to' || s.name === 'in'));
    // What a socket sends without a room goes to itself, what the server sends goes to all.
    if (rooms.length === 0 && (made?.module !== 'socket.io' || isSocket(chain.receiver, context))) return undefined;
    const key: Value = rooms[0]?.arguments?.[0] ?? { kind: 'constant', value: 'everybody' };
    return { ...common, library: 'socket.io', operation: 'send', key, payload: second ?? undefinedValue };
  }
  if (made?.module === 'pusher' && /^trigger(?:Batch)?$/.test(last.name) && first)
    return { ...common, library: 'pusher', operation: 'send', key: first, payload: third ?? undefinedValue };
  if (made?.module === 'pusher' && /^authorizeChannel$|^authenticate$/.test(last.name) && second)
    return { ...common, library: 'pusher', operation: 'join', key: second, payload: undefinedValue };
  if (made?.module === 'ably' && last.name === 'publish') {
    const channel = chain.steps.find((s) => s.name === 'get' && s.arguments)?.arguments?.[0];
    return (
      channel && { ...common, library: 'ably', operation: 'send', key: channel, payload: second ?? undefinedValue }
    );
  }
  return undefined;
}

/** The parameter of the handler of `io.on('connection', (socket) => ...)`, within it and its callbacks. */
function isSocket(value: Value, context: LowerContext): boolean {
  if (value.kind !== 'parameter' || value.path.length > 0) return false;
  const type = context.typeOf(value);
  if (type && /^(?:Socket|AuthenticatedSocket)\b/.test(type.text)) return true;
  const handed = context.function(value.function)?.handedTo;
  const chain = handed && context.chain(handed.chain);
  const step = chain && chain.steps[handed.step];
  const [event] = step?.arguments ?? [];
  return (
    value.index === 0 &&
    step?.name === 'on' &&
    event?.kind === 'constant' &&
    /^connect(?:ion)?$/.test(String(event.value))
  );
}

/** Channels to browsers: rooms of socket.io, channels of Pusher and Ably. */
export const channels: Adapter = {
  id: 'channels',
  title: 'Channels',
  packages: ['socket.io', 'pusher', 'ably'],
  vocabulary: /['"](?:socket\.io|pusher|ably)['"]/,
  resource,
  lower: () => 'not mine',
};
