import { GatewayError } from '../../src/protocol/errors.js'
import { VirtualKeys, type KeyChange, type VirtualKeysDeps } from '../../src/state/keys.js'
import { memoryStore } from '../../src/state/memory.js'
import { virtualClock } from '../../src/testing/clock.js'
import { seededRandom } from '../../src/testing/random.js'

/** Random bytes that are the same in each run. */
export function bytesOf(seed: number) {
  const random = seededRandom(seed)
  return (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256))
}

/** Virtual keys over a store of their own, with the changes they told. */
export function virtualKeys(deps: Partial<VirtualKeysDeps> = {}) {
  const clock = virtualClock()
  const store = memoryStore({ clock })
  const changes: KeyChange[] = []
  const keys = new VirtualKeys({ store, clock, randomBytes: bytesOf(1), onChange: change => changes.push(change), ...deps })
  return { clock, store, keys, changes }
}

/** The refusal that some work ends in. */
export async function fault(work: () => unknown): Promise<GatewayError> {
  try {
    await work()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was refused')
}
