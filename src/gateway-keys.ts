import type { KeyPage, KeyWithSecret, VirtualKeys } from './state/keys.js'
import type { VirtualKey } from './state/keys-record.js'
import type { KeySpec, KeyUpdate } from './state/keys-spec.js'

/**
 * The virtual keys of a gateway, as `gateway.keys`. Changes hold at once here and within five seconds in other processes of the same
 * store. Unknown ids and fields are `invalid_request`.
 *
 * @example
 * const { id, secret } = await gateway.keys.create({ team: 'search', models: ['smart'], budgets: [{ usd: 50, window: 'month' }] })
 * const answer = await gateway.as({ key: secret }).chat({ model: 'smart', messages: 'Hello' })
 * await gateway.keys.revoke(id)
 */
export class GatewayKeys {
  readonly #load: () => Promise<VirtualKeys>

  constructor(load: () => Promise<VirtualKeys>) {
    this.#load = load
  }

  /** Makes a key. `secret` on the result is shown this once: only its hash is kept. */
  async create(spec: KeySpec = {}): Promise<KeyWithSecret> {
    return (await this.#load()).create(spec)
  }
  /** Gives it a new secret; the one before is good for `overlapMs` more (default 0). */
  async rotate(id: string, options: { readonly overlapMs?: number } = {}): Promise<KeyWithSecret> {
    return (await this.#load()).rotate(id, options)
  }
  /** Ends it for good. */
  async revoke(id: string): Promise<VirtualKey> {
    return (await this.#load()).revoke(id)
  }
  /** Changes what is named; `null` takes a field away. */
  async update(id: string, changes: KeyUpdate): Promise<VirtualKey> {
    return (await this.#load()).update(id, changes)
  }
  async get(id: string): Promise<VirtualKey> {
    return (await this.#load()).get(id)
  }
  /** In the order of their ids: 100, or `limit` up to 1,000, those after the id `after`. */
  async list(options: KeyPage = {}): Promise<readonly VirtualKey[]> {
    return (await this.#load()).list(options)
  }
}
