import { inspect } from 'node:util'
import { expect } from 'vitest'
import { GatewayError, type CallRecord, type ChatEvent, type Plugin } from '../../src/index.js'

/** Looks like a key; no error, log or snapshot may hold it. */
export const KEY = 'sk-never-print-me-0123456789'

/** Runs what must fail and gives its typed error, after looking for the key in every way the error can be printed. */
export async function thrown(work: () => unknown): Promise<GatewayError> {
  let error: unknown
  try {
    await work()
  } catch (caught) {
    error = caught
  }
  if (!GatewayError.is(error)) throw new Error(`not a GatewayError: ${inspect(error)}`)
  for (const text of [error.message, inspect(error, { depth: 9 }), JSON.stringify(error), String(error.stack)]) expect(text).not.toContain(KEY)
  expect(error.message).toMatch(/[.?]$/)
  return error
}

/** A plugin that keeps the records of finished calls. */
export function witness(content = false): Plugin & { readonly records: CallRecord[] } {
  const records: CallRecord[] = []
  return { name: 'witness', content, records, observe: record => void records.push(record) }
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = []
  for await (const item of items) out.push(item)
  return out
}

export const typesOf = (events: readonly ChatEvent[]): readonly string[] => events.map(event => event.type)

/** What was sent through `fetch`, and a server that answers every request the same way. */
export function fakeFetch(message: object = { role: 'assistant', content: 'Hello' }): { readonly fetch: typeof fetch; readonly sent: { readonly url: string; readonly headers: Headers; readonly body: Record<string, unknown> }[] } {
  const sent: { url: string; headers: Headers; body: Record<string, unknown> }[] = []
  return {
    sent,
    fetch: (input, init) => {
      const request = new Request(input, init)
      return request.text().then(text => {
        sent.push({ url: request.url, headers: request.headers, body: JSON.parse(text) as Record<string, unknown> })
        const finish = 'tool_calls' in message ? 'tool_calls' : 'stop'
        return Response.json({ id: 'x-1', object: 'chat.completion', model: 'm-1', choices: [{ index: 0, message, finish_reason: finish }], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })
      })
    },
  }
}
