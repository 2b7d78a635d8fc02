import type { CallView } from '../../protocol/ports.js'
import type { Principal } from '../../protocol/strategy.js'
import { PiiSession } from './session.js'

/** Whose conversation it is: the same name means another one for somebody else. */
export function tenantOf({ team, project, user, key }: Principal = {}): string {
  return JSON.stringify([team ?? null, project ?? null, user ?? null, key ?? null])
}

/** The sessions of the conversations used last. */
export class Sessions {
  readonly #most: number
  readonly #open = new Map<string, PiiSession>()

  constructor(most: number) {
    this.#most = most
  }

  /** The session of a call: that of its conversation, or its own. */
  of({ conversation, principal }: CallView): PiiSession {
    if (conversation === undefined) return new PiiSession()
    const session = this.find(conversation, principal) ?? new PiiSession()
    this.keep(conversation, principal, session)
    return session
  }

  find(conversation: string, principal: Principal | undefined): PiiSession | undefined {
    return this.#open.get(keyOf(conversation, principal))
  }

  /** As the one used last; the oldest goes where there are too many. A call that has it goes on with it. */
  keep(conversation: string, principal: Principal | undefined, session: PiiSession): void {
    const key = keyOf(conversation, principal)
    this.#open.delete(key)
    this.#open.set(key, session)
    const [oldest] = this.#open.keys()
    if (this.#open.size > this.#most && oldest !== undefined) this.#open.delete(oldest)
  }

  drop(conversation: string, principal: Principal | undefined): boolean {
    this.find(conversation, principal)?.dispose()
    return this.#open.delete(keyOf(conversation, principal))
  }

  clear(): void {
    for (const session of this.#open.values()) session.dispose()
    this.#open.clear()
  }

  get size(): number {
    return this.#open.size
  }
}

function keyOf(conversation: string, principal: Principal | undefined): string {
  return `${tenantOf(principal)}\0${conversation}`
}
