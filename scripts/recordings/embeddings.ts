import { azure, cohere, compatible, gemini, Gateway, GatewayError, openai, type Deployment, type EmbedRequest, type EmbedResult, type JsonObject, type PresetId } from 'sallyport'
import { vertex } from 'sallyport/vertex'
import { isObject, tryParseJson } from '../../src/protocol/json.js'
import { plainDeliveries, type Delivery } from './deliveries.js'
import { describe, differences, objects, present, type Meaning } from './difference.js'
import { wrongIn } from './outcome.js'
import { requestBody, responseText, type Recording } from './recording.js'
import { inTurn, wrongHeaders, type LineReport } from './run.js'
import type { Arrived, ReplayServer } from './server.js'

type Request = Omit<EmbedRequest, 'model'>
type Body = Readonly<Record<string, unknown>>
type Ended = { readonly result: EmbedResult } | { readonly fault: GatewayError }

/** One file of recorded embeddings and all that is particular to it. */
export interface EmbedProtocol {
  readonly file: string
  deployment(recording: Recording, origin: string, apiKey: string): Deployment
  /** Headers the credential goes in. */
  headers(recording: Recording, apiKey: string): Readonly<Record<string, string>>
  /** The recorded request in our words. */
  read(body: Body): Request
  meaning(body: Body): Meaning
  /** The recorded vectors, read without any of our own code. */
  vectors(recording: Recording): number[][]
}

const PRESETS: ReadonlyMap<string, PresetId> = new Map([['api.voyageai.com', 'voyage'], ['openrouter', 'openrouter'], ['perplexity', 'perplexity']])
const INPUT_TYPES = new Map<unknown, EmbedRequest['inputType']>([['query', 'query'], ['search_query', 'query'], ['RETRIEVAL_DOCUMENT', 'document']])
/** Places of a vector that a report names. */
const MOST_NAMED = 10

function baseOf(origin: string, { request: { path, query = '' } }: Recording, end: RegExp): string {
  return `${origin}${path.replace(end, '')}${query}`
}

/** The rest of a body as options of one dialect. */
function rest(body: Body, known: readonly string[], dialect: string): Pick<Request, 'providerOptions'> {
  const entries = Object.entries(body).filter(([key]) => !known.includes(key))
  return entries.length === 0 ? {} : { providerOptions: { [dialect]: Object.fromEntries(entries) as JsonObject } }
}

function inputType(word: unknown): Pick<Request, 'inputType'> {
  const type = INPUT_TYPES.get(word)
  return type === undefined ? {} : { inputType: type }
}

function lists(value: unknown): number[][] {
  return Array.isArray(value) ? value.map(list => (Array.isArray(list) ? list.map(Number) : [])) : []
}

function floats(text: string): number[] {
  const bytes = Buffer.from(text, 'base64')
  return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at))
}

const OPENAI: EmbedProtocol = {
  file: 'openai-embeddings.jsonl',
  deployment(recording, origin, apiKey) {
    const model = String(requestBody(recording)?.['model'])
    const baseUrl = baseOf(origin, recording, /\/embeddings$/)
    const { vendor } = recording
    if (vendor === 'openai') return openai(model, { baseUrl, apiKey })
    if (vendor === 'azure') return azure(model, { baseUrl, apiKey })
    const preset = PRESETS.get(vendor)
    if (preset !== undefined) return compatible(preset, model, { baseUrl, apiKey })
    return compatible({ name: vendor, baseUrl }, model, { apiKey })
  },
  headers: ({ vendor }, apiKey): Record<string, string> => (vendor === 'azure' ? { 'api-key': apiKey } : { authorization: `Bearer ${apiKey}` }),
  read(body) {
    const { input, dimensions, encoding_format: encoding, input_type: type } = body
    return {
      input: input as string | string[],
      ...(typeof dimensions === 'number' && { dimensions }),
      ...((encoding === 'float' || encoding === 'base64') && { encoding }),
      ...inputType(type),
      ...rest(present(body), ['model', 'input', 'dimensions', 'encoding_format', 'input_type'], 'openai'),
    }
  },
  meaning: body => ({ ...present(body), input: [body['input']].flat() }),
  vectors: ({ vendor, response }) =>
    objects(isObject(response.body.json) ? response.body.json['data'] : undefined).map(({ embedding }) => {
      if (typeof embedding !== 'string') return lists([embedding])[0] ?? []
      return vendor === 'perplexity' ? [...new Int8Array(Buffer.from(embedding, 'base64'))] : floats(embedding)
    }),
}

const COHERE: EmbedProtocol = {
  file: 'cohere-embeddings.jsonl',
  deployment: (recording, origin, apiKey) => cohere(String(requestBody(recording)?.['model']), { baseUrl: baseOf(origin, recording, /\/embed$/), apiKey }),
  headers: (_, apiKey) => ({ authorization: `Bearer ${apiKey}` }),
  read: body => ({ input: body['texts'] as string[], ...inputType(body['input_type']), ...rest(present(body), ['model', 'texts', 'input_type', 'embedding_types'], 'cohere') }),
  meaning: present,
  vectors: ({ response: { body } }) => (isObject(body.json) && isObject(body.json['embeddings']) ? lists(body.json['embeddings']['float']) : []),
}

