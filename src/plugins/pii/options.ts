import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import { nearest, refuseUnknownKeys } from '../../protocol/suggest.js'
import { ActionTable, checkHashKey, Hmac, type PiiActions, type PiiHashKey } from './actions.js'
import { DEFAULT_TYPES, isOfCountries } from './detect-options.js'
import type { PiiModel } from './mask.js'
import { NATIONAL } from './national/index.js'
import type { PiiReport } from './policy.js'
import { REACH } from './redact.js'
import type { RestoreOptions } from './restore.js'
import type { DetectOptions, Detector } from './types.js'

/** What {@link redactPii} takes: what is looked for, and what is done with it. */
export interface RedactPiiOptions extends DetectOptions {
  /** `redact` for everything. In arguments of calls that the model makes, nothing is changed unless `toolArguments` is named. */
  readonly actions?: PiiActions
  /** Placeholders in answers become values again; secrets never do. Default: false. */
  readonly restore?: boolean | RestoreOptions
  /** Whether placeholders are numbered, one session for each conversation. Without one, `[EMAIL]` stands for every address. Default: true. */
  readonly session?: boolean
  /** Conversations whose sessions are kept, those used last. Default: 1,000. */
  readonly maxSessions?: number
  /** For the action `hash`. */
  readonly hashKey?: PiiHashKey
  /** Hears of each finding. Never told a value. */
  readonly onReport?: (report: PiiReport) => void
  /** What happens to a call with images, files or recordings, which are not searched. Default: `allow`. */
  readonly onUnscannable?: 'allow' | 'block'
  /** Beside the patterns: your own model, for names and the like. Asked for requests, not for answers. */
  readonly model?: PiiModel
}

/** The options, checked. */
export interface Settings {
  readonly detector: Detector
  readonly table: ActionTable
  readonly restore: RestoreOptions | undefined
  readonly session: boolean
  readonly maxSessions: number
  readonly hashKey: PiiHashKey | undefined
  /** Of a key that is the same for all calls. */
  readonly hmac: Hmac | undefined
  readonly onReport: ((report: PiiReport) => void) | undefined
  readonly onUnscannable: 'allow' | 'block'
  readonly model: PiiModel | undefined
  readonly reach: number
  readonly wary: boolean
  readonly keys: boolean
}

const DETECT = ['types', 'countries', 'known', 'recognisers', 'allow', 'thresholds'] as const
const OPTIONS = new Set<string>([...DETECT, 'actions', 'restore', 'session', 'maxSessions', 'hashKey', 'onReport', 'onUnscannable', 'model'])
const HINTS = new Map([
  ['entities', 'types'],
  ['patterns', 'recognisers'],
  ['recognizers', 'recognisers'],
  ['action', 'actions'],
  ['allowlist', 'allow'],
  ['deny', 'known'],
])
const RESTORE = new Set(['urls', 'images', 'toolCalls'])
/** Types whose values have words in them. */
const WORDY = new Set(['ADDRESS', 'DATE_OF_BIRTH', 'PLATE'])
const WORDY_REACH = 96
const MOST_SESSIONS = 1_000

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function must(condition: boolean, message: string): void {
  if (!condition) throw bad(message)
}

/** Checks everything; what is looked for is checked by whoever makes the detector. Throws `invalid_config`. */
export function settingsOf(options: RedactPiiOptions, detectorOf: (options: DetectOptions) => Detector): Settings {
  checkForms(options)
  const { actions = 'redact', session = true, maxSessions = MOST_SESSIONS, hashKey, onReport, onUnscannable = 'allow', model } = options
  const detector = detectorOf(Object.fromEntries(DETECT.flatMap(key => (options[key] === undefined ? [] : [[key, options[key]]]))))
  const table = new ActionTable(actions, knowsOf(options))
  must(!table.hashes || hashKey !== undefined, `The action 'hash' needs a "hashKey": without one anyone can hash guesses and compare.`)
  const types = wanted(options)
  return {
    detector,
    table,
    restore: restoreOf(options.restore, session),
    session,
    maxSessions,
    hashKey,
    hmac: hashKey === undefined || typeof hashKey === 'function' ? undefined : new Hmac(hashKey),
    onReport,
    onUnscannable,
    model,
    reach: reachOf(options, types),
    wary: hasOwn(options) || types.some(type => WORDY.has(type)),
    keys: types.includes('SECRET'),
  }
}

function hasOwn({ known = {}, recognisers = [] }: RedactPiiOptions): boolean {
  return Object.keys(known).length > 0 || recognisers.length > 0
}

function checkForms(options: RedactPiiOptions): void {
  must(isObject(options), 'The options of redactPii must be an object.')
  refuseUnknownKeys(options, OPTIONS, 'redactPii', 'invalid_config', HINTS)
  const { session, maxSessions, hashKey, onReport, onUnscannable, model } = options
  must(session === undefined || typeof session === 'boolean', '"session" must be a boolean.')
  must(maxSessions === undefined || (Number.isSafeInteger(maxSessions) && maxSessions >= 1), '"maxSessions" must be a whole number of at least 1.')
  must(onReport === undefined || typeof onReport === 'function', '"onReport" must be a function of a report.')
  must(model === undefined || typeof model === 'function', '"model" must be a function that gives the findings in a text.')
  must(onUnscannable === undefined || onUnscannable === 'allow' || onUnscannable === 'block', `"onUnscannable" must be 'allow' or 'block'.`)
  if (typeof hashKey !== 'function' && hashKey !== undefined) checkHashKey(hashKey)
}

function restoreOf(restore: unknown, session: boolean): RestoreOptions | undefined {
  if (restore === undefined || restore === false) return undefined
  if (isObject(restore)) {
    refuseUnknownKeys(restore, RESTORE, '"restore"')
    for (const [key, value] of Object.entries(restore)) must(typeof value === 'boolean', `restore.${key} must be a boolean.`)
  } else must(restore === true, '"restore" must be a boolean, or { urls?, images?, toolCalls? }.')
  must(session, '"restore" needs a session, which is what knows the values. Leave "session" out, or "restore".')
  return restore === true ? {} : (restore as RestoreOptions)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** The types that are asked for by name; `default` stands for the usual ones. */
function wanted({ types }: RedactPiiOptions): readonly string[] {
  if (types === undefined) return DEFAULT_TYPES
  return listOf(types).flatMap((type): readonly string[] => (type === 'default' ? DEFAULT_TYPES : [String(type)]))
}

/** Whether a type is looked for, or the one that was meant. */
function knowsOf(options: RedactPiiOptions): (type: string) => true | string | undefined {
  const own = [...Object.keys(options.known ?? {}), ...listOf(options.recognisers).map(one => (isObject(one) ? String(one['type']) : ''))]
  const national = NATIONAL.filter(row => isOfCountries(row, options.countries)).map(row => row.type)
  const known = new Set<string>([...wanted(options), ...national, ...own])
  return type => known.has(type) || (options.model !== undefined && /^[A-Z][A-Z_]{1,23}$/.test(type)) || nearest(type, known)
}

/** How far a value of the user's own may go on in plain words. */
function reachOf({ known = {}, recognisers = [] }: RedactPiiOptions, types: readonly string[]): number {
  let reach = types.some(type => WORDY.has(type)) ? WORDY_REACH : REACH
  for (const value of Object.values(known).flatMap(listOf)) if (typeof value === 'string' && /\s/.test(value)) reach = Math.max(reach, value.length + 8)
  for (const { maxLength } of recognisers) reach = Math.max(reach, Math.min(maxLength, 2_048))
  return reach
}
