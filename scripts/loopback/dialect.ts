/** What a request asks for, read off its body. */
export interface Asked {
  readonly model: string
  readonly stream: boolean
  /** The stream's usage chunk is wanted. */
  readonly usage: boolean
  /** A word counts as a token. */
  readonly maxWords?: number
  /** The text of a last assistant message. */
  readonly prefill?: string
  readonly promptLength: number
}

/** What the server answers. */
export interface Answer {
  readonly id: string
  readonly requestId: string
  readonly model: string
  readonly createdMs: number
  readonly words: readonly string[]
  readonly cutByLimit: boolean
  readonly inputTokens: number
  /** Send the stream's usage chunk. */
  readonly usage: boolean
}

/** One piece of an event stream. */
export interface Piece {
  readonly data: string
  readonly kind: 'head' | 'word' | 'tail' | 'done'
}

/** Why a request is refused beside its status. */
export type Reason = 'contextLength' | 'contentFilter' | 'prefill' | 'missing' | 'path'

/** One provider's wire, as its server writes it. */
export interface Dialect {
  readonly path: string
  /** `undefined` where the body is not a request of this dialect. */
  asked(body: Record<string, unknown>): Asked | undefined
  idOf(attempt: number): string
  headers(requestId: string): Record<string, string>
  pieces(answer: Answer): readonly Piece[]
  json(answer: Answer): object
  /** The body of an error answer. */
  error(status: number, requestId: string, reason?: Reason): object
  /** An error in the middle of a stream. */
  errorPiece(requestId: string): string
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** All text of a message's content. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(part => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

/** The fields both dialects share. */
export function askedOf(body: Record<string, unknown>, usage: boolean, max: unknown): Asked | undefined {
  const { model, messages, stream } = body
  if (typeof model !== 'string' || !Array.isArray(messages) || messages.length === 0) return undefined
  const texts = messages.map(message => (isRecord(message) ? textOf(message['content']) : ''))
  const last: unknown = messages.at(-1)
  return {
    model,
    stream: stream === true,
    usage,
    promptLength: texts.reduce((sum, text) => sum + text.length, 0) + textOf(body['system']).length,
    ...(typeof max === 'number' && max > 0 && { maxWords: max }),
    ...(isRecord(last) && last['role'] === 'assistant' && { prefill: texts.at(-1) ?? '' }),
  }
}
