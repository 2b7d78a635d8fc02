import type { Standing, Tally } from '../protocol/ports.js'
import type { Ledger } from '../state/ledger.js'
import type { Line } from '../state/meters.js'
import type { Call } from './call.js'
import type { Held } from './purse.js'

type Standings = readonly Standing[] | undefined
type Charge = { readonly key: string; readonly amount: number }

/** What a settlement is made with. */
export interface Settling {
  readonly ledger: Ledger
  readonly call: Call
  readonly holds: readonly Held[]
  /** What was used of a line in all. */
  readonly final: (line: Line) => number
  readonly tallies: readonly Tally[]
}

/**
 * Settles the holds of a flight. Tells, when the store has it, whether what was used is written down here: false where a hold had lapsed, and
 * was charged and written down by that.
 */
export function settle(settling: Settling): boolean | Promise<boolean> {
  const { ledger, holds, final, tallies } = settling
  const only = holds[0]
  if (only === undefined || holds.length > 1) return waited(ledger, several(settling))
  // Most flights have one hold.
  const charges: Charge[] = []
  for (const { line } of only.parts) charges.push({ key: line.key, amount: final(line) })
  const standings = ledger.settle(only.open, charges, tallies)
  return standings instanceof Promise ? waited(ledger, standings.then(found => written(settling, only, found))) : written(settling, only, standings)
}

function waited(ledger: Ledger, work: Promise<boolean>): Promise<boolean> {
  ledger.later(work)
  return work
}

function written({ ledger, call, tallies }: Settling, { parts, charged }: Held, standings: Standings): boolean {
  if (standings !== undefined) ledger.shares(parts, standings, call.id)
  // It had lapsed and left nothing behind: what was used is known here alone.
  else if (!charged && tallies.length > 0) ledger.tally(tallies)
  return standings !== undefined || !charged
}

/** What was used is spread over the holds, first come first charged; the last of each line takes what is beyond its bound. */
async function several({ ledger, call, holds, final, tallies }: Settling): Promise<boolean> {
  // Written down with the first hold that is still there.
  let owed = tallies
  let charged = false
  let failure: unknown
  for (const { hold, charges } of spread(holds, final)) {
    try {
      const standings = await ledger.settle(hold.open, charges, owed)
      if (standings === undefined) charged ||= hold.charged
      else {
        owed = []
        ledger.shares(hold.parts, standings, call.id)
      }
    } catch (error) {
      // The others are given back all the same.
      failure ??= error
    }
  }
  if (failure !== undefined) throw failure
  if (owed.length > 0 && !charged) ledger.tally(owed)
  return owed.length === 0 || !charged
}

function spread(holds: readonly Held[], final: (line: Line) => number): readonly { readonly hold: Held; readonly charges: readonly Charge[] }[] {
  const left = new Map<Line, number>()
  const last = new Map<Line, Held>()
  for (const hold of holds) for (const { line } of hold.parts) {
    if (!left.has(line)) left.set(line, final(line))
    last.set(line, hold)
  }
  return holds.map(hold => {
    const charges = hold.parts.map(({ line, amount }) => {
      const rest = left.get(line) ?? 0
      const charge = last.get(line) === hold ? rest : Math.min(rest, amount)
      left.set(line, rest - charge)
      return { key: line.key, amount: charge }
    })
    return { hold, charges }
  })
}
