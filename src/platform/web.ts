import type { Timer } from '../protocol/ports.js'
import { configFault } from '../transport/faults.js'
import { lazyTransport } from '../transport/lazy.js'
import type { Platform } from './types.js'

// A longer delay would fire at once.
const LONGEST_MS = 2 ** 31 - 1

class WebTimer implements Timer {
  readonly #timer: ReturnType<typeof setTimeout>

  constructor(ms: number, fn: () => void) {
    this.#timer = setTimeout(fn, Math.min(Math.max(0, ms), LONGEST_MS))
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}

function environment(): Readonly<Record<string, string | undefined>> | undefined {
  const host: { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } } = globalThis
  return host.process?.env
}

/** Everywhere but Node: the global `fetch`, real time, real chance, the environment where there is one. */
export const platform: Platform = {
  transport: ({ agent }) => {
    if (agent !== undefined) throw configFault('agent works on Node only. Leave it out here, or give a fetch.')
    // Some hosts refuse a fetch that is called as a method of something else.
    return lazyTransport(async () => (await import('../transport/fetch.js')).fetchTransport((url, init) => globalThis.fetch(url, init)))
  },
  env: name => environment()?.[name],
  // A timer each: where requests are isolated from each other, one may not touch the timer of another.
  clock: () => ({
    now: () => performance.timeOrigin + performance.now(),
    after: (ms, fn) => new WebTimer(ms, fn),
  }),
  random: () => Math.random(),
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  defer: fn => {
    setTimeout(fn, 0)
  },
}
