import { Flights, type SharedEnd } from '../../src/pipeline/shared.js'
import type { Seat } from '../../src/pipeline/shared-seat.js'
import type { Opening } from '../../src/pipeline/source.js'
import { GatewayError } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { Reader } from '../../src/resilience/attempt.js'
import { Cancel } from '../../src/resilience/cancel.js'
import { virtualClock } from '../../src/testing/clock.js'

export const say = (text: string): ChatEvent => ({ type: 'text-delta', text })
export const FINISH: ChatEvent = { type: 'finish', finishReason: 'stop', usage: {} }
export const RESTART: ChatEvent = { type: 'restart', attempt: 2, reason: 'network' }
export const gone = new GatewayError('aborted', 'gone')
export const cut = new GatewayError('network', 'cut')
export const turn = () => new Promise<void>(resolve => setImmediate(resolve))

/** A flight whose every step is taken by the test. */
export class Upstream implements Opening {
  readonly cancel = new Cancel()
  ended: GatewayError[] = []
  reads = 0
  held = false
  commit: () => void = () => undefined
  fail: (fault: GatewayError) => void = () => undefined
  #done: Reader | undefined
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.commit = resolve
      this.fail = reject
      this.cancel.onCancel(reject)
    })
  }
  read(done: Reader): void {
    if (this.#done !== undefined) throw new Error('read twice at once')
    this.reads++
    this.#done = done
  }
  get asked(): boolean {
    return this.#done !== undefined
  }
  tell(batch: readonly ChatEvent[] | undefined, fault?: GatewayError): void {
    const done = this.#done
    this.#done = undefined
    done?.(batch, fault)
  }
  end(reason: GatewayError): void {
    this.ended.push(reason)
    this.tell(undefined, reason)
  }
  holdToWhatWasSaid(): void {
    this.held = true
  }
}

export class Caller {
  readonly cancel = new Cancel()
  readonly seat: Seat
  readonly told: string[] = []
  opened: 'no' | 'yes' | string = 'no'
  constructor(flights: Flights, ends: SharedEnd[], key = 'k') {
    this.seat = flights.seat(key === '' ? undefined : key, this.cancel, end => ends.push(end))
  }
  open(): this {
    this.seat.open().then(() => (this.opened = 'yes'), (fault: GatewayError) => (this.opened = fault.code))
    return this
  }
  read(): this {
    this.seat.read((batch, fault) => void this.told.push(fault?.code ?? batch?.map(event => (event.type === 'text-delta' ? event.text : event.type)).join('') ?? 'end'))
    return this
  }
}

export async function under(callers = 1) {
  const flights = new Flights(virtualClock())
  const ends: SharedEnd[] = []
  const upstream = new Upstream()
  const all = Array.from({ length: callers }, () => new Caller(flights, ends))
  const [first] = all as [Caller, ...Caller[]]
  first.seat.start(upstream, upstream.cancel)
  for (const caller of all) caller.open()
  upstream.commit()
  await turn()
  return { flights, ends, upstream, all: all as [Caller, Caller, Caller], join: () => new Caller(flights, ends).open() }
}
