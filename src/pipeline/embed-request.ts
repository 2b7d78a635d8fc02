import type { EmbedRequest } from '../protocol/embed.js'
import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { UpstreamRequest } from '../protocol/request.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import type { Reading } from './admit.js'

/** What one call may hold: its vectors are in memory together. */
const MOST_INPUTS = 10_000
const MOST_CHARS = 32 * 1024 * 1024
const MOST_DIMENSIONS = 65_536
const INPUT_TYPES: ReadonlySet<unknown> = new Set(['query', 'document', 'classification', 'clustering', 'similarity'])
const FIELDS = new Set(['model', 'input', 'dimensions', 'encoding', 'inputType', 'anyModel', 'providerOptions'])
const HINTS = new Map([
  ['inputs', 'input'],
  ['text', 'input'],
  ['texts', 'input'],
  ['content', 'input'],
  ['contents', 'input'],
  ['messages', 'input'],
  ['prompt', 'input'],
  ['encoding_format', 'encoding'],
  ['encodingFormat', 'encoding'],
  ['input_type', 'inputType'],
  ['taskType', 'inputType'],
  ['task_type', 'inputType'],
  ['output_dimension', 'dimensions'],
  ['outputDimensionality', 'dimensions'],
])

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

/** Refuses what no provider would take, saying where it is. */
function validate(request: EmbedRequest): void {
  if (!isObject(request as unknown)) throw bad("The request must be an object: gateway.embed({ model, input: 'Hello' }).")
  refuseUnknownKeys(request, FIELDS, 'The request', 'invalid_request', HINTS, "A parameter of one provider's own goes into providerOptions: { [dialect]: { ... } }.")
  if (typeof request.model !== 'string' || request.model === '') throw bad('"model" must be the name of a route.')
  validateInput(request.input)
  for (const [key, fits, what] of CHOICES) {
    const value: unknown = request[key]
    if (value !== undefined && !fits(value)) throw bad(`"${key}" must be ${what}.`)
  }
}

const CHOICES: readonly (readonly [key: keyof EmbedRequest, fits: (value: unknown) => boolean, what: string])[] = [
  ['dimensions', value => Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= MOST_DIMENSIONS, `a whole number from 1 to ${MOST_DIMENSIONS}`],
  ['encoding', value => value === 'float' || value === 'base64', "'float' or 'base64'"],
  ['inputType', value => INPUT_TYPES.has(value), `one of ${[...INPUT_TYPES].join(', ')}`],
  ['anyModel', value => typeof value === 'boolean', 'a boolean'],
  ['providerOptions', value => isObject(value) && Object.values(value).every(isObject), '{ [dialect]: { ... } }'],
]

function validateInput(input: unknown): void {
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input]
  if (texts.length === 0) throw bad('"input" is empty. Give a text or a list of texts.')
  if (texts.length > MOST_INPUTS) throw bad(`"input" holds ${texts.length} texts; a call takes at most ${MOST_INPUTS}. Make several calls.`)
  let chars = 0
  for (let at = 0; at < texts.length; at++) {
    const text = texts[at]
    const where = Array.isArray(input) ? `input[${at}]` : '"input"'
    if (typeof text !== 'string') throw bad(`${where} must be a text.`)
    if (text === '') throw bad(`${where} is empty. Leave it out: there is nothing to embed.`)
    chars += text.length
  }
  if (chars > MOST_CHARS) throw bad(`"input" holds ${chars} characters; a call takes at most ${MOST_CHARS}. Make several calls.`)
}

/** Each text is a message of its own, so that what looks at messages sees it: plugins, gates, bounds and the cache. */
function requestOf({ input, dimensions, encoding, inputType, anyModel, providerOptions }: EmbedRequest, strict: boolean | undefined): UpstreamRequest {
  const texts = typeof input === 'string' ? [input] : input
  return {
    messages: texts.map(content => ({ role: 'user', content })),
    maxOutputTokens: 0,
    embed: { ...(dimensions !== undefined && { dimensions }), ...(encoding !== undefined && { encoding }), ...(inputType !== undefined && { inputType }), ...(anyModel === true && { anyModel }) },
    ...(providerOptions !== undefined && { providerOptions }),
    ...(strict === true && { strict }),
  }
}

/** Requests for embeddings. */
export const EMBEDDINGS: Reading = {
  validate: asked => validate(asked as EmbedRequest),
  outputOf: () => undefined,
  requestOf: (asked, _output, _schemas, { strict }) => requestOf(asked as EmbedRequest, strict),
}
