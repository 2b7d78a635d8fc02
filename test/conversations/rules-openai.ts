import { fields, isObjectText, list, paired, text, Wrong, type Body, type Rules } from './rules.js'

/** What differs between servers of the chat-completions dialect. */
interface Chat {
  readonly toolId: RegExp
  /** A user message straight after a tool message is refused. */
  readonly userAfterTool: boolean
  /** Fields of assistant messages beyond those of the dialect. */
  readonly extra: readonly string[]
  /** Types of content parts. */
  readonly parts: ReadonlySet<string>
}

const ASSISTANT = ['role', 'content', 'tool_calls', 'refusal', 'name']

function assistantOf(wrong: Wrong, message: Body, at: string, { toolId, extra }: Chat): string[] {
  const calls = list(message['tool_calls'])
  for (const key of Object.keys(message)) wrong.unless([...ASSISTANT, ...extra].includes(key), `${at}: the field ${key} is not of this dialect`)
  wrong.unless(message['content'] !== null || calls.length > 0, `${at}: neither text nor calls`)
  wrong.unless(message['content'] !== '' || calls.length > 0, `${at}: an empty text`)
  for (const call of calls) {
    const { name, arguments: written } = fields(call['function'])
    wrong.unless(toolId.test(text(call['id'])), `${at}: the id ${text(call['id'])}`)
    wrong.unless(/^[\w-]{1,64}$/.test(text(name)), `${at}: the name ${text(name)}`)
    wrong.unless(isObjectText(written), `${at}: the arguments are no JSON object`)
  }
  return calls.map(call => text(call['id']))
}

function chat(options: Chat): Rules {
  return body => {
    const wrong = new Wrong()
    const messages = list(body['messages'])
    for (const [at, message] of messages.entries()) {
      const where = `messages[${at}]`
      const role = text(message['role'])
      wrong.unless(['system', 'developer', 'user', 'assistant', 'tool'].includes(role), `${where}: the role ${role}`)
      for (const part of list(message['content'])) {
        wrong.unless(options.parts.has(text(part['type'])), `${where}: a part of type ${text(part['type'])}`)
        wrong.unless(part['type'] !== 'text' || part['text'] !== '', `${where}: an empty text part`)
      }
      if (role === 'user') wrong.unless(options.userAfterTool || messages[at - 1]?.['role'] !== 'tool', `${where}: a user straight after a tool`)
      if (role !== 'assistant') continue
      const calls = assistantOf(wrong, message, where, options)
      const results: string[] = []
      for (let next = at + 1; messages[next]?.['role'] === 'tool'; next++) {
        results.push(text(messages[next]?.['tool_call_id']))
        wrong.unless(typeof messages[next]?.['content'] === 'string' || Array.isArray(messages[next]?.['content']), `messages[${next}]: no content`)
      }
      paired(wrong, calls, results, where)
    }
    return wrong.found
  }
}

export const OPENAI_CHAT = chat({ toolId: /^[\w-]{1,40}$/, userAfterTool: true, extra: [], parts: new Set(['text', 'image_url', 'input_audio', 'file', 'refusal']) })
export const OPENROUTER = chat({ toolId: /^[\w.:-]{1,64}$/, userAfterTool: true, extra: ['reasoning', 'reasoning_details'], parts: new Set(['text', 'image_url', 'input_audio', 'file']) })
export const mistral = (userAfterTool: boolean): Rules => chat({ toolId: /^[a-zA-Z0-9]{9}$/, userAfterTool, extra: ['prefix'], parts: new Set(['text', 'image_url', 'document_url', 'file', 'reference', 'thinking', 'input_audio']) })

const INPUT = new Set(['input_text', 'input_image', 'input_file'])
const OUTPUT = new Set(['output_text', 'refusal'])

/** Items of the Responses wire. */
export const RESPONSES: Rules = body => {
  const wrong = new Wrong()
  const items = list(body['input'])
  const calls: string[] = []
  const results: string[] = []
  for (const [at, item] of items.entries()) {
    const where = `input[${at}]`
    const type = text(item['type'] ?? 'message')
    if (type === 'message') {
      const parts = OUTPUT.has(text(list(item['content'])[0]?.['type']))
      const known = item['role'] === 'assistant' ? OUTPUT : INPUT
      wrong.unless(['user', 'assistant', 'system', 'developer'].includes(text(item['role'])), `${where}: the role ${text(item['role'])}`)
      wrong.unless(parts === (item['role'] === 'assistant') || typeof item['content'] === 'string', `${where}: parts of the other side`)
      for (const part of list(item['content'])) wrong.unless(known.has(text(part['type'])), `${where}: a part of type ${text(part['type'])}`)
    } else if (type === 'function_call') {
      calls.push(text(item['call_id']))
      wrong.unless(isObjectText(item['arguments']), `${where}: the arguments are no JSON object`)
      wrong.unless(/^[\w-]{1,64}$/.test(text(item['call_id'])), `${where}: the id ${text(item['call_id'])}`)
      wrong.unless(/^[\w-]{1,64}$/.test(text(item['name'])), `${where}: the name ${text(item['name'])}`)
    } else if (type === 'function_call_output') {
      results.push(text(item['call_id']))
      wrong.unless(calls.includes(text(item['call_id'])), `${where}: the result comes before its call`)
      wrong.unless(typeof item['output'] === 'string' || Array.isArray(item['output']), `${where}: no output`)
    } else if (type === 'reasoning') {
      // Without the state of the server, only what it encrypted can come back, and with the item it belongs to.
      wrong.unless(text(item['encrypted_content']) !== '', `${where}: reasoning that is not encrypted`)
      const next = text(items[at + 1]?.['type'] ?? (items[at + 1] === undefined ? '' : 'message'))
      wrong.unless(['function_call', 'message', 'reasoning', 'custom_tool_call'].includes(next), `${where}: reasoning without its following item`)
    } else wrong.unless(false, `${where}: an item of type ${type}`)
  }
  paired(wrong, calls, results, 'input')
  return wrong.found
}
