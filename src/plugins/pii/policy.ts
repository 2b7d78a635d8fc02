import { GatewayError } from '../../protocol/errors.js'
import { masked, type ActionTable, type Hmac, type PiiAction, type PiiDirection } from './actions.js'
import { normalised, type PiiSession } from './session.js'
import type { Finding, PiiType } from './types.js'

/** One finding, for who keeps count of them. Never holds the value. */
export interface PiiReport {
  /** Id of the call. */
  readonly call: string
  readonly type: PiiType
  /** From 0 to 1. */
  readonly score: number
  /** What spoke for it, such as `checksum`; the media type of what could not be searched (type `UNSCANNABLE`). */
  readonly reason: string
  /** Where, such as `messages[1].content`. */
  readonly position: string
  readonly direction: PiiDirection
  /** What was done; `report` where nothing was. */
  readonly action: PiiAction
}

/** What a policy is made of. */
export interface PolicyParts {
  readonly call: string
  readonly table: ActionTable
  readonly hmac: Hmac | undefined
  /** Absent where placeholders have no numbers. */
  readonly session: PiiSession | undefined
  readonly restore: boolean
  readonly tell: ((report: PiiReport) => void) | undefined
}

/** What one call does with what is found in it. */
export class Policy {
  readonly #parts: PolicyParts

  constructor(parts: PolicyParts) {
    this.#parts = parts
  }

  get session(): PiiSession | undefined {
    return this.#parts.session
  }

  action(type: string, direction: PiiDirection): PiiAction {
    return this.#parts.table.of(type, direction)
  }

  /** Tells it, whatever was done. What the listener throws is its own. */
  tell({ type, score, reason }: Pick<Finding, 'type' | 'score' | 'reason'>, position: string, direction: PiiDirection, action: PiiAction): void {
    const { tell, call } = this.#parts
    if (tell === undefined) return
    try {
      const late: unknown = tell(Object.freeze({ call, type, score, reason, position, direction, action }))
      if (late instanceof Promise) late.catch(() => undefined)
    } catch {
      // The masks are on: a counter that fails takes nothing from that.
    }
  }

  /** What stands in place of a value. @param numbered as a placeholder of the session, where there is one. */
  replaced(type: string, value: string, action: PiiAction, numbered: boolean): string {
    const { session, restore, hmac } = this.#parts
    if (action === 'mask') return masked(value)
    if (action === 'hash' && hmac !== undefined) return `[${type}:${hmac.hex(`${type}\0${normalised(type, value)}`).slice(0, 32)}]`
    // In brackets, but without a number: nothing that could be taken for a placeholder that goes back.
    return numbered && session !== undefined ? session.mint(type, value, restore && type !== 'SECRET') : `[${type}]`
  }
}

/** A refusal that counts by type and names positions, and holds no value. */
export function blocked(found: readonly { readonly type: string; readonly position: string }[], origin: 'caller' | 'upstream'): GatewayError {
  const counts = new Map<string, number>()
  for (const { type } of found) counts.set(type, (counts.get(type) ?? 0) + 1)
  const places = [...new Set(found.map(({ position }) => position))]
  const what = [...counts].map(([type, count]) => `${count} ${type}`).join(', ')
  const where = places.slice(0, 10).join(', ') + (places.length > 10 ? ` and ${places.length - 10} more` : '')
  return new GatewayError('refused', `Personal data that may not ${origin === 'caller' ? 'leave' : 'be shown'}: ${what}, in ${where}. Take it out, or choose another action than 'block'.`, { origin })
}
