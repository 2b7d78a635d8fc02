import type PQueue from 'p-queue'
import { GatewayError } from '../protocol/errors.js'
import type { GateCall, Permit } from '../protocol/ports.js'
import type { Cancel } from './cancel.js'
import { enter, isPermits } from './gates.js'
import type { LiveCandidate } from './live.js'

/** Calls that may wait in one line. */
const MAX_WAITING = 1_000

/** A candidate whose gates let us in. */
export interface Admitted {
  readonly candidate: LiveCandidate
  readonly permits: readonly Permit[]
}

/**
 * Where calls of one route wait, in order, while every gate is full. Its head alone tries the gates again when one frees;
 * a task ends when its permits are granted, so the queue is empty whenever nobody waits.
 */
export class Line {
  #queue: Promise<PQueue> | undefined
  #waiting = 0

  get waiting(): number {
    return this.#waiting
  }

  async enter(candidates: readonly LiveCandidate[], call: GateCall, cancel: Cancel): Promise<Admitted> {
    if (this.waiting >= MAX_WAITING) {
      throw new GatewayError('queue_full', `All slots are taken and ${MAX_WAITING} calls wait already. Raise limits.concurrency.`)
    }
    // Most processes never wait, so most never load the queue.
    const queue = (this.#queue ??= import('p-queue').then(({ default: Queue }) => new Queue({ concurrency: 1 })))
    this.#waiting++
    // A call that gives up in mid-line leaves at once; its task, when it comes, finds it gone and takes nothing.
    return new Promise<Admitted>((resolve, reject) => {
      const off = cancel.onCancel(reject)
      queue.then(line => line.add(() => admitted(candidates, call, cancel))).then(resolve, reject).finally(off)
    }).finally(() => {
      this.#waiting--
    })
  }
}

function admitted(candidates: readonly LiveCandidate[], call: GateCall, cancel: Cancel): Promise<Admitted> {
  return new Promise((resolve, reject) => {
    const offs: (() => void)[] = []
    const leave = (): void => offs.forEach(off => off())
    const attempt = (): boolean => {
      for (const candidate of candidates) {
        const permits = enter(candidate.live, call)
        if (!isPermits(permits)) continue
        leave()
        resolve({ candidate, permits })
        return true
      }
      return false
    }
    if (cancel.reason !== undefined) return reject(cancel.reason)
    if (attempt()) return
    for (const { live } of candidates) for (const gate of live.gates) offs.push(gate.onFree(attempt))
    offs.push(
      cancel.onCancel(reason => {
        leave()
        reject(reason)
      }),
    )
  })
}
