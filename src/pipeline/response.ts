import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import type { Writer } from './response-writers.js'

export type ResponseFormat = 'events' | 'openai' | 'text'

const SSE = 'text/event-stream; charset=utf-8'
const TYPES: ReadonlyMap<unknown, string> = new Map([
  ['events', SSE],
  ['openai', SSE],
  ['text', 'text/plain; charset=utf-8'],
])

/** Streams events out as a web `Response`; a reader that leaves closes the upstream. Nothing is read for an unknown format. */
export function toResponse(read: () => AsyncIterator<ChatEvent, undefined>, id: string, format: ResponseFormat): Response {
  const type = TYPES.get(format)
  if (type === undefined) throw new GatewayError('invalid_request', `toResponse() has no format ${JSON.stringify(String(format).slice(0, 40))}. Use 'events', 'openai' or 'text'.`)
  const events = read()
  let writer: Writer | undefined
  const encoder = new TextEncoder()
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      writer ??= (await import('./response-writers.js')).writerOf(format, id)
      try {
        for (;;) {
          const { done, value } = await events.next()
          const piece = done === true ? writer.end() : writer.write(value)
          if (piece !== '') controller.enqueue(encoder.encode(piece))
          if (done === true) return controller.close()
          if (piece !== '') return
        }
      } catch (error) {
        const told = writer.fail(error)
        if (told === undefined) return controller.error(error)
        controller.enqueue(encoder.encode(told))
        controller.close()
      }
    },
    async cancel() {
      await events.return?.()
    },
  })
  return new Response(body, { headers: { 'content-type': type, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' } })
}
