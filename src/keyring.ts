import type { Bearer } from './pipeline/admit.js'
import { GatewayError } from './protocol/errors.js'
import type { Json } from './protocol/json.js'
import type { Clock, Principal, Store } from './protocol/ports.js'
import { VirtualKeys, type KeyChange } from './state/keys.js'
import { allowsModel } from './state/keys-models.js'
import type { VirtualKey } from './state/keys-record.js'
import { budgetsOf, limitsOf, type Policy } from './state/policies.js'

/** What a ring of keys is made of. */
export interface KeyringParts {
  readonly store: Store
  readonly clock: Clock
  readonly randomBytes: (length: number) => Uint8Array
  readonly onChange: (change: KeyChange) => void
}

/** The virtual keys of a gateway, and what each of them means for a call. Loaded with the first key. */
export class Keyring {
  readonly keys: VirtualKeys
  /** By the key as it was read: what is read again is looked at again. */
  readonly #bearers = new WeakMap<VirtualKey, Bearer>()

  constructor({ store, clock, randomBytes, onChange }: KeyringParts) {
    this.keys = new VirtualKeys({ store, clock, randomBytes, onChange, checkPolicies: (policies, where) => void checked(policies, where, {}) })
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

/** Budgets and limits of a key hold for that key alone. A limit may be one or a list. */
function checked({ budgets, limits }: { readonly budgets?: readonly Json[]; readonly limits?: Json }, where: string, of: { readonly key?: string }): readonly Policy[] {
  try {
    const own = budgets === undefined ? [] : budgetsOf(budgets, `${where}: budgets`, of)
    const more = limits === undefined ? [] : limitsOf(Array.isArray(limits) ? limits : [limits], `${where}: limits`, of)
    return [...own, ...more]
  } catch (error) {
    if (!GatewayError.is(error)) throw error
    throw new GatewayError('invalid_request', error.message, { origin: 'caller' })
  }
}
