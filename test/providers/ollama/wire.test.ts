import { afterEach, describe, expect, it } from 'vitest'
import { Gateway, ollama } from '../../../src/index.js'
import { faultOf, httpServer, type Loopback } from '../../transport/server.js'
import { last, line } from './support.js'

let server: Loopback | undefined
afterEach(() => server?.stop())

const LINES = [line({ thinking: 'Hm.' }), line({ content: 'Fo' }), line({ content: 'ur ü' }), last()].map(each => JSON.stringify(each))

async function asked(type: string, body: string | readonly Uint8Array[], how: 'chat' | 'stream', status = 200) {
  server = await httpServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(status, { 'content-type': type })
      for (const chunk of typeof body === 'string' ? [body] : body) response.write(chunk)
      response.end()
    })
  })
  const gateway = new Gateway({ routes: { local: ollama('qwen3:8b', { baseUrl: server.url }) }, retry: { attempts: 1, maxAttempts: 1 } })
  try {
    if (how === 'chat') return await gateway.chat({ model: 'local', messages: 'Hello' })
    return await (await gateway.stream({ model: 'local', messages: 'Hello' })).result()
  } finally {
    await gateway.close()
  }
}

const FOUR = { text: 'Four ü', reasoning: 'Hm.', finishReason: 'stop', usage: { inputTokens: 26, outputTokens: 12 } }

describe('an answer is read by what it is', () => {
  it.each<[string, string, string | readonly Uint8Array[], 'chat' | 'stream']>([
    ['lines, as they should be', 'application/x-ndjson', `${LINES.join('\n')}\n`, 'stream'],
    ['lines byte by byte', 'application/x-ndjson', [...new TextEncoder().encode(LINES.join('\r\n'))].map(byte => new Uint8Array([byte])), 'stream'],
    ['lines under the name of JSON', 'application/json; charset=utf-8', `${LINES.join('\n')}\n`, 'stream'],
    ['lines where a body was asked for', 'application/x-ndjson', LINES.join('\n'), 'chat'],
    ['lines without a type that says anything', 'text/plain', LINES.join('\n'), 'stream'],
    ['one body', 'application/json', JSON.stringify(last('stop', undefined, { thinking: 'Hm.', content: 'Four ü' })), 'chat'],
    ['one body where lines were asked for', 'application/json', JSON.stringify(last('stop', undefined, { thinking: 'Hm.', content: 'Four ü' }), null, 2), 'stream'],
  ])('%s', async (_, type, body, how) => {
    expect(await asked(type, body, how)).toMatchObject(FOUR)
  })
})

describe('a fault', () => {
  it.each<[string, string, string, number, string]>([
    ['an error in the stream', 'application/x-ndjson', `${LINES[0]}\n{"error":"model runner has unexpectedly stopped"}\n`, 200, 'upstream_error'],
    ['an error in a good body', 'application/json', '{"error":"model runner has unexpectedly stopped"}', 200, 'upstream_error'],
    ['a stream that is cut', 'application/x-ndjson', `${LINES[0]}\n`, 200, 'malformed_response'],
    ['a cut stream under the name of JSON', 'application/json', `${LINES[0]}\n${LINES[1]}\n`, 200, 'malformed_response'],
    ['a page', 'text/html', '<html></html>', 200, 'malformed_response'],
    ['no model', 'application/json', '{"error":"model not found"}', 404, 'model_not_found'],
  ])('is typed: %s', async (_, type, body, status, code) => {
    expect((await faultOf(asked(type, body, 'stream', status))).code).toBe(code)
  })
})
