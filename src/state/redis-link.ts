import type { Clock } from '../protocol/ports.js'
import type { Keys } from './redis-keys.js'
import { failure, isReply, lacksScript, unavailable, type Wire } from './redis-client.js'
import { SCRIPTS, VERSION } from './redis-scripts.js'

type Name = keyof typeof SCRIPTS

/** One store's way to its server: runs scripts, within a time. */
export class Link {
  readonly #wire: Wire
  readonly #keys: Keys
  readonly #timeoutMs: number
  readonly #now: (() => number) | undefined
  readonly #shas = new Map<Name, Promise<string>>()
  #clock: Clock | undefined
  #instance: Promise<string> | undefined
  #closed = false

  constructor(wire: Wire, keys: Keys, timeoutMs: number, now: (() => number) | undefined) {
    this.#wire = wire
    this.#keys = keys
    this.#timeoutMs = timeoutMs
    this.#now = now
  }

  start(clock: Clock): void {
    this.#clock = clock
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#wire.release()
  }

  /** A name that no other store has; checks the schema with the first use. */
  async instance(): Promise<string> {
    this.#instance ??= this.#hello()
    const asked = this.#instance
    try {
      return await asked
    } catch (error) {
      // The next use asks again.
      if (this.#instance === asked) this.#instance = undefined
      throw error
    }
  }

  /**
   * Runs a script; `keys` come behind the first one, `args` behind the time. `unheard` is told when it may have been done without an answer.
   */
  async run(name: Name, keys: readonly string[], args: readonly string[], unheard?: () => void): Promise<string[]> {
    await this.instance()
    return this.#run(name, keys, args, unheard)
  }

  /** Settles as `work` does, or with `store_unavailable` when it takes too long; `late` then hears how it ended. */
  async within<T>(work: () => Promise<T>, late?: (value: T) => void): Promise<T> {
    if (this.#closed) throw unavailable('The store was closed.')
    this.#open()
    const clock = this.#clock
    if (clock === undefined) return work()
    return new Promise<T>((resolve, reject) => {
      let over = false
      const timer = clock.after(this.#timeoutMs, () => {
        over = true
        reject(unavailable(`Redis did not answer within ${this.#timeoutMs} ms. Look at the client's connection and at the server.`))
      })
      work().then(
        value => {
          timer.cancel()
          if (over) late?.(value)
          else resolve(value)
        },
        (error: unknown) => {
          timer.cancel()
          reject(error)
        },
      )
    })
  }

  #open(): void {
    if (this.#wire.closed) throw unavailable('The Redis client is closed, or was never connected: connect it before the store is used.')
  }

  async #hello(): Promise<string> {
    const [version = '', instance = ''] = await this.#run('hello', [this.#keys.instances], [])
    if (version === String(VERSION)) return instance
    const newer = Number(version) > VERSION
    throw unavailable(newer ? "The store's schema is newer than this version of the library. Update it, or give redisStore another prefix." : "The store's version is none that is known. Give redisStore a prefix of its own.")
  }

  async #run(name: Name, keys: readonly string[], args: readonly string[], unheard?: () => void): Promise<string[]> {
    const sha = await this.#sha(name)
    this.#open()
    const first = this.#keys.version
    const now = this.#now === undefined ? '' : String(Math.floor(this.#now()))
    const rest = [String(keys.length + 1), first, ...keys, now, ...args]
    try {
      return texts(await this.#wire.send(first, ['evalsha', sha, ...rest]).catch((error: unknown) => {
        if (!lacksScript(error)) throw error
        return this.#wire.send(first, ['eval', SCRIPTS[name], ...rest])
      }))
    } catch (error) {
      if (!isReply(error)) unheard?.()
      throw failure(error)
    }
  }

  #sha(name: Name): Promise<string> {
    let sha = this.#shas.get(name)
    if (sha === undefined) this.#shas.set(name, (sha = sha1(SCRIPTS[name])))
    return sha
  }
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), byte => byte.toString(16).padStart(2, '0')).join('')
}

function texts(reply: unknown): string[] {
  if (!Array.isArray(reply) || !reply.every(item => typeof item === 'string')) throw unavailable('Redis gave an answer that is none of the store.')
  return reply as string[]
}
