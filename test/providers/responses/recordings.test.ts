import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { messagesOfStream, parse } from './recorded.js'
import { collect } from '../../../src/protocol/collect.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import { responsesAdapter } from '../../../src/providers/responses/adapter.js'
import { framesOf } from '../openai/support.js'
import { collectFrames, collectJson, decoder, fault } from './support.js'

const PATH = '../shared/recordings/openai-responses.jsonl'
const LINES = existsSync(PATH) ? parse(readFileSync(PATH, 'utf8')) : []
// Sealed anew in each event, so that no two are the same.
const SEALS = /(\\?"encrypted_content\\?":\\?")[\w=+/-]+/g
const CODES: ReadonlyMap<string, string> = new Map([['authentication', 'credential_rejected'], ['not_found', 'model_not_found'], ['invalid_request', 'invalid_request'], ['rate_limit', 'rate_limited']])

describe('recorded responses come out as a correct client reads them', () => {
  it.skipIf(LINES.length === 0)('has every line of the recording', () => {
    expect(LINES.length).toBeGreaterThan(30)
  })

  it.for(LINES.filter(line => line.expect.outcome === 'completion').map(line => [line.id, line] as const))('%s', ([, { response, expect: wanted, features }]) => {
    const { json, text = '' } = response.body
    const got = json === undefined ? collectFrames(messagesOfStream(framesOf(text))[0] ?? []) : collectJson(json)
    const [choice] = wanted.choices
    expect(got.toolCalls.map(({ id, name, input }) => ({ id, name, arguments: input }))).toEqual(choice?.toolCalls)
    expect(got.finish?.rawFinishReason).toBe(choice?.finish.raw)
    if (features.includes('x:concatenated')) return
    expect([got.text, got.reasoning]).toEqual([choice?.text, choice?.reasoning ?? ''])
    expect(got.finish?.usage).toMatchObject(wanted.usage === undefined ? {} : { inputTokens: wanted.usage.input, outputTokens: wanted.usage.output })
  })

  it.for(LINES.filter(line => line.wire === 'stream' && line.expect.outcome === 'completion').map(line => [line.id, line] as const))('%s: what its end says is what its events said', ([, { response }]) => {
    for (const frames of messagesOfStream(framesOf((response.body.text ?? '').replace(SEALS, '$1sealed')))) {
      const ended = JSON.parse(frames.at(-1)?.data ?? '') as { response: unknown }
      expect(collectFrames(frames)).toEqual(collect(decoder('json').json(ended.response)))
    }
  })

  it.for(LINES.filter(line => line.expect.outcome !== 'completion').map(line => [line.id, line] as const))('%s', ([, { response, expect: { error } }]) => {
    const { json, text = '' } = response.body
    const body: unknown = json ?? (text.startsWith('{') ? JSON.parse(text) : undefined)
    const got = response.status < 400 ? fault(() => collectFrames(framesOf(text))) : responsesAdapter(QUIRKS.openai).fault(response.status, response.headers, body, 0)
    expect(got.code).toBe(CODES.get(error?.class ?? ''))
    expect(got.upstream?.message).toBe(error?.message)
  })
})
