import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CODES, GatewayError, verdict } from '../../src/protocol/errors.js'

const PROMPT = 'my-very-private-prompt'

function loud(): GatewayError {
  return new GatewayError('invalid_request', 'It was refused. Look at upstream.', {
    origin: 'upstream',
    status: 400,
    upstream: { type: 'bad_request', code: `not a code: ${PROMPT}`, param: `${PROMPT} `, requestId: 'req-1', message: `You said ${PROMPT}.` },
    partial: { text: PROMPT, reasoning: PROMPT, toolCalls: [{ id: 'c', name: 'n', input: PROMPT, arguments: PROMPT }] },
  })
}

describe('GatewayError', () => {
  it('can be read in code, and prints nothing of the prompt', () => {
    const error = loud()
    expect(error.upstream?.message).toBe(`You said ${PROMPT}.`)
    expect(error.partial?.text).toBe(PROMPT)
    expect(error.upstream).toMatchObject({ type: 'bad_request', requestId: 'req-1' })
    for (const text of [inspect(error, { depth: 9 }), JSON.stringify(error), String(error), error.stack ?? '', JSON.stringify({ ...error }), inspect({ error }, { depth: 9 })]) expect(text).not.toContain(PROMPT)
    expect(JSON.parse(JSON.stringify(error))).toEqual({ name: 'GatewayError', code: 'invalid_request', origin: 'upstream', message: 'It was refused. Look at upstream.', status: 400, upstream: { type: 'bad_request', requestId: 'req-1' } })
  })

  it('prints nothing more after it was told more, nor as the cause of another', () => {
    const error = loud().with({ retryAfterMs: 5, attempts: [] })
    expect(error).toMatchObject({ status: 400, retryAfterMs: 5, attempts: [] })
    expect([error.upstream?.message, error.partial?.text]).toEqual([`You said ${PROMPT}.`, PROMPT])
    const outer = new GatewayError('attempts_failed', 'All failed.', { cause: error })
    for (const one of [error, outer, error.with({ message: 'In other words.' })]) for (const text of [inspect(one, { depth: 9 }), JSON.stringify(one)]) expect(text).not.toContain(PROMPT)
    expect(outer.cause).toBe(error)
  })

  it('keeps the place where it was thrown when more is told', () => {
    const error = loud()
    expect(error.with({ status: 500 }).stack).toBe(error.stack)
  })

  it('bounds what a provider says', () => {
    expect(new GatewayError('invalid_request', 'No.', { upstream: { message: 'x'.repeat(1e6) } }).upstream?.message).toHaveLength(2000)
  })

  it('is known by its mark across copies of the library, and by nothing else', () => {
    class Copy extends Error {
      readonly code = 'timeout'
      constructor() {
        super('From another copy.')
        Object.defineProperty(this, Symbol.for('sallyport.GatewayError'), { value: true })
      }
    }
    expect([GatewayError.is(loud()), GatewayError.is(new Copy())]).toEqual([true, true])
    for (const other of [new Error('x'), { name: 'GatewayError', code: 'timeout' }, null, undefined, 'GatewayError', 5]) expect(GatewayError.is(other)).toBe(false)
    expect(loud()).toBeInstanceOf(Error)
  })
})

describe('the error table', () => {
  it('never asks the same deployment again where it does not even ask the next', () => {
    for (const code of CODES) if (verdict(code).next === 'none') expect([code, verdict(code).retry]).toEqual([code, false])
  })

  it('blames nobody for what the caller or the gateway did', () => {
    for (const code of ['aborted', 'closed', 'invalid_request', 'invalid_config', 'refused', 'queue_full', 'content_filter', 'no_candidates', 'output_invalid'] as const) expect([code, verdict(code).blame]).toEqual([code, 'nobody'])
  })

  it('never shops a prompt that was judged around', () => {
    expect([verdict('content_filter').next, verdict('invalid_request').next, verdict('context_length').next]).toEqual(['none', 'none', 'larger'])
  })
})
