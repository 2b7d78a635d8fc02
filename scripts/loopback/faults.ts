/** How the loopback provider misbehaves for one request. Numbers of words count what is sent before it. */
export type Fault =
  | 'reset'
  | 'silent'
  | 'noDone'
  | 'errorEvent'
  | `errorAfter:${number}`
  | 'jsonError200'
  | 'html200'
  | 'jsonForStream'
  | 'sseForJson'
  | 'contextLength'
  | 'contentFilter'
  | 'refusesPrefill'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | object; readonly retryAfter?: string }
  | { readonly slowFirst: number }
  | { readonly cutAfter: number; readonly slowFirst?: number }
  | { readonly truncateAfter: number }
  | { readonly stallAfter: number }
  | { readonly garbageAfter: number }
  | { readonly comments: number; readonly thenFirstAfter: number }

/** An answer in place of the completion, with its status. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A text is sent as it stands; without one the dialect writes its own error. */
  readonly body?: string | object
  readonly reason?: 'contextLength' | 'contentFilter' | 'prefill'
}

/** A fault in the terms of the server: what happens before the headers, and what in the body. */
export interface Plan {
  readonly before?: 'reset' | 'silent'
  readonly refusal?: Refusal
  /** Answer on the other wire than the one asked for. */
  readonly otherWire?: boolean
  readonly firstAfterMs?: number
  readonly commentEveryMs?: number
  readonly noDone?: boolean
  readonly breakAfter?: { readonly words: number; readonly how: 'cut' | 'truncate' | 'stall' | 'garbage' | 'error' }
}

const HTML = '<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>'
const NAMED = new Map<string, (streamed: boolean, prefilled: boolean) => Plan>([
  ['reset', () => ({ before: 'reset' })],
  ['silent', () => ({ before: 'silent' })],
  ['noDone', () => ({ noDone: true })],
  ['errorEvent', () => ({ breakAfter: { words: -1, how: 'error' } })],
  ['jsonError200', () => ({ refusal: { status: 200, headers: {} } })],
  ['html200', () => ({ refusal: { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' }, body: HTML } })],
  ['jsonForStream', streamed => ({ otherWire: streamed })],
  ['sseForJson', streamed => ({ otherWire: !streamed })],
  ['contextLength', () => ({ refusal: { status: 400, headers: {}, reason: 'contextLength' } })],
  ['contentFilter', () => ({ refusal: { status: 400, headers: {}, reason: 'contentFilter' } })],
  ['refusesPrefill', (_streamed, prefilled) => (prefilled ? { refusal: { status: 400, headers: {}, reason: 'prefill' } } : {})],
])

function namedPlan(fault: string, streamed: boolean, prefilled: boolean): Plan {
  const after = /^errorAfter:(\d{1,9})$/.exec(fault)
  if (after !== null) return { breakAfter: { words: Number(after[1]), how: 'error' } }
  const make = NAMED.get(fault)
  if (make === undefined) throw new Error(`The loopback provider knows no fault ${JSON.stringify(fault)}.`)
  return make(streamed, prefilled)
}

/** Puts a fault into the terms of the server; throws for one it does not know. */
export function planOf(fault: Fault | undefined, streamed: boolean, prefilled: boolean): Plan {
  if (fault === undefined) return {}
  if (typeof fault === 'string') return namedPlan(fault, streamed, prefilled)
  if ('status' in fault) {
    const headers = { ...fault.headers, ...(fault.retryAfter !== undefined && { 'retry-after': fault.retryAfter }) }
    return { refusal: { status: fault.status, headers, ...(fault.body !== undefined && { body: fault.body }) } }
  }
  if ('comments' in fault) return { firstAfterMs: fault.thenFirstAfter, commentEveryMs: fault.comments }
  if ('cutAfter' in fault) return { ...(fault.slowFirst !== undefined && { firstAfterMs: fault.slowFirst }), breakAfter: { words: fault.cutAfter, how: 'cut' } }
  if ('slowFirst' in fault) return { firstAfterMs: fault.slowFirst }
  if ('truncateAfter' in fault) return { breakAfter: { words: fault.truncateAfter, how: 'truncate' } }
  if ('stallAfter' in fault) return { breakAfter: { words: fault.stallAfter, how: 'stall' } }
  if ('garbageAfter' in fault) return { breakAfter: { words: fault.garbageAfter, how: 'garbage' } }
  throw new Error(`The loopback provider knows no fault ${JSON.stringify(fault)}.`)
}
