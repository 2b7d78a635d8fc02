import type { Group, RouteTarget } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'

/** The groups of a routing tree that do more than order. */
export interface Traits {
  readonly preparing: readonly Group[]
  readonly learning: readonly Group[]
  /** Some group sends shadow traffic. */
  readonly shadowing: boolean
  /** No group ever changes the order it was written in. */
  readonly fixed: boolean
}

/** Looks a tree through once; what it finds holds as long as the tree does. */
export function traitsOf(target: RouteTarget): Traits {
  const groups = new Set<Group>()
  const visit = (node: RouteTarget): void => {
    if (node.kind === 'step') visit(node.use)
    else if (node.kind === 'group' && !groups.has(node)) {
      groups.add(node)
      for (const child of node.targets) visit(child)
    }
  }
  visit(target)
  const all = [...groups]
  return {
    preparing: all.filter(group => group.prepare !== undefined),
    learning: all.filter(group => group.learn !== undefined),
    shadowing: all.some(group => group.shadows !== undefined),
    fixed: all.every(group => group.fixed === true),
  }
}

/** Does what groups have to wait for. A group whose work fails orders without it. */
export async function prepareAll(groups: readonly Group[], request: UpstreamRequest): Promise<ReadonlyMap<Group, unknown>> {
  const prepared = new Map<Group, unknown>()
  const work = groups.map(async group => prepared.set(group, await group.prepare?.(request)))
  await Promise.allSettled(work)
  return prepared
}
