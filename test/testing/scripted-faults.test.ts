import { describe, expect, it } from 'vitest'
import { collect } from '../../src/protocol/collect.js'
import { GatewayError, type Code } from '../../src/protocol/errors.js'
import type { ChatEvent } from '../../src/protocol/events.js'
import type { ScriptedAnswer, ScriptedFault } from '../../src/testing/script.js'
import { drain, faultOf, nothingLeft, setup, textOf } from './try.js'

describe('a scripted fault', () => {
  const CASES: [ScriptedFault, Code, string, number | undefined][] = [
    [{ status: 500 }, 'upstream_error', 'upstream', 500],
    [{ status: 503 }, 'overloaded', 'upstream', 503],
    [{ status: 529 }, 'overloaded', 'upstream', 529],
    [{ status: 429, retryAfterMs: 2000 }, 'rate_limited', 'upstream', 429],
    [{ status: 401 }, 'credential_rejected', 'upstream', 401],
    [{ status: 404 }, 'model_not_found', 'upstream', 404],
    [{ status: 400 }, 'invalid_request', 'upstream', 400],
    [{ status: 400, code: 'context_length' }, 'context_length', 'upstream', 400],
    ['reset', 'network', 'network', undefined],
    ['html', 'malformed_response', 'upstream', 200],
  ]
  it.each(CASES)('%j before the answer is %s', async (fail, code, origin, status) => {
    const t = setup({ answers: { text: 'never', latencyMs: 30, fail } })
    const fault = faultOf(t.open())
    await t.clock.advance(30)
    expect(await fault).toMatchObject({ code, origin, ...(status !== undefined && { status }) })
    if (code === 'rate_limited') expect((await fault).retryAfterMs).toBe(2000)
    nothingLeft(t)
  })

  it('never shows the provider its own words', async () => {
    const t = setup({ answers: { fail: { status: 400, upstream: { code: 'bad', message: 'your prompt was PRIVATE' } } } })
    const fault = await faultOf(t.open())
    expect(fault.upstream?.message).toContain('PRIVATE')
    expect(fault.message + JSON.stringify(fault)).not.toContain('PRIVATE')
  })

  it.each([
    ['cut', 'network'],
    ['truncate', 'upstream'],
  ] as const)('%s delivers so many chunks and no finish, and the fault stays', async (fail, origin) => {
    const t = setup({ answers: { text: 'one two three four', fail, failAfter: 3, chunkMs: 10 } })
    const opened = await t.open()
    const events: ChatEvent[] = []
    const fault = faultOf(drain(opened, events))
    await t.clock.runUntilIdle()
    expect(await fault).toMatchObject({ code: 'malformed_response', origin })
    expect(textOf(events)).toBe('one two three')
    expect(events.some(event => event.type === 'finish')).toBe(false)
    expect(await faultOf(opened.read())).toBe(await fault)
    nothingLeft(t)
    expect(t.deployment.calls[0]?.aborted).toBe(false)
  })

  it.each(['cut', 'truncate', 'garbage'] as const)('%s on the JSON wire gives no event at all', async fail => {
    const t = setup({ answers: { text: 'one two three four', fail, failAfter: 3 } })
    const events: ChatEvent[] = []
    expect((await faultOf(drain(await t.open('json'), events))).code).toBe('malformed_response')
    expect(events).toEqual([])
    nothingLeft(t)
  })

  it('garbage leaves the answer whole and is told', async () => {
    const t = setup({ answers: { text: 'one two three four', fail: 'garbage', failAfter: 0, chunkMs: 10 } })
    const work = t.open().then(drain)
    await t.clock.runUntilIdle()
    const { text, warnings, finish } = collect(await work)
    expect([text, warnings.map(warning => warning.code), finish?.finishReason]).toEqual(['one two three four', ['frame_skipped'], 'stop'])
    nothingLeft(t)
  })

  it.each(['garbage', 'cut', 'truncate'] as const)('%s inside a tool call never gives the call', async fail => {
    const t = setup({ answers: { toolCalls: [{ name: 'look', input: { at: 'the sky' } }], fail, failAfter: 1 } })
    const events: ChatEvent[] = []
    expect((await faultOf(drain(await t.open(), events))).code).toBe('malformed_response')
    expect(events.map(event => event.type)).toEqual(['start', 'tool-call-start', 'tool-call-delta'])
    nothingLeft(t)
  })

  it.each([
    ['silent', 'stream'],
    ['silent', 'json'],
    ['stall', 'stream'],
    ['stall', 'json'],
  ] as const)('%s on %s lasts until the abort, and its reason comes through', async (fail, wire) => {
    const t = setup({ answers: { text: 'one two', fail, failAfter: fail === 'stall' ? 1 : undefined } as ScriptedAnswer })
    const events: ChatEvent[] = []
    let over = false
    const fault = faultOf(t.open(wire).then(opened => drain(opened, events))).finally(() => (over = true))
    await t.clock.advance(3_600_000)
    expect([over, t.deployment.open]).toEqual([false, 1])
    expect(textOf(events)).toBe(fail === 'stall' && wire === 'stream' ? 'one' : '')
    const reason = new GatewayError('timeout', 'idle')
    t.abort.abort(reason)
    expect(await fault).toBe(reason)
    expect(t.deployment.calls[0]).toMatchObject({ aborted: true, closed: true, wire, startedMs: 0 })
    nothingLeft(t)
  })
})
