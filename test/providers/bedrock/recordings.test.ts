import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Usage } from '../../../src/protocol/events.js'
import { seededRandom } from '../../../src/testing/random.js'
import { adapter, collectFrames, collectJson, framesOf } from './support.js'

interface Recording {
  readonly id: string
  readonly response: { readonly status: number; readonly headers: Record<string, string>; readonly body: { readonly json?: unknown; readonly base64?: string } }
  readonly expect: {
    readonly outcome: string
    readonly choices: readonly { readonly text: string; readonly reasoning?: string; readonly toolCalls: readonly unknown[]; readonly finish: { readonly raw: string; readonly accept: readonly string[] } }[]
    readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number; readonly cacheWrite?: number }
    readonly error?: { readonly type?: string; readonly message: string; readonly class: string }
  }
}

const file = new URL('../../../../shared/recordings/bedrock.jsonl', import.meta.url)
const present = existsSync(file)
const all = present ? readFileSync(file, 'utf8').split('\n').filter(Boolean).map(line => JSON.parse(line) as Recording) : []
const random = seededRandom(5)

function pieces(bytes: Uint8Array, most: number): Uint8Array[] {
  const out: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + Math.floor(random() * most)
    out.push(bytes.subarray(at, next))
    at = next
  }
  return out
}
function answersOf({ response: { body } }: Recording) {
  if (body.base64 === undefined) return [collectJson(body.json)]
  const bytes = new Uint8Array(Buffer.from(body.base64, 'base64'))
  return [1, 7, 100, bytes.length].map(most => collectFrames(framesOf(pieces(bytes, most))))
}

function sameUsage(got: Usage | undefined, wanted: Recording['expect']['usage']): void {
  expect(got).toMatchObject(wanted === undefined ? {} : { inputTokens: wanted.input, outputTokens: wanted.output })
  expect(got?.cachedInputTokens ?? 0).toBe(wanted?.cached ?? 0)
  expect(got?.cacheWriteTokens ?? 0).toBe(wanted?.cacheWrite ?? 0)
}

describe.skipIf(!present)('recorded answers come out as a correct client reads them', () => {
  it.each(all.filter(line => line.expect.outcome === 'completion').map(line => [line.id, line] as const))('%s', (_, line) => {
    const [choice] = line.expect.choices
    const { usage } = line.expect
    for (const got of answersOf(line)) {
      expect(got.text).toBe(choice?.text)
      expect(got.reasoning).toBe(choice?.reasoning ?? '')
      expect(got.toolCalls.map(call => ({ id: call.id, name: call.name, arguments: call.input }))).toEqual(choice?.toolCalls)
      expect(got.finish?.rawFinishReason).toBe(choice?.finish.raw)
      expect(choice?.finish.accept).toContain(got.finish?.finishReason.replace('-', '_'))
      sameUsage(got.finish?.usage, usage)
      expect(got.warnings.map(({ code }) => code)).toEqual(usage === undefined ? ['missing_terminal'] : [])
    }
  })

  it.each(all.filter(line => line.expect.outcome === 'error').map(line => [line.id, line] as const))('%s is an error of the right class', (_, { response, expect: { error } }) => {
    const fault = adapter.fault(response.status, response.headers, response.body.json, 0)
    expect(fault.code).toBe(error?.class === 'authentication' ? 'credential_rejected' : error?.class)
    expect(fault.upstream?.type).toBe(error?.type)
    expect(fault.upstream?.message).toBe(error?.message)
    expect(fault.upstream?.requestId).toBe(response.headers['x-amzn-requestid'])
  })
})
