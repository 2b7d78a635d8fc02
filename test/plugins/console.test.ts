import { describe, expect, it, vi } from 'vitest'
import { consoleSink, type ConsoleSinkOptions } from '../../src/plugins/console.js'
import type { CallRecord } from '../../src/protocol/result.js'
import { attempt, CONTENT, record } from './log-helpers.js'

async function lines(one: CallRecord, options: ConsoleSinkOptions = {}) {
  const out: string[] = []
  await consoleSink({ write: line => void out.push(line), ...options }).write([one])
  return out
}

describe('consoleSink', () => {
  it('a smooth call is one line that says who answered, how long, how many tokens and what it cost', async () => {
    const smooth = record('call_1', {
      answeredModel: 'm-2026-01',
      usage: { inputTokens: 12, outputTokens: 34, cachedInputTokens: 5 },
      costNanos: 1_230_000,
      finishReason: 'stop',
      firstEventMs: 240.4,
      totalMs: 812.2,
    })
    expect(await lines(smooth)).toEqual(['2026-03-01T12:00:00.000Z ok    smart -> openai/m (m-2026-01) 812ms first=240ms in=12(5 cached) out=34 $0.001230 stop id=call_1'])
  })

  it('a call that was rescued says which attempt failed, why, and what was waited', async () => {
    const rescued = record('call_2', {
      deployment: 'anthropic/c',
      restarts: 1,
      warnings: [{ code: 'unsupported', message: 'topK is not sent', parameter: 'topK' }, { code: 'other', message: 'x' }],
      attempts: [
        attempt({ deployment: 'a/1', outcome: 'skipped', reason: 'breaker open' }),
        attempt({ outcome: 'failure', code: 'rate_limited', status: 429, startedMs: 1, durationMs: 90, waitedMs: 500, costNanos: 5 }),
        attempt({ outcome: 'failure', code: 'timeout', deadline: 'first-event', startedMs: 591, durationMs: 30_000 }),
        attempt({ deployment: 'anthropic/c' }),
      ],
    })
    const [first, ...rest] = await lines(rescued)
    expect(first).toBe('2026-03-01T12:00:00.000Z WARN  smart -> anthropic/c 12ms restarts=1 warnings=2 (unsupported topK, other) id=call_2')
    expect(rest).toEqual([
      '  #1 a/1 skipped breaker open',
      '  #2 openai/m failure rate_limited http=429 at=+1ms 90ms then waited 500ms <$0.000001',
      '  #3 openai/m failure timeout(first-event) at=+591ms 30000ms',
    ])
  })

  it('a failed call names its only attempt and who was never asked', async () => {
    const { deployment: _, ...bare } = record('call_3', {
      outcome: 'failure',
      code: 'attempts_failed',
      costNanos: null,
      attempts: [attempt({ outcome: 'failure', code: 'credential_rejected', status: 401 })],
      excluded: [{ deployment: 'b/2', reason: 'no_credential' }],
    })
    expect(await lines(bare)).toEqual([
      '2026-03-01T12:00:00.000Z FAIL  smart attempts_failed 12ms cost unknown id=call_3',
      '  #1 openai/m failure credential_rejected http=401 at=+0ms 10ms',
      '  not asked b/2 no_credential',
    ])
  })

  it('an aborted call does not look like a failure', async () => {
    expect((await lines(record(4, { outcome: 'aborted', code: 'aborted' })))[0]).toContain(' ABORT smart at openai/m aborted ')
  })

  it('an unknown or tiny cost never reads as free', async () => {
    expect((await lines(record(1, { costNanos: null })))[0]).toContain('cost unknown')
    expect((await lines(record(1, { costNanos: 1 })))[0]).toContain('<$0.000001')
    expect((await lines(record(1, { costNanos: 0 })))[0]).toContain('$0.000000')
    expect((await lines(record(1)))[0]).not.toContain('$')
  })

  it('prints no content and no metadata unless content was asked for', async () => {
    const full = record(1, { content: CONTENT, metadata: { user: 'canary-user' } })
    expect((await lines(full)).join('\n')).not.toContain('canary')
    const shown = await lines(full, { content: true })
    expect(shown).toHaveLength(3)
    expect(shown.join('\n')).toContain('canary-prompt')
    expect(shown[2]).toBe('  answer canary-answer')
    expect(shown.join('\n')).not.toContain('canary-user')
  })

  it('cuts content and lists from outside to a bound', async () => {
    const long = record(1, {
      content: { ...CONTENT, text: 'y'.repeat(100_000), toolCalls: [{ name: 'z'.repeat(100_000) }] },
      attempts: Array.from({ length: 1_000 }, () => attempt({ outcome: 'failure' })),
      warnings: Array.from({ length: 1_000 }, () => ({ code: 'other' as const, message: 'm' })),
    })
    const out = await lines(long, { content: true })
    expect(out).toHaveLength(1 + 21 + 3)
    expect(out[21]).toBe('  … and 980 more')
    expect(Math.max(...out.map(line => line.length))).toBeLessThan(2_100)
  })

  it('nothing from outside can forge a line or drive the terminal', async () => {
    const bad = 'a\r\n2026 ok \u001b[2J\u009b31m\u202e\u2028'
    const hostile = record(bad, {
      model: bad,
      deployment: bad,
      answeredModel: bad,
      outcome: 'failure',
      attempts: [attempt({ deployment: bad, outcome: 'failure', reason: bad })],
      excluded: [{ deployment: bad, reason: bad }],
      warnings: [{ code: 'other', message: bad, parameter: bad }],
      content: { messages: bad, text: bad, toolCalls: bad },
    })
    for (const line of await lines(hostile, { content: true })) expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
  })

  it('colours only when told to', async () => {
    expect((await lines(record(1)))[0]).not.toContain('\u001b')
    expect((await lines(record(1), { color: true }))[0]).toContain('\u001b[32mok   \u001b[0m')
  })

  it('writes to the console by default', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {})
    try {
      await consoleSink().write([record(1), record(2)])
      expect(log.mock.calls.map(call => call.length)).toEqual([1, 1])
    } finally {
      log.mockRestore()
    }
  })

  it.each([[{ colour: true }, /Did you mean "color"/], [{ write: 'out' }, /write must be a function/], [{ content: 1 }, /content must be a boolean/], [{ color: 'auto' }, /color must be a boolean/], [null, /must be an object/]])('refuses %j', (options, message) => {
    expect(() => consoleSink(options as ConsoleSinkOptions)).toThrow(message)
  })
})
