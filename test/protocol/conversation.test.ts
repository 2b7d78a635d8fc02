import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { conversationProblem, fitToolId, isOwn } from '../../src/protocol/conversation.js'
import type { Message } from '../../src/protocol/request.js'

const RULE = { pattern: /^[a-zA-Z0-9]{9}$/, alphabet: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', length: 9 }

describe('fitToolId', () => {
  it('gives every id one that is accepted, the same each time, and leaves an accepted one alone', () => {
    fc.assert(
      fc.property(fc.string(), id => {
        const fitted = fitToolId(id, RULE)
        expect(fitted).toMatch(RULE.pattern)
        expect(fitToolId(id, RULE)).toBe(fitted)
        expect(fitToolId(fitted, RULE)).toBe(fitted)
        if (RULE.pattern.test(id)) expect(fitted).toBe(id)
      }),
    )
  })

  it('keeps the calls of one conversation apart', () => {
    const ids = Array.from({ length: 5_000 }, (_, at) => `toolu_${at}`)
    expect(new Set(ids.map(id => fitToolId(id, RULE))).size).toBe(ids.length)
  })
})

describe('isOwn', () => {
  it('is so only for the very model that wrote it, or a message nobody signed', () => {
    const message = { role: 'assistant', content: 'a', origin: { provider: 'p', model: 'm', deployment: 'x' } } as const
    expect([isOwn(message, { provider: 'p', model: 'm' }), isOwn(message, { provider: 'p', model: 'n' }), isOwn(message, { provider: 'q', model: 'm' }), isOwn({ role: 'assistant', content: 'a' }, { provider: 'p', model: 'm' })]).toEqual([true, false, false, true])
  })
})

/** Conversations that every provider takes: any calls of a turn are answered before the next. */
const sound: fc.Arbitrary<Message[]> = fc.array(fc.tuple(fc.nat(3), fc.boolean(), fc.nat())).map(turns =>
  turns.flatMap(([calls, note, rotate], turn): Message[] => {
    const ids = Array.from({ length: calls }, (_, at) => `t${turn}c${at}`)
    const by = ids.length === 0 ? 0 : rotate % ids.length
    const results = [...ids.slice(by), ...ids.slice(0, by)].map((toolCallId): Message => ({ role: 'tool', toolCallId, content: 'ok' }))
    const asked: Message = { role: 'assistant', content: [{ type: 'text', text: 'hm' }, ...ids.map(id => ({ type: 'tool-call' as const, id, name: 'look', input: {} }))] }
    const [first, ...rest] = results
    return [{ role: 'user', content: 'q' }, asked, ...(first === undefined ? [] : [first]), ...(note ? [{ role: 'system', content: 'note' } as const] : []), ...rest]
  }),
)

describe('conversationProblem', () => {
  it('finds nothing wrong with a sound conversation', () => {
    fc.assert(fc.property(sound, messages => void expect(conversationProblem(messages)).toBeUndefined()))
  })

  it('finds each result that was taken away, doubled or made up', () => {
    fc.assert(
      fc.property(sound, fc.nat(), (messages, pick) => {
        const results = messages.flatMap((message, at) => (message.role === 'tool' ? [at] : []))
        const at = results[pick % Math.max(1, results.length)]
        fc.pre(at !== undefined)
        const result = messages[at ?? 0] as Message
        expect(conversationProblem(messages.toSpliced(at ?? 0, 1))).toMatch(/result/)
        expect(conversationProblem(messages.toSpliced(at ?? 0, 0, result))).toMatch(/which no assistant message before it made/)
        expect(conversationProblem([{ role: 'tool', toolCallId: 'made-up', content: '' }, ...messages])).toMatch(/^messages\[0\] answers the tool call "made-up"/)
      }),
    )
  })
})
