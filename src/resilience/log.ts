import { GatewayError, verdict } from '../protocol/errors.js'
import type { Usage } from '../protocol/events.js'
import type { AttemptReport } from '../protocol/result.js'
import type { Attempt } from './attempt.js'
import type { LiveCandidate } from './live.js'

/** What happened on a walk, in order: each try and each deployment passed over, and the error that follows from them. */
export class WalkLog {
  /** In order of their starts; a try that has not ended has its place and no report yet. */
  readonly #places: (AttemptReport | undefined)[] = []
  #open = 0
  /** Attempts whose output the provider bills, with their place. */
  readonly billed: { readonly attempt: Attempt; readonly at: number }[] = []
  readonly #faults: GatewayError[] = []
  #last: { readonly fault: GatewayError; readonly candidate: LiveCandidate } | undefined

  get reports(): readonly AttemptReport[] {
    return this.#open === 0 ? (this.#places as AttemptReport[]) : this.#places.filter(report => report !== undefined)
  }
  /** The fault that decides where the walk may go. */
  get last(): { readonly fault: GatewayError; readonly candidate: LiveCandidate } | undefined {
    return this.#last
  }

  /** A try begins; gives its place. */
  begin(): number {
    this.#open++
    return this.#places.push(undefined) - 1
  }

  ended(at: number, report: AttemptReport, attempt: Attempt): void {
    this.#open--
    this.#places[at] = report
    if (attempt.billed) this.billed.push({ attempt, at })
  }

  at(place: number): AttemptReport | undefined {
    return this.#places[place]
  }

  /** What a try used and cost is known only when the call is settled. */
  priced(report: AttemptReport, usage: Usage | undefined, costNanos: number | undefined): void {
    Object.assign(report, usage !== undefined && { usage }, costNanos !== undefined && { costNanos })
  }

  /** An answer that had come whole was not accepted. */
  rejected(at: number, fault: GatewayError): void {
    const report = this.#places[at]
    if (report !== undefined) this.#places[at] = { ...report, outcome: 'failure', code: fault.code, reason: fault.message }
  }

  waited(waitedMs: number): void {
    const last = this.#places.at(-1)
    if (last !== undefined) this.#places[this.#places.length - 1] = { ...last, waitedMs }
  }

  skipped({ live: { deployment } }: LiveCandidate, reason: string, startedMs: number, fault?: GatewayError): void {
    if (fault !== undefined) this.#faults.push(fault)
    const { id, provider, model } = deployment
    this.#places.push({ deployment: id, provider, model, outcome: 'skipped', reason, startedMs, durationMs: 0, ...(fault !== undefined && { code: fault.code }) })
  }

  /** A candidate was given up after this fault. */
  failed(candidate: LiveCandidate, fault: GatewayError): void {
    this.#last = { fault, candidate }
    this.#faults.push(fault)
  }

  /** Nobody is left. Faults of one kind are that fault; of several kinds, `attempts_failed`. */
  exhausted(): GatewayError {
    const last = this.#last?.fault
    if (last !== undefined && verdict(last.code).next !== 'any') return this.final(last)
    const final = this.#faults.at(-1)
    if (final !== undefined && this.#faults.every(fault => fault.code === final.code)) {
      const waits = this.#faults.flatMap(fault => fault.retryAfterMs ?? [])
      return this.final(final, waits.length > 0 ? Math.min(...waits) : undefined)
    }
    const tries = this.reports.filter(report => report.outcome !== 'skipped').length
    return new GatewayError('attempts_failed', `No deployment answered: ${this.#summary()}. ${tries} tries were made; error.attempts has each with its reason.`, {
      origin: 'upstream',
      attempts: [...this.reports],
      ...(final !== undefined && { cause: final }),
    })
  }

  /** The fault as the error of the call. */
  final(fault: GatewayError, retryAfterMs = fault.retryAfterMs): GatewayError {
    return fault.with({ attempts: [...this.reports], ...(retryAfterMs !== undefined && { retryAfterMs }) })
  }

  #summary(): string {
    const lines = new Map<string, number>()
    for (const { deployment, code, reason } of this.reports) {
      const line = `${deployment} (${code ?? reason ?? 'failed'})`
      lines.set(line, (lines.get(line) ?? 0) + 1)
    }
    return [...lines].map(([line, times]) => (times > 1 ? `${line} x${times}` : line)).join(', ')
  }
}
