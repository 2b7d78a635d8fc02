import type { Cancel } from '../resilience/cancel.js'

/** Work that hangs, in a hook or a strategy, must not outlive the call. */
export function cancellable<T>(work: Promise<T>, cancel: Cancel): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = cancel.onCancel(reject)
    work.then(resolve, reject).finally(off)
  })
}
