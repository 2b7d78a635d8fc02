import { GatewayError } from '../protocol/errors.js'
import type { CallRecord } from '../protocol/result.js'
import type { Group, Report } from '../protocol/strategy.js'
import type { Route } from '../routing/router.js'
import { traitsOf } from '../routing/traits.js'

/** Calls whose score can still be reported. */
const KEPT = 10_000

type AnyRoute = Pick<Route<unknown>, 'target'>

/** Tells strategies that learn what became of their choices: each finished call, and each score the application reports. */
export class Learning {
  readonly #groups = new WeakMap<object, readonly Group[]>()
  readonly #recent = new Map<string, { readonly record: CallRecord; readonly groups: readonly Group[] }>()

  /** Some group of the route learns. */
  concerns({ target }: AnyRoute): boolean {
    let groups = this.#groups.get(target)
    if (groups === undefined) this.#groups.set(target, (groups = traitsOf(target).learning))
    return groups.length > 0
  }

  seen({ target }: AnyRoute, record: CallRecord): void {
    const groups = this.#groups.get(target) ?? []
    this.#recent.set(record.id, { record, groups })
    if (this.#recent.size > KEPT) for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      break
    }
    tell(groups, record)
  }

  /** Throws `invalid_request` for a score that is no number; a call that is not known any more is left alone: false. */
  report(id: string, score: unknown): boolean {
    if (typeof score !== 'number' || !Number.isFinite(score)) throw new GatewayError('invalid_request', 'report() takes { score }: a number, such as 1 for a good answer and 0 for a bad one.')
    const known = this.#recent.get(id)
    if (known === undefined) return false
    tell(known.groups, { id, score, record: known.record })
    return true
  }
}

function tell(groups: readonly Group[], about: CallRecord | Report): void {
  for (const group of groups) {
    try {
      group.learn?.(about)
    } catch {
      // A strategy that cannot learn still orders; the call is over.
    }
  }
}
