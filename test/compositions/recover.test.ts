import { describe, expect, it } from 'vitest'
import { fallback } from '../../src/index.js'
import type { FlushReason, Hooks, Plugin } from '../../src/index.js'
import { scripted, type ScriptedDeployment, type ScriptedOptions } from '../../src/testing/index.js'
import { outcomes, pair, PRICE, readText, restarts, staged, TEXT, words } from './support.js'

const cut = (failAfter: number) => ({ text: TEXT, fail: 'cut', failAfter }) as const
const named = (id: string, answers: ScriptedOptions['answers'], more: Partial<ScriptedOptions> = {}): ScriptedDeployment => scripted({ id, price: PRICE, ...more, answers })
const count = (deployments: readonly ScriptedDeployment[]): readonly number[] => deployments.map(({ calls }) => calls.length)

describe('restarting', () => {
  it('a stream that breaks twice starts over twice, and only the third answer is left', async () => {
    const [a, b, c] = [named('a', cut(40)), named('b', cut(10)), named('c', TEXT)]
    const scene = staged([a, b, c])
    const seen = await scene.go('restart')
    expect([seen.text, restarts(seen), seen.result?.deployment]).toEqual([TEXT, 2, 'c'])
    expect(seen.events.filter(event => event.type === 'restart')).toMatchObject([{ attempt: 2 }, { attempt: 3 }])
    expect(scene.records).toMatchObject([{ outcome: 'success', restarts: 2, deployment: 'c' }])
    expect(seen.result?.cost.nanos).toBe(seen.result?.attempts.reduce((sum, attempt) => sum + (attempt.costNanos ?? 0), 0))
    expect(seen.result?.attempts.every(attempt => (attempt.costNanos ?? 0) > 0)).toBe(true)
    await scene.nothingLeft()
  })

  it('a restart that finds nobody ends with a typed error that carries the last text', async () => {
    const scene = pair(cut(40), { backup: { fail: { status: 503 } } })
    const { error, events } = await scene.go('restart')
    expect(error?.code).toBe('attempts_failed')
    expect([error?.partial?.text, readText(events)]).toEqual([words(40), words(40)])
    expect(outcomes({ text: '', events, tookMs: 0, ...(error !== undefined && { error }) })).toEqual(['primary malformed_response', 'backup overloaded', 'backup overloaded', 'backup overloaded'])
    expect(scene.records).toMatchObject([{ outcome: 'failure', code: 'attempts_failed' }])
    await scene.nothingLeft()
  })

  it('streams that break for ever stop at the budget of the call', async () => {
    const scene = pair(cut(40), { backup: cut(20) })
    const { error } = await scene.go('restart')
    expect(error?.code).toBe('malformed_response')
    expect(error?.partial?.text).toBe(words(20))
    expect(scene.primary.calls.length + scene.backup.calls.length).toBeLessThanOrEqual(6)
    await scene.nothingLeft()
  })

  it('a lone deployment is asked again after its stream broke, and never beyond the budget', async () => {
    const lone = named('lone', [cut(5), TEXT])
    const healed = staged([lone])
    expect((await healed.go('restart')).text).toBe(TEXT)
    await healed.nothingLeft()
    const broken = named('broken', cut(5))
    const scene = staged([broken])
    expect((await scene.go('restart')).error?.code).toBe('malformed_response')
    expect(broken.calls.length).toBeLessThanOrEqual(6)
    await scene.nothingLeft()
  })

  it('a break after commit with the budget spent tells the fault at once', async () => {
    const scene = pair(cut(40))
    const { error } = await scene.go('restart', { retry: { attempts: 1, maxAttempts: 1 } })
    expect([error?.code, error?.partial?.text]).toEqual(['malformed_response', words(40)])
    expect(scene.backup.calls).toHaveLength(0)
    await scene.nothingLeft()
  })

  it('a break because of the prompt is not shopped around after commit', async () => {
    // `failAfter` cannot fault with a code; a refusal before commit is what a second upstream may do to a restart.
    const scene = pair(cut(40), { backup: { fail: { status: 400, code: 'content_filter' } } })
    const { error } = await scene.go('restart')
    expect([error?.code, error?.partial?.text]).toEqual(['content_filter', words(40)])
    expect(scene.backup.calls).toHaveLength(1)
    await scene.nothingLeft()
  })
})

