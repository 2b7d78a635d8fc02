import { alternating, fields, list, paired, text, Wrong, type Rules } from './rules.js'

type Fields = Record<string, unknown>

const blank = (value: unknown): boolean => text(value).trim() === ''

/** Messages of Anthropic. */
export const ANTHROPIC: Rules = body => {
  const wrong = new Wrong()
  const messages = list(body['messages'])
  alternating(wrong, messages.map(message => text(message['role'])))
  let calls: string[] = []
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`
    const blocks = list(message['content'])
    wrong.unless(blocks.length > 0, `${where}: empty`)
    const results = blocks.filter(block => block['type'] === 'tool_result')
    wrong.unless(blocks.slice(0, results.length).every(block => block['type'] === 'tool_result'), `${where}: results are not first`)
    if (message['role'] === 'user') paired(wrong, calls, results.map(block => text(block['tool_use_id'])), where)
    calls = blocks.filter(block => block['type'] === 'tool_use').map(block => text(block['id']))
    const thought = blocks.findLastIndex(block => block['type'] === 'thinking' || block['type'] === 'redacted_thinking')
    wrong.unless(thought < 0 || blocks.slice(0, thought).every(block => block['type'] !== 'tool_use'), `${where}: thinking behind a call`)
    for (const block of blocks) anthropicBlock(wrong, block, where)
  }
  const last = list(messages.at(-1)?.['content']).at(-1)
  wrong.unless(messages.at(-1)?.['role'] !== 'assistant' || !/\s$/.test(text(last?.['text'])), 'the last text ends in white space')
  return wrong.found
}

function anthropicBlock(wrong: Wrong, block: Fields, where: string): void {
  const type = text(block['type'])
  if (type === 'text') wrong.unless(!blank(block['text']), `${where}: a blank text`)
  else if (type === 'thinking') wrong.unless(text(block['signature']) !== '', `${where}: thinking that is not signed`)
  else if (type === 'tool_use') {
    wrong.unless(/^[\w-]{1,64}$/.test(text(block['id'])) && /^[\w-]{1,64}$/.test(text(block['name'])), `${where}: the id or name of a call`)
    wrong.unless(typeof block['input'] === 'object' && block['input'] !== null && !Array.isArray(block['input']), `${where}: the input is no object`)
  } else if (type === 'tool_result') for (const inner of list(block['content'])) anthropicBlock(wrong, inner, where)
  else wrong.unless(['image', 'document', 'redacted_thinking'].includes(type), `${where}: a block of type ${type}`)
}

const SUBSET = new Set(['type', 'format', 'title', 'description', 'nullable', 'enum', 'maxItems', 'minItems', 'properties', 'required', 'minProperties', 'maxProperties', 'minLength', 'maxLength', 'pattern', 'example', 'anyOf', 'propertyOrdering', 'default', 'items', 'minimum', 'maximum'])

function schemaWords(wrong: Wrong, schema: unknown, where: string): void {
  for (const [key, value] of Object.entries(fields(schema))) {
    wrong.unless(SUBSET.has(key), `${where}: the keyword ${key}`)
    if (key === 'properties') for (const inner of Object.values(fields(value))) schemaWords(wrong, inner, where)
    else if (key === 'items') schemaWords(wrong, value, where)
    else if (key === 'anyOf') for (const inner of list(value)) schemaWords(wrong, inner, where)
    else if (key === 'enum') wrong.unless(Array.isArray(value) && value.every(one => typeof one === 'string'), `${where}: an enum that is not of texts`)
  }
}

function answers(wrong: Wrong, result: Fields, call: Fields, ids: boolean, where: string): void {
  const { name, id, response } = result
  wrong.unless(name === call['name'], `${where}: a result of another call`)
  wrong.unless(typeof response === 'object' && response !== null && !Array.isArray(response), `${where}: a response that is no object`)
  wrong.unless(ids ? id === call['id'] : id === undefined, `${where}: the id of a result`)
}

/** Contents of Gemini. @param signed calls need a signature (Gemini 3); @param ids calls and results may name their id. */
export const gemini = ({ signed, ids }: { readonly signed: boolean; readonly ids: boolean }): Rules => body => {
  const wrong = new Wrong()
  const contents = list(body['contents'])
  alternating(wrong, contents.map(content => text(content['role'])))
  let calls: Fields[] = []
  for (const [at, content] of contents.entries()) {
    const where = `contents[${at}]`
    const parts = list(content['parts'])
    wrong.unless(parts.length > 0, `${where}: empty`)
    const results = parts.flatMap(part => (part['functionResponse'] === undefined ? [] : [fields(part['functionResponse'])]))
    wrong.unless(results.length === calls.length, `${where}: ${results.length} results for ${calls.length} calls`)
    for (const [number, result] of results.entries()) answers(wrong, result, calls[number] ?? {}, ids, where)
    const made = parts.filter(part => part['functionCall'] !== undefined)
    wrong.unless(!signed || made[0] === undefined || text(made[0]['thoughtSignature']) !== '', `${where}: the first call is not signed`)
    calls = made.map(part => fields(part['functionCall']))
    for (const call of calls) wrong.unless(/^[a-z_][\w.:-]{0,63}$/i.test(text(call['name'])) && typeof call['args'] === 'object', `${where}: the name or args of a call`)
    for (const part of parts) wrong.unless(part['text'] !== '' || part['thoughtSignature'] !== undefined, `${where}: an empty text`)
  }
  for (const tool of list(body['tools'])) for (const declared of list(tool['functionDeclarations'])) if (declared['parameters'] !== undefined) schemaWords(wrong, declared['parameters'], text(declared['name']))
  return wrong.found
}

const MEDIA = new Set(['text', 'image', 'document', 'video', 'audio', 'cachePoint', 'guardContent'])

/** Messages of Bedrock's Converse. */
export const bedrock = (toolId: RegExp): Rules => body => {
  const wrong = new Wrong()
  const messages = list(body['messages'])
  alternating(wrong, messages.map(message => text(message['role'])))
  let calls: string[] = []
  let any = false
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`
    const blocks = list(message['content'])
    wrong.unless(blocks.length > 0, `${where}: empty`)
    const results = blocks.flatMap(block => (block['toolResult'] === undefined ? [] : [fields(block['toolResult'])]))
    if (message['role'] === 'user') paired(wrong, calls, results.map(result => text(result['toolUseId'])), where)
    calls = blocks.flatMap(block => (block['toolUse'] === undefined ? [] : [text(fields(block['toolUse'])['toolUseId'])]))
    any ||= calls.length > 0
    for (const block of blocks) bedrockBlock(wrong, block, where, toolId)
    wrong.unless(!blocks.some(block => block['document'] !== undefined) || blocks.some(block => block['text'] !== undefined), `${where}: a document without a text beside it`)
  }
  wrong.unless(!any || list(fields(body['toolConfig'])['tools']).length > 0, 'calls in the conversation, and no toolConfig')
  return wrong.found
}

