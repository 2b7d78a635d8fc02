import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/protocol/request.js'
import { caller, messagesOf, refusal, result, target, user, write, type SentBlock } from './support.js'

describe('the request', () => {
  it('goes where it should, and streams only on the stream wire', () => {
    const { call, body } = write({}, target('m', { headers: { 'anthropic-beta': 'a,b', 'anthropic-version': '2026-10-21' } }))
    expect(call).toMatchObject({ method: 'POST', url: 'https://api.anthropic.com/v1/messages', headers: { 'anthropic-version': '2026-10-21', 'anthropic-beta': 'a,b', accept: 'application/json' } })
    expect(body).not.toHaveProperty('stream')
    expect(write({}, target(), 'stream').body.stream).toBe(true)
    expect(write().call.headers['anthropic-version']).toBe('2023-06-01')
  })

  it('does not let extra fields choose the wire', () => {
    expect(write({ providerOptions: { anthropic: { stream: true } } }).body).not.toHaveProperty('stream')
    expect(write({ providerOptions: { anthropic: { stream: false } } }, target(), 'stream').body.stream).toBe(true)
  })

  it('adds the extra fields of the dialect, then of the provider, and of nobody else', () => {
    const { body } = write({ providerOptions: { anthropic: { service_tier: 'auto', speed: 'fast' }, mine: { speed: 'standard' }, openai: { store: true } } }, target('claude-opus-5', { provider: 'mine' }))
    expect(body).toMatchObject({ service_tier: 'auto', speed: 'standard' })
    expect(body).not.toHaveProperty('store')
  })

  it.each([
    ['claude-3-opus-20240229', {}, 4096],
    ['claude-3-5-sonnet-20240620', {}, 8192],
    ['claude-3-7-sonnet-20250219', {}, 8192],
    ['claude-sonnet-4-20250514', {}, 32_000],
    ['claude-opus-5', { maxOutputTokens: 64_000 }, 64_000],
  ])('%s always gets max_tokens', (model, capabilities, max) => {
    expect(write({}, target(model, { capabilities })).body.max_tokens).toBe(max)
    expect(write({ maxOutputTokens: 7 }, target(model, { capabilities })).body.max_tokens).toBe(7)
  })

  it('says so for every parameter it has no field for', () => {
    expect(write({ seed: 1, frequencyPenalty: 0, presencePenalty: 1, logprobs: true }).codes.sort()).toEqual(['unsupported frequencyPenalty', 'unsupported logprobs', 'unsupported presencePenalty', 'unsupported seed'])
    expect(write({ logprobs: false }).codes).toEqual([])
  })

  it('sends stop sequences that are not blank', () => {
    expect(write({ stop: 'END' }).body.stop_sequences).toEqual(['END'])
    const { body, codes } = write({ stop: ['\n', 'a'] })
    expect([body.stop_sequences, codes]).toEqual([['a'], ['dropped stop']])
  })
})

