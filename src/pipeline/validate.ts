import { GatewayError } from '../protocol/errors.js'
import { conversationProblem } from '../protocol/conversation.js'
import { isObject } from '../protocol/json.js'
import type { ChatRequest, Message } from '../protocol/request.js'
import { validatePrefer } from '../routing/prefer.js'
import { cacheControl, type CallCache } from '../state/cache-options.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'

/** Fields of a request that go to the upstream as they are. */
export const SAMPLING = [
  'toolChoice', 'parallelToolCalls', 'temperature', 'topP', 'topK', 'stop', 'seed', 'frequencyPenalty', 'presencePenalty', 'reasoning', 'logprobs', 'providerOptions',
] as const satisfies readonly (keyof ChatRequest)[]
const REQUEST = new Set<string>([...SAMPLING, 'model', 'system', 'messages', 'tools', 'output', 'maxOutputTokens'])
const OPTIONS = new Set(['signal', 'deadlines', 'retry', 'recover', 'strict', 'headers', 'metadata', 'key', 'principal', 'conversation', 'prefer', 'priority', 'cache'])
const HINTS = new Map([
  ['max_tokens', 'maxOutputTokens'],
  ['max_completion_tokens', 'maxOutputTokens'],
  ['maxTokens', 'maxOutputTokens'],
  ['response_format', 'output'],
  ['stop_sequences', 'stop'],
  ['stopSequences', 'stop'],
  ['reasoning_effort', 'reasoning'],
  ['thinking', 'reasoning'],
  ['top_logprobs', 'logprobs'],
  ['functions', 'tools'],
  ['prompt', 'messages'],
])
const WHOLE: ReadonlySet<string> = new Set(['maxOutputTokens', 'topK', 'seed'])
const NUMBERS: readonly (readonly [keyof ChatRequest, number, number])[] = [
  ['maxOutputTokens', 1, Number.MAX_SAFE_INTEGER],
  ['temperature', 0, 2],
  ['topP', 0, 1],
  ['topK', 0, Number.MAX_SAFE_INTEGER],
  ['seed', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ['frequencyPenalty', -2, 2],
  ['presencePenalty', -2, 2],
]
const PARTS: Readonly<Record<Message['role'], ReadonlySet<string>>> = {
  system: new Set(['text']),
  developer: new Set(['text']),
  user: new Set(['text', 'image', 'file', 'audio']),
  assistant: new Set(['text', 'reasoning', 'tool-call', 'refusal', 'file']),
  tool: new Set(['text', 'image', 'file']),
}
const ROLES = Object.keys(PARTS)
const REASONING = new Set(['effort', 'budgetTokens'])
const EFFORTS = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'])
const TOOL_NAME = 128
const TOOL = new Set(['name', 'description', 'inputSchema', 'strict', 'cacheControl', 'execute'])

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

/** Refuses what no provider would take, saying where it is; nothing is copied. */
export function validateRequest(request: ChatRequest): void {
  if (!isObject(request as unknown)) throw bad("The request must be an object: gateway.chat({ model, messages: 'Hello' }).")
  const given: object = request
  if ('n' in given) throw bad('A call gives one answer: take "n" out and call again for more.')
  if ('stream' in given) throw bad('Take "stream" out: gateway.chat() gives whole answers, gateway.stream() streams.')
  refuseUnknownKeys(given, REQUEST, 'The request', 'invalid_request', HINTS, "A parameter of one provider's own goes into providerOptions: { [dialect]: { ... } }.")
  if (typeof request.model !== 'string' || request.model === '') throw bad('"model" must be the name of a route.')
  if (request.system !== undefined && typeof request.system !== 'string') throw bad('"system" must be a text. For parts, put a { role: \'system\' } message first.')
  validateNumbers(request)
  validateChoices(request)
  validateMessages(request.messages)
  if (request.tools !== undefined) validateTools(request.tools)
  validateToolChoice(request)
}

function validateNumbers(request: ChatRequest): void {
  for (const [key, low, high] of NUMBERS) {
    const value: unknown = request[key]
    if (value === undefined) continue
    if (typeof value !== 'number' || !(value >= low && value <= high) || (WHOLE.has(key) && !Number.isInteger(value))) throw bad(`"${key}" must be a ${WHOLE.has(key) ? 'whole ' : ''}number${high < 10 ? ` from ${low} to ${high}` : low > 0 ? ` of at least ${low}` : ''}.`)
  }
}

/** A tool that is not there would be every provider's 400. */
function validateToolChoice({ toolChoice, tools }: ChatRequest): void {
  if (typeof toolChoice !== 'object' || tools === undefined) return
  const names = tools.flatMap(tool => ('name' in tool ? [tool.name] : []))
  // A tool of a provider's own has a name that only the provider knows.
  if (names.includes(toolChoice.name) || names.length < tools.length) return
  const near = nearest(toolChoice.name, names)
  throw bad(`"toolChoice" names the tool ${quoted(toolChoice.name)}, which is not among "tools".${near === undefined ? '' : ` Did you mean "${near}"?`}`)
}

const isCount = (value: unknown, most = Number.MAX_SAFE_INTEGER): boolean => Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(text => typeof text === 'string' && text !== '')
const isToolChoice = (value: unknown): boolean => ['auto', 'required', 'none'].includes(value as string) || (isObject(value) && typeof value['name'] === 'string')

const CHOICES: readonly (readonly [keyof ChatRequest, (value: unknown) => boolean, string])[] = [
  ['toolChoice', isToolChoice, "'auto', 'required', 'none' or { name }"],
  ['reasoning', isObject, '{ effort?, budgetTokens? }'],
  ['providerOptions', value => isObject(value) && Object.values(value).every(isObject), '{ [dialect]: { ... } }'],
  ['stop', value => typeof value === 'string' || isTexts(value), 'a text or a list of texts'],
  ['logprobs', value => typeof value === 'boolean' || isCount(value, 20), 'a boolean or a whole number up to 20'],
  ['parallelToolCalls', value => typeof value === 'boolean', 'a boolean'],
]

function validateChoices(request: ChatRequest): void {
  for (const [key, fits, what] of CHOICES) {
    const value: unknown = request[key]
    if (value !== undefined && !fits(value)) throw bad(`"${key}" must be ${what}.`)
  }
  const { reasoning } = request
  if (reasoning === undefined) return
  refuseUnknownKeys(reasoning, REASONING, '"reasoning"', 'invalid_request')
  if (reasoning.effort !== undefined && !EFFORTS.has(reasoning.effort)) throw bad(`"reasoning.effort" must be one of ${[...EFFORTS].join(', ')}.`)
  if (reasoning.budgetTokens !== undefined && !isCount(reasoning.budgetTokens)) throw bad('"reasoning.budgetTokens" must be a whole number.')
}

function validateMessages(messages: ChatRequest['messages']): void {
  if (typeof messages === 'string') {
    if (messages === '') throw bad('"messages" is empty. Give the user\'s text.')
    return
  }
  if (!Array.isArray(messages) || messages.length === 0) throw bad('"messages" is empty. Give a text or a list of { role, content }.')
  for (let at = 0; at < messages.length; at++) validateMessage(messages[at] as Message, at)
  const problem = conversationProblem(messages as readonly Message[])
  if (problem !== undefined) throw bad(problem)
}

function validateMessage(message: Message, at: number): void {
  if (!isObject(message as unknown)) throw bad(`messages[${at}] must be { role, content }.`)
  const allowed: ReadonlySet<string> | undefined = Object.hasOwn(PARTS, message.role) ? PARTS[message.role] : undefined
  if (allowed === undefined) {
    const near = nearest(String(message.role), ROLES)
    throw bad(`messages[${at}].role ${quoted(String(message.role))} is not one of ${ROLES.join(', ')}.${near === undefined ? '' : ` Did you mean "${near}"?`}`)
  }
  if (message.role === 'tool' && (typeof message.toolCallId !== 'string' || message.toolCallId === '')) throw bad(`messages[${at}] needs the toolCallId of the call it answers.`)
  if (typeof message.content === 'string') return
  if (!Array.isArray(message.content)) throw bad(`messages[${at}].content must be a text or a list of parts.`)
  for (const [i, part] of (message.content as readonly unknown[]).entries()) validatePart(part, allowed, `messages[${at}].content[${i}]`)
}

function validatePart(part: unknown, allowed: ReadonlySet<string>, where: string): void {
  if (!isObject(part)) throw bad(`${where} must be a part: { type, ... }.`)
  const type = String(part['type'])
  if (!allowed.has(type)) throw bad(`${where} has the type ${quoted(type)}; this role takes ${[...allowed].join(', ')}.`)
  FIELDS.get(type)?.(part, where)
}

/** What each type of part must hold. */
const FIELDS: ReadonlyMap<string, (part: Record<string, unknown>, where: string) => void> = new Map([
  ['text', validateText],
  ['reasoning', validateText],
  ['refusal', validateText],
  ['tool-call', validateToolCall],
  ['image', (part, where) => validateData(part['image'], part['mediaType'], `${where}.image`)],
  ['file', validateFile],
  ['audio', (part, where) => validateData(part['data'], part['format'], `${where}.data`)],
])

function validateText(part: Record<string, unknown>, where: string): void {
  if (typeof part['text'] !== 'string') throw bad(`${where}.text must be a text.`)
}

function validateToolCall(part: Record<string, unknown>, where: string): void {
  if (typeof part['id'] !== 'string' || typeof part['name'] !== 'string') throw bad(`${where} needs id and name. Put result.message back as it came.`)
}

function validateFile(part: Record<string, unknown>, where: string): void {
  if (typeof part['mediaType'] !== 'string') throw bad(`${where} needs its mediaType, such as 'application/pdf'.`)
  validateData(part['data'], part['mediaType'], `${where}.data`)
}

function validateData(data: unknown, kind: unknown, where: string): void {
  const bytes = data instanceof Uint8Array
  if (!bytes && !(data instanceof URL) && (typeof data !== 'string' || data === '')) throw bad(`${where} must be a URL, a text or bytes.`)
  if (bytes && typeof kind !== 'string') throw bad(`${where} is bytes: say what they are, such as mediaType: 'image/png'.`)
}

function validateTools(tools: NonNullable<ChatRequest['tools']>): void {
  if (!Array.isArray(tools)) throw bad('"tools" must be a list.')
  const names = new Set<string>()
  for (const [at, tool] of (tools as readonly unknown[]).entries()) {
    if (!isObject(tool)) throw bad(`tools[${at}] must be { name, inputSchema }.`)
    if ('providerData' in tool) continue
    if (typeof tool['name'] !== 'string' || tool['name'] === '' || tool['name'].length > TOOL_NAME) throw bad(`tools[${at}] needs a name of at most ${TOOL_NAME} characters.`)
    if (names.has(tool['name'])) throw bad(`tools[${at}]: the name ${quoted(tool['name'])} is taken by a tool before it.`)
    names.add(tool['name'])
    refuseUnknownKeys(tool, TOOL, `tools[${at}]`, 'invalid_request', new Map([['parameters', 'inputSchema'], ['input_schema', 'inputSchema']]))
    if (tool['inputSchema'] === undefined) throw bad(`tools[${at}] needs an inputSchema; for a tool without arguments { type: 'object', properties: {} }.`)
    if (tool['execute'] !== undefined && typeof tool['execute'] !== 'function') throw bad(`tools[${at}].execute must be a function.`)
  }
}

const PRINCIPAL = new Set(['team', 'project', 'user', 'tags'])
/** They become names of counters. */
const LONGEST_NAME = 200
const MOST_TAGS = 50
const isName = (value: unknown): boolean => typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME
const isTags = (value: unknown): boolean => Array.isArray(value) && value.length <= MOST_TAGS && value.every(isName)

function validatePrincipal(principal: unknown): void {
  if (!isObject(principal)) throw bad('"principal" must be { team?, project?, user?, tags? }.')
  refuseUnknownKeys(principal, PRINCIPAL, '"principal"', 'invalid_request')
  for (const [key, value] of Object.entries(principal)) {
    if (value !== undefined && !(key === 'tags' ? isTags(value) : isName(value))) throw bad(`"principal.${key}" must be ${key === 'tags' ? `a list of at most ${MOST_TAGS} texts` : 'a text'} of 1 to ${LONGEST_NAME} characters.`)
  }
}

/** Refuses options of a call that do not exist. */
export function validateCallOptions(options: object): void {
  if (!isObject(options)) throw bad('The options of a call must be an object.')
  refuseUnknownKeys(options, OPTIONS, 'The options of a call', 'invalid_request')
  for (const [key, fits, what] of CALL) {
    const value = options[key]
    if (value !== undefined && !fits(value)) throw bad(`"${key}" must be ${what}.`)
  }
  if (options['principal'] !== undefined) {
    if (options['key'] !== undefined) throw bad('Give "key" or "principal", not both: a virtual key says who it stands for.')
    validatePrincipal(options['principal'])
  }
  if (options['prefer'] !== undefined) validatePrefer(options['prefer'])
  if (options['cache'] !== undefined) cacheControl(options['cache'] as CallCache)
}

const CALL: readonly (readonly [key: string, fits: (value: unknown) => boolean, what: string])[] = [
  ['signal', value => isObject(value) && typeof value['addEventListener'] === 'function', 'an AbortSignal'],
  ['recover', value => value === 'error' || value === 'restart' || value === 'continue', "'error', 'restart' or 'continue'"],
  ['strict', value => typeof value === 'boolean', 'true or false'],
  ['metadata', isObject, 'an object'],
  ['key', value => typeof value === 'string', 'a text: the secret of a virtual key'],
  ['conversation', value => typeof value === 'string' && value !== '', 'a text'],
  ['priority', Number.isFinite, 'a number; higher goes first'],
]
