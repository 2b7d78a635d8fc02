import { cohere, gemini, mistral, ollama, openai, type Code } from 'sallyport'
import { bedrock } from 'sallyport/bedrock'
import { vertex } from 'sallyport/vertex'
import * as answers from '../../conversations/answers.js'
import { sse, type Reply } from '../rows/wire.js'
import type { ErrorRow } from './rows.js'

type Make = ErrorRow['make']
type Row = Pick<ErrorRow, 'name' | 'reply' | 'then' | 'error' | 'stream'> & { readonly code: Code }

const FINE = { text: 'fine' }
const HTML = { 'content-type': 'text/html; charset=utf-8' }
const PAGE = '<!DOCTYPE html>\n<html><head><title>Error 404 (Not Found)</title></head><body>the prompt stands here</body></html>'

function rows(vendor: string, make: Make, answer: answers.Answer, list: readonly Row[]): ErrorRow[] {
  const fine: Reply = { body: answer(FINE, 's') as Record<string, unknown> }
  return list.map(row => ({ ...row, name: `${vendor}: ${row.name}`, make, fine }))
}

const GEMINI: Make = (origin, model, options) => gemini(model, { ...options, apiKey: 'k', baseUrl: `${origin}/v1beta` })
const VERTEX: Make = (origin, model, options) => vertex(model, { ...options, auth: () => 'k', baseUrl: `${origin}/v1beta1/projects/p/locations/l` })
const BEDROCK: Make = (origin, model, options) => bedrock(model, { ...options, region: 'us-east-1', apiKey: 'k', baseUrl: origin })
const COHERE: Make = (origin, model, options) => cohere(model, { ...options, apiKey: 'k', baseUrl: `${origin}/v2` })
const MISTRAL: Make = (origin, model, options) => mistral(model, { ...options, apiKey: 'k', baseUrl: `${origin}/v1` })
const OLLAMA: Make = (origin, model, options) => ollama(model, { ...options, baseUrl: origin })
const RESPONSES: Make = (origin, model, options) => openai(model, { ...options, api: 'responses', apiKey: 'k', baseUrl: `${origin}/v1` })

const google = (code: number, status: string, message: string, details?: readonly object[]): Reply => ({ status: code, body: { error: { code, message, status, ...(details !== undefined && { details }) } } })
const amazon = (status: number, type: string, message = 'm'): Reply => ({ status, headers: { 'x-amzn-errortype': `${type}:http://internal.example/`, 'x-amzn-requestid': 'r1' }, body: { message } })

