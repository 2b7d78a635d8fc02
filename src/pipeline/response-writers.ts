import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent, FinishReason } from '../protocol/events.js'
import type { ResponseFormat } from './response.js'

const FINISH: Readonly<Record<FinishReason, string>> = { stop: 'stop', length: 'length', 'tool-calls': 'tool_calls', 'content-filter': 'content_filter', other: 'stop' }

/** Turns one event into a piece of a response body. */
export interface Writer {
  write(event: ChatEvent): string
  fail(error: unknown): string | undefined
  end(): string
}

/** How each format says an event. */
export function writerOf(format: ResponseFormat, id: string): Writer {
  if (format === 'text') return { write: event => (event.type === 'text-delta' ? event.text : ''), fail: () => undefined, end: () => '' }
  if (format === 'openai') return chunks(id)
  return {
    write: event => sse(event.type === 'file' && typeof event.data !== 'string' ? { ...event, data: base64(event.data) } : event, event.type),
    fail: error => sse({ type: 'error', error: told(error) }, 'error'),
    end: () => '',
  }
}

function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}

/** What a remote reader may know of an error: its code and what to do, not who was asked. */
function told(error: unknown): { readonly code: string; readonly message: string } {
  return GatewayError.is(error) ? { code: error.code, message: error.message } : { code: 'upstream_error', message: 'The stream failed.' }
}

function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

function chunks(id: string): Writer {
  const chunk = (delta: object, finishReason: string | null = null, extra: object = {}): string =>
    sse({ id, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finishReason }], ...extra })
  const argued = new Set<number>()
  let begun = false
  const first = (delta: object): object => {
    if (begun) return delta
    begun = true
    return { role: 'assistant', ...delta }
  }
  return {
    write: event => {
      switch (event.type) {
        case 'text-delta':
          return chunk(first({ content: event.text }))
        case 'reasoning-delta':
          return chunk(first({ reasoning_content: event.text }))
        case 'refusal-delta':
          return chunk(first({ refusal: event.text }))
        case 'tool-call-start':
          return chunk(first({ tool_calls: [{ index: event.index, id: event.id, type: 'function', function: { name: event.name, arguments: '' } }] }))
        case 'tool-call':
          // A hook may hold the pieces back until it has the whole, and a call without arguments has no pieces.
          if (argued.has(event.index)) return ''
          return chunk({ tool_calls: [{ index: event.index, function: { arguments: event.arguments } }] })
        case 'tool-call-delta':
          argued.add(event.index)
          return chunk({ tool_calls: [{ index: event.index, function: { arguments: event.arguments } }] })
        case 'restart':
          // This dialect cannot take text back; a reader must not see two answers glued together.
          throw new GatewayError(event.reason, "The answer broke off after it had begun. Read it as format 'events' to follow a restart.", { origin: 'upstream' })
        case 'finish':
          return chunk(first({}), FINISH[event.finishReason]) + sse({ id, object: 'chat.completion.chunk', choices: [], usage: usageOf(event.usage) })
        default:
          return ''
      }
    },
    fail: error => sse({ error: told(error) }),
    end: () => 'data: [DONE]\n\n',
  }
}

function usageOf({ inputTokens = 0, outputTokens = 0, cachedInputTokens = 0, reasoningTokens = 0 }: Extract<ChatEvent, { type: 'finish' }>['usage']): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cachedInputTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  }
}
