import { describe, expect, it } from 'vitest'
import { ASK, isStream, once, ORDERS, outcomes, restarts, TEXT, until, THREE, wired, words, type Way } from './support.js'

const asked = (body: unknown): readonly { role: string; content: unknown }[] => (body as { messages: { role: string; content: unknown }[] }).messages
const prefills = (requests: readonly { body: unknown }[]): readonly boolean[] => requests.map(({ body }) => asked(body).at(-1)?.role === 'assistant')

describe.each(ORDERS)('%s first, %s behind it, on sockets', (...order) => {
  describe.each(THREE)('%s', way => {
    it('row 3: one 500 costs one retry on the same route', async () => {
      const scene = await wired(order, once({ status: 500 }))
      const seen = await scene.go(way)
      expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'primary'])
      expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([2, 0])
      expect(outcomes(seen)).toEqual(['primary upstream_error', 'primary success'])
      await scene.nothingLeft()
    })

    it('rows 4 and 16: a route that is down is left within its tries, and the result names who answered and what that cost', async () => {
      const scene = await wired(order, { status: 503 })
      const seen = await scene.go(way)
      expect(seen.text).toBe(TEXT)
      expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([3, 1])
      const { result } = seen
      expect([result?.deployment, result?.provider]).toEqual(['backup', order[1]])
      expect(result?.model).toBe((scene.backup.requests[0]?.body as { model: string }).model)
      expect(result?.usage).toMatchObject({ inputTokens: Math.ceil(ASK.length / 4), outputTokens: 60 })
      expect(result?.cost).toMatchObject({ nanos: (5 * 2 + 60 * 10) * 1000, estimated: false, source: 'priced' })
      expect(result?.attempts.map(({ costNanos, usage }) => [costNanos, usage === undefined])).toEqual([[undefined, true], [undefined, true], [undefined, true], [610_000, false]])
      await scene.nothingLeft()
    })

    it('row 5: a connection that is reset before the headers is made again', async () => {
      const scene = await wired(order, once('reset'))
      const seen = await scene.go(way)
      expect(seen.text).toBe(TEXT)
      expect(outcomes(seen)).toEqual(['primary network', 'primary success'])
      await scene.nothingLeft()
    })

    it('row 8: an answer that is cut after forty words is never a short success', async () => {
      const scene = await wired(order, { cutAfter: 40 })
      const seen = await scene.go(way)
      expect([seen.text, seen.result?.deployment, seen.result?.finishReason]).toEqual([TEXT, 'backup', 'stop'])
      const tries = isStream(way) ? 1 : 3
      expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([tries, 1])
      expect(seen.result?.attempts.map(attempt => attempt.outcome)).toEqual([...Array.from({ length: tries }, () => 'failure'), 'success'])
      if (isStream(way)) {
        const at = seen.events.findIndex(event => event.type === 'restart')
        expect(seen.events.slice(0, at).flatMap(event => (event.type === 'text-delta' ? [event.text] : [])).join('')).toBe(words(40))
        expect(seen.events[at]).toEqual({ type: 'restart', attempt: 2, reason: seen.result?.attempts[0]?.code })
      }
      await scene.nothingLeft()
    })

    it('row 8: an answer that ends in good order without its terminal is never a short success', async () => {
      const scene = await wired(order, { truncateAfter: 40 })
      const seen = await scene.go(way)
      expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
      expect(seen.result?.attempts[0]?.code).toBe('malformed_response')
      await scene.nothingLeft()
    })

    it('row 10: a frame that is not JSON is skipped and told, and garbles nothing', async () => {
      const scene = await wired(order, { garbageAfter: 20 })
      const seen = await scene.go(way)
      expect(seen.text).toBe(TEXT)
      // A JSON body with garbage in it is no answer at all: there the fallback is right.
      const whole = way === 'chat on JSON'
      expect(seen.result?.deployment).toBe(whole ? 'backup' : 'primary')
      expect(seen.result?.warnings.map(warning => warning.code)).toEqual(whole ? [] : ['frame_skipped'])
      expect(JSON.stringify(seen.events)).not.toContain('broken')
      await scene.nothingLeft()
    })

    it('row 11: an answer without the last terminal is finished at once, with its usage', async () => {
      const scene = await wired(order, 'noDone')
      const seen = await scene.go(way)
      expect([seen.text, seen.result?.deployment, seen.result?.usage.outputTokens]).toEqual([TEXT, 'primary', 60])
      expect(seen.tookMs).toBeLessThan(900)
      expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 0])
      await scene.nothingLeft()
    })

    it('row 12: a prompt that is too long goes once to its route, and then only to a larger window', async () => {
      const larger = await wired(order, 'contextLength', { primaryOptions: { capabilities: { contextWindow: 8_000 } }, backupOptions: { capabilities: { contextWindow: 200_000 } } })
      const seen = await larger.go(way)
      expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
      expect([larger.primary.requests.length, larger.backup.requests.length]).toEqual([1, 1])
      await larger.nothingLeft()
      const same = await wired(order, 'contextLength', { primaryOptions: { capabilities: { contextWindow: 8_000 } }, backupOptions: { capabilities: { contextWindow: 8_000 } } })
      const { error } = await same.go(way)
      expect([error?.code, error?.attempts?.map(attempt => attempt.outcome)]).toEqual(['context_length', ['failure', 'skipped']])
      expect([same.primary.requests.length, same.backup.requests.length]).toEqual([1, 0])
      await same.nothingLeft()
    })

    it('row 13: a filtered prompt is asked once, not shopped around, and the reason reaches the caller', async () => {
      const scene = await wired(order, 'contentFilter', { primaryOptions: { capabilities: { contextWindow: 8_000 } }, backupOptions: { capabilities: { contextWindow: 200_000 } } })
      const { error } = await scene.go(way)
      expect([error?.status, error?.origin]).toEqual([400, 'upstream'])
      expect(error?.upstream?.message).toMatch(/content (management|filtering) policy/)
      expect(error?.message).not.toContain('policy')
      expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 0])
      await scene.nothingLeft()
    })

    it('row 14: a fallback that refuses a prefill never shows its 400', async () => {
      const scene = await wired(order, { cutAfter: 40 }, { backup: 'refusesPrefill', backupOptions: { capabilities: { prefill: true } } })
      const seen = await scene.go(way)
      expect([seen.text, seen.error]).toEqual([TEXT, undefined])
      expect(prefills(scene.backup.requests)).toEqual([false])
      await scene.nothingLeft()
    })
  })

  it('row 13: a filtered prompt is told apart from a request that was written wrong', async () => {
    const scene = await wired(order, 'contentFilter')
    expect((await scene.go('chat on JSON')).error?.code).toBe('content_filter')
    await scene.nothingLeft()
  })

  it('row 8: without recovery a cut stream ends with a typed error and exactly what had come', async () => {
    const scene = await wired(order, { cutAfter: 40 })
    const { error, events, text } = await scene.go('error')
    expect(['network', 'malformed_response']).toContain(error?.code)
    expect([error?.partial?.text, text]).toEqual([words(40), words(40)])
    expect(events.some(event => event.type === 'finish')).toBe(false)
    expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 0])
    expect(scene.records).toMatchObject([{ outcome: 'failure', attempts: [{ outcome: 'failure', usage: { outputTokens: Math.ceil(words(40).length / 4) } }] }])
    await scene.nothingLeft()
  })

  it('row 8: a stream goes on from the fortieth word where the fallback takes a prefill', async () => {
    const scene = await wired(order, { cutAfter: 40 }, { backupOptions: { capabilities: { prefill: true } } })
    const seen = await scene.go('continue')
    expect([seen.text, restarts(seen), seen.result?.deployment]).toEqual([TEXT, 0, 'backup'])
    expect(prefills(scene.backup.requests)).toEqual([true])
    expect(seen.result?.warnings.map(warning => warning.code)).toContain('changed')
    expect(seen.result?.cost.estimated).toBe(true)
    expect(seen.result?.cost.nanos).toBe(seen.result?.attempts.reduce((sum, attempt) => sum + (attempt.costNanos ?? 0), 0))
    await scene.nothingLeft()
  })

  it('row 14: a refused continuation becomes a restart, and without recovery the cut is all the caller hears of', async () => {
    const scene = await wired(order, { cutAfter: 40 }, { backup: 'refusesPrefill', backupOptions: { capabilities: { prefill: true } } })
    const seen = await scene.go('continue')
    expect([seen.text, restarts(seen), seen.error]).toEqual([TEXT, 1, undefined])
    expect(prefills(scene.backup.requests)).toEqual([true, false])
    const { error } = await scene.go('error')
    expect(error?.partial?.text).toBe(words(40))
    expect(error?.status).not.toBe(400)
    expect(scene.backup.requests).toHaveLength(2)
    await scene.nothingLeft()
  })
})

