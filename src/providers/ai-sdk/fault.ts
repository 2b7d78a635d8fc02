import { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt, tryParseJson } from '../../protocol/json.js'
import type { Headers, RateLimits } from '../../protocol/ports.js'
import { limitsOf as anthropicLimits } from '../anthropic/fault.js'
import { faultOf, present } from '../faults.js'
import { wordsOf } from '../common/words.js'
import { isError, limits as openaiLimits } from '../openai/fault.js'

const MARK = 'vercel.ai.error.'
const MAX_DEPTH = 5
/** Codes of sockets, names and certificates; `ERR_INVALID_ARG_TYPE` and its like are no trouble of the network. */
const NETWORK = /^(?:E(?!RR_)[A-Z0-9_]{2,40}|UND_ERR_[A-Z_]{2,40}|ERR_(?:TLS|SSL)_[A-Z_]{2,60}|[A-Z_]{0,40}CERT[A-Z_]{0,40}|UNABLE_TO_[A-Z_]{2,60})$/
/** What the fetch of each platform says where it has no code. */
const FETCH = /^(?:fetch failed|failed to fetch|terminated|load failed|network error|networkerror when attempting to fetch resource\.?|error in input stream)$/i

/** Whose error it is, and what is needed to judge it. */
export interface FaultContext {
  readonly provider: string
  readonly nowMs: number
}

function isNamed(error: unknown, ...names: readonly string[]): boolean {
  if (typeof error !== 'object' || error === null) return false
  return names.some(name => (error as Record<symbol, unknown>)[Symbol.for(`${MARK}${name}`)] === true || stringAt(error, 'name') === name)
}

/** Header names in lower case, of what may be a record or a `Headers`. */
export function headersOf(given: unknown): Headers {
  const out: Record<string, string> = Object.create(null) as Record<string, string>
  const entries: Iterable<readonly [string, unknown]> = isObject(given) && typeof given['entries'] === 'function' ? (given as unknown as Map<string, unknown>).entries() : Object.entries(isObject(given) ? given : {})
  for (const [name, value] of entries) if (typeof value === 'string') out[name.toLowerCase()] = value
  return out
}

/** The first spelling that says something. */
export function limitsOf(headers: Headers, nowMs: number): RateLimits | undefined {
  const found = [openaiLimits(headers), anthropicLimits(headers, nowMs)].find(limits => Object.keys(limits).length > 0)
  return found
}

/** The short code of a network error, its own or of what caused it; '' where only the words tell. */
function networkCode(error: unknown): string | undefined {
  let said = false
  for (let at = error, depth = 0; isObject(at) && depth < MAX_DEPTH; at = at['cause'], depth++) {
    const code = at['code']
    if (typeof code === 'string' && NETWORK.test(code)) return code
    said ||= at instanceof Error && (FETCH.test(at.message) || at.message.startsWith('Cannot connect to API'))
  }
  return said ? '' : undefined
}

function networkFault(provider: string, code: string): GatewayError {
  return new GatewayError('network', `Could not reach ${provider}, or lost it${code === '' ? '' : ` (${code})`}. Check the network and the baseURL of the AI SDK provider.`, { origin: 'network', ...(code !== '' && { cause: { code } }) })
}

function malformed(provider: string): GatewayError {
  return new GatewayError('malformed_response', `The AI SDK package of ${provider} could not read the answer.`, { origin: 'upstream' })
}

/** An error answer, or one inside an answer that began well. */
function answered(status: number, headers: Headers, body: unknown, { provider, nowMs }: FaultContext): GatewayError {
  const { status: named, ...words } = wordsOf(body)
  return faultOf({ provider, status: status >= 300 ? status : (named ?? status), headers, nowMs, ...words, ...present({ requestId: requestIdOf(body) }) })
}

function requestIdOf(body: unknown): string | undefined {
  return stringAt(body, 'request_id')
}

function apiCallFault(error: Record<string, unknown>, context: FaultContext): GatewayError {
  const status = error['statusCode']
  const text = stringAt(error, 'responseBody')?.slice(0, 1024 * 1024)
  const body = text === undefined ? error['data'] : (tryParseJson(text) ?? text)
  if (typeof status === 'number' && Number.isInteger(status) && status >= 300 && status < 600) {
    // The error of a stream comes bare, without the object around it.
    return answered(status, headersOf(error['responseHeaders']), body, context)
  }
  if (typeof status === 'number') return isObject(body) && isError(body) ? answered(200, {}, body, context) : malformed(context.provider)
  const code = networkCode(error)
  if (code !== undefined) return networkFault(context.provider, code)
  return body === undefined ? networkFault(context.provider, '') : answered(200, {}, body, context)
}

type Rule = readonly [names: readonly string[], code: 'credential_rejected' | 'model_not_found' | 'invalid_request' | 'malformed_response', sentence: (provider: string) => string]

const RULES: readonly Rule[] = [
  [['AI_LoadAPIKeyError', 'AI_LoadSettingError'], 'credential_rejected', provider => `The AI SDK provider ${provider} lacks its key or a setting. Give it where the provider is made, or set its environment variable.`],
  [['AI_NoSuchModelError', 'AI_NoSuchProviderError'], 'model_not_found', provider => `The AI SDK provider ${provider} does not know the model. Check its name.`],
  [['AI_UnsupportedFunctionalityError'], 'invalid_request', provider => `The AI SDK model of ${provider} cannot do what the request asks. See upstream.message for its own words.`],
  [['AI_InvalidPromptError', 'AI_InvalidArgumentError', 'AI_NoSuchProviderReferenceError'], 'invalid_request', provider => `The AI SDK model of ${provider} rejected the request. See upstream.message for its own words.`],
  [['AI_JSONParseError', 'AI_TypeValidationError', 'AI_InvalidResponseDataError', 'AI_EmptyResponseBodyError', 'AI_NoContentGeneratedError'], 'malformed_response', provider => `The AI SDK package of ${provider} could not read the answer.`],
]

/**
 * Classifies what `doGenerate`, `doStream` or its stream threw, or the `error` part of a stream. Messages are our own; the
 * provider's sentence goes to `upstream.message`, which is not printed.
 */
export function faultFrom(error: unknown, context: FaultContext): GatewayError {
  if (GatewayError.is(error)) return error
  if (isObject(error) && isNamed(error, 'AI_APICallError')) return apiCallFault(error, context)
  const rule = RULES.find(([names]) => isNamed(error, ...names))
  if (rule !== undefined) {
    const message = stringAt(error, 'message')
    return new GatewayError(rule[1], rule[2](context.provider), { origin: 'upstream', ...(message !== undefined && { upstream: { message } }) })
  }
  const code = networkCode(error)
  if (code !== undefined) return networkFault(context.provider, code)
  if (error instanceof Error) {
    const known = isObject(error) && isObject(error['data']) ? error['data'] : undefined
    if (known !== undefined && isError(known)) return answered(200, {}, known, context)
    const name = /^\w{1,60}$/.test(error.name) ? error.name : 'Error'
    return new GatewayError('upstream_error', `The AI SDK model of ${context.provider} failed with a ${name}.`, { origin: 'upstream', upstream: { message: error.message } })
  }
  return answered(200, {}, isObject(error) && !isObject(error['error']) ? { error } : error, context)
}
