import type { Json } from './json.js'

/** A part of an atomic claim on shared counters. */
export interface Claim {
  readonly key: string
  readonly amount: number
  /** The claim fits while the sum of charges and holds stays at or below this. */
  readonly limit: number
  /** Sliding window in milliseconds; without it and `periods`, all time. */
  readonly windowMs?: number
  /**
   * Boundaries in epoch milliseconds, ascending, two at least: the claim counts in the period that the store is in, each with a counter of
   * its own. The store that is before the first or behind the last of them refuses with `store_unavailable`: the clocks are too far apart.
   */
  readonly periods?: readonly number[]
  /** What a hold that lapses leaves behind here: what it held (default), or nothing. */
  readonly onLapsed?: 'charge' | 'release'
}
/** An amount that is added to a sum which limits nothing: `field` of `group`. */
export interface Tally {
  readonly group: string
  readonly field: string
  readonly amount: number
}
/** What a hold is made with beside its claims. */
export interface Lease {
  /** Without a `renew`, the hold lapses after so many milliseconds. */
  readonly ttlMs: number
  /** Given back with the hold where it lapses: who it was; at most 16,384 characters. */
  readonly owner?: string
  /** Added where it lapses. */
  readonly tallies?: readonly Tally[]
}
/** A hold that lapsed, told to the one `acquire` that cleared it away. */
export interface Lapsed {
  readonly holdId: string
  readonly owner?: string
}
/** `lapsed`: holds that were cleared away before the claims were looked at; absent where there were none. */
export type ClaimVerdict = (
  | { readonly ok: true; readonly holdId: string }
  | { readonly ok: false; readonly key: string; readonly retryAfterMs?: number }
) & { readonly lapsed?: readonly Lapsed[] }
/** A counter after a settle: what was charged to it, and what other holds still hold of it. */
export interface Standing {
  readonly key: string
  readonly windowMs?: number
  /** Start of its period. */
  readonly period?: number
  readonly charged: number
  readonly held: number
}
/**
 * A claim to a store that never waits. Its periods may be worked out when they are looked at: the first clock of a time zone takes a
 * process fifteen milliseconds, and the first claim of a key can do without.
 */
export type PromptClaim = Omit<Claim, 'periods'> & { readonly periods?: readonly number[] | (() => readonly number[]) }
/** A hold as its store knows it, which need not look for it. */
export interface Grip {
  readonly id: string
}
/** A {@link ClaimVerdict} with the hold itself. */
export type PromptVerdict = ({ readonly ok: true; readonly hold: Grip } | Exclude<ClaimVerdict, { readonly ok: true }>) & Pick<ClaimVerdict, 'lapsed'>
/** Verbs of a store that never has to wait: done when they return. What a `Store` of promises says of each holds here too. */
export interface PromptVerbs {
  /** `left`: what a hold that lapses leaves behind; asked for only then. */
  acquire(claims: readonly PromptClaim[], lease: { readonly ttlMs: number; left(): Pick<Lease, 'owner' | 'tallies'> }): PromptVerdict
  /** `quiet`: nobody looks at the standings, and none are given. */
  settle(hold: Grip, charges: readonly { readonly key: string; readonly amount: number }[], tallies?: readonly Tally[], quiet?: boolean): readonly Standing[] | undefined
  tally(tallies: readonly Tally[]): void
}
/** Shared state: every verb is atomic, on the store's own clock. */
export interface Store {
  get(key: string): Promise<Json | undefined>
  set(key: string, value: Json, options?: { readonly ttlMs?: number }): Promise<void>
  delete(key: string): Promise<void>
  /** Adds to a counter and returns the new value. */
  add(key: string, amount: number): Promise<number>
  /** Entries whose key starts with `prefix`, in key order, from `start` (inclusive) to `end` (exclusive). */
  scan(prefix: string, range?: { readonly start?: string; readonly end?: string; readonly limit?: number }): Promise<readonly (readonly [string, Json])[]>
  /** All claims or none, as one hold. Holds that have lapsed, a hundred at the most, are cleared away first. */
  acquire(claims: readonly Claim[], lease: Lease): Promise<ClaimVerdict>
  /**
   * Replaces a hold by what was really used, and adds the tallies. Gives the counters of the hold; nothing, having done nothing, where the
   * hold was settled before or has lapsed.
   */
  settle(holdId: string, charges: readonly { readonly key: string; readonly amount: number }[], tallies?: readonly Tally[]): Promise<readonly Standing[] | undefined>
  /** Extends a hold; false where it has lapsed. */
  renew(holdId: string, ttlMs: number): Promise<boolean>
  /** Adds to sums, all or none. */
  tally(tallies: readonly Tally[]): Promise<void>
  /** Sums of the groups from `start` (inclusive) to `end` (exclusive), by group and field, in that order. */
  tallies(range: { readonly start: string; readonly end: string }): Promise<readonly (readonly [group: string, field: string, sum: number])[]>
  /** The verbs on the path of every call without a promise, where the store is in memory. */
  readonly prompt?: PromptVerbs
  /** Lets go of what it holds open. What was given to it, such as a client, stays open. */
  close?(): Promise<void>
}
