import { isObject, tryParseJson } from '../../src/protocol/json.js'
import type { Expected } from './recording.js'

type Fields = Record<string, unknown>

/** Up to the end of the first message of a recording that has several, one behind the other. */
export function firstMessage(text: string): string {
  const stop = text.indexOf('event: message_stop')
  return text.slice(0, text.indexOf('\n\n', stop) + 2)
}

function events(text: string): Fields[] {
  return text.split('\n').flatMap(line => {
    const data = line.startsWith('data:') ? tryParseJson(line.slice(5)) : undefined
    return isObject(data) ? [data] : []
  })
}

function at(value: unknown, key: string): unknown {
  return isObject(value) ? value[key] : undefined
}

/** What one message of the Anthropic wire says, read the plain way: server tools are not the client's. */
export function readMessage(text: string): Expected {
  const blocks: { type: unknown; id: unknown; name: unknown; input: unknown; text: string; json: string }[] = []
  let usage: Fields = {}
  let raw: unknown = null
  for (const event of events(text)) {
    const delta = event['delta']
    const block = blocks[Number(event['index'])]
    if (event['type'] === 'content_block_start') blocks[Number(event['index'])] = { text: '', json: '', type: at(event['content_block'], 'type'), id: at(event['content_block'], 'id'), name: at(event['content_block'], 'name'), input: at(event['content_block'], 'input') }
    else if (at(delta, 'type') === 'text_delta' && block !== undefined) block.text += String(at(delta, 'text'))
    else if (at(delta, 'type') === 'input_json_delta' && block !== undefined) block.json += String(at(delta, 'partial_json'))
    else if (event['type'] === 'message_delta') raw = at(delta, 'stop_reason')
    const counted = event['usage'] ?? at(event['message'], 'usage')
    if (isObject(counted)) usage = { ...usage, ...counted }
  }
  const tokens = (key: string): number => Number(usage[key] ?? 0)
  const cached = tokens('cache_read_input_tokens')
  const cacheWrite = tokens('cache_creation_input_tokens')
  const toolCalls = blocks.filter(block => block.type === 'tool_use').map(({ id, name, input, json }) => ({ id: String(id), name: String(name), arguments: json === '' ? input : tryParseJson(json) }))
  return {
    outcome: 'completion',
    choices: [{ text: blocks.filter(block => block.type === 'text').map(block => block.text).join(''), toolCalls, finish: { raw: typeof raw === 'string' ? raw : null, accept: raw === 'tool_use' ? ['tool_calls'] : ['stop'] } }],
    usage: { input: tokens('input_tokens') + cached + cacheWrite, output: tokens('output_tokens'), ...(cached > 0 && { cached }), ...(cacheWrite > 0 && { cacheWrite }) },
  }
}
