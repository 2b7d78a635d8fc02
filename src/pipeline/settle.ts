import { GatewayError } from '../protocol/errors.js'
import type { Clock, Plugin } from '../protocol/ports.js'
import { Instants } from '../protocol/instant.js'
import { total } from '../protocol/price.js'
import type { Collected } from '../protocol/collect.js'
import type { CallRecord, Cost } from '../protocol/result.js'
import type { Admitted, Call, CallEnd } from './call.js'
import type { Learning } from './learning.js'
import { recordOf } from './record.js'
import type { Source } from './source.js'

/** What is known of a call at its end; an early end knows less. */
export interface Known {
  readonly admitted?: Admitted
  readonly source?: Source
  /** What an answer that was known was counted with. */
  readonly counted?: Counted | undefined
  /** The answer as the upstream gave it, masks on. */
  readonly collected?: () => Collected
}

/** Something held for a call, to be closed at its end. */
export interface Counted {
  close(): boolean | Promise<boolean> | undefined
}

/** What settling found out. */
export interface Settled {
  readonly cost: Cost
  readonly totalMs: number
  readonly firstEventMs?: number
  /** What was written down, where somebody wanted it. */
  record?: CallRecord
}

/** Prices every attempt, lets the call go, and tells the observers. Never throws to the caller. */
export function createSettle({ plugins, clock, content, learning, later }: { plugins: readonly Plugin[]; clock: Clock; content: boolean; learning: Learning; later: (work: Promise<unknown>) => void }): (call: Call, end: CallEnd, known: Known) => Settled {
  const instants = new Instants()
  const observers = plugins.filter(plugin => plugin.observe !== undefined)
  return (call, end, known) => {
    const totalMs = clock.now() - call.startedMs
    const { source, admitted } = known
    const cost = source === undefined ? total([], false) : source.bill()
    const firstAtMs = source?.answered?.firstEventAtMs
    // Who joins a stream later did not wait for what was there before it asked.
    const settled: Settled = firstAtMs === undefined ? { cost, totalMs } : { cost, totalMs, firstEventMs: Math.max(0, firstAtMs - call.startedMs) }
    call.end()
    const learns = admitted !== undefined && call.system === undefined && learning.concerns(admitted.route)
    // The hold is settled before the record is told: one that had lapsed was written down, and charged, by whoever cleared it away.
    const closing = closed(source?.close?.(), known.counted?.close())
    if (observers.length > 0 || learns) {
      const record = (settled.record = recordOf(call, end, known, settled, content, instants))
      const told = (lived: boolean): void => {
        // Then its cost is with the record of the lapsed hold, and spent is what both say together.
        const whole = lived ? record : Object.freeze({ ...record, costNanos: 0, policy: Object.freeze({ ...(record.policy ?? { decision: 'allowed' }), settled: false }) })
        for (const plugin of observers) tell(plugin, whole)
        if (learns) learning.seen(admitted.route, whole)
      }
      if (typeof closing === 'boolean') told(closing)
      else later(closing.then(told, () => told(false)))
    }
    return settled
  }
}

type Closing = boolean | Promise<boolean> | undefined

function closed(flight: Closing, counted: Closing): boolean | Promise<boolean> {
  if (flight instanceof Promise || counted instanceof Promise) return Promise.all([flight, counted]).then(lived => !lived.includes(false))
  return flight !== false && counted !== false
}

function tell(plugin: Plugin, record: CallRecord): void {
  try {
    const late: unknown = plugin.observe?.(record)
    if (late instanceof Promise) late.catch(() => undefined)
  } catch {
    // An observer's failure is its own: the call is over and was answered.
  }
}

/** Who ended a call, from the fault that did. */
export function endOf(fault: GatewayError): CallEnd {
  return { outcome: fault.code === 'aborted' ? 'aborted' : 'failure', fault }
}

/** Anything thrown inside the pipeline as the one error class. A foreign error's text may hold anything: only where it came from is kept. */
export function asGatewayError(error: unknown): GatewayError {
  if (GatewayError.is(error)) return error
  const name = error instanceof Error ? error.name : typeof error
  const cause = new Error(`a ${name}, its text left out`)
  const frames = error instanceof Error ? /^ +at .*$/m.exec(error.stack ?? '')?.index : undefined
  if (frames !== undefined && error instanceof Error) cause.stack = `${cause.message}\n${(error.stack ?? '').slice(frames)}`
  return new GatewayError('upstream_error', `A part of the gateway failed with a ${name}.`, { origin: 'gateway', cause })
}
