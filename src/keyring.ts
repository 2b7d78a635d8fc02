import type { Bearer } from './pipeline/admit.js'
import { GatewayError } from './protocol/errors.js'
import type { Json } from './protocol/json.js'
import type { Clock, Principal, Store } from './protocol/ports.js'
import { VirtualKeys, type KeyChange } from './state/keys.js'
import { allowsModel } from './state/keys-models.js'
import type { VirtualKey } from './state/keys-record.js'
import type { KeyFields } from './state/keys-spec.js'
import { quoted } from './protocol/suggest.js'
import { budgetsOf, limitsOf, type Dimension, type Policy } from './state/policies.js'

/** What a ring of keys is made of. */
export interface KeyringParts {
  readonly store: Store
  readonly clock: Clock
  readonly randomBytes: (length: number) => Uint8Array
  readonly onChange: (change: KeyChange) => void
  /** Throws where there is no such route. */
  readonly resolve: (model: string) => unknown
}

/** The virtual keys of a gateway, and what each of them means for a call. Loaded with the first key. */
export class Keyring {
  readonly keys: VirtualKeys
  /** By the key as it was read: what is read again is looked at again. */
  readonly #bearers = new WeakMap<VirtualKey, Bearer>()

  constructor({ store, clock, randomBytes, onChange, resolve }: KeyringParts) {
    this.keys = new VirtualKeys({ store, clock, randomBytes, onChange, checkPolicies: (fields, where) => checkPossible(fields, where, resolve) })
  }

  authenticate(secret: string): Bearer | Promise<Bearer> {
    const key = this.keys.authenticate(secret)
    return key instanceof Promise ? key.then(found => this.#bearer(found)) : this.#bearer(key)
  }

  #bearer(key: VirtualKey): Bearer {
    let bearer = this.#bearers.get(key)
    if (bearer === undefined) this.#bearers.set(key, (bearer = bearerOf(key)))
    return bearer
  }
}

function bearerOf(key: VirtualKey): Bearer {
  const { id, team, project, user, tags } = key
  const principal: Principal = {
    ...(team !== undefined && { team }),
    ...(project !== undefined && { project }),
    ...(user !== undefined && { user }),
    ...(tags !== undefined && { tags }),
    key: id,
  }
  return { principal, policies: checked(key, 'The key', { key: id }), allows: model => allowsModel(key, model) }
}

/** What can be told when a key is made: each budget and limit must be about calls that this key can make, and lead down to a route. */
function checkPossible(fields: KeyFields, where: string, resolve: KeyringParts['resolve']): void {
  for (const { name, scope, downgrade } of checked(fields, where, {})) {
    for (const [dimension, value] of scope) checkScope(fields, dimension, value, `${where}: the policy ${quoted(name)}`)
    if (downgrade?.to !== undefined) leads(resolve, downgrade.to, `${where}: the downgrade of ${quoted(name)}`)
  }
}

function checkScope(fields: KeyFields, dimension: Dimension, value: string, where: string): void {
  if (dimension === 'key') throw bad(`${where} holds for this key alone: leave "of.key" out.`)
  if (dimension !== 'team' && dimension !== 'project' && dimension !== 'user' && dimension !== 'tag') return
  const own = dimension === 'tag' ? (fields.tags ?? []) : [fields[dimension]].filter(one => one !== undefined)
  if (own.length > 0 && (value === '*' || own.includes(value))) return
  throw bad(`${where} is for the ${dimension} ${quoted(value)}, and the key ${own.length === 0 ? 'has none' : `stands for ${own.map(quoted).join(', ')}`}: it would never count. Leave "of.${dimension}" out, or change the key.`)
}

function leads(resolve: KeyringParts['resolve'], to: string, where: string): void {
  try {
    resolve(to)
  } catch (error) {
    throw bad(`${where} leads nowhere. ${GatewayError.is(error) ? error.message : ''}`)
  }
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message, { origin: 'caller' })
}

/** Budgets and limits of a key hold for that key alone. A limit may be one or a list. */
function checked({ budgets, limits }: { readonly budgets?: readonly Json[]; readonly limits?: Json }, where: string, of: { readonly key?: string }): readonly Policy[] {
  try {
    const own = budgets === undefined ? [] : budgetsOf(budgets, `${where}: budgets`, of)
    const more = limits === undefined ? [] : limitsOf(Array.isArray(limits) ? limits : [limits], `${where}: limits`, of)
    return [...own, ...more]
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    throw bad(error.message)
  }
}
