import { httpTransport } from '../transport/http.js'
import { systemClock } from './clock.js'
import type { Platform } from './types.js'

/** Node: sockets over `node:http`, real time, real chance. */
export const platform: Platform = {
  transport: options => httpTransport(options),
  env: name => process.env[name],
  clock: systemClock,
  random: () => Math.random(),
  defer: fn => {
    setImmediate(fn)
  },
}