describe('going on', () => {
  const can = { capabilities: { prefill: true } } as const

  it('blanks at the seam are neither doubled nor lost', async () => {
    const chunks = ['one ', 'two ', 'three ', 'four']
    for (const rest of [['three ', 'four'], [' three ', 'four'], ['  ', 'three ', 'four']]) {
      const scene = pair({ chunks, fail: 'cut', failAfter: 2 }, { backup: { chunks: rest, continues: false }, other: can })
      const seen = await scene.go('continue')
      expect([seen.text, restarts(seen)]).toEqual(['one two three four', 0])
      await scene.nothingLeft()
    }
  })

  it('a seam inside a word stays inside the word', async () => {
    const scene = pair({ chunks: ['one tw', 'o three'], fail: 'cut', failAfter: 1 }, { backup: { chunks: ['o', ' three'], continues: false }, other: can })
    expect((await scene.go('continue')).text).toBe('one two three')
    await scene.nothingLeft()
  })

  it('a stream that breaks twice goes on twice, each time from all that was said', async () => {
    const [a, b, c] = [named('a', cut(20)), named('b', { text: TEXT, fail: 'cut', failAfter: 20 }, can), named('c', TEXT, can)]
    const scene = staged([a, b, c])
    const seen = await scene.go('continue')
    expect([seen.text, restarts(seen)]).toEqual([TEXT, 0])
    expect(c.calls[0]?.request.messages.at(-1)).toEqual({ role: 'assistant', content: words(40) })
    await scene.nothingLeft()
  })

  it('half a tool call is started over, never gone on from', async () => {
    const call = { text: 'Let me see.', toolCalls: [{ name: 'look', input: { at: 'the harbour' } }] }
    const scene = pair({ ...call, fail: 'cut', failAfter: 4 }, { backup: call, other: can })
    const seen = await scene.go('continue')
    expect(restarts(seen)).toBe(1)
    expect(seen.result?.toolCalls.map(({ name, input }) => [name, input])).toEqual([['look', { at: 'the harbour' }]])
    expect(scene.backup.calls.map(({ request }) => request.prefill ?? false)).toEqual([false])
    await scene.nothingLeft()
  })

  it('a prefill that is refused on the second try of a candidate does not reach the caller either', async () => {
    const backup: ScriptedOptions['answers'] = (attempt, request) =>
      attempt === 1 ? { fail: { status: 503 } } : request.prefill === true ? { fail: { status: 400, code: 'invalid_request' } } : TEXT
    const scene = pair(cut(40), { backup, other: can })
    const seen = await scene.go('continue')
    expect([seen.error?.code, seen.text]).toEqual([undefined, TEXT])
    await scene.nothingLeft()
  })

  it('a continuation that is itself cut and then restarted leaves one whole answer', async () => {
    const [a, b, c] = [named('a', cut(20)), named('b', { text: TEXT, fail: 'cut', failAfter: 20 }, can), named('c', TEXT)]
    const scene = staged([a, b, c])
    const seen = await scene.go('continue')
    expect([seen.text, restarts(seen), seen.result?.deployment]).toEqual([TEXT, 1, 'c'])
    await scene.nothingLeft()
  })

  it('after a restart only the new answer is gone on from', async () => {
    const [a, b, c] = [named('a', cut(20)), named('b', cut(10)), named('c', TEXT, can)]
    const scene = staged([a, b, c])
    const seen = await scene.go('continue')
    expect([seen.text, restarts(seen), seen.result?.deployment]).toEqual([TEXT, 1, 'c'])
    expect(c.calls[0]?.request.messages.at(-1)).toEqual({ role: 'assistant', content: words(10) })
    await scene.nothingLeft()
  })

  it("a caller's own prefill is not stacked: the answer starts over", async () => {
    const primary = named('primary', cut(40), can)
    const backup = named('backup', TEXT, can)
    const scene = staged([primary, backup])
    const stream = await scene.gateway.stream({ model: 'stream', messages: [{ role: 'user', content: 'Go on.' }, { role: 'assistant', content: 'w1' }] }, { recover: 'continue' })
    const result = stream.result()
    await scene.clock.runUntilIdle()
    expect((await result).text).toBe(TEXT.slice(2))
    expect(backup.calls[0]?.request.messages).toHaveLength(2)
    await scene.nothingLeft()
  })
})

