import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { Alert, Store } from '../../src/index.js'
import type { Tally } from '../../src/protocol/ports.js'
import { monotonicMs } from './world.js'

type Store_ = Store & { start?(parts: never): void }
/** One line of a process: what it asked of the store and was told, its calls and its alerts. Times are of the one clock. */
export type Line =
  | { readonly is: 'held'; readonly call: string; readonly hold: string; readonly loMs: number; readonly hiMs: number; readonly claims: readonly (readonly [key: string, amount: number])[] }
  | { readonly is: 'settling'; readonly call: string; readonly hold: string; readonly nanos: number }
  | { readonly is: 'settled'; readonly hold: string; readonly lived: boolean; readonly loMs: number; readonly hiMs: number; readonly charges: readonly (readonly [key: string, amount: number])[] }
  | { readonly is: 'alert-asked'; readonly key: string }
  | { readonly is: 'alert-won'; readonly key: string; readonly loMs: number; readonly hiMs: number }
  | { readonly is: 'alert'; readonly alert: Alert; readonly atMs: number }
  | { readonly is: 'asked'; readonly call: string; readonly user: string; readonly key?: string; readonly atMs: number }
  | { readonly is: 'ended'; readonly call: string; readonly atMs: number; readonly end: string }

/** Lines that are in the file when `write` returns: the end of the process loses none. */
export class LineFile {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600)
  }

  write(line: object): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
  close(): void {
    closeSync(this.#file)
  }
}

/** The lines of a file; one that was cut by the end of its process is left out. */
export function linesIn<T>(path: string): T[] {
  if (!existsSync(path)) return []
  const text = readFileSync(path, 'utf8')
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(line => line !== '').map(line => JSON.parse(line) as T)
}

const isAlert = (key: string): boolean => key.startsWith('alert:')
const nanosOf = (tallies: readonly Tally[] = []): number => tallies.reduce((sum, { field, amount }) => sum + (field.startsWith('n') ? amount : 0), 0)

/** The store, with each hold and each settle written down. `callNow` tells which call of ours it is for. */
export function journaled(store: Store_, file: LineFile, callNow: () => string | undefined): Store {
  const calls = new Map<string, string>()
  return {
    ...store,
    async acquire(claims, lease) {
      const alert = claims.length === 1 ? claims[0]?.key : undefined
      const asksAlert = alert !== undefined && isAlert(alert)
      if (asksAlert) file.write({ is: 'alert-asked', key: alert } satisfies Line)
      const loMs = monotonicMs()
      const verdict = await store.acquire(claims, lease)
      const hiMs = monotonicMs()
      if (!verdict.ok) return verdict
      const call = callNow() ?? ''
      if (asksAlert) file.write({ is: 'alert-won', key: alert, loMs, hiMs } satisfies Line)
      else {
        calls.set(verdict.holdId, call)
        file.write({ is: 'held', call, hold: verdict.holdId, loMs, hiMs, claims: claims.map(({ key, amount }) => [key, amount] as const) } satisfies Line)
      }
      return verdict
    },
    async settle(hold, charges, tallies) {
      const call = calls.get(hold)
      const loMs = monotonicMs()
      if (call !== undefined) file.write({ is: 'settling', call, hold, nanos: nanosOf(tallies) } satisfies Line)
      const standings = await store.settle(hold, charges, tallies)
      if (call === undefined) return standings
      calls.delete(hold)
      file.write({ is: 'settled', hold, lived: standings !== undefined, loMs, hiMs: monotonicMs(), charges: charges.map(({ key, amount }) => [key, amount] as const) } satisfies Line)
      return standings
    },
  }
}
