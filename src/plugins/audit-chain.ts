import { AUDIT_LINE_BYTES, AUDIT_START, auditHash, auditLine, type AuditKind } from '../protocol/audit.js'
import { base64 } from '../protocol/canonical.js'
import type { Json, JsonObject } from '../protocol/json.js'
import type { AuditData } from './audit-entries.js'

/** An entry that has no place in the chain yet. */
export interface Unsealed {
  readonly kind: AuditKind
  readonly atMs: number
  /** Entries lost between the one before and this one. */
  readonly lost: number
  readonly data: AuditData
  /** What was left out of `data` already. */
  readonly omitted?: readonly string[] | undefined
}

/** What is left out of a line that is too long, in this order. */
const OMITTABLE = ['content', 'policy', 'fields', 'principal', 'usage']

function sayBytes(this: unknown, key: string, value: unknown): unknown {
  // Asked for by its key: a Buffer has made itself a list of numbers before it comes here.
  const own = (this as { readonly [key: string]: unknown })[key]
  return own instanceof Uint8Array ? { base64: base64(own) } : value
}

/** The value as it will be read back, so that writer and verifier hash the same. */
function plain(value: unknown): Json | undefined {
  // Most are: no text is made of them twice.
  if (value === undefined || typeof value === 'string' || Number.isFinite(value)) return value as string | number | undefined
  const text = JSON.stringify(value, sayBytes) as string | undefined
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}

/** Gives entries their place: number, hash of the one before, own hash. */
export class AuditChain {
  readonly #encoder = new TextEncoder()
  readonly #chain: string
  #seq = 0
  #prev = AUDIT_START
  #lost = 0

  constructor(chain: string) {
    this.#chain = chain
  }

  /** The line of an entry; nothing where there is no way to write it, which the next line then says. */
  seal(entry: Unsealed): Uint8Array | undefined {
    const omitted = [...(entry.omitted ?? [])]
    const data: { [name: string]: Json } = {}
    for (const [name, value] of Object.entries(entry.data)) {
      try {
        const said = plain(value)
        if (said !== undefined) data[name] = said
      } catch {
        omitted.push(name)
      }
    }
    for (;;) {
      const line = this.#line(entry, data, omitted)
      if (line !== undefined) return line
      const next = OMITTABLE.find(name => Object.hasOwn(data, name))
      if (next === undefined) break
      delete data[next]
      omitted.push(next)
    }
    this.#lost += entry.lost + 1
    return undefined
  }

  #line(entry: Unsealed, data: JsonObject, omitted: readonly string[]): Uint8Array | undefined {
    const lost = this.#lost + entry.lost
    const seq = this.#seq + 1
    try {
      const at = new Date(entry.atMs).toISOString()
      const body = { v: 1, chain: this.#chain, seq, at, kind: entry.kind, ...(lost > 0 && { lost }), ...data, ...(omitted.length > 0 && { omitted: [...omitted] }), prev: this.#prev }
      const hash = auditHash(body)
      const bytes = this.#encoder.encode(`${auditLine({ ...body, hash })}\n`)
      if (bytes.length > AUDIT_LINE_BYTES + 1) return undefined
      this.#seq = seq
      this.#prev = hash
      this.#lost = 0
      return bytes
    } catch {
      // Nested deeper than anybody would read it back.
      return undefined
    }
  }
}
