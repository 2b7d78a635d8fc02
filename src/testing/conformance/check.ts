import { GatewayError, type Code } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'

/**
 * One thing an implementation of a port must do. `run` rejects with an `Error` that says what was expected.
 *
 * @example
 * for (const check of storeConformance(clock => memoryStore({ clock }))) test(check.name, () => check.run())
 */
export interface Check {
  readonly name: string
  run(): Promise<void>
}

/** A check from a name and a body; every throw becomes an `Error` that names the check. */
export function check(name: string, body: () => void | Promise<void>): Check {
  return {
    name,
    run: async () => {
      try {
        await body()
      } catch (cause) {
        throw new Error(`${name}: ${messageOf(cause)}`, { cause })
      }
    },
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : `threw ${show(error)}`
}

/** The same failure, with what was going on. */
export function failed(what: string, error: unknown): Error {
  return new Error(`${what}: ${messageOf(error)}`, { cause: error })
}

export function ensure(condition: unknown, expected: () => string): asserts condition {
  if (condition !== true) throw new Error(expected())
}

export function equal(found: unknown, expected: unknown, what: string): void {
  ensure(same(found, expected), () => `${what}: expected ${show(expected)}, found ${show(found)}`)
}

/** Deep equality; an absent field and an undefined one are the same. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (a instanceof Uint8Array && b instanceof Uint8Array) return a.length === b.length && a.every((byte, i) => byte === b[i])
  if (a instanceof URL && b instanceof URL) return a.href === b.href
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]))
  if (!isObject(a) || !isObject(b)) return false
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].every(key => same(own(a, key), own(b, key)))
}

function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

/** A short, printable form for messages. */
export function show(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch {
    text = undefined
  }
  text ??= String(value)
  return text.length > 400 ? `${text.slice(0, 400)}…` : text
}

/** Runs `body`, which must throw a `GatewayError` (with `code`, where given), and returns that. */
export async function refuses(body: () => unknown, what: string, code?: Code): Promise<GatewayError> {
  let error: unknown
  try {
    await body()
  } catch (caught) {
    error = caught
    ensure(GatewayError.is(error), () => `${what}: expected a GatewayError, found ${messageOf(caught)}`)
    ensure(code === undefined || error.code === code, () => `${what}: expected the code ${code}, found ${(error as GatewayError).code}`)
    return error
  }
  throw new Error(`${what}: expected a GatewayError${code === undefined ? '' : ` with the code ${code}`}, found no error`)
}

/** A copy whose plain objects and arrays are frozen, all the way down. */
export function frozen<T>(value: T): T {
  if (Array.isArray(value)) return Object.freeze(value.map(frozen)) as T
  // Bytes cannot be frozen; a URL, a Secret or a RegExp is no plain object.
  if (!isObject(value) || !(Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)) return value
  const copy: Record<string, unknown> = Object.create(Object.getPrototypeOf(value) as object | null) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) Object.defineProperty(copy, key, { value: frozen(item), enumerable: true })
  return Object.freeze(copy) as T
}
