import { valueAt, type CallChain, type Step, type Value } from '@tenant-lint/model';

/** A property read or call of a chain; what stands in the path of the receiver has no step. */
export interface Link {
  readonly name: string;
  readonly step?: Step;
}

/** A chain from its root: the path of the receiver is property reads like any other. */
export interface Links {
  readonly root: Value;
  readonly links: readonly Link[];
}

export function linksOf(chain: CallChain): Links {
  const before = pathOf(chain.receiver);
  return { root: before.root, links: [...before.links, ...chain.steps.map((step) => ({ name: step.name, step }))] };
}

/** A value from its root. */
export function pathOf(value: Value): Links {
  if (value.kind === 'missing-able') return pathOf(value.of);
  if (!('path' in value) || value.path.length === 0 || value.kind === 'row' || value.kind === 'input')
    return { root: value, links: [] };
  if (value.kind === 'element') {
    const inner = pathOf(value.of);
    return { root: inner.root, links: [...inner.links, ...value.path.map((name) => ({ name }))] };
  }
  return { root: { ...value, path: [] }, links: value.path.map((name) => ({ name })) };
}

/** The property reads at the beginning of a chain. */
export const readsOf = ({ links }: Links): number => {
  const at = links.findIndex((l) => l.step?.arguments !== undefined);
  return at < 0 ? links.length : at;
};

/** What stands at the root once the first `count` properties are read. */
export const readFrom = ({ root, links }: Links, count: number): Value =>
  valueAt(
    root,
    links.slice(0, count).map((l) => l.name),
  );
