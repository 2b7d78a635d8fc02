import type { Clock } from '../protocol/ports.js'
import type { Cancel } from './cancel.js'

/** Waits `ms` on the clock; rejects at once, and leaves no timer, when the flight ends. */
export function wait(ms: number, clock: Clock, cancel: Cancel): Promise<void> {
  if (cancel.reason !== undefined) return Promise.reject(cancel.reason)
  if (ms <= 0) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      off()
      resolve()
    })
    const off = cancel.onCancel(reason => {
      timer.cancel()
      reject(reason)
    })
  })
}