describe('messages', () => {
  it('takes the leading system messages out, and keeps one plain text plain', () => {
    expect(messagesOf({ role: 'system', content: 'A' }, user('q')).body.system).toBe('A')
    expect(messagesOf({ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, user('q')).body.system).toEqual([{ type: 'text', text: 'A' }, { type: 'text', text: 'B' }])
    expect(messagesOf({ role: 'system', content: ' ' }, user('q')).body).not.toHaveProperty('system')
  })

  it('sends a later system message as such to models that take it, as marked user text to others', () => {
    const messages = [user('q'), { role: 'system', content: 'Be brief.' }] as const
    expect(write({ messages }, target('claude-opus-4-8')).body.messages.at(-1)).toEqual({ role: 'system', content: [{ type: 'text', text: 'Be brief.' }] })
    const old = write({ messages }, target('claude-opus-4-6'))
    expect(old.body.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'q' }, { type: 'text', text: '<system>\nBe brief.\n</system>' }] }])
    expect(old.codes).toEqual(['changed messages'])
  })

  it('merges neighbours, with all tool results first and together', () => {
    const { body } = messagesOf(user('q'), user('r'), caller('t1', 't2'), result('t1'), result('t2', ''), user('and?'), user('well?'))
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'q' }, { type: 'text', text: 'r' }] },
      { role: 'assistant', content: ['t1', 't2'].map(id => ({ type: 'tool_use', id, name: 'a', input: { x: 1 } })) },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'ok' }] }, { type: 'tool_result', tool_use_id: 't2' }, { type: 'text', text: 'and?' }, { type: 'text', text: 'well?' }] },
    ])
  })

  it.each(['claude-opus-4-8', 'claude-sonnet-4-5'])('puts results right behind their calls though a system message stands between (%s)', model => {
    const { body } = write({ messages: [user('q'), caller('t1', 't2'), { role: 'system', content: 'S' }, result('t1'), result('t2')] }, target(model))
    const next = body.messages[2]
    expect(next?.role).toBe('user')
    expect(next?.content.slice(0, 2).map((block: SentBlock) => block.type)).toEqual(['tool_result', 'tool_result'])
  })

  it('for any sound conversation: turns alternate, every call is answered in the turn after it, no text is blank', () => {
    const round = fc.record({ texts: fc.array(fc.constantFrom('hi', ' ', ''), { maxLength: 3 }), calls: fc.nat(3), say: fc.constantFrom('', 'ok'), system: fc.boolean() })
    fc.assert(
      fc.property(fc.array(round, { minLength: 1, maxLength: 5 }), rounds => {
        const messages: Message[] = [user('start')]
        for (const [at, { texts, calls, say, system }] of rounds.entries()) {
          const ids = Array.from({ length: calls }, (_, i) => `call|${at}.${i}`)
          messages.push({ role: 'assistant', content: [{ type: 'text', text: say }, ...ids.map(id => ({ type: 'tool-call' as const, id, name: 'a', input: {} }))] })
          if (system) messages.push({ role: 'system', content: 'note' })
          messages.push(...ids.map(id => result(id)), ...texts.map(user))
        }
        const turns = messagesOf(...messages).body.messages
        for (const [at, turn] of turns.entries()) {
          expect(turn.role).toBe(at % 2 === 0 ? 'user' : 'assistant')
          expect(turn.content.length).toBeGreaterThan(0)
          for (const block of turn.content) if (block.type === 'text') expect(block.text.trim()).not.toBe('')
          const calls = turn.content.filter(block => block.type === 'tool_use').map(block => block.id)
          const answers = (turns[at + 1]?.content ?? []).slice(0, calls.length).map(block => block.tool_use_id)
          expect(answers).toEqual(calls)
          for (const id of calls) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/)
        }
      }),
    )
  })

  it('leaves out blank messages, and refuses to send nothing', () => {
    expect(messagesOf(user('q'), { role: 'assistant', content: ' ' }, user('r')).body.messages).toHaveLength(1)
    expect(refusal({ messages: [user(' ')] })).toMatchObject({ code: 'invalid_request', origin: 'caller' })
  })

  it('keeps a prefill last, without white space at its end', () => {
    const { body } = write({ messages: [user('q'), { role: 'assistant', content: 'The answer is \n' }], prefill: true })
    expect(body.messages.at(-1)).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'The answer is' }] })
  })

  it('sends an input that is no object as one', () => {
    const inputs = ['{"a":1}', '', null, undefined, 5].map((input, i) => ({ type: 'tool-call' as const, id: `t${i}`, name: 'a', input }))
    const { body, codes } = messagesOf(user('q'), { role: 'assistant', content: inputs }, ...inputs.map(part => result(part.id)))
    expect(body.messages[1]?.content.map((block: SentBlock) => block.input)).toEqual([{ a: 1 }, {}, {}, {}, { value: 5 }])
    expect(codes).toEqual(['changed messages'])
  })

  it('marks a failed tool', () => {
    const { body } = messagesOf(user('q'), caller('t'), { role: 'tool', toolCallId: 't', content: 'boom', isError: true })
    expect(body.messages[2]?.content[0]).toMatchObject({ is_error: true })
  })
})

