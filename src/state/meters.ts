import type { Deployment, PromptClaim } from '../protocol/ports.js'
import { Calendar } from '../protocol/periods.js'
import type { PolicyScope } from '../protocol/policy.js'
import { sha256 } from '../protocol/sha256.js'
import type { Dimension, Meter, Policy } from './policies.js'
import { Spender } from './spend.js'

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

const LONGEST_KEY = 800
const LONGEST_NAME = 200
/** Of what stores take for an owner. */
const LONGEST_TEXT = 12_000
const SOFT = Number.MAX_SAFE_INTEGER

/** One calendar for each period and zone: each holds a clock of its zone, which is dear to make. */
class Calendars {
  readonly #known = new Map<string, Calendar>()
  #late = false

  /** One of them has made no clock yet. */
  get late(): boolean {
    return this.#late
  }

  /** Has them all make their clocks. */
  meet(nowMs: number): void {
    this.#late = false
    try {
      for (const calendar of this.#known.values()) if (!calendar.ready) calendar.boundaries(nowMs)
    } catch {
      // Nobody asked: the next claim says it to somebody.
    }
  }

  of({ calendar }: Meter): Calendar | undefined {
    if (calendar === undefined) return undefined
    const name = `${calendar.period} ${calendar.zone}`
    let known = this.#known.get(name)
    if (known === undefined) {
      this.#known.set(name, (known = new Calendar(calendar.period, calendar.zone)))
      this.#late ||= !known.ready
    }
    return known
  }
}

/** One counter that calls count in. */
export class Line {
  readonly key: string
  readonly policy: Policy
  readonly meter: Meter
  readonly calendar: Calendar | undefined
  /** Whose counter it is. */
  readonly of: PolicyScope
  /** Counts only what this provider or deployment does. */
  readonly only: Matched['open']
  /** The claim of one request or one place, where it is the same at each call. */
  readonly #one: PromptClaim | undefined

  constructor(policy: Policy, meter: Meter, of: PolicyScope, only: Matched['open'], calendar: Calendar | undefined) {
    this.calendar = calendar
    this.policy = policy
    this.meter = meter
    this.of = of
    this.only = only
    const span = meter.calendar?.period ?? meter.windowMs ?? ''
    const whose = Object.entries(of).map(([dimension, value]) => `${dimension}=${encodeURIComponent(value)}`)
    // The windows of one limit are counters of their own: a charge goes to each counter of its key.
    const key = [policy.kind, encodeURIComponent(policy.name), meter.kind, span, ...whose].join(':')
    // Long names make a key longer than stores take.
    this.key = key.length > LONGEST_KEY ? `${policy.kind}:${sha256(key)}` : key
    const { kind } = meter
    if (calendar === undefined && (kind === 'requests' || kind === 'concurrency')) this.#one = this.#claim(1, 0, undefined)
  }

  /** @param share of the limit that may be used, for a budget that sends calls another way before it is used up, or instead of refusing them. */
  claim(amount: number, nowMs: number, share?: number): PromptClaim {
    return amount === 1 && share === undefined && this.#one !== undefined ? this.#one : this.#claim(amount, nowMs, share)
  }

