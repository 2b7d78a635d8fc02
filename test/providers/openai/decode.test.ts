import { describe, expect, it } from 'vitest'
import type { ChatEvent } from '../../../src/protocol/events.js'
import type { Frame } from '../../../src/protocol/ports.js'
import { ASK, caught, chunk, completion, decoder, DONE, play, read, readJson, stop } from './support.js'

const call = (fields: Record<string, unknown>): Frame => chunk({ tool_calls: [fields] })
const fn = (name: string | undefined, text: unknown) => ({ ...(name !== undefined && { name }), arguments: text })
const named = (events: readonly ChatEvent[], type: ChatEvent['type']) => events.filter(event => event.type === type)

describe('the frame of an answer', () => {
  it('takes neither id nor model from a chunk without a choice (trap 1)', () => {
    const first = { data: JSON.stringify({ id: 'filter', model: 'filter', choices: [], prompt_filter_results: [{ content_filter_results: { hate: { filtered: false } } }] }) }
    const events = play([first, chunk({ content: 'Hi' }), stop(), DONE])
    expect(events[0]).toEqual({ type: 'start', id: 'c1', model: 'm1' })
    expect(named(events, 'start')).toHaveLength(1)
    expect(named(events, 'provider-data')).toEqual([])
  })
  it('keeps usage that comes alone after the finish reason (trap 2)', () => {
    const tail = { data: JSON.stringify({ id: 'c1', choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }) }
    expect(read([chunk({ content: 'Hi' }), stop(), tail, DONE]).finish?.usage).toEqual({ inputTokens: 3, outputTokens: 2 })
  })
  it('does not fall over chunks without choices, delta or sense (traps 3, 4)', () => {
    const odd = ['{}', '{"choices":null}', '{"choices":[null]}', '{"choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{}}],"id":""}'].map(data => ({ data }))
    expect(read([...odd, chunk({ content: 'Hi' }), ...odd, stop(), DONE]).text).toBe('Hi')
  })
  it('calls an answer with a finish reason whole though [DONE] is missing (trap 5)', () => {
    const got = read([chunk({ content: 'Hi' }), stop()])
    expect(got.finish?.finishReason).toBe('stop')
    expect(got.warnings.map(warning => warning.code)).toEqual(['missing_terminal'])
    expect(read([chunk({ content: 'Hi' }, { usage: { prompt_tokens: 1, completion_tokens: 1 } }), stop()]).warnings).toEqual([])
  })
  it('calls [DONE] without a finish reason an end (trap 6)', () => {
    expect(read([chunk({ content: 'Hi' }), DONE]).finish).toMatchObject({ finishReason: 'stop', rawFinishReason: null })
    expect(read([call({ index: 0, id: 'a', function: fn('f', '{}') }), stop(''), DONE]).finish).toMatchObject({ finishReason: 'tool-calls', rawFinishReason: null })
  })
  it('never calls a cut stream a success (trap 7)', () => {
    const reader = decoder()
    reader.frame(chunk({ content: 'Hi' }))
    expect(reader.finishing).toBe(false)
    expect(caught(() => reader.end())).toMatchObject({ code: 'malformed_response', origin: 'upstream' })
  })
  it('says when it is finishing and when it is done, and is silent after', () => {
    const reader = decoder()
    reader.frame(stop())
    expect([reader.finishing, reader.done]).toEqual([true, false])
    reader.frame(DONE)
    expect(reader.done).toBe(true)
    expect([...reader.frame(chunk({ content: 'late' })), ...reader.end()]).toEqual([])
  })
  it('skips a broken frame with a warning, but not inside a tool call', () => {
    const got = read([chunk({ content: 'a' }), { data: '{"broken' }, { data: '[1]' }, chunk({ content: 'b' }), stop(), DONE])
    expect(got.text).toBe('ab')
    expect(got.warnings.map(warning => warning.code)).toEqual(['frame_skipped', 'frame_skipped'])
    const inside = [call({ index: 0, id: 'a', function: fn('f', '{"x":') }), { data: '{"broken' }, call({ index: 0, function: fn(undefined, '1}') }), stop('tool_calls'), DONE]
    expect(caught(() => play(inside))).toMatchObject({ code: 'malformed_response' })
  })
  it('reads errors inside a good answer, with the status they name (traps 16, 21)', () => {
    const error = { data: JSON.stringify({ error: { message: 'No such luck', code: 429 }, choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }] }) }
    expect(caught(() => play([error]))).toMatchObject({ code: 'rate_limited', status: 429 })
    expect(caught(() => play([{ event: 'error', data: '{"message":"gone","status_code":503}' }]))).toMatchObject({ code: 'upstream_error' })
    expect(caught(() => play([{ event: 'error', data: 'plain words' }]))).toMatchObject({ upstream: { message: 'plain words' } })
    expect(caught(() => play([{ data: '{"x_groq":{"error":"over capacity"}}' }]))).toMatchObject({ upstream: { message: 'over capacity' } })
    expect(caught(() => readJson({ error: { message: 'x', code: 'insufficient_quota' } }))).toMatchObject({ code: 'quota_exhausted' })
    expect(caught(() => readJson({ base_resp: { status_code: 1004, status_msg: 'login fail' }, choices: null }))).toMatchObject({ code: 'credential_rejected' })
    expect(readJson({ ...completion({ content: 'ok' }), base_resp: { status_code: 0 }, error: null }).text).toBe('ok')
  })
  it('does not take other JSON for a completion (trap 22)', () => {
    for (const body of [undefined, null, '', 'text', 7, [], {}, { choices: [] }, { choices: [{}] }, { object: 'list', data: [] }]) {
      expect(caught(() => readJson(body))).toMatchObject({ code: 'malformed_response' })
    }
  })
  it.each(['error', 'network_error', 'insufficient_system_resource'])('makes a fault of the finish reason %s', reason => {
    expect(caught(() => play([chunk({ content: 'Hi' }), stop(reason)]))).toMatchObject({ code: reason === 'insufficient_system_resource' ? 'overloaded' : 'upstream_error', upstream: { code: reason } })
  })
  it('keeps the first finish reason and what comes after it (trap 38)', () => {
    const got = read([chunk({ content: 'a' }), stop('length'), chunk({ content: 'b' }), stop('stop'), DONE])
    expect([got.text, got.finish?.rawFinishReason]).toEqual(['ab', 'length'])
  })
  it.each([
    ['eos', 'stop'], ['end_turn', 'stop'], ['sensitive', 'content-filter'], ['model_length', 'length'], ['FAKE_NEW_FINISH_REASON', 'other'], ['tool_calls', 'other'],
  ])('maps the finish reason %s without a call to %s', (raw, reason) => {
    expect(readJson(completion({ content: 'x' }, raw)).finish).toMatchObject({ finishReason: reason, rawFinishReason: raw })
  })
  it('takes finish words of a server of the user', () => {
    expect(readJson(completion({ content: 'x' }, 'enough'), { finish: { enough: 'length' } }).finish?.finishReason).toBe('length')
  })
  it('reads only the first of several interleaved choices (trap 40)', () => {
    const other = { data: JSON.stringify({ id: 'c1', model: 'm1', choices: [{ index: 1, delta: { content: 'no' }, finish_reason: 'stop' }] }) }
    expect(read([other, chunk({ content: 'yes' }), other, stop(), DONE]).text).toBe('yes')
  })
  it('reads the delta where a cumulative message stands beside it (trap 41)', () => {
    const both = (delta: string, all: string) => chunk({ content: delta }, {}, { message: { content: all } })
    expect(read([both('a', 'a'), both('b', 'ab'), chunk(undefined, {}, { message: { content: 'ab' } }), chunk({ content: '' }, {}, { message: { content: 'ab' }, finish_reason: 'stop' }), DONE]).text).toBe('ab')
  })
  it('reads a whole completion sent as a single frame (trap 17)', () => {
    expect(read([{ data: JSON.stringify(completion({ role: 'assistant', content: 'Hi' })) }, DONE]).text).toBe('Hi')
  })
  it('keeps the first id and model (trap 42)', () => {
    const got = read([chunk({ content: 'a' }), chunk({ content: 'b' }, { id: '', model: 'other' }), stop(), DONE])
    expect([got.id, got.model]).toEqual(['c1', 'm1'])
    const late = read([chunk({ role: 'assistant' }, { id: 'first', model: '' }), chunk({ content: 'b' }), stop(), DONE])
    expect([late.id, late.model]).toEqual(['first', 'm1'])
  })
  it('survives a choice without message after a filter (trap 45)', () => {
    const results = { violence: { filtered: true, severity: 'high' } }
    const got = readJson({ id: 'a', model: 'm', choices: [{ index: 0, finish_reason: 'content_filter', content_filter_results: results }] })
    expect([got.text, got.finish?.finishReason, got.providerMetadata['openai']]).toEqual(['', 'content-filter', { content_filter_results: results }])
  })
})