const OF_GOOGLE: readonly Row[] = [
  { name: 'a bad key said with 400', reply: google(400, 'INVALID_ARGUMENT', 'API key not valid.', [{ reason: 'API_KEY_INVALID' }]), code: 'credential_rejected', then: 'next' },
  { name: 'no such model', reply: google(404, 'NOT_FOUND', 'models/x is not found'), code: 'model_not_found', then: 'next' },
  { name: 'a rate whose wait is in the body', reply: google(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota', [{ violations: [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel' }] }, { retryDelay: '34.4s' }]), code: 'rate_limited', then: 'next', error: { retryAfterMs: 34_400 } },
  { name: 'a quota of a day', reply: google(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota', [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }] }]), code: 'quota_exhausted', then: 'next' },
  { name: 'a prompt that is too long', reply: google(400, 'INVALID_ARGUMENT', 'The input token count (1250074) exceeds the maximum number of tokens allowed (1048576).'), code: 'context_length', then: 'next' },
  { name: 'an overload', reply: google(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.'), code: 'overloaded', then: 'again' },
  { name: 'no right', reply: google(403, 'PERMISSION_DENIED', 'm', [{ reason: 'IAM_PERMISSION_DENIED' }]), code: 'credential_rejected', then: 'next' },
  { name: 'a deadline', reply: google(504, 'DEADLINE_EXCEEDED', 'm'), code: 'upstream_error', then: 'again' },
  { name: 'a call that Google cancelled', reply: google(499, 'CANCELLED', 'm'), code: 'upstream_error', then: 'again' },
  { name: 'a page of a wrong location', reply: { status: 404, headers: HTML, body: PAGE }, code: 'model_not_found', then: 'next' },
  { name: 'an error between the events of a stream', stream: true, reply: { body: `${sse({ candidates: [] })}{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}\n` }, code: 'upstream_error', then: 'again' },
]

const OF_AMAZON: readonly Row[] = [
  { name: 'a bad key', reply: amazon(403, 'UnrecognizedClientException'), code: 'credential_rejected', then: 'next', error: { upstream: { type: 'UnrecognizedClientException', requestId: 'r1' } } },
  { name: 'a token that has expired', reply: amazon(403, 'ExpiredTokenException'), code: 'credential_rejected', then: 'next' },
  { name: 'no right', reply: amazon(403, 'AccessDeniedException'), code: 'credential_rejected', then: 'next' },
  { name: 'a prompt that is too long', reply: amazon(400, 'ValidationException', 'Input is too long for requested model.'), code: 'context_length', then: 'next' },
  { name: 'a model that is none', reply: amazon(400, 'ValidationException', 'The provided model identifier is invalid.'), code: 'invalid_request', then: 'stop' },
  { name: 'a rate', reply: amazon(429, 'ThrottlingException'), code: 'rate_limited', then: 'again' },
  { name: 'a model that takes too long', reply: amazon(408, 'ModelTimeoutException'), code: 'upstream_error', then: 'again' },
  { name: 'a model that fails', reply: amazon(424, 'ModelErrorException'), code: 'upstream_error', then: 'again' },
  { name: 'an overload', reply: amazon(503, 'ServiceUnavailableException'), code: 'overloaded', then: 'again' },
]

const OF_COHERE: readonly Row[] = [
  { name: 'a bad key', reply: { status: 401, body: { id: 'x', message: 'invalid api token' } }, code: 'credential_rejected', then: 'next' },
  { name: 'a prompt that is too long', reply: { status: 400, body: { id: 'x', message: 'too many tokens: size limit exceeded by 5 tokens', error_type: 'TOO_MANY_TOKENS' } }, code: 'context_length', then: 'next' },
  { name: 'no such model', reply: { status: 404, body: { id: 'x', message: "model 'x' not found" } }, code: 'model_not_found', then: 'next' },
  { name: 'a rate', reply: { status: 429, body: { id: 'x', message: 'You are past the per minute request limit' } }, code: 'rate_limited', then: 'again' },
  { name: 'a failure for a finish', stream: true, reply: { body: sse({ type: 'message-end', delta: { finish_reason: 'ERROR', error: 'm' } }) }, code: 'upstream_error', then: 'again' },
]

const OF_MISTRAL: readonly Row[] = [
  { name: 'a bad key in a detail', reply: { status: 401, body: { detail: 'Invalid API Key' } }, code: 'credential_rejected', then: 'next' },
  { name: 'a list of details', reply: { status: 422, body: { detail: [{ loc: ['body', 'n'], msg: 'bad', type: 'value_error' }] } }, code: 'invalid_request', then: 'stop' },
  { name: 'a code of four digits', reply: { status: 400, body: { object: 'error', message: 'Tool call id was x', type: 'invalid_request_function_call', code: '3280' } }, code: 'invalid_request', then: 'stop', error: { upstream: { code: '3280' } } },
  { name: 'a prompt that is too long', reply: { status: 400, body: { object: 'error', message: 'Prompt contains 40000 tokens, too large for model with 32768 maximum context length', type: 'invalid_request_error', code: '3051' } }, code: 'context_length', then: 'next' },
]

const OF_OLLAMA: readonly Row[] = [
  { name: 'no such model', reply: { status: 404, body: { error: 'model "x" not found, try pulling it first' } }, code: 'model_not_found', then: 'next' },
  { name: 'a failure', reply: { status: 500, body: { error: 'llama runner process has terminated' } }, code: 'upstream_error', then: 'again' },
  { name: 'an overflow of the cloud', reply: { status: 400, body: { error: 'prompt too long; exceeded max context length by 6 tokens' } }, code: 'context_length', then: 'next' },
  { name: 'an error in a line of a stream', stream: true, reply: { headers: { 'content-type': 'application/x-ndjson' }, body: '{"error":"an error was encountered while running the model"}\n' }, code: 'upstream_error', then: 'again' },
]

const OF_RESPONSES: readonly Row[] = [
  { name: 'no such model, said with 400', reply: { status: 400, body: { error: { message: 'The requested model does not exist.', type: 'invalid_request_error', param: 'model', code: 'model_not_found' } } }, code: 'model_not_found', then: 'next' },
  { name: 'no quota inside a stream', stream: true, reply: { body: `event: error\n${sse({ type: 'error', error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'm' } })}` }, code: 'quota_exhausted', then: 'next' },
  { name: 'a response that failed', reply: { body: { id: 'r', object: 'response', status: 'failed', output: [], error: { code: 'server_error', message: 'm' } } }, code: 'upstream_error', then: 'again' },
]

/** Errors of the dialects beside the two that most servers speak. */
export const MORE_ERRORS: readonly ErrorRow[] = [
  ...rows('gemini', GEMINI, answers.gemini, OF_GOOGLE),
  ...rows('vertex', VERTEX, answers.gemini, OF_GOOGLE.filter(({ name }) => name !== 'a bad key said with 400')),
  ...rows('bedrock', BEDROCK, answers.bedrock, OF_AMAZON),
  ...rows('cohere', COHERE, answers.cohere, OF_COHERE),
  ...rows('mistral', MISTRAL, answers.openaiChat, OF_MISTRAL),
  ...rows('ollama', OLLAMA, answers.ollama, OF_OLLAMA),
  ...rows('responses', RESPONSES, answers.responses, OF_RESPONSES),
]
