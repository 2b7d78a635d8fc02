import type { Json } from '../protocol/json.js'
import type { Turn } from './sqlite-line.js'
import { beyond, bytesOf, textOf } from './sqlite-text.js'

export interface Range {
  readonly start?: string
  readonly end?: string
  readonly limit?: number
}

export function get({ sql, nowMs }: Turn, key: string): Json | undefined {
  const row = sql.get.get(bytesOf(key)) as { readonly value: string; readonly endMs: number | null } | null | undefined
  if (row === null || row === undefined || nowMs >= (row.endMs ?? Infinity)) return undefined
  return JSON.parse(row.value) as Json
}

export function set({ sql, nowMs }: Turn, key: string, text: string, ttlMs: number | undefined): void {
  sql.set.run(bytesOf(key), text, ttlMs === undefined ? null : nowMs + ttlMs)
}

export function scan({ sql, nowMs }: Turn, prefix: string, { start = '', end, limit = -1 }: Range): readonly (readonly [string, Json])[] {
  const from = start > prefix ? bytesOf(start) : bytesOf(prefix)
  // An end that begins with the prefix is within it; any other is before all of it or behind.
  const to = end === undefined || (!end.startsWith(prefix) && end > prefix) ? beyond(prefix) : bytesOf(end)
  const rows = sql.scan.all(from, to, nowMs, limit) as readonly { readonly key: Uint8Array; readonly value: string }[]
  return rows.map(({ key, value }) => [textOf(key), JSON.parse(value) as Json])
}