const SHORT = { deadlines: { answerMs: 120, firstEventMs: 80, idleMs: 80 } }
const TIMED: readonly Way[] = THREE

describe.each(ORDERS)('%s first, %s behind it, with short deadlines on sockets', (...order) => {
  it.each(TIMED)('%s, row 1: a wait that is asked for in a header is kept, down to the millisecond', async way => {
    const scene = await wired(order, once({ status: 429, headers: { 'retry-after-ms': '150' } }))
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'primary'])
    const [first, second] = scene.primary.requests
    expect((second?.startedMs ?? 0) - (first?.startedMs ?? 0)).toBeGreaterThanOrEqual(149)
    await scene.nothingLeft()
  })

  it.each(TIMED)('%s, row 2: a route that only says 429 is tried three times and left', async way => {
    const scene = await wired(order, { status: 429 })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
    expect(scene.primary.requests).toHaveLength(3)
    await scene.nothingLeft()
  })

  it.each(TIMED)('%s, row 6: a socket that stays silent is closed by us and not opened again', async way => {
    const scene = await wired(order, 'silent', { options: SHORT })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.attempts[0]?.code]).toEqual([TEXT, 'timeout'])
    // The provider hears of it a moment after the caller has the answer.
    await until(() => scene.primary.closedByClient > 0)
    expect([scene.primary.requests.length, scene.primary.closedByClient]).toEqual([1, 1])
    await scene.nothingLeft()
  })

  it.each(TIMED)('%s, row 7: headers without content do not hold the caller', async way => {
    const scene = await wired(order, { slowFirst: 5_000 }, { options: SHORT })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
    expect(seen.tookMs).toBeLessThan(1_000)
    // The provider hears of it a moment after the caller has the answer.
    await until(() => scene.primary.closedByClient > 0)
    expect([scene.primary.requests.length, scene.primary.closedByClient]).toEqual([1, 1])
    await scene.nothingLeft()
  })

  it.each(TIMED)('%s, row 9: silence in mid-answer is ended, and the next call is served', async way => {
    const scene = await wired(order, once({ stallAfter: 20 }), { options: SHORT })
    const seen = await scene.go(way)
    expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'backup'])
    // The provider hears of it a moment after the caller has the answer.
    await until(() => scene.primary.closedByClient > 0)
    expect(scene.primary.closedByClient).toBe(1)
    const again = await scene.go(way)
    expect([again.text, again.result?.deployment]).toEqual([TEXT, 'primary'])
    await scene.nothingLeft()
  })
})
