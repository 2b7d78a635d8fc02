import type { Cancel } from '../resilience/cancel.js'

/** Work that hangs, in a hook or a strategy, must not outlive the call. `late` is given what came of it after the call had ended. */
export function cancellable<T>(work: Promise<T>, cancel: Cancel, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let ended = false
    const off = cancel.onCancel(reason => {
      ended = true
      reject(reason)
    })
    work.then(value => (ended ? late?.(value) : resolve(value)), reject).finally(off)
  })
}