describe('half a tool call', () => {
  const call = { toolCalls: [{ name: 'pay', input: { cents: 100, to: 'the baker' } }] }

  it.each(['cut', 'truncate', 'garbage'] as const)('is never delivered as a whole one (%s)', async fail => {
    const scene = pair({ ...call, fail, failAfter: 1 })
    const { error, events } = await scene.go('error')
    expect([error?.code, error?.partial?.toolCalls]).toEqual(['malformed_response', []])
    expect(events.map(event => event.type)).not.toContain('tool-call')
    await scene.nothingLeft()
  })

  it('is replaced by the whole call of the next deployment, once', async () => {
    const scene = pair({ ...call, fail: 'cut', failAfter: 1 }, { backup: call })
    for (const way of ['restart', 'chat on a stream', 'chat on JSON'] as const) {
      const seen = await scene.go(way)
      expect(seen.result?.toolCalls).toMatchObject([{ name: 'pay', input: { cents: 100, to: 'the baker' } }])
      expect(seen.events.filter(event => event.type === 'tool-call')).toHaveLength(way === 'restart' ? 1 : 0)
    }
    await scene.nothingLeft()
  })
})

describe('chains', () => {
  it('a step for one fault is taken after that fault only', async () => {
    const [a, long] = [named('a', [{ fail: { status: 400, code: 'context_length' } }, { fail: { status: 503 } }]), named('long', TEXT)]
    const scene = staged([a, long], {}, fallback(a, { use: long, only: ['context_length'] }))
    expect((await scene.go('chat on JSON')).result?.deployment).toBe('long')
    const { error } = await scene.go('chat on JSON')
    expect([error?.code, error?.attempts?.at(-1)?.outcome]).toEqual(['overloaded', 'skipped'])
    expect(long.calls).toHaveLength(1)
    await scene.nothingLeft()
  })

  it('a filtered prompt goes on only where the route opted in', async () => {
    const [a, b, plain] = [named('a', { fail: { status: 400, code: 'content_filter' } }), named('b', TEXT), named('plain', TEXT)]
    const scene = staged([a, plain, b], {}, fallback(a, plain, { use: b, only: ['content_filter'] }))
    expect((await scene.go('chat on JSON')).result?.deployment).toBe('b')
    expect(count([a, plain, b])).toEqual([1, 0, 1])
    await scene.nothingLeft()
  })

  it('a prompt that is too long skips windows that are no larger on its way to one that is', async () => {
    const window = (contextWindow: number) => ({ capabilities: { contextWindow } })
    const a = named('a', { fail: { status: 400, code: 'context_length' } }, window(8_000))
    const [same, unknown, large] = [named('same', TEXT, window(8_000)), named('unknown', TEXT), named('large', TEXT, window(128_000))]
    const scene = staged([a, same, unknown, large])
    expect((await scene.go('chat on JSON')).result?.deployment).toBe('large')
    expect(count([a, same, unknown, large])).toEqual([1, 0, 0, 1])
    await scene.nothingLeft()
  })
})

describe('hooks and recovery', () => {
  /** Holds text back until the end, as a hook that looks for whole words must. */
  const holding = (): { plugin: Plugin; flushed: FlushReason[] } => {
    const flushed: FlushReason[] = []
    const open = (): Hooks => {
      let held = ''
      return {
        event: event => {
          if (event.type !== 'text-delta') return event
          held += event.text
          const give = held.slice(0, -3)
          held = held.slice(-3)
          return give === '' ? undefined : { ...event, text: give }
        },
        flush: reason => {
          flushed.push(reason)
          const rest = held
          held = ''
          return rest === '' ? [] : [{ type: 'text-delta', text: rest }]
        },
      }
    }
    return { plugin: { name: 'holding', open }, flushed }
  }

  it('what a hook held back of a broken answer is not put before the next one', async () => {
    const { plugin, flushed } = holding()
    const scene = pair(cut(40), { options: { plugins: [plugin] } })
    const seen = await scene.go('restart')
    expect([seen.text, flushed]).toEqual([TEXT, ['restart', 'finish']])
    await scene.nothingLeft()
  })

  it('what a hook held back survives a continuation', async () => {
    const { plugin, flushed } = holding()
    const scene = pair(cut(40), { options: { plugins: [plugin] }, other: { capabilities: { prefill: true } } })
    const seen = await scene.go('continue')
    expect([seen.text, flushed]).toEqual([TEXT, ['finish']])
    expect(scene.backup.calls[0]?.request.messages.at(-1)).toEqual({ role: 'assistant', content: words(40) })
    await scene.nothingLeft()
  })

  it('what a hook held back is given before the error, and is part of the partial answer', async () => {
    const { plugin, flushed } = holding()
    const scene = pair(cut(40), { options: { plugins: [plugin] } })
    const { error, text } = await scene.go('error')
    expect([error?.partial?.text, text, flushed]).toEqual([words(40), words(40), ['error']])
    await scene.nothingLeft()
  })
})
