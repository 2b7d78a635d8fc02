import { GatewayError } from '../protocol/errors.js'
import { isObject, parseJson, type Json, type JsonObject } from '../protocol/json.js'
import { quoted, refuseUnknownKeys } from '../protocol/suggest.js'

const MAX_CHARS = 200
const MAX_TAGS = 50
const MAX_MODELS = 200
const MAX_METADATA_BYTES = 8 * 1024
const MAX_POLICY_BYTES = 16 * 1024
/** The last moment a `Date` can hold. */
const LAST_MS = 8.64e15

/** Who a virtual key stands for and what it may do. */
export interface KeyFields {
  /** What people call it; 1 to 200 characters, as are `team`, `project`, `user`, each tag and each model. */
  readonly name?: string
  readonly team?: string
  readonly project?: string
  readonly user?: string
  /** At most 50. */
  readonly tags?: readonly string[]
  /** What it may ask for: at most 200 exact names, or names with one `*`. Without it: every model. */
  readonly models?: readonly string[]
  /** Epoch milliseconds from which it is refused. */
  readonly expiresAt?: number
  readonly budgets?: readonly Json[]
  readonly limits?: Json
  /** A JSON object of at most 8 KiB; nothing here reads it. */
  readonly metadata?: JsonObject
}
/** A key to be made. */
export interface KeySpec extends KeyFields {
  /** Instead of `expiresAt`: milliseconds from now. */
  readonly expiresInMs?: number
}
/** What an update changes: a field that is left out stays, `null` removes it. */
export type KeyUpdate = { readonly [K in keyof KeySpec]?: KeySpec[K] | null }
/** A checked update: what is set, and the names of all that changes. */
export interface CheckedUpdate {
  readonly set: KeyFields
  readonly changed: readonly (keyof KeyFields)[]
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

function text(value: unknown, at: string): string {
  if (typeof value !== 'string' || value === '' || value.length > MAX_CHARS) throw bad(`${at} must be a text of 1 to ${MAX_CHARS} characters. Leave it out where there is none.`)
  return value
}

function texts(value: unknown, at: string, most: number): string[] {
  if (!Array.isArray(value) || value.length > most) throw bad(`${at} must be a list of at most ${most} texts.`)
  // Once each: two of one name would be charged twice.
  return [...new Set(Array.from(value, (one, i) => text(one, `${at}[${i}]`)))]
}

function models(value: unknown, at: string): string[] {
  const list = texts(value, at, MAX_MODELS)
  if (list.length === 0) throw bad(`${at} is an empty list: such a key could ask for nothing. Leave it out to allow every model, or name one.`)
  const wild = list.find(name => name.indexOf('*') !== name.lastIndexOf('*'))
  if (wild !== undefined) throw bad(`${at}: ${quoted(wild)} holds more than one "*". Write it as several patterns with one "*" each.`)
  return list
}

/** A copy that nobody else holds, of what JSON can say. */
function json(value: unknown, at: string, mostBytes: number): NonNullable<Json> {
  let said: string | undefined
  let copy: unknown
  try {
    said = JSON.stringify(value) as string | undefined
    copy = said === undefined || said.length > mostBytes ? undefined : parseJson(said)
  } catch {
    // Said below: the engine's own sentence would repeat keys of the value.
    said = undefined
  }
  if (said === undefined || copy === null) throw bad(`${at} must be JSON, without cycles and not nested too deeply.`)
  if (copy === undefined || new TextEncoder().encode(said).length > mostBytes) throw bad(`${at} is larger than ${mostBytes} bytes of JSON. Keep it elsewhere, under the id of the key.`)
  return copy as NonNullable<Json>
}

function budgets(value: unknown, at: string): readonly Json[] {
  if (!Array.isArray(value)) throw bad(`${at} must be a list.`)
  return json(value, at, MAX_POLICY_BYTES) as readonly Json[]
}

function metadata(value: unknown, at: string): JsonObject {
  const copy = json(value, at, MAX_METADATA_BYTES)
  if (!isObject(copy)) throw bad(`${at} must be a JSON object.`)
  return copy as JsonObject
}

/** Epoch milliseconds. */
function instant(value: unknown, at: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= LAST_MS)) throw bad(`${at} must be a number of epoch milliseconds, such as date.getTime().`)
  return value
}

