import { isObject } from '../../src/protocol/json.js'

/** A tool call as a correct client reads it. */
export interface ExpectedCall {
  readonly id?: string
  readonly name: string
  readonly arguments: unknown
}
/** What a correct client makes of a response. */
export interface Expected {
  readonly outcome: 'completion' | 'error' | 'stream_error' | 'malformed' | 'prompt_blocked'
  readonly choices: readonly {
    readonly text: string
    readonly reasoning?: string
    readonly refusal?: string
    readonly toolCalls: readonly ExpectedCall[]
    readonly finish: { readonly raw: string | null; readonly accept: readonly (string | null)[] }
  }[]
  readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number; readonly cacheWrite?: number; readonly reasoning?: number }
  readonly error?: { readonly class: string; readonly retryable: boolean; readonly type?: string; readonly code?: string | number; readonly reason?: string; readonly retry_after_ms?: number; readonly param?: string; readonly message?: string }
}
/** One recorded exchange: a line of a file. */
export interface Recording {
  readonly id: string
  readonly vendor: string
  /** What is particular to it, such as `x:concatenated`. */
  readonly features?: readonly string[]
  readonly wire: 'json' | 'stream'
  readonly request: { readonly method: string; readonly path: string; readonly query?: string; readonly headers: Readonly<Record<string, string>>; readonly body?: { readonly json?: unknown } | null }
  readonly response: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: { readonly json?: unknown; readonly text?: string; readonly base64?: string } }
  readonly expect: Expected
}

/** Reads a file of recordings, a line each. Throws where a line is not one. */
export function parseRecordings(text: string): Recording[] {
  return text.split('\n').filter(line => line.trim() !== '').map((line, at) => {
    const value: unknown = JSON.parse(line)
    if (!isObject(value) || typeof value['id'] !== 'string' || !isObject(value['request']) || !isObject(value['response']) || !isObject(value['expect'])) throw new Error(`Line ${at + 1} is not a recording.`)
    return value as unknown as Recording
  })
}

/** The recorded request body; `undefined` where none was recorded. */
export function requestBody({ request }: Recording): Record<string, unknown> | undefined {
  const json = request.body?.json
  return isObject(json) ? json : undefined
}

/** The response body as text. */
export function responseText({ response: { body } }: Recording): string {
  return body.text ?? JSON.stringify(body.json)
}

/** The bytes of a binary response body; `undefined` where it is text. */
export function responseBytes({ response: { body } }: Recording): Uint8Array | undefined {
  return body.base64 === undefined ? undefined : new Uint8Array(Buffer.from(body.base64, 'base64'))
}

/** The response is an event stream, whatever was asked for. */
export function isEventStream({ response }: Recording): boolean {
  return response.body.text !== undefined && (response.headers['content-type'] ?? '').startsWith('text/event-stream') && /^(?:data|event|id|retry|):/m.test(response.body.text)
}
