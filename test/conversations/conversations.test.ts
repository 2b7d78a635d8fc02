import { describe, expect, it } from 'vitest'
import { everything, fields, list, text, type Body } from './rules.js'
import { storyOf } from './story.js'
import { VENDORS, type Vendor } from './vendors.js'

function sent({ adapter, target }: Vendor, request: ReturnType<typeof storyOf>): { readonly body: Body; readonly warnings: readonly { readonly code: string; readonly message: string }[] } {
  const { call, warnings } = adapter.encode(request, target, 'json')
  return { body: JSON.parse(String(call.body)) as Body, warnings }
}

describe.each(VENDORS.map(vendor => [vendor.name, vendor] as const))('a tool loop that began at %s', (_, author) => {
  const request = storyOf(author)

  it('has twelve turns and more, with pictures and reasoning', () => {
    expect(request.messages.length).toBeGreaterThanOrEqual(12)
    expect(request.messages.filter(({ role }) => role === 'tool')).toHaveLength(4)
  })

  it.each(VENDORS.map(vendor => [vendor.name, vendor] as const))('goes on at %s with a request that its wire takes', (__, reader) => {
    const { body } = sent(reader, request)
    expect(reader.rules(body)).toEqual([])
  })

  it.each(VENDORS.filter(vendor => vendor !== author).map(vendor => [vendor.name, vendor] as const))('shows %s nothing that only its author can read, and says so', (__, reader) => {
    const { body, warnings } = sent(reader, request)
    expect(everything(body)).not.toContain(author.signature)
    const signed = everything(request.messages).includes(author.signature)
    if (signed) expect(warnings.some(({ code }) => code === 'dropped')).toBe(true)
  })

  it('comes back to its author as it was: signatures, results and texts', () => {
    const { body } = sent(author, request)
    if (author.signs) expect(everything(body)).toContain(author.signature)
    for (const said of ['What is this?', 'A sally port is a door.', 'a door', 'not found', 'Thanks.']) expect(everything(body)).toContain(said)
  })
})

describe('the rules themselves', () => {
  it('find what a wire refuses: an answer without its call, blocks out of order, names and ids', () => {
    const wrong = (name: string, body: Body): readonly string[] => VENDORS.find(vendor => vendor.name === name)?.rules(body) ?? []
    expect(wrong('openai', { messages: [{ role: 'assistant', content: null, tool_calls: [{ id: 'a', function: { name: 'f', arguments: '{}' } }] }] })).toHaveLength(1)
    expect(wrong('mistral 2024', { messages: [{ role: 'assistant', content: '', tool_calls: [{ id: 'call_123', function: { name: 'f', arguments: '{}' } }] }, { role: 'tool', tool_call_id: 'call_123', content: '' }, { role: 'user', content: 'x' }] })).toHaveLength(2)
    expect(wrong('responses', { input: [{ type: 'function_call_output', call_id: 'a', output: 'x' }] })).not.toEqual([])
    expect(wrong('responses', { input: [{ type: 'reasoning', id: 'r', summary: [] }] })).toHaveLength(2)
    expect(wrong('anthropic', { messages: [{ role: 'user', content: [{ type: 'text', text: ' ' }, { type: 'tool_result', tool_use_id: 'a' }] }] })).toHaveLength(3)
    expect(wrong('gemini 3', { contents: [{ role: 'user', parts: [{ text: 'x' }] }, { role: 'model', parts: [{ functionCall: { name: 'f', args: {} } }] }, { role: 'user', parts: [{ text: 'y' }] }] })).toHaveLength(2)
    expect(wrong('bedrock', { messages: [{ role: 'user', content: [{ text: 'x' }] }, { role: 'assistant', content: [{ toolUse: { toolUseId: 'a', name: 'f', input: {} } }] }, { role: 'user', content: [{ text: '' }] }] })).toHaveLength(3)
    expect(wrong('cohere', { messages: [{ role: 'assistant', content: 'x', tool_calls: [{ id: 'a', function: { arguments: '{}' } }] }] })).toHaveLength(2)
    expect(wrong('ollama', { messages: [{ role: 'assistant', content: '', tool_calls: [{ function: { arguments: '{}' } }] }, { role: 'user', content: 'x' }] })).toHaveLength(2)
  })

  it('every wire names its model and keeps its tools', () => {
    for (const vendor of VENDORS) {
      const { body } = sent(vendor, storyOf(vendor))
      const tools = everything(body['tools'] ?? fields(body['toolConfig'])['tools'])
      for (const name of ['lookup', 'photo', 'notes']) expect(tools, vendor.name).toContain(name)
      expect(list(body['messages'] ?? body['contents'] ?? body['input']).length, vendor.name).toBeGreaterThan(7)
      expect(text(body['model'] ?? vendor.target.model)).toBe(vendor.target.model)
    }
  })
})
