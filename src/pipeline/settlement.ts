import type { Standing, Tally } from '../protocol/ports.js'
import type { Ledger } from '../state/ledger.js'
import type { Account, Line } from '../state/meters.js'
import type { Call } from './call.js'
import type { Held } from './purse.js'

type Standings = readonly Standing[] | undefined

/** The end of the one hold that most flights have. */
export function settledOnce(ledger: Ledger, call: Call, { open, parts }: Held, final: (line: Line) => number, tallies: readonly Tally[]): boolean | Promise<boolean> {
  const told = (standings: Standings): boolean => {
    if (standings !== undefined) ledger.shares(parts, standings, call.id)
    return standings !== undefined
  }
  const standings = ledger.settle(open, parts.map(({ line }) => ({ key: line.key, amount: final(line) })), tallies)
  if (!(standings instanceof Promise)) return told(standings)
  const waiting = standings.then(told)
  ledger.later(waiting)
  return waiting
}

/** The end of a flight's holds: what was used is spread over them, first come first charged; the last of each line takes what is beyond its bound. */
export class Settlement {
  readonly #in: { readonly ledger: Ledger; readonly account: Account; readonly call: Call }
  readonly #holds: readonly Held[]
  readonly #left = new Map<Line, number>()
  readonly #last = new Map<Line, Held>()

  constructor(parts: { readonly ledger: Ledger; readonly account: Account; readonly call: Call }, holds: readonly Held[], final: (line: Line) => number) {
    this.#in = parts
    this.#holds = holds
    for (const hold of holds) for (const { line } of hold.parts) {
      if (!this.#left.has(line)) this.#left.set(line, final(line))
      this.#last.set(line, hold)
    }
  }

  /** Whether all of them had lived until now; the tallies are written with the first. */
  settle(tallies: readonly Tally[]): boolean | Promise<boolean> {
    const { ledger } = this.#in
    let lived = true
    const waiting: Promise<boolean>[] = []
    for (const [at, hold] of this.#holds.entries()) {
      const standings = ledger.settle(hold.open, this.#charges(hold), at === 0 ? tallies : [])
      if (standings instanceof Promise) waiting.push(standings.then(found => this.#told(found)))
      else lived = this.#told(standings) && lived
    }
    if (waiting.length === 0) return lived
    const all = Promise.all(waiting).then(each => each.every(Boolean))
    ledger.later(all)
    return all
  }

  #charges(hold: Held): { key: string; amount: number }[] {
    return hold.parts.map(({ line, amount }) => {
      const rest = this.#left.get(line) ?? 0
      const charge = this.#last.get(line) === hold ? rest : Math.min(rest, amount)
      this.#left.set(line, rest - charge)
      return { key: line.key, amount: charge }
    })
  }

  #told(standings: Standings): boolean {
    if (standings === undefined) return false
    this.#in.ledger.shares([...this.#left.keys()].map(line => ({ line })), standings, this.#in.call.id)
    return true
  }
}
