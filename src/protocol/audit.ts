import { canonical } from './canonical.js'
import type { Json, JsonObject } from './json.js'
import { sha256 } from './sha256.js'

/** What a line of the audit log tells of: the beginning or the end of a chain, a call, a change of the configuration. */
export type AuditKind = 'open' | 'call' | 'change' | 'close'

/** A line of the audit log, version 1; what the entry tells stands beside these fields. */
export interface AuditEntry {
  readonly v: 1
  /** Each gateway writes a chain of its own, also where several share a file. */
  readonly chain: string
  /** 1 for the first entry of a chain. */
  readonly seq: number
  /** ISO 8601, UTC. */
  readonly at: string
  readonly kind: AuditKind
  /** Entries that could not be kept, between the one before and this one. */
  readonly lost?: number
  /** Parts left out because the line would have been too long, or because JSON cannot say them. */
  readonly omitted?: readonly string[]
  /** `hash` of the entry before in this chain; {@link AUDIT_START} for the first. */
  readonly prev: string
  readonly hash: string
  readonly [data: string]: Json | undefined
}

/** What the first entry of a chain has in place of the hash of one before. */
export const AUDIT_START = '0'.repeat(64)
/** Longest line, without its newline. */
export const AUDIT_LINE_BYTES = 2 ** 20

/** The hash of an entry: SHA-256 of the canonical JSON of everything but `hash`, in hexadecimal. */
export function auditHash(entry: JsonObject): string {
  const { hash: _, ...hashed } = entry
  return sha256(canonical(hashed))
}

/** The one text of an entry in the log, without the newline: a line that reads otherwise was not written by the log. */
export function auditLine(entry: JsonObject): string {
  return JSON.stringify(entry)
}