const CHECKS: { readonly [K in keyof KeyFields]-?: (value: unknown, at: string) => NonNullable<KeyFields[K]> } = {
  name: text,
  team: text,
  project: text,
  user: text,
  tags: (value, at) => texts(value, at, MAX_TAGS),
  models,
  expiresAt: instant,
  budgets,
  limits: (value, at) => json(value, at, MAX_POLICY_BYTES),
  metadata,
}
const FIELDS = Object.keys(CHECKS) as (keyof KeyFields)[]
const KNOWN = new Set<string>([...FIELDS, 'expiresInMs'])
const HINTS = new Map([
  ['alias', 'name'],
  ['duration', 'expiresInMs'],
  ['ttl', 'expiresInMs'],
  ['ttlMs', 'expiresInMs'],
  ['expires', 'expiresAt'],
  ['budget', 'budgets'],
  ['max_budget', 'budgets'],
  ['rpm_limit', 'limits'],
  ['tpm_limit', 'limits'],
  ['allowedModels', 'models'],
])

/** The fields of a key out of a store, each checked as it was when it came in; throws where one is not. */
export function fieldsOf(stored: Readonly<Record<string, unknown>>): KeyFields {
  return pick(stored, FIELDS, 'The stored key: ')
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly (keyof KeyFields)[], at: string): KeyFields {
  const fields: Record<string, unknown> = {}
  for (const name of names) if (from[name] !== undefined) fields[name] = CHECKS[name](from[name], `${at}${name}`)
  return fields
}

/** Both forms of an expiry as the one that is kept; `null` removes it. */
function expiry({ expiresAt, expiresInMs }: KeyUpdate, where: string, nowMs: number): number | null | undefined {
  if (expiresInMs === undefined) {
    if (typeof expiresAt === 'number' && expiresAt <= nowMs) throw bad(`${where}.expiresAt is in the past. Give epoch milliseconds (not seconds) in the future, or expiresInMs; to end a key now, revoke it.`)
    return expiresAt
  }
  if (expiresAt !== undefined) throw bad(`${where} has both expiresAt and expiresInMs. Give one of them.`)
  if (expiresInMs === null) return null
  if (typeof expiresInMs !== 'number' || !(expiresInMs > 0 && nowMs + expiresInMs <= LAST_MS)) throw bad(`${where}.expiresInMs must be a number of milliseconds above 0. Leave it out where the key does not expire.`)
  return nowMs + expiresInMs
}

/** Checks a spec (`where` names it in errors); throws `invalid_request`. */
export function checkSpec(spec: KeySpec, where: string, nowMs: number): KeyFields {
  const given = known(spec, where)
  return pick({ ...given, expiresAt: expiry(given, where, nowMs) }, FIELDS, `${where}.`)
}

/** Checks the changes of an update; throws `invalid_request`. */
export function checkUpdate(changes: KeyUpdate, where: string, nowMs: number): CheckedUpdate {
  const given: Readonly<Record<string, unknown>> = known(changes, where)
  const all: Readonly<Record<string, unknown>> = { ...given, expiresAt: expiry(given, where, nowMs) }
  const changed = FIELDS.filter(name => all[name] !== undefined)
  return { set: pick(all, changed.filter(name => all[name] !== null), `${where}.`), changed }
}

function known<T extends KeyUpdate>(given: T, where: string): T {
  if (!isObject(given)) throw bad(`${where} takes an object such as { team: ${quoted('search')}, models: [${quoted('smart')}] }.`)
  refuseUnknownKeys(given, KNOWN, where, 'invalid_request', HINTS)
  return given
}