function bedrockBlock(wrong: Wrong, block: Fields, where: string, toolId: RegExp): void {
  if (block['text'] !== undefined) wrong.unless(!blank(block['text']), `${where}: a blank text`)
  const use = fields(block['toolUse'])
  if (block['toolUse'] !== undefined) wrong.unless(toolId.test(text(use['toolUseId'])) && /^[\w-]{1,64}$/.test(text(use['name'])) && typeof use['input'] === 'object', `${where}: the id, name or input of a call`)
  const reasoning = fields(fields(block['reasoningContent'])['reasoningText'])
  if (block['reasoningContent'] !== undefined) wrong.unless(text(reasoning['signature']) !== '' || fields(block['reasoningContent'])['redactedContent'] !== undefined, `${where}: reasoning that is not signed`)
  const result = fields(block['toolResult'])
  for (const inner of list(result['content'])) wrong.unless(inner['json'] !== undefined || [...MEDIA].some(key => inner[key] !== undefined), `${where}: a result of no known kind`)
  if (block['toolResult'] !== undefined) wrong.unless(list(result['content']).length > 0, `${where}: an empty result`)
}

/** Messages of Cohere's v2 chat. */
export const COHERE: Rules = body => {
  const wrong = new Wrong()
  const messages = list(body['messages'])
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`
    if (message['role'] !== 'assistant') continue
    const calls = list(message['tool_calls'])
    wrong.unless(calls.length === 0 || message['content'] === undefined || Array.isArray(message['content']), `${where}: text beside calls`)
    wrong.unless(calls.length > 0 || message['content'] !== undefined, `${where}: neither text nor calls`)
    const results: string[] = []
    for (let next = at + 1; messages[next]?.['role'] === 'tool'; next++) results.push(text(messages[next]?.['tool_call_id']))
    paired(wrong, calls.map(call => text(call['id'])), results, where)
    for (const call of calls) wrong.unless(typeof fields(call['function'])['arguments'] === 'string', `${where}: the arguments are no text`)
  }
  return wrong.found
}

/** Messages of Ollama's own API. */
export const OLLAMA: Rules = body => {
  const wrong = new Wrong()
  const messages = list(body['messages'])
  let waiting = 0
  for (const [at, message] of messages.entries()) {
    const where = `messages[${at}]`
    wrong.unless(typeof message['content'] === 'string', `${where}: content that is no text`)
    for (const image of Array.isArray(message['images']) ? (message['images'] as unknown[]) : []) wrong.unless(typeof image === 'string' && !image.includes(':'), `${where}: an image that is not bare base64`)
    if (message['role'] === 'tool') waiting--
    else wrong.unless(waiting === 0, `${where}: ${waiting} calls have no result`)
    const calls = list(message['tool_calls'])
    waiting += calls.length
    for (const call of calls) wrong.unless(typeof fields(call['function'])['arguments'] === 'object', `${where}: arguments that are no object`)
  }
  return wrong.found
}
