import { GatewayError } from '../protocol/errors.js'
import type { Clock, Plugin } from '../protocol/ports.js'
import type { CallRecord } from '../protocol/result.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { RecordBuffer, type Delivery } from './buffer.js'
import { checkNumber, checkOptions, toSink, type LogTarget, type Sink } from './sinks.js'

/** What the log plugin runs on, and its bounds. Times in milliseconds. */
export interface LogDeps {
  readonly clock: Clock
  readonly defer: (fn: () => void) => void
  /** Most records held for each target; 10,000. */
  readonly maxBuffered?: number
  /** Most records per delivery; 100. */
  readonly maxBatch?: number
  /** Longest wait before a delivery; 1,000. */
  readonly maxDelayMs?: number
  /** Longest wait of `flush()` and of each half of `close()` for a target that hangs; 5,000. */
  readonly maxFlushMs?: number
  /** Most characters of prompts and answers held for each target that wants them; 33,554,432. */
  readonly maxContentChars?: number
}

const KNOWN = new Set(['clock', 'defer', 'maxBuffered', 'maxBatch', 'maxDelayMs', 'maxFlushMs', 'maxContentChars'])

function deliveryOf(deps: LogDeps): Delivery {
  checkOptions(deps, 'logPlugin')
  refuseUnknownKeys(deps, KNOWN, 'logPlugin')
  if (typeof deps.clock?.after !== 'function' || typeof deps.defer !== 'function') {
    throw new GatewayError('invalid_config', 'logPlugin needs a clock ({ now, after }) and a defer function.')
  }
  const { clock, defer, maxBuffered = 10_000, maxBatch = 100, maxDelayMs = 1_000, maxFlushMs = 5_000, maxContentChars = 2 ** 25 } = deps
  const bounds = { maxBuffered, maxBatch, maxDelayMs, maxFlushMs, maxContentChars }
  for (const [name, value] of Object.entries(bounds)) checkNumber(value, `logPlugin: ${name}`, 1)
  return { clock, defer, ...bounds }
}

function sinksOf(targets: LogTarget | readonly LogTarget[]): Sink[] {
  const list: readonly unknown[] = Array.isArray(targets) ? targets : [targets]
  if (new Set(list).size < list.length) {
    throw new GatewayError('invalid_config', 'The same log target is given twice: every record would be written twice. Remove one.')
  }
  return list.map((target, at) => toSink(target, Array.isArray(targets) ? `log[${at}]` : 'log'))
}

function withoutContent(record: CallRecord): CallRecord {
  if (record.content === undefined) return record
  const { content: _, ...rest } = record
  return Object.freeze(rest)
}

/**
 * Writes a record of each finished call to every target, in batches and off the path of the call. A target that is slow,
 * hangs or throws delays neither calls nor other targets; `dropped()` counts what was lost, once for each target that lost
 * it. Only targets with `content: true` see prompts and answers. Throws `invalid_config`.
 */
export function logPlugin(targets: LogTarget | readonly LogTarget[], deps: LogDeps): Plugin {
  const delivery = deliveryOf(deps)
  const lanes = sinksOf(targets).map(sink => ({ buffer: new RecordBuffer(sink, delivery), content: sink.content === true }))
  const stripping = lanes.some(lane => !lane.content)
  return {
    name: 'log',
    content: lanes.some(lane => lane.content),
    observe(record) {
      const bare = stripping ? withoutContent(record) : record
      for (const { buffer, content } of lanes) buffer.push(content ? record : bare)
    },
    async flush() {
      await Promise.all(lanes.map(lane => lane.buffer.flush()))
    },
    async close() {
      await Promise.all(lanes.map(lane => lane.buffer.close()))
    },
    dropped: () => lanes.reduce((sum, lane) => sum + lane.buffer.dropped, 0),
  }
}