const GEMINI: EmbedProtocol = {
  file: 'gemini-embeddings.jsonl',
  deployment(recording, origin, apiKey) {
    const { vendor, request } = recording
    const [, model = ''] = /models\/([^:]+):/.exec(request.path) ?? []
    const placed = vendor === 'vertex'
    const baseUrl = baseOf(origin, recording, placed ? /\/publishers\/.*$/ : /\/models\/.*$/)
    return placed ? vertex(model, { baseUrl, auth: () => apiKey }) : gemini(model, { baseUrl, apiKey })
  },
  headers: ({ vendor }, apiKey): Record<string, string> => (vendor === 'vertex' ? { authorization: `Bearer ${apiKey}` } : { 'x-goog-api-key': apiKey }),
  read: body => ({ input: textsOf(body), ...inputType(body['taskType']), ...rest(body, ['content', 'taskType'], 'gemini') }),
  meaning: body => ({ ...body, content: textsOf(body) }),
  vectors: ({ response: { body } }) => (isObject(body.json) && isObject(body.json['embedding']) ? lists([body.json['embedding']['values']]) : []),
}

/** With one text, its role says nothing. */
function textsOf({ content }: Body): string[] {
  return objects(isObject(content) ? content['parts'] : undefined).map(part => String(part['text']))
}

/** Every file of embeddings that is played back. */
export const EMBEDDINGS: readonly EmbedProtocol[] = [OPENAI, COHERE, GEMINI]

const KEY = 'key-of-the-recordings'

async function ask(deployment: Deployment, request: Request): Promise<Ended> {
  const gateway = new Gateway({ routes: { recorded: deployment }, retry: { attempts: 1, maxAttempts: 1 } })
  try {
    return { result: await gateway.embed({ model: 'recorded', ...request }) }
  } catch (error) {
    if (GatewayError.is(error)) return { fault: error }
    throw error
  } finally {
    await gateway.close()
  }
}

function wrongRequest({ meaning }: EmbedProtocol, recorded: Body, { body }: Arrived): string[] {
  const sent = tryParseJson(body)
  return isObject(sent) ? differences(meaning(recorded), meaning(sent)).map(difference => `request: ${describe(difference)}`) : ['request: the body is not a JSON object']
}

function wrongAnswer({ vectors }: EmbedProtocol, recording: Recording, ended: Ended): string[] {
  const { outcome, usage } = recording.expect as { readonly outcome: string; readonly usage?: { readonly input?: number; readonly output?: number } }
  if ('fault' in ended) return outcome === 'embedding' ? [`outcome: embedding expected, ${ended.fault.code}: ${ended.fault.message} found`] : wrongIn(recording.expect, ended)
  if (outcome !== 'embedding') return [`outcome: ${outcome} expected, an embedding found`]
  const { result } = ended
  const wanted = vectors(recording).map(vector => vector.map(Math.fround))
  return [
    ...(wanted.length === 0 ? ['vectors: none were recorded'] : []),
    ...differences(wanted, result.embeddings.map(vector => [...vector]), 'embeddings').slice(0, MOST_NAMED),
    // What a line does not name it does not know: totals alone, and those of Google.
    ...(usage?.input === undefined ? [] : differences(usage.input, result.usage.inputTokens, 'usage.input')),
    ...(usage?.output === undefined ? [] : differences(usage.output, result.usage.outputTokens, 'usage.output')),
  ].map(wrong => (typeof wrong === 'string' ? wrong : describe(wrong)))
}

async function deliver(protocol: EmbedProtocol, recording: Recording, { rewrite, cut, sized }: Delivery, server: ReplayServer): Promise<string[]> {
  const { request, response: { status, headers } } = recording
  const booking = server.book({ status, headers, sized, pieces: cut(new TextEncoder().encode(rewrite(responseText(recording)))) })
  try {
    const body = requestBody(recording) ?? {}
    const ended = await ask(protocol.deployment(recording, booking.origin, KEY), protocol.read(body))
    const [arrived, ...more] = booking.arrived
    if (arrived === undefined || more.length > 0) return [`request: ${booking.arrived.length} arrived in place of one`]
    const way = { path: `${request.path}${request.query ?? ''}`, headers: { 'content-type': 'application/json', ...protocol.headers(recording, KEY) } }
    return [...wrongHeaders(way, arrived), ...wrongRequest(protocol, body, arrived), ...wrongAnswer(protocol, recording, ended)]
  } finally {
    booking.cancel()
  }
}

async function play(protocol: EmbedProtocol, recording: Recording, server: ReplayServer): Promise<LineReport> {
  const faults = new Set<string>()
  let right = 0
  let wrong = 0
  for (const delivery of plainDeliveries('chat-json').filter(({ ask: how }) => how === 'chat-json')) {
    const found = await deliver(protocol, recording, delivery, server)
    for (const fault of found) faults.add(`${delivery.name}: ${fault}`)
    if (found.length > 0) wrong++
    else right++
  }
  return { id: recording.id, right, wrong, unnatural: 0, requests: right + wrong, faults: [...faults], reasons: [], allowed: [] }
}

/** Plays every line of a file of embeddings. */
export function playEmbeddings(protocol: EmbedProtocol, recordings: readonly Recording[], server: ReplayServer): Promise<LineReport[]> {
  return inTurn(recordings, recording => play(protocol, recording, server))
}
