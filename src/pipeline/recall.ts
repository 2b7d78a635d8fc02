import type { Cancel } from '../resilience/cancel.js'
import type { Admitted } from './call.js'
import type { Launched, Source } from './source.js'

/** An answer that is known already, or that several calls wait for. */
export interface Recalled extends Source {
  /** Resolves at commit. `launch` makes the flight where it is on this call to open it. */
  take(launch: (cancel: Cancel) => Promise<Launched>): Promise<void>
}

/** Looks an answer up; loaded where a cache is configured. */
export interface Recaller {
  recall(admitted: Admitted): Recalled | undefined | Promise<Recalled | undefined>
}

/** Answers from the cache or joins the flight of an identical call, where the settings of the call have a cache. */
export function createRecall(load: () => Promise<Recaller>): (admitted: Admitted) => Recalled | undefined | Promise<Recalled | undefined> {
  let ready: Recaller | undefined
  return admitted => {
    if (admitted.settings.cache === undefined) return undefined
    if (ready !== undefined) return ready.recall(admitted)
    return load().then(loaded => (ready = loaded).recall(admitted))
  }
}
