import { givenAgent } from '../transport/given-agent.js'
import { lazyTransport } from '../transport/lazy.js'
import { idleClock, systemClock } from './clock.js'
import type { Platform } from './types.js'

/** Node: sockets over `node:http`, real time, real chance. */
export const platform: Platform = {
  transport: options => {
    givenAgent(options.agent)
    return lazyTransport(async () => (await import('../transport/http.js')).httpTransport({ ...options, idle: idleClock() }))
  },
  env: name => process.env[name],
  clock: systemClock,
  random: () => Math.random(),
  randomBytes: length => crypto.getRandomValues(new Uint8Array(length)),
  defer: fn => {
    setImmediate(fn)
  },
}
