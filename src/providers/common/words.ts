import { isObject, numberAt, stringAt, tryParseJson } from '../../protocol/json.js'
import { durationMs } from '../faults.js'

type Word = 'type' | 'code' | 'param' | 'message' | 'generated'
/** What an error body says. `status` is the one it names itself, `waitMs` how long it asks to wait. */
type Words = { -readonly [K in Word]?: string } & { status?: number; waitMs?: number | undefined }

// Codes that one server puts under `base_resp` of a 200.
const BASE_STATUS: ReadonlyMap<number, number> = new Map([[1001, 504], [1002, 429], [1004, 401], [1008, 402], [1026, 400], [1027, 400], [1039, 429], [2013, 400], [2049, 401]])
const BASE_CODE: ReadonlyMap<number, string> = new Map([[1026, 'content_filter'], [1027, 'content_filter']])

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value < 600
}

function textAt(from: Record<string, unknown>, key: string): string | undefined {
  const value = from[key]
  return typeof value === 'number' ? String(value) : stringAt(from, key)
}

function put(words: Words, key: Word, value: string | undefined): void {
  if (value !== undefined) words[key] ??= value
}

// One vendor lists beside its status what is wrong and how long to wait.
function detailed(details: unknown, key: string): string | undefined {
  return Array.isArray(details) ? details.map(detail => stringAt(detail, key)).find(found => found !== undefined) : undefined
}

function readObject(error: Record<string, unknown>, words: Words): void {
  const inner = stringAt(error['innererror'], 'code') ?? detailed(error['details'], 'reason')
  words.waitMs ??= durationMs(detailed(error['details'], 'retryDelay') ?? '')
  const code = textAt(error, 'code')
  // A bare status says less than the inner word.
  put(words, 'code', inner !== undefined && (code === undefined || /^\d+$/.test(code)) ? inner : code)
  put(words, 'type', stringAt(error, 'type') ?? stringAt(error, 'status'))
  put(words, 'param', stringAt(error, 'param'))
  const metadata = error['metadata']
  // A 403 about the prompt is no fault of the key.
  if (isObject(metadata) && 'flagged_input' in metadata) words.code = 'content_filter'
  const raw = stringAt(metadata, 'raw')
  const message = stringAt(error, 'message')
  put(words, 'message', raw === undefined ? message : `${message ?? 'Upstream'}: ${raw}`)
  put(words, 'generated', stringAt(error, 'failed_generation'))
  const status = [error['status_code'], error['status'], error['code']].find(isStatus)
  if (status !== undefined) words.status ??= status
}

function readDetail(detail: unknown, words: Words): void {
  if (typeof detail === 'string') put(words, 'message', detail)
  const first: unknown = Array.isArray(detail) ? detail[0] : detail
  if (!isObject(first)) return
  put(words, 'message', stringAt(first, 'msg') ?? stringAt(first, 'message'))
  put(words, 'type', stringAt(first, 'type'))
  put(words, 'code', stringAt(first, 'code'))
  if (Array.isArray(first['loc'])) put(words, 'param', first['loc'].filter(step => typeof step === 'string' || typeof step === 'number').join('.'))
}

function readBase(base: unknown, words: Words): void {
  const code = numberAt(base, 'status_code')
  if (code === undefined || code === 0) return
  words.status ??= BASE_STATUS.get(code) ?? 500
  put(words, 'code', BASE_CODE.get(code) ?? String(code))
  put(words, 'message', stringAt(base, 'status_msg'))
}

/** What an error body says, in any of the shapes that are seen: an error object or text, a detail, a message at the top. */
export function wordsOf(body: unknown): Words {
  const words: Words = {}
  const parsed = typeof body === 'string' ? (tryParseJson(body) ?? body) : body
  // One vendor wraps its error in a list.
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (typeof first === 'string' && !first.trimStart().startsWith('<')) put(words, 'message', first.trim().slice(0, 500) || undefined)
  if (!isObject(first)) return words
  const error = first['error']
  if (isObject(error)) readObject(error, words)
  else if (typeof error === 'string') put(words, 'message', error)
  const groq = isObject(first['x_groq']) ? first['x_groq']['error'] : undefined
  if (typeof groq === 'string') put(words, 'message', groq)
  else if (isObject(groq)) readObject(groq, words)
  readBase(first['base_resp'], words)
  readDetail(first['detail'], words)
  readObject(first, words)
  return words
}
