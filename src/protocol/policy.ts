import type { Code } from './errors.js'
import type { Price } from './rates.js'

/**
 * Whom or what a policy is about: all that is named must fit. A name, or `*` for each one apart, with a counter of its own. Empty: every
 * call together.
 */
export interface PolicyScope {
  readonly team?: string
  readonly project?: string
  readonly user?: string
  /** Id of a virtual key. */
  readonly key?: string
  readonly tag?: string
  /** The route that was asked for. */
  readonly route?: string
  readonly provider?: string
  /** Id of a deployment; of limits only. */
  readonly deployment?: string
}

/** `rollingMs`: the last so many milliseconds. */
export type BudgetWindow = 'hour' | 'day' | 'week' | 'month' | 'total' | { readonly rollingMs: number }

/** Where a call goes that a budget has no room for. */
export interface DowngradeOptions {
  /** A cheaper route. Without it: the cheapest candidate of the same route that can do what the request needs. */
  readonly to?: string
  /** From this share of the budget on, such as 0.8, and not only when the worst case no longer fits. */
  readonly at?: number
}

/** What to do where the store cannot be asked. */
export type OnStoreError = 'refuse' | 'allow'

/**
 * A limit of money.
 *
 * @example
 * ```ts
 * const budget: BudgetOptions = { of: { team: '*' }, usd: 500, window: 'month', zone: 'Europe/Berlin', alertAt: [0.8], downgrade: { to: 'cheap', at: 0.9 } }
 * ```
 */
export interface BudgetOptions {
  /** Names it in errors, alerts and the store: keep it when you change the rest. Default: made from `of` and `window`. */
  readonly name?: string
  readonly of?: PolicyScope
  /** US dollars, to the nano-dollar. */
  readonly usd: number
  /** Calendar periods begin in `zone`. Default `month`. */
  readonly window?: BudgetWindow
  /** An IANA time zone. Default `UTC`. */
  readonly zone?: string
  /** No calls together ever pass it. `false`: it only counts and alerts. Default true. */
  readonly hard?: boolean
  /** Shares, such as `[0.5, 0.8]`: each is told to `onAlert` once per window. */
  readonly alertAt?: readonly number[]
  readonly downgrade?: DowngradeOptions
  /** What the hold of a process that died leaves behind: what it held, or nothing. Default: `charge` where it is hard, else `release`. */
  readonly onLapsed?: 'charge' | 'release'
  /** Default: that of the gateway. */
  readonly onStoreError?: OnStoreError
}

type Counted = 'requests' | 'inputTokens' | 'outputTokens' | 'tokens'
type Span = 'Second' | 'Minute' | 'Hour' | 'Day'

/** How much at most in any window of that length; `tokens` are input and output together. */
export type LimitAmounts = { readonly [K in `${Counted}Per${Span}`]?: number } & {
  /** Calls that have not ended. */
  readonly concurrency?: number
}
/** A limit of requests, tokens or calls at once, exact: never more in any window of its length. A refusal uses nothing up. */
export type LimitOptions = LimitAmounts & {
  readonly name?: string
  readonly of?: PolicyScope
  readonly onStoreError?: OnStoreError
}

/** What holds where no price is known and a hard budget applies: no such deployment, one with this price, or any, uncounted. */
export type OnUnknownPrice = 'refuse' | 'allow' | { readonly assume: Price }

/** Told once per window, over all processes that share a store. */
export interface Alert {
  /**
   * `share`: so much of a budget is charged. `exceeded`: a call was refused for it. `downgraded`: a call went another way for it. `lapsed`:
   * a process died with an open hold; this one is told for each.
   */
  readonly kind: 'share' | 'exceeded' | 'downgraded' | 'lapsed'
  /** ISO 8601, UTC. */
  readonly at: string
  readonly policy: string
  /** Whose counter of the policy, such as `{ team: 'search' }`. */
  readonly of: PolicyScope
  readonly share?: number
  readonly spentUsd?: number
  readonly limitUsd?: number
  /** Start of the calendar period, ISO 8601. */
  readonly period?: string
  /** The call it came with. */
  readonly call?: string
}

/** What a call was changed to because of a budget. */
export interface Downgraded {
  /** The route that was asked for. */
  readonly from: string
  /** The route, or the deployment of the same route, that it went to. */
  readonly to: string
  readonly policy: string
  /** `share`: the budget is used up that far. `hold`: the worst case did not fit. */
  readonly reason: 'share' | 'hold'
}

/** What policies made of a call. */
export interface PolicyDecision {
  readonly decision: 'allowed' | 'refused' | 'downgraded'
  /** The policy that refused or downgraded it. */
  readonly by?: string
  readonly code?: Code
  /** False: the store did not take what the call used, or its hold had lapsed. `costNanos` is then 0 here, and the bound in the record of the hold that lapsed. */
  readonly settled?: false
}

/** A question to `gateway.spend()`. */
export interface SpendQuery {
  /** One row for each value of this; without it, one row. */
  readonly by?: 'team' | 'project' | 'user' | 'key' | 'tag' | 'route' | 'provider' | 'model' | 'deployment'
  /** Calls that started at or after this; epoch milliseconds or a Date, on a quarter of an hour. Default: the beginning. */
  readonly from?: number | Date
  /** Calls that started before this. Default: now. */
  readonly to?: number | Date
  /** Only what fits all of these. */
  readonly where?: { readonly [K in Exclude<SpendQuery['by'], undefined>]?: string }
}
/** What was spent. A call with several tags counts in the row of each; the rows of anything else add up to the whole. */
export interface SpendRow {
  /** The value of `by`; `null` where calls had none. */
  readonly of: string | null
  /** Integer nano-dollars, the sum of the call records. */
  readonly nanos: number
  readonly usd: number
  /** Attempts that were billed. */
  readonly attempts: number
  /** Of these, how many had no known price: they count as nothing. */
  readonly unpriced: number
}
