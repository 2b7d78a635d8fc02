import { canonical } from '../protocol/canonical.js'
import type { Deployment, Prefer, Principal, RouteTarget } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import { deploymentsOf } from '../routing/tree.js'
import type { CacheScope } from '../state/cache-options.js'
import type { Call, Settings } from './call.js'

/** A text up to this long is its own key: nothing is hashed, and two requests with one key are the same request. */
const PLAIN_CHARS = 4_096

/** Everything about a call that can change its answer. */
export interface KeyParts {
  /** The model name that was asked for, and what it leads to. */
  readonly model: string
  readonly target: RouteTarget
  /** After the request hooks: what upstreams see. */
  readonly request: UpstreamRequest
  readonly scope: CacheScope
  readonly principal?: Principal | undefined
  readonly prefer?: Prefer | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

type Hash = (text: string) => string

/** Makes the keys of a gateway's cache. `plain`: keys stay in our own memory, so short ones may be the text itself. */
export class CacheKeys {
  readonly #plain: boolean
  readonly #marks = new WeakMap<RouteTarget, string>()
  #hash: Hash | undefined
  #loading: Promise<Hash> | undefined

  constructor(plain: boolean) {
    this.#plain = plain
  }

  /** Synchronous but for the first text that has to be hashed, which loads the hash. Throws `invalid_request` where the request is no JSON. */
  of(parts: KeyParts): string | Promise<string> {
    const text = this.#text(parts)
    if (this.#plain && text.length <= PLAIN_CHARS) return text
    if (this.#hash !== undefined) return this.#hash(text)
    this.#loading ??= import('../state/cache-sha256.js').then(({ sha256 }) => (this.#hash = sha256))
    return this.#loading.then(hash => hash(text))
  }

  #text({ model, target, request, scope, principal, prefer, headers }: KeyParts): string {
    return canonical([1, tenantOf(scope, principal), model, this.#plain ? null : this.#mark(target), prefer, headers, request])
  }

  /** What a route leads to: another application on the same store may mean something else by its name. */
  #mark(target: RouteTarget): string {
    let mark = this.#marks.get(target)
    if (mark === undefined) {
      mark = canonical(deploymentsOf(target, 'The route').map(markOf))
      this.#marks.set(target, mark)
    }
    return mark
  }
}

function markOf({ id, provider, model, reach }: Deployment): unknown {
  return [id, provider, model, 'baseUrl' in reach ? reach.baseUrl : null]
}

/** Whose answers a call may be given: each kind of name with its kind, so that a team and a user of one name stay apart. */
function tenantOf(scope: CacheScope, principal: Principal | undefined): readonly (string | undefined)[] {
  if (scope === 'global') return ['global']
  const { team, project, user, key } = principal ?? {}
  if (scope === 'user') return ['all', team, project, user, key]
  // An empty name is nobody's: callers who leave it empty are not one tenant.
  if (team) return ['team', team]
  if (project) return ['project', project]
  if (user) return ['user', user]
  return key ? ['key', key] : ['nobody']
}

/**
 * Under which name a call may share the flight of an identical one, or `undefined` where it goes alone: a chat commits later
 * than a stream, and who sets retries or deadlines of an attempt for one call does not mean them for others.
 */
export function joinKey({ kind, options }: Call, { recover }: Pick<Settings, 'recover'>, key: string): string | undefined {
  const { retry, deadlines } = options
  if (retry !== undefined || (deadlines !== undefined && Object.keys(deadlines).some(name => name !== 'totalMs'))) return undefined
  return `${kind} ${recover} ${key}`
}
