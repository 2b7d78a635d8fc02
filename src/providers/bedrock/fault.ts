import type { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt, tryParseJson } from '../../protocol/json.js'
import type { Headers } from '../../protocol/ports.js'
import { faultOf, present, type ErrorFacts } from '../faults.js'

/** Who answered, for the sentence of the error. */
export interface ErrorContext {
  readonly provider: string
  readonly status: number
  readonly headers: Headers
  readonly nowMs: number
}

// In a stream their names begin with a small letter.
const STATUS: ReadonlyMap<string, number> = new Map([
  ['validationexception', 400],
  ['conflictexception', 400],
  ['servicequotaexceededexception', 400],
  ['accessdeniedexception', 403],
  ['unrecognizedclientexception', 403],
  ['expiredtokenexception', 403],
  ['invalidsignatureexception', 403],
  ['resourcenotfoundexception', 404],
  ['modeltimeoutexception', 408],
  ['modelerrorexception', 424],
  ['modelstreamerrorexception', 424],
  ['modelnotreadyexception', 429],
  ['throttlingexception', 429],
  ['internalserverexception', 500],
  ['serviceunavailableexception', 503],
])

type Said = Pick<ErrorFacts, 'type' | 'message'>

/** `Name:http://...` and `com.amazon#Name` carry an address and a namespace round the name. */
function nameOf(word: string | undefined): string | undefined {
  return word?.slice(0, 500).split(':')[0]?.split('#').at(-1)?.trim()
}

function words(body: unknown, headers: Headers): Said {
  const parsed = typeof body === 'string' ? (tryParseJson(body) ?? body) : body
  const text = typeof parsed === 'string' ? parsed.trim() : ''
  return present({
    type: nameOf(headers['x-amzn-errortype'] ?? stringAt(parsed, '__type')),
    // A page of a proxy is no sentence anyone wants to read.
    message: stringAt(parsed, 'message') ?? stringAt(parsed, 'Message') ?? (text === '' || text.startsWith('<') ? undefined : text.slice(0, 500)),
  })
}

/** An error answer: `{ message }` with its type in a header or in `__type`, or whatever a proxy put there. */
export function faultFrom(body: unknown, context: ErrorContext): GatewayError {
  return faultOf({ ...context, ...words(body, context.headers) })
}

/** True for a body that is an error though its status is none. */
export function isErrorBody(body: Record<string, unknown>, headers: Headers): boolean {
  return body['output'] === undefined && (headers['x-amzn-errortype'] !== undefined || stringAt(body, '__type') !== undefined || stringAt(body, 'message') !== undefined || isObject(body['error']))
}

/** An error inside an answer that began well: the status is the one its type stands for. @param type where it is not in the body. */
export function faultWithin(body: unknown, provider: string, headers: Headers, type?: string): GatewayError {
  const said = words(body, type === undefined ? headers : { ...headers, 'x-amzn-errortype': type })
  const requestId = headers['x-amzn-requestid']
  return faultOf({ provider, nowMs: 0, headers: {}, ...said, status: STATUS.get(said.type?.toLowerCase() ?? '') ?? 500, ...(requestId !== undefined && { requestId }) })
}
