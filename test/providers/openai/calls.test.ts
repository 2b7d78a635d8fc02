import { describe, expect, it } from 'vitest'
import type { Frame } from '../../../src/protocol/ports.js'
import { ASK, caught, chunk, completion, DONE, play, read, readJson, stop } from './support.js'

const call = (fields: Record<string, unknown>): Frame => chunk({ tool_calls: [fields] })
const fn = (name: string | undefined, text: unknown) => ({ ...(name !== undefined && { name }), arguments: text })
const calls = (frames: readonly Frame[]) => read([...frames, stop('tool_calls'), DONE]).toolCalls.map(({ id, name, input }) => [id, name, input])

describe('tool calls, whatever a server makes of them', () => {
  it('goes by id, and by the last call, where there is no index (trap 27)', () => {
    expect(calls([chunk({ tool_calls: [{ id: 'a', function: fn('f', '{"x":1}') }, { id: 'b', function: fn('f', '{"x":2}') }] })])).toEqual([['a', 'f', { x: 1 }], ['b', 'f', { x: 2 }]])
    expect(calls([call({ id: 'a', function: fn('f', '{"x"') }), call({ function: fn(undefined, ':1}') })])).toEqual([['a', 'f', { x: 1 }]])
    expect(calls([chunk({ tool_calls: [{ function: fn('f', '{}') }, { function: fn('f', '{}') }] })]).map(([, name]) => name)).toEqual(['f', 'f'])
  })
  it('renumbers calls that do not begin at 0 (trap 28)', () => {
    const events = play([call({ index: 1, id: 'a', function: fn('f', '{}') }), call({ index: 3, id: 'b', function: fn('g', '{}') }), stop('tool_calls'), DONE])
    expect(events.filter(event => event.type === 'tool-call')).toMatchObject([{ index: 0, id: 'a' }, { index: 1, id: 'b' }])
  })
  it('tells apart parallel calls that all have index 0 (trap 29)', () => {
    expect(calls([call({ index: 0, id: 'a', function: fn('f', '{"x":1}') }), call({ index: 0, id: 'b', function: fn('g', '{"x":') }), call({ index: 0, function: fn(undefined, '2}') })])).toEqual([['a', 'f', { x: 1 }], ['b', 'g', { x: 2 }]])
    expect(calls([call({ index: 0, id: '', function: fn('f', '{"x":1}') }), call({ index: 0, id: '', function: fn('f', '{"x":2}') })]).map(([, , input]) => input)).toEqual([{ x: 1 }, { x: 2 }])
  })
  it('tells apart such calls though none has arguments yet', () => {
    const inputs = (first: object, second: object) => calls([call({ index: 0, ...first }), call({ index: 0, ...second })]).map(([, name]) => name)
    expect(inputs({ id: 'a', function: fn('f', '') }, { id: 'b', function: fn('f', '') })).toEqual(['f', 'f'])
    expect(inputs({ function: fn('f', '') }, { function: fn('g', '') })).toEqual(['f', 'g'])
  })
  it('neither doubles names nor appends ids that come again (trap 30)', () => {
    const pieces = ['{"x"', ':', '1}'].map((text, i) => call({ index: 0, id: i === 2 ? 'null' : 'a', function: fn('f', text) }))
    expect(calls([...pieces, call({ index: 0, id: null, function: fn('', '') })])).toEqual([['a', 'f', { x: 1 }]])
  })
  it('holds arguments back until the call has a name (trap 31)', () => {
    expect(calls([call({ index: 0, id: 'a', function: fn(undefined, '{"x"') }), call({ index: 0, function: fn('f', ':1}') })])).toEqual([['a', 'f', { x: 1 }]])
    expect(caught(() => calls([call({ index: 0, id: 'a', function: fn(undefined, '{}') })]))).toMatchObject({ code: 'malformed_response' })
  })
  it.each([['', {}], [null, {}], ['null', {}], [undefined, {}], [{ x: 1 }, { x: 1 }]])('reads arguments %j as %j (traps 32 to 34)', (text, input) => {
    expect(readJson(completion({ content: null, tool_calls: [{ id: 'a', type: 'function', function: fn('f', text) }] }, 'tool_calls')).toolCalls).toMatchObject([{ input, arguments: JSON.stringify(input) }])
  })
  it('keeps interleaved fragments apart (trap 35)', () => {
    const part = (index: number, text: string, id?: string) => call({ index, ...(id !== undefined && { id }), function: fn(id, text) })
    expect(calls([part(0, '{"x"', 'a'), part(1, '{"y"', 'b'), part(0, ':1'), part(1, ':2}'), part(0, '}')])).toEqual([['a', 'a', { x: 1 }], ['b', 'b', { y: 2 }]])
  })
  it('makes an id where there is none, new for each turn and each call (traps 36)', () => {
    const body = completion({ tool_calls: [{ id: '', function: fn('f', '{}') }, { id: 'x', function: fn('f', '{}') }, { id: 'x', index: 7, function: fn('g', '{}') }] }, 'tool_calls')
    const later = { ...ASK, messages: [...ASK.messages, { role: 'assistant' as const, content: 'a' }, { role: 'user' as const, content: 'b' }] }
    const ids = readJson(body).toolCalls.map(each => each.id)
    expect(new Set(ids).size).toBe(3)
    expect(readJson(body, {}, later).toolCalls[0]?.id).not.toBe(ids[0])
  })
  it('says tool-calls where the server says stop (trap 39)', () => {
    expect(readJson(completion({ tool_calls: [{ id: 'a', function: fn('f', '{}') }] }, 'stop')).finish).toMatchObject({ finishReason: 'tool-calls', rawFinishReason: 'stop' })
  })
  it('runs no call that a length limit cut (trap 72)', () => {
    const got = read([call({ index: 0, id: 'a', function: fn('f', '{"x":1}') }), call({ index: 1, id: 'b', function: fn('rm', '{"path":"/tm') }), stop('length'), DONE])
    expect(got.toolCalls.map(each => each.id)).toEqual(['a'])
    expect([got.finish?.finishReason, got.warnings.map(warning => warning.code)]).toEqual(['length', ['dropped']])
    expect(caught(() => play([call({ index: 0, id: 'a', function: fn('f', '{"x') }), stop('tool_calls'), DONE]))).toMatchObject({ code: 'malformed_response' })
  })
  it('passes free text of a custom tool through untouched (trap 68)', () => {
    const text = 'SELECT "a"\nFROM b -- {not json'
    const pieces = [...text].map((piece, i) => call({ index: 0, type: 'custom', custom: { ...(i === 0 && { name: 'sql' }), input: piece }, ...(i === 0 && { id: 'a' }) }))
    const got = read([...pieces, stop('tool_calls'), DONE])
    expect(got.toolCalls).toEqual([{ id: 'a', name: 'sql', input: text, arguments: JSON.stringify(text) }])
    expect(got.content).toMatchObject([{ type: 'tool-call', providerData: { openai: { type: 'custom' } } }])
  })
  it('reads the older function_call', () => {
    expect(read([chunk({ function_call: fn('f', '{"x"') }), chunk({ function_call: fn(undefined, ':1}') }), stop('function_call'), DONE])).toMatchObject({ toolCalls: [{ name: 'f', input: { x: 1 } }], finish: { finishReason: 'tool-calls' } })
  })
  it('keeps the signature that one server puts on a call (trap 58)', () => {
    const extra = { google: { thought_signature: 's' } }
    expect(readJson(completion({ tool_calls: [{ id: 'a', function: fn('f', '{}'), extra_content: extra }] }, 'stop')).content).toMatchObject([{ providerData: { openai: { extra_content: extra } } }])
  })
})
