import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent, Usage } from '../protocol/events.js'
import { total, type Bill } from '../protocol/price.js'
import type { Downgraded } from '../protocol/policy.js'
import type { Deployment } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import type { Cost } from '../protocol/result.js'
import type { Attempt, Reader } from '../resilience/attempt.js'
import { Cancel } from '../resilience/cancel.js'
import type { Walk } from '../resilience/dispatch.js'
import { collectBills } from './bill.js'
import type { Plan } from './call.js'
import { modelOf } from './embed-plan.js'
import { asGatewayError } from './settle.js'
import type { Answered, Launched, Way } from './source.js'

/** Requests of one call that are under way together. */
const AT_ONCE = 4

/** One request of a call: its texts, from the input at `from` on. */
export interface Share {
  readonly request: UpstreamRequest
  readonly from: number
}
type MakeWalk = (plan: Plan, request: UpstreamRequest, cancel: Cancel) => Walk

/**
 * The upstream work of a call for embeddings: a walk for each share of its inputs, some at once, under one purse. The first that fails ends
 * the others and the call; what was billed until then stays billed.
 */
export class EmbedFlight implements Launched {
  readonly cached = false
  readonly #plan: Plan
  readonly #shares: readonly Share[]
  readonly #makeWalk: MakeWalk
  readonly #cancel: Cancel
  /** Ends with the flight, and when a share fails. */
  readonly #own = new Cancel()
  readonly #walks: (Walk | undefined)[]
  readonly #attempts: (Attempt | undefined)[]
  readonly #events: (readonly ChatEvent[])[]
  #next = 0
  #fault: GatewayError | undefined
  #bill: Cost | undefined
  #read = false

  constructor(plan: Plan, shares: readonly Share[], makeWalk: MakeWalk, cancel: Cancel) {
    this.#plan = plan
    this.#shares = shares
    this.#makeWalk = makeWalk
    this.#cancel = cancel
    this.#walks = shares.map(() => undefined)
    this.#attempts = shares.map(() => undefined)
    this.#events = shares.map(() => [])
  }

  /** Who answered the first share: several may have, all with the same model. */
  get answered(): Answered | undefined {
    const [attempt] = this.#attempts
    if (attempt === undefined) return undefined
    const { firstEventMs, startedMs, headers, note } = attempt
    const { id, provider, model } = attempt.live.deployment
    return { deployment: id, provider, model, headers, note, firstEventAtMs: firstEventMs === undefined ? undefined : startedMs + firstEventMs }
  }
  get way(): Way {
    return { attempts: this.#walks.flatMap(walk => walk?.log.reports ?? []), excluded: this.#plan.excluded, restarts: 0 }
  }
  get policed(): boolean {
    return this.#plan.purse?.bound === true
  }
  get downgraded(): Downgraded | undefined {
    return this.#plan.downgraded
  }
  get usage(): Usage {
    return summed(this.#attempts.map(attempt => attempt?.finish?.usage ?? {}))
  }

  bill(): Cost {
    if (this.#bill !== undefined) return this.#bill
    const bills: (Bill | undefined)[] = []
    let estimated = false
    for (const walk of this.#walks) if (walk !== undefined && collectBills(walk.log, bills, this.#plan.purse?.onUnknownPrice)) estimated = true
    return (this.#bill = total(bills, estimated))
  }

  close(): boolean | Promise<boolean> | undefined {
    return this.#plan.purse?.close(this.#plan.downgraded)
  }

  /** Resolves when every share was answered; rejects with the first fault, when all of them are over. */
  async open(): Promise<void> {
    const off = this.#cancel.onCancel(reason => this.#own.cancel(reason))
    try {
      // Where models differ the first answer decides, for all vectors of a call have to compare.
      const first = this.#shares.length > 1 && modelsOf(this.#plan).size > 1
      if (first) await this.#work(this.#plan, 1)
      const [{ live = undefined } = {}] = this.#attempts
      const plan = live === undefined ? this.#plan : sameModel(this.#plan, live.deployment)
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, this.#shares.length) }, () => this.#work(plan)))
    } finally {
      off()
    }
    const fault = this.#cancel.reason ?? this.#fault
    if (fault !== undefined) throw fault.with({ attempts: this.way.attempts })
  }

  read(done: Reader): void {
    if (this.#read) return done(undefined)
    this.#read = true
    done([...this.#events.flat(), { type: 'finish', finishReason: 'stop', usage: this.usage }])
  }

  end(reason: GatewayError): void {
    this.#own.cancel(reason)
  }

  holdToWhatWasSaid(): void {
    return
  }

  /** Asks for one share after the other. Never rejects. */
  async #work(plan: Plan, most = Infinity): Promise<void> {
    for (let asked = 0; asked < most && this.#fault === undefined && this.#own.reason === undefined; asked++) {
      const at = this.#next++
      const share = this.#shares[at]
      if (share === undefined) return
      try {
        await this.#ask(plan, share, at)
      } catch (error) {
        this.#failed(asGatewayError(error), share, at)
      }
    }
  }

  async #ask(plan: Plan, { request, from }: Share, at: number): Promise<void> {
    const walk = (this.#walks[at] = this.#makeWalk(plan, request, this.#own))
    const attempt = await walk.next()
    this.#attempts[at] = attempt
    // Committed with the finish: all of it has been read.
    this.#events[at] = attempt.head.flat().flatMap(event => moved(event, from, at))
  }

  #failed(fault: GatewayError, { request: { messages }, from }: Share, at: number): void {
    if (this.#fault !== undefined) return
    const { length } = this.#shares
    // Ended from outside: no share failed.
    this.#fault = this.#own.reason ?? (length === 1 ? fault : fault.with({ message: `Batch ${at + 1} of ${length} (inputs ${from} to ${from + messages.length - 1}) failed. ${fault.message}` }))
    this.#own.cancel(new GatewayError('aborted', 'Another batch of the call failed.', { origin: 'gateway' }))
  }
}

/** An event of one share as one of the call. */
function moved(event: ChatEvent, from: number, at: number): readonly ChatEvent[] {
  switch (event.type) {
    case 'embedding':
      return [{ ...event, index: event.index + from }]
    case 'warning':
      return [event]
    case 'start':
      return at === 0 ? [event] : []
    default:
      return []
  }
}

function modelsOf({ candidates }: Plan): ReadonlySet<string> {
  return new Set(candidates.map(({ live }) => modelOf(live.deployment)))
}

function sameModel(plan: Plan, answered: Deployment): Plan {
  return { ...plan, candidates: plan.candidates.filter(({ live }) => modelOf(live.deployment) === modelOf(answered)) }
}

/** Sums what every share reports: a sum of some would be less than was used. */
function summed(usages: readonly Usage[]): Usage {
  const [first = {}, ...more] = usages
  if (more.length === 0) return first
  const sum: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(first) as [keyof Usage, unknown][]) {
    if (typeof value !== 'number') sum[key] = value
    else if (more.every(usage => typeof usage[key] === 'number')) sum[key] = more.reduce((so, usage) => so + Number(usage[key]), value)
  }
  return sum
}
