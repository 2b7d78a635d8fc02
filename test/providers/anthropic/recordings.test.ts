import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { collect } from '../../../src/protocol/collect.js'
import type { Usage } from '../../../src/protocol/events.js'
import type { GatewayError } from '../../../src/protocol/errors.js'
import { anthropicAdapter } from '../../../src/providers/anthropic/adapter.js'
import { decoder, eventsOfFrames, eventsOfJson, split } from './support.js'

interface Call { readonly id: string; readonly name: string; readonly arguments: unknown }
interface Expected {
  readonly outcome: 'completion' | 'error'
  readonly choices: readonly { readonly text: string; readonly reasoning?: string; readonly toolCalls: readonly Call[]; readonly finish: { readonly raw: string; readonly accept: readonly string[] } }[]
  readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number; readonly cacheWrite?: number; readonly reasoning?: number }
  readonly error?: { readonly type: string; readonly message: string; readonly class: string }
}
interface Recording {
  readonly id: string
  readonly response: { readonly status: number; readonly headers?: Record<string, string>; readonly body: { readonly json?: unknown; readonly text?: string } }
  readonly expect: Expected
}

const file = new URL('../../../../shared/recordings/anthropic.jsonl', import.meta.url)
const present = existsSync(file)
const all = present ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line) as Recording) : []
// Several bodies glued together: only the first message is one answer.
const GLUED = new Set(['anthropic-003', 'anthropic-004'])
const CODES: Record<string, string> = { invalid_request: 'invalid_request', authentication: 'credential_rejected' }
const eventsOf = ({ response: { body } }: Recording) => (body.text === undefined ? eventsOfJson(body.json) : eventsOfFrames(split(body.text)))

function sameUsage(got: Usage | undefined, wanted: Expected['usage']): void {
  expect(got).toMatchObject({ inputTokens: wanted?.input, outputTokens: wanted?.output })
  expect(got?.cachedInputTokens ?? 0).toBe(wanted?.cached ?? 0)
  expect(got?.cacheWriteTokens ?? 0).toBe(wanted?.cacheWrite ?? 0)
  expect(got?.reasoningTokens).toBe(wanted?.reasoning)
}

describe.skipIf(!present)('recorded answers come out as a correct client reads them', () => {
  it.each(all.filter(({ id, expect: { outcome } }) => outcome === 'completion' && !GLUED.has(id)).map(line => [line.id, line] as const))('%s', (_, line) => {
    const [choice] = line.expect.choices
    const got = collect(eventsOf(line))
    expect(got.text).toBe(choice?.text)
    expect(got.reasoning).toBe(choice?.reasoning ?? '')
    expect(got.toolCalls.map(call => ({ id: call.id, name: call.name, arguments: call.input }))).toEqual(choice?.toolCalls)
    expect(got.finish?.rawFinishReason).toBe(choice?.finish.raw)
    expect(choice?.finish.accept).toContain(got.finish?.finishReason.replace('-', '_'))
    sameUsage(got.finish?.usage, line.expect.usage)
    expect(got.warnings).toEqual([])
  })

  it.each(all.filter(({ expect: { outcome } }) => outcome === 'error').map(line => [line.id, line] as const))('%s is an error of the right class', (_, { response, expect: { error } }) => {
    const fault: GatewayError = anthropicAdapter.fault(response.status, response.headers ?? {}, response.body.json ?? response.body.text, 0)
    expect(fault.code).toBe(CODES[error?.class ?? ''])
    expect(fault.upstream?.type).toBe(error?.type)
    expect(fault.upstream?.message).toBe(error?.message)
    expect(fault.upstream?.requestId).toBe(response.headers?.['request-id'])
  })

  it.each([
    ['anthropic-003', [{ id: 'toolu_019jKkXz4jAdwHweHBw92CVY', name: 'rollDie', input: { player: 'player1' } }], { inputTokens: 3369, outputTokens: 725 }],
    ['anthropic-004', [{ id: 'toolu_01U8pzAHj2vNdPCA2Kf8JjeN', name: 'readNoteTree' }], { inputTokens: 879, outputTokens: 177 }],
  ] as const)('%s: the first of several glued messages is the answer, and nothing after its end is read', (id, calls, usage) => {
    const text = all.find(line => line.id === id)?.response.body.text ?? ''
    const decode = decoder('stream')
    const frames = split(text)
    const stop = frames.findIndex(frame => frame.event === 'message_stop')
    const got = collect(frames.slice(0, stop + 1).flatMap(frame => decode.frame(frame)))
    expect(got.toolCalls).toMatchObject(calls)
    expect(got.toolCalls).toHaveLength(1)
    expect(got.finish).toMatchObject({ finishReason: 'tool-calls', rawFinishReason: 'tool_use', usage })
    expect(decode.done).toBe(true)
    expect(frames.length).toBeGreaterThan(stop + 1)
    expect(frames.slice(stop + 1).flatMap(frame => decode.frame(frame))).toEqual([])
    expect(decode.end()).toEqual([])
  })
})