  #claim(amount: number, nowMs: number, share: number | undefined): PromptClaim {
    const { policy, meter, calendar } = this
    const { kind, windowMs } = meter
    const claim: { -readonly [K in keyof PromptClaim]: PromptClaim[K] } = { key: this.key, amount, limit: share === undefined && !policy.hard ? SOFT : Math.floor(meter.limit * (share ?? 1)), onLapsed: kind === 'concurrency' ? 'release' : policy.onLapsed }
    if (windowMs !== undefined) claim.windowMs = windowMs
    if (calendar !== undefined) claim.periods = calendar.ready ? calendar.boundaries(nowMs) : () => calendar.boundaries(nowMs)
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
function matched(policies: readonly Policy[], payer: Payer): readonly Matched[] {
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
function linesOf({ policy, of, open }: Matched, payee: Payee, calendars: Calendars): readonly Line[] {
  const only: Matched['open'][number][] = []
  for (const [dimension, value] of open) {
    const own = payee[dimension]
    if (value !== '*' && value !== own) return []
    only.push([dimension, own])
  }
  const whose = { ...of, ...Object.fromEntries(only) }
  return policy.meters.map(meter => new Line(policy, meter, whose, only, calendars.of(meter)))
}

/** Names and tags may be long; that a call was here is written down in any case. */
function textOf(payer: Payer): string {
  const whole = JSON.stringify(payer)
  if (whole.length <= LONGEST_TEXT) return whole
  const untagged = JSON.stringify({ ...payer, tags: [] })
  return untagged.length <= LONGEST_TEXT ? untagged : '{"tags":[],"route":""}'
}

/** How many payers are remembered with their counters. */
const MOST_PAYERS = 1_000

/** One payer under the policies of a gateway: what it counts in, worked out once. */
export class Account {
  readonly payer: Payer
  readonly policies: readonly Matched[]
  /** A hard budget is about it. */
  readonly hard: boolean
  /** How long an answer can get must be known. */
  readonly counts: boolean
  /** The payer as JSON, for what is written down with a hold. */
  readonly #text: string
  readonly #paid = new Map<string, string>()
  readonly spender: Spender
  readonly #lines = new Map<string, readonly Line[]>()
  readonly calendars: Calendars

  constructor(policies: readonly Policy[], payer: Payer, calendars: Calendars) {
    this.calendars = calendars
    this.payer = payer
    this.spender = new Spender(payer)
    this.policies = matched(policies, payer)
    this.hard = this.policies.some(({ policy }) => policy.kind === 'budget' && policy.hard)
    this.counts = this.hard || this.policies.some(({ policy }) => policy.kind === 'limit' && policy.meters.some(({ kind }) => kind === 'outputTokens' || kind === 'tokens'))
    this.#text = textOf(payer)
  }

  /** The counters of a call that this one answers; the same objects for the same counters. */
  lines({ provider, id: deployment }: Pick<Deployment, 'id' | 'provider'>): readonly Line[] {
    let lines = this.#lines.get(deployment)
    if (lines === undefined) {
      const known = [...this.#lines.values()].flat()
      lines = this.policies.flatMap(policy => linesOf(policy, { provider, deployment }, this.calendars)).map(line => known.find(one => one.key === line.key) ?? line)
      this.#lines.set(deployment, lines)
    }
    return lines
  }

  /** What is left behind where the process dies: the call, what it may cost, and both sides. */
  owner(call: { readonly id: string; readonly kind: string; readonly startedMs: number; readonly asked: { readonly model: string } }, nanos: number, deployment: Deployment | undefined): string {
    return `{"left":["${call.id}","${call.kind}",${call.startedMs},${JSON.stringify(call.asked.model.slice(0, LONGEST_NAME))},${nanos}${deployment === undefined ? '' : this.#payee(deployment)}],"payer":${this.#text}}`
  }

  #payee({ id, provider, model }: Deployment): string {
    let text = this.#paid.get(id)
    if (text === undefined) this.#paid.set(id, (text = `,${JSON.stringify(id)},${JSON.stringify(provider)},${JSON.stringify(model.slice(0, LONGEST_NAME))}`))
    return text
  }

  /** The counters of a call that asks nobody. */
  get callLines(): readonly Line[] {
    const nobody = { provider: '', deployment: '' }
    return this.policies.filter(({ open }) => open.length === 0).flatMap(policy => linesOf(policy, nobody, this.calendars)).filter(({ meter }) => meter.kind === 'requests' || meter.kind === 'concurrency')
  }
}

/** A payer's names, each a step on the way to its account. */
class Branch {
  readonly further = new Map<string | undefined, Branch>()
  account: Account | undefined

  step(name: string | undefined): Branch {
    let next = this.further.get(name)
    if (next === undefined) this.further.set(name, (next = new Branch()))
    return next
  }
}

/** The accounts of a gateway under one list of policies: those asked for last. */
export class Accounts {
  readonly #policies: readonly Policy[]
  #root = new Branch()
  #known = 0
  /** By the policies of virtual keys, which come on top. */
  readonly #ofKeys = new WeakMap<readonly Policy[], Accounts>()
  readonly #calendars: Calendars

  constructor(policies: readonly Policy[], calendars = new Calendars()) {
    this.#policies = policies
    this.#calendars = calendars
  }

  of(payer: Payer): Account {
    const { team, project, user, key, tags, route } = payer
    // Name by name: one text of all of them would have to be made, and hashed, for each call.
    const branch = this.#root.step(route).step(team).step(project).step(user).step(key)
    const leaf = tags.length === 0 ? branch : branch.step(JSON.stringify(tags))
    return (leaf.account ??= this.#made(payer))
  }

  #made(payer: Payer): Account {
    if (++this.#known > MOST_PAYERS) {
      this.#root = new Branch()
      this.#known = 1
    }
    return new Account(this.#policies, payer, this.#calendars)
  }

  /** With the policies of a virtual key on top. */
  with(own: readonly Policy[] | undefined): Accounts {
    if (own === undefined) return this
    let accounts = this.#ofKeys.get(own)
    if (accounts === undefined) this.#ofKeys.set(own, (accounts = new Accounts([...this.#policies, ...own], this.#calendars)))
    return accounts
  }
}