describe('what belongs to one model', () => {
  const origin = { provider: 'anthropic', model: 'claude-sonnet-4-5', deployment: 'd' }
  const parts = [
    { type: 'reasoning', text: 'Hm', providerData: { anthropic: { signature: 's' } } },
    { type: 'reasoning', text: '', providerData: { anthropic: { redacted: 'r' } } },
    { type: 'reasoning', text: 'unsigned' },
    { type: 'text', text: 'A' },
  ] as const

  it('goes back to that model with its signature; unsigned reasoning does not', () => {
    const { body, codes } = messagesOf(user('q'), { role: 'assistant', content: parts, origin }, user('r'))
    expect(body.messages[1]?.content).toEqual([{ type: 'thinking', thinking: 'Hm', signature: 's' }, { type: 'redacted_thinking', data: 'r' }, { type: 'text', text: 'A' }])
    expect(codes).toEqual(['dropped messages'])
  })

  it('never crosses to another model or provider', () => {
    for (const other of [{ ...origin, model: 'claude-opus-5' }, { ...origin, provider: 'elsewhere' }]) {
      expect(messagesOf(user('q'), { role: 'assistant', content: parts, origin: other }, user('r')).body.messages[1]?.content).toEqual([{ type: 'text', text: 'A' }])
    }
  })

  it('a block of the dialect is sent as it stands, one of another dialect is not', () => {
    const block = { type: 'container_upload', file_id: 'f' }
    const { body } = messagesOf({ role: 'user', content: [{ type: 'text', text: '', providerData: { anthropic: { block } } }, { type: 'text', text: 'q', providerData: { openai: { block: { type: 'x' } } } }] })
    expect(body.messages[0]?.content).toEqual([block, { type: 'text', text: 'q' }])
  })
})

describe('images and files', () => {
  const block = (part: object) => messagesOf({ role: 'user', content: [part as never] }).body.messages[0]?.content[0]

  it.each<[string, object, object]>([
    ['an image by address', { type: 'image', image: 'https://example.com/a.png' }, { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }],
    ['an image in a data: URL', { type: 'image', image: 'data:image/png;base64,AAEC' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAEC' } }],
    ['the bytes of an image', { type: 'image', image: new Uint8Array([0, 1, 2]), mediaType: 'image/webp' }, { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'AAEC' } }],
    ['an image given as a file', { type: 'file', data: 'AAEC', mediaType: 'image/gif' }, { type: 'image', source: { type: 'base64', media_type: 'image/gif', data: 'AAEC' } }],
    ['a PDF', { type: 'file', data: new Uint8Array([0, 1, 2]), mediaType: 'application/pdf', filename: 'a.pdf' }, { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAEC' }, title: 'a.pdf' }],
    ['a PDF by address', { type: 'file', data: new URL('https://example.com/a.pdf'), mediaType: 'application/pdf' }, { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }],
    ['a text, with more than ASCII in it', { type: 'file', data: new TextEncoder().encode('grüß'), mediaType: 'text/markdown' }, { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'grüß' } }],
  ])('%s', (_, part, expected) => {
    expect(block(part)).toEqual(expected)
  })

  it('carries bytes of any length unchanged', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 70_000 }), bytes => {
        expect(block({ type: 'image', image: bytes, mediaType: 'image/png' })?.source.data).toBe(Buffer.from(bytes).toString('base64'))
      }),
      { numRuns: 20 },
    )
  })

  it.each<[string, object]>([
    ['audio', { type: 'audio', data: 'AAEC', mediaType: 'audio/wav' }],
    ['a file of a kind the dialect has no form for', { type: 'file', data: 'AAEC', mediaType: 'application/zip' }],
    ['image bytes of an unknown kind', { type: 'image', image: new Uint8Array([1]) }],
    ['an image that is no address', { type: 'image', image: 'file:///etc/passwd' }],
    ['a data: URL without data', { type: 'image', image: 'data:image/png' }],
    ['text that is not base64', { type: 'file', data: '%%%', mediaType: 'text/plain' }],
  ])('%s is refused before anything is sent, and not left out', (_, part) => {
    const error = refusal({ messages: [{ role: 'user', content: [part as never] }] })
    expect(error).toMatchObject({ code: 'invalid_request', origin: 'caller' })
    expect(error.message).not.toContain('passwd')
  })

  it('a tool can answer with an image', () => {
    const { body } = messagesOf(user('q'), caller('t'), { role: 'tool', toolCallId: 't', content: [{ type: 'image', image: 'https://example.com/a.png' }] })
    expect(body.messages[2]?.content[0]?.content).toEqual([{ type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }])
  })
})
