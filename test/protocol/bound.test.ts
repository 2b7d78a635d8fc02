import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { boundNanos, boundOf } from '../../src/protocol/bound.js'
import type { Usage } from '../../src/protocol/events.js'
import { bill } from '../../src/protocol/price.js'
import type { Price } from '../../src/protocol/rates.js'
import type { UpstreamRequest } from '../../src/protocol/request.js'

const request = (more: Partial<UpstreamRequest>): UpstreamRequest => ({ messages: [{ role: 'user', content: 'Hi' }], ...more })
const tokens = (more: Partial<UpstreamRequest>): number => boundOf(request(more), {}).inputTokens
const bytes = (text: string): number => new TextEncoder().encode(text).length

describe('the bound of a prompt', () => {
  it('is never below the bytes of its text, whatever it is written in', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => void expect(tokens({ messages: [{ role: 'user', content: text }] })).toBeGreaterThanOrEqual(bytes(text))))
  })

  it('counts names, ids, tools, schemas, options and what is sent back to a provider', () => {
    const long = 'x'.repeat(5_000)
    const rows: Partial<UpstreamRequest>[] = [
      { messages: [{ role: 'user', content: 'Hi', name: long }] },
      { messages: [{ role: 'tool', toolCallId: long, content: 'done' }] },
      { messages: [{ role: 'assistant', content: [{ type: 'tool-call', id: 'c', name: 't', input: { long }, arguments: '{}' }] }] },
      { messages: [{ role: 'assistant', content: [{ type: 'reasoning', text: '', providerData: { x: { long } } }] }] },
      { tools: [{ name: 't', description: long, inputSchema: {} }] },
      { output: { name: 'o', jsonSchema: { description: long } } },
      { providerOptions: { x: { long } } },
      { messages: [{ role: 'user', content: [{ type: 'file', data: long.repeat(10), mediaType: 'text/plain' }] }] },
    ]
    for (const row of rows) expect(tokens(row)).toBeGreaterThanOrEqual(5_000)
  })

  it('of an answer without an end has none', () => {
    expect(boundOf(request({}), {}).outputTokens).toBe(Infinity)
    expect(boundOf(request({ maxOutputTokens: 5 }), { maxOutputTokens: 9 }).outputTokens).toBe(5)
    expect(boundOf(request({}), { maxOutputTokens: 9 }).outputTokens).toBe(9)
  })
})

const rate = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1_000, noNaN: true }))
const kinds = ['cachedInput', 'cacheWrite', 'cacheWrite1h', 'inputAudio', 'cachedInputAudio', 'inputImage', 'reasoning', 'outputAudio', 'outputImage'] as const
const rates = fc.record(Object.fromEntries(kinds.map(kind => [kind, rate])), { requiredKeys: [] })
const tier = fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.record({ input: rate, output: rate, cachedInput: rate, reasoning: rate }, { requiredKeys: [] })).map(([above, more]) => ({ above, ...more }))
const service = fc.tuple(rates, fc.record({ input: rate, output: rate, tiers: fc.array(tier, { maxLength: 2 }) }, { requiredKeys: [] })).map(([some, more]) => ({ ...some, ...more }))
const price = fc.tuple(fc.record({ input: rate, output: rate }), rates, fc.record({ request: fc.double({ min: 0, max: 1, noNaN: true }), tiers: fc.array(tier, { maxLength: 3 }), serviceTiers: fc.record({ fast: service }) }, { requiredKeys: [] })).map(parts => Object.assign({}, ...parts) as Price)

describe('the bound in nano-dollars', () => {
  it('is a whole number, and never below the bill of anything that the tokens may turn out to be', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(price, fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 10_000 }), fc.array(share, { minLength: 10, maxLength: 10 }), fc.constantFrom(undefined, 'fast', 'other'), (at, input, output, parts, serviceTier) => {
        const part = (index: number, whole: number): number => Math.floor((parts[index] ?? 0) * whole)
        const inputTokens = part(0, input)
        const outputTokens = part(1, output)
        const cachedInputTokens = part(2, inputTokens)
        const cacheWriteTokens = part(3, inputTokens - cachedInputTokens)
        const usage: Usage = { inputTokens, outputTokens, cachedInputTokens, cacheWriteTokens, cacheWrite1hTokens: part(4, cacheWriteTokens), reasoningTokens: part(5, outputTokens), inputAudioTokens: part(6, inputTokens), inputImageTokens: part(7, inputTokens), outputAudioTokens: part(8, outputTokens), outputImageTokens: part(9, outputTokens), ...(serviceTier !== undefined && { serviceTier }) }
        const bound = boundNanos({ inputTokens: input, outputTokens: output }, at)
        expect(Number.isSafeInteger(bound)).toBe(true)
        expect(bill(usage, at)?.nanos).toBeLessThanOrEqual(bound)
      }),
      { numRuns: 1_000, seed: 4 },
    )
  })
})
