import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { collect, type Collected } from '../../../src/protocol/collect.js'
import { GatewayError, verdict } from '../../../src/protocol/errors.js'
import { isObject, tryParseJson } from '../../../src/protocol/json.js'
import { openaiAdapter } from '../../../src/providers/openai/adapter.js'
import { QUIRKS } from '../../../src/providers/openai/quirk-rows.js'
import type { Quirks } from '../../../src/providers/openai/quirks.js'
import { caught, decoder, framesOf, play } from './support.js'

interface Line {
  readonly id: string
  readonly vendor: string
  readonly wire: 'json' | 'stream'
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: { readonly json?: unknown; readonly text?: string } }
  readonly expect: {
    readonly outcome: 'completion' | 'error' | 'malformed'
    readonly choices: readonly {
      readonly text: string
      readonly reasoning?: string
      readonly refusal?: string
      readonly toolCalls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[]
      readonly finish: { readonly raw: string | null; readonly accept: readonly (string | null)[] }
    }[]
    readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number; readonly cacheWrite?: number; readonly reasoning?: number }
    readonly error?: { readonly class: string; readonly retryable: boolean; readonly message?: string; readonly code?: string }
  }
}

const PATHS: Readonly<Record<string, string>> = { openai: '../shared/recordings/openai-chat.jsonl', mistral: '../shared/recordings/mistral.jsonl' }
const CODES: ReadonlyMap<string, string> = new Map([
  ['authentication', 'credential_rejected'], ['permission', 'credential_rejected'], ['not_found', 'model_not_found'], ['invalid_request', 'invalid_request'],
  ['rate_limit', 'rate_limited'], ['quota', 'quota_exhausted'], ['context_length', 'context_length'], ['content_filter', 'content_filter'],
  ['server', 'upstream_error'], ['overloaded', 'overloaded'], ['too_large', 'invalid_request'],
])

function linesOf(path: string): Line[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Line) : []
}

function quirksOf(vendor: string): Quirks {
  return Object.hasOwn(QUIRKS, vendor) ? QUIRKS[vendor as keyof typeof QUIRKS] : {}
}

function answer({ vendor, wire, response }: Line): Collected {
  const { json, text = '' } = response.body
  if (wire === 'stream') return collect(play(framesOf(text), quirksOf(vendor)))
  return collect(decoder(quirksOf(vendor), 'json').json(json ?? tryParseJson(text) ?? text))
}

const WORDS: ReadonlyMap<string, readonly (string | null)[]> = new Map([
  ['tool-calls', ['tool_calls']], ['content-filter', ['content_filter']], ['stop', ['stop', null, 'unknown']], ['other', [null, 'unknown']], ['length', ['length']],
])

function checkFinish({ finish }: Collected, line: Line): void {
  const expected = line.expect.choices[0]?.finish
  expect(WORDS.get(finish?.finishReason ?? '')?.some(word => expected?.accept.includes(word)), `${String(finish?.finishReason)} for ${String(expected?.raw)}`).toBe(true)
  expect(finish?.rawFinishReason ?? '').toBe(expected?.raw ?? '')
  const { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, reasoningTokens } = finish?.usage ?? {}
  const nothing = { input: undefined, output: undefined, cached: undefined, cacheWrite: undefined, reasoning: undefined }
  expect({ input: inputTokens, output: outputTokens, cached: cachedInputTokens, cacheWrite: cacheWriteTokens, reasoning: reasoningTokens }).toEqual({ ...nothing, ...line.expect.usage })
}

function checkAnswer(line: Line): void {
  const got = answer(line)
  const [choice] = line.expect.choices
  if (choice === undefined) throw new Error('The recording expects no choice.')
  expect(got.text).toBe(choice.text)
  expect(got.reasoning).toBe(choice.reasoning ?? '')
  expect(got.refusal).toBe(choice.refusal)
  expect(got.toolCalls.map(({ id, name, input }) => ({ id, name, arguments: input }))).toEqual(choice.toolCalls)
  checkFinish(got, line)
}

function checkError({ vendor, response, expect: { error } }: Line): void {
  const { json, text } = response.body
  const body = json ?? (text === undefined ? undefined : (tryParseJson(text) ?? text))
  const inside = response.status < 400
  const fault = inside ? caught(() => decoder(quirksOf(vendor)).json(body)) : openaiAdapter(quirksOf(vendor)).fault(response.status, response.headers, body, 0)
  if (!GatewayError.is(fault)) throw new Error('Not a GatewayError.')
  expect(fault.code).toBe(CODES.get(error?.class ?? ''))
  expect(verdict(fault.code).retry).toBe(error?.retryable)
  if (error?.message !== undefined && isObject(body)) expect(fault.upstream?.message).toContain(error.message)
  expect(fault.message).not.toContain(error?.message ?? 'nothing')
}

describe.each(Object.entries(PATHS))('recorded %s exchanges come out as a correct client reads them', (_, path) => {
  const lines = linesOf(path)
  it.skipIf(lines.length === 0)('has every line of the recording', () => {
    expect(lines.length).toBeGreaterThan(20)
  })
  it.for(lines.map(line => [line.id, line] as const))('%s', ([, line]) => {
    if (line.expect.outcome === 'completion') checkAnswer(line)
    else if (line.expect.outcome === 'error') checkError(line)
    else expect(caught(() => answer(line))).toMatchObject({ code: 'malformed_response' })
  })
})
