import type { Timer } from '../protocol/ports.js'
import { httpTransport } from '../transport/http.js'
import type { Platform } from './types.js'

// A longer delay would fire at once.
const LONGEST_MS = 2 ** 31 - 1

class NodeTimer implements Timer {
  readonly #timer: NodeJS.Timeout

  constructor(ms: number, fn: () => void) {
    this.#timer = setTimeout(fn, Math.min(Math.max(0, ms), LONGEST_MS))
  }

  cancel(): void {
    clearTimeout(this.#timer)
  }
}

/** Node: sockets over `node:http`, real time, real chance. */
export const platform: Platform = {
  transport: options => httpTransport(options),
  env: name => process.env[name],
  clock: {
    now: () => performance.timeOrigin + performance.now(),
    after: (ms, fn) => new NodeTimer(ms, fn),
  },
  random: () => Math.random(),
  defer: fn => {
    setImmediate(fn)
  },
}
