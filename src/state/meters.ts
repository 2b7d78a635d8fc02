import { hash53 } from '../protocol/hash.js'
import type { Claim } from '../protocol/ports.js'
import type { PolicyScope } from '../protocol/policy.js'
import type { Dimension, Meter, Policy } from './policies.js'

/** Who pays, and what was asked for. */
export interface Payer {
  readonly team?: string | undefined
  readonly project?: string | undefined
  readonly user?: string | undefined
  readonly key?: string | undefined
  readonly tags: readonly string[]
  readonly route: string
}
/** Who is paid. */
export interface Payee {
  readonly provider: string
  readonly deployment: string
}

const SOFT = Number.MAX_SAFE_INTEGER
/** Stores take keys of 1,024 characters; those of alerts are some longer. */
const MOST_KEY = 900

function bounded(key: string): string {
  return key.length <= MOST_KEY ? key : `${key.slice(0, MOST_KEY - 12)}#${hash53(key).toString(36)}`
}

/** One counter that a call counts in. */
export class Line {
  /** Held for the call so far. */
  held = 0
  readonly key: string
  readonly policy: Policy
  readonly meter: Meter
  /** Whose counter it is. */
  readonly of: PolicyScope
  /** Counts only what this provider or deployment does. */
  readonly only: Matched['open']

  constructor(policy: Policy, meter: Meter, of: PolicyScope, only: Matched['open']) {
    this.policy = policy
    this.meter = meter
    this.of = of
    this.only = only
    const span = meter.calendar?.period ?? meter.windowMs ?? ''
    const whose = Object.entries(of).map(([dimension, value]) => `${dimension}=${encodeURIComponent(value)}`)
    // The windows of one limit are counters of their own: a charge goes to each counter of its key.
    this.key = bounded([policy.kind, encodeURIComponent(policy.name), meter.kind, span, ...whose].join(':'))
  }

  /** @param share of the limit that may be used, for a budget that sends calls another way before it is used up, or instead of refusing them. */
  claim(amount: number, nowMs: number, share?: number): Claim {
    const { policy, meter } = this
    const { kind, windowMs, calendar } = meter
    const claim: { -readonly [K in keyof Claim]: Claim[K] } = { key: this.key, amount, limit: share === undefined && !policy.hard ? SOFT : Math.floor(meter.limit * (share ?? 1)), onLapsed: kind === 'concurrency' ? 'release' : policy.onLapsed }
    if (windowMs !== undefined) claim.windowMs = windowMs
    if (calendar !== undefined) claim.periods = calendar.boundaries(nowMs)
    return claim
  }

  isFor(payee: Payee): boolean {
    return this.only.every(([dimension, value]) => payee[dimension] === value)
  }
}

/** A policy with what is fixed of it by the payer; the rest follows from whom the money goes to. */
export interface Matched {
  readonly policy: Policy
  readonly of: PolicyScope
  readonly open: readonly (readonly [dimension: 'provider' | 'deployment', value: string])[]
}

/** The policies a payer counts in; one with a tag of `*` once for each tag. */
export function matched(policies: readonly Policy[], payer: Payer): readonly Matched[] {
  const found: Matched[] = []
  for (const policy of policies) {
    let scopes: Record<string, string>[] | undefined = [{}]
    const open: Matched['open'][number][] = []
    for (const [dimension, value] of policy.scope) {
      if (dimension === 'provider' || dimension === 'deployment') open.push([dimension, value])
      else scopes = widened(scopes, dimension, value, payer)
      if (scopes === undefined) break
    }
    for (const of of scopes ?? []) found.push({ policy, of, open })
  }
  return found
}

function widened(scopes: readonly Record<string, string>[], dimension: Exclude<Dimension, 'provider' | 'deployment'>, value: string, payer: Payer): Record<string, string>[] | undefined {
  const own = dimension === 'tag' ? [...new Set(payer.tags)] : payer[dimension] === undefined ? [] : [payer[dimension]]
  const fits = value === '*' ? own : own.filter(one => one === value)
  return fits.length === 0 ? undefined : scopes.flatMap(scope => fits.map(one => ({ ...scope, [dimension]: one })))
}

/** The counters of a matched policy for a call that this payee answers; none where it is not about that one. */
export function linesOf({ policy, of, open }: Matched, payee: Payee): readonly Line[] {
  const only: Matched['open'][number][] = []
  for (const [dimension, value] of open) {
    const own = payee[dimension]
    if (value !== '*' && value !== own) return []
    only.push([dimension, own])
  }
  const whose = { ...of, ...Object.fromEntries(only) }
  return policy.meters.map(meter => new Line(policy, meter, whose, only))
}
