import { GatewayError } from '../protocol/errors.js'
import type { Random } from '../protocol/ports.js'

const RANGE = 0x1_0000_0000

/** Spreads a seed over the state, so that near seeds give unlike sequences (splitmix32). */
function spread(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
}

/**
 * A die that falls the same way for the same seed (sfc32): numbers in [0, 1) with 32 bits each. For tests, not for secrets.
 * @param seed a whole number.
 */
export function seededRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) throw new GatewayError('invalid_config', 'seededRandom() takes a whole number.')
  const low = spread(seed)
  const high = spread(Math.floor(seed / RANGE))
  let a = low()
  let b = low()
  let c = (low() ^ high()) >>> 0
  let counter = 1
  const next = () => {
    const out = (a + b + counter) >>> 0
    counter = (counter + 1) >>> 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) >>> 0
    c = (((c << 21) | (c >>> 11)) + out) >>> 0
    return out
  }
  for (let i = 0; i < 12; i++) next()
  return () => next() / RANGE
}