describe('what an answer holds', () => {
  it('sends no empty deltas and no empty refusal (traps 26, 44)', () => {
    const events = play([chunk({ role: 'assistant', content: '', refusal: '' }), chunk({ content: null, refusal: null, reasoning: '' }), stop(), DONE])
    expect(events.map(event => event.type)).toEqual(['start', 'finish'])
  })
  it('reads a refusal', () => {
    expect(readJson(completion({ content: null, refusal: 'No.' }))).toMatchObject({ refusal: 'No.', text: '' })
  })
  it.each(['reasoning_content', 'reasoning', 'reasoning_text'])('reads reasoning from %s', field => {
    expect(read([chunk({ [field]: 'hm' }), chunk({ content: 'so' }), stop(), DONE])).toMatchObject({ reasoning: 'hm', text: 'so' })
  })
  it('takes reasoning once where it is sent twice, and keeps its details for the way back (trap 43)', () => {
    const piece = (text: string, more = {}) => chunk({ reasoning: text, reasoning_details: [{ type: 'reasoning.text', text, index: 0, ...more }] })
    const sign = chunk({ reasoning_details: [{ type: 'reasoning.text', signature: 'sig', index: 0 }, { type: 'reasoning.encrypted', data: 'e', index: 1 }] })
    const got = read([piece('a'), piece('b', { format: 'v1' }), sign, chunk({ content: 'so' }), stop(), DONE])
    expect(got.reasoning).toBe('ab')
    expect(got.content).toEqual([
      { type: 'reasoning', text: 'ab', providerData: { openai: { reasoning_details: [{ type: 'reasoning.text', text: 'ab', index: 0, format: 'v1', signature: 'sig' }, { type: 'reasoning.encrypted', data: 'e', index: 1 }] } } },
      { type: 'text', text: 'so' },
    ])
  })
  it('keeps the details of a whole answer apart, for none goes on from another', () => {
    const details = [{ type: 'reasoning.text', text: 'a' }, { type: 'reasoning.text', text: 'b' }, { type: 'reasoning.encrypted', data: 'c' }]
    expect(readJson(completion({ reasoning: 'ab', reasoning_details: details })).content).toEqual([{ type: 'reasoning', text: 'ab', providerData: { openai: { reasoning_details: details } } }])
  })
  it('reads content lists with thinking, and warns once of kinds it does not know', () => {
    const content = [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }, { type: 'reasoning', summary: [{ type: 'summary_text', text: '!' }] }, { type: 'novel' }, { type: 'novel' }, { type: 'text', text: 'so' }]
    const got = readJson(completion({ content }))
    expect([got.reasoning, got.text, got.warnings.map(warning => warning.code)]).toEqual(['hm!', 'so', ['dropped']])
  })
  it('leaves think tags in the text', () => {
    expect(readJson(completion({ content: '<think>hm</think>so' })).text).toBe('<think>hm</think>so')
  })
  it('reads log probabilities, citations, images and sound', () => {
    const frames = [
      chunk({ content: 'Hi' }, {}, { logprobs: { content: [{ token: 'Hi', logprob: -0.5, top_logprobs: [{ token: 'Ho', logprob: -1 }, { token: 3 }] }, { token: 'x' }] } }),
      chunk({ annotations: [{ type: 'url_citation', url_citation: { url: 'https://a.example/', title: 'A', start_index: 0, end_index: 2 } }, { type: 'other' }] }),
      chunk({ images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } }] }),
      chunk({ audio: { id: 'au', transcript: 'Hel' } }), chunk({ audio: { data: 'QQ==', transcript: 'lo' } }), chunk({ audio: { data: 'Qg==' } }),
      stop(), DONE,
    ]
    const got = read(frames)
    expect(got.logprobs).toEqual([{ token: 'Hi', logprob: -0.5, top: [{ token: 'Ho', logprob: -1 }] }])
    expect(got.content[0]).toEqual({ type: 'text', text: 'Hi', citations: [{ url: 'https://a.example/', title: 'A', data: { start_index: 0, end_index: 2 } }] })
    expect(got.files).toEqual([{ mediaType: 'image/png', data: 'QUJD' }, { mediaType: 'audio/mp3', data: 'QUI=' }])
    expect(got.providerMetadata['openai']).toEqual({ audio: { id: 'au', transcript: 'Hello' } })
  })
  it('names the sound by the format that was asked for, and makes nothing of an empty one', () => {
    const request = { ...ASK, providerOptions: { openai: { audio: { format: 'wav', voice: 'x' } } } }
    expect(readJson(completion({ audio: { data: 'QUJD' } }), {}, request).files).toEqual([{ mediaType: 'audio/wav', data: 'QUJD' }])
    expect(readJson(completion({ content: '4', audio: { data: '', id: '' }, function_call: { name: '', arguments: '' } }))).toMatchObject({ files: [], toolCalls: [] })
  })
  it('cites the sources that stand beside the choices, once', () => {
    const beside = { citations: ['https://a.example/'], search_results: [{ title: 'A', url: 'https://a.example/' }, { title: 'no address' }] }
    const got = read([chunk({ content: 'x[1]' }, beside), chunk({ content: '.' }, beside), stop(), DONE])
    expect(got.content).toEqual([{ type: 'text', text: 'x[1].', citations: [{ url: 'https://a.example/', title: 'A' }] }])
  })
})
