import { anthropic, azure, cohere, compatible, gemini, mistral, openai, openrouter, type ChatRequest, type Deployment, type OpenAIApi, type PresetId } from 'sallyport'
import { vertex } from 'sallyport/vertex'
import { bedrock } from 'sallyport/bedrock'
import type { Delivery } from './deliveries.js'
import type { Meaning, Rule } from './difference.js'
import { takeApart, type Apart } from './glued.js'
import { RESPONSES_GLUED } from './glued-responses.js'
import { ANTHROPIC_RULES, anthropicMeaning } from './meaning-anthropic.js'
import { RESPONSES_RULES, responsesMeaning } from './meaning-responses.js'
import { COHERE_RULES, cohereMeaning } from './meaning-cohere.js'
import { MISTRAL_RULES, OPENAI_RULES, openaiMeaning } from './meaning-openai.js'
import { readAnthropic } from './read-anthropic.js'
import { readCohere } from './read-cohere.js'
import { GEMINI_RULES, geminiMeaning } from './meaning-gemini.js'
import { readGemini } from './read-gemini.js'
import { BEDROCK_RULES, bedrockMeaning } from './meaning-bedrock.js'
import { readBedrock } from './read-bedrock.js'
import { readOpenAI } from './read-openai.js'
import { readResponses } from './read-responses.js'
import { requestBody, responseText, type Expected, type Recording } from './recording.js'
import type { Arrived } from './server.js'
import { wrongSignature } from './signature.js'

/** What a delivery is held against where it cannot come out as its line says. */
interface Exception {
  readonly reason: string
  readonly expect: Expected
}
/** Where the recorded request is sent again. */
export interface Way {
  readonly deployment: Deployment
  /** Path and query the request must arrive at, below the origin. */
  readonly path: string
  /** What stands behind the path, where the address tells the wire. */
  readonly verbs?: Readonly<Record<'json' | 'stream', string>>
  /** Headers it must bring, the credential among them. */
  readonly headers: Readonly<Record<string, string>>
  /** What else is wrong with a request that arrived. */
  readonly wrong?: (arrived: Arrived) => string[]
  /** Why the address differs from the recorded one and is right all the same. */
  readonly note?: string
}
/** One file of recordings and all that is particular to it. Another protocol is another entry. */
export interface Protocol {
  readonly file: string
  /** Its streams end with `[DONE]`. */
  readonly hasDone: boolean
  /** @param stream the request must ask for a stream. */
  way(recording: Recording, origin: string, apiKey: string, stream: boolean): Way
  /** The address alone asks for a stream, so the body is the same for both. */
  readonly streamInPath?: boolean
  /** The recorded request in our words. */
  read(body: Readonly<Record<string, unknown>>, recording: Recording): Omit<ChatRequest, 'model'>
  meaning(body: Readonly<Record<string, unknown>>): Meaning
  readonly rules: readonly Rule[]
  /** Requests that our own validation refuses, with the reason: they never leave, so their response is asked for with a plain one. */
  readonly refused: ReadonlyMap<string, string>
  exception?(recording: Recording, delivery: Delivery): Exception | undefined
  /** The messages of a line that holds several, to be played one by one. */
  apart?(recording: Recording): Apart | undefined
}

function modelOf(recording: Recording): string {
  const asked = requestBody(recording)?.['model']
  return typeof asked === 'string' ? asked : 'recorded-model'
}

function without(path: string, end: string): string {
  if (!path.endsWith(end)) throw new Error(`The recorded path does not end with ${end}.`)
  return path.slice(0, -end.length)
}

const PRESETS: ReadonlyMap<string, PresetId> = new Map([
  ['cerebras', 'cerebras'], ['crusoe', 'crusoe'], ['deepseek', 'deepseek'], ['groq', 'groq'], ['huggingface', 'huggingface'], ['ollama', 'ollama'],
  ['lmstudio', 'lmstudio'], ['perplexity', 'perplexity'], ['snowflake', 'snowflake-cortex'], ['together', 'togetherai'], ['xai', 'xai'], ['zai', 'zai'],
])

function openaiDeployment({ vendor, request: { query } }: Recording, model: string, api: OpenAIApi, options: { baseUrl: string; apiKey: string }): Deployment {
  if (vendor === 'openai') return openai(model, { ...options, api })
  const version = /^\?api-version=([\w-]+)$/.exec(query ?? '')?.[1]
  if (vendor === 'azure') return azure(model, { ...options, api, ...(version !== undefined && { apiVersion: version }) })
  if (vendor === 'openrouter') return openrouter(model, options)
  const preset = PRESETS.get(vendor)
  if (preset !== undefined) return compatible(preset, model, { ...options, api })
  const { baseUrl, apiKey } = options
  return compatible({ name: vendor, baseUrl, api }, model, { apiKey })
}

function openaiWay(recording: Recording, api: OpenAIApi, end: string, origin: string, apiKey: string): Way {
  const { path, query = '' } = recording.request
  const deployment = openaiDeployment(recording, modelOf(recording), api, { baseUrl: `${origin}${without(path, end)}`, apiKey })
  const headers = recording.vendor === 'azure' ? { 'api-key': apiKey } : { authorization: `Bearer ${apiKey}` }
  return { deployment, path: `${path}${query}`, headers: { 'content-type': 'application/json', ...headers } }
}

const CUT: Exception = {
  reason: 'openai-chat-002 without [DONE]: it has no finish reason either, so nothing tells it from a stream that was cut; malformed_response is expected',
  expect: { outcome: 'malformed', choices: [] },
}

const OPENAI_CHAT: Protocol = {
  file: 'openai-chat.jsonl',
  hasDone: true,
  way: (recording, origin, apiKey) => openaiWay(recording, 'chat', '/chat/completions', origin, apiKey),
  read: (body, { vendor }) => readOpenAI(body, vendor),
  meaning: openaiMeaning,
  rules: OPENAI_RULES,
  refused: new Map(),
  exception: ({ id }, { unterminated }) => (id === 'openai-chat-002' && unterminated ? CUT : undefined),
}

const ANTHROPIC: Protocol = {
  file: 'anthropic.jsonl',
  hasDone: false,
  way(recording, origin, apiKey) {
    const { path, query, headers } = recording.request
    if (query !== undefined && query !== '?beta=true') throw new Error(`The recorded query ${query} is not known.`)
    const betas = headers['anthropic-beta']
    const deployment = anthropic(modelOf(recording), { baseUrl: `${origin}${without(path, '/messages')}`, apiKey, ...(betas !== undefined && { betas: betas.split(',') }) })
    const version = headers['anthropic-version'] ?? '2023-06-01'
    return {
      deployment,
      path,
      headers: { 'content-type': 'application/json', 'x-api-key': apiKey, 'anthropic-version': version, ...(betas !== undefined && { 'anthropic-beta': betas }) },
      ...(query !== undefined && { note: '`?beta=true` is left out: it is a habit of one client, and the header is what turns betas on' }),
    }
  },
  read: body => readAnthropic(body),
  meaning: anthropicMeaning,
  rules: ANTHROPIC_RULES,
  refused: new Map([['anthropic-001', 'a message that is no object, recorded for the 400 it earns: it is refused before it is sent']]),
  apart: recording => (recording.features?.includes('x:concatenated') === true ? takeApart(responseText(recording), recording.expect) : undefined),
}

const AT_THE_SERVER = 'it asks for state at the server, which is refused before it is sent'

const OPENAI_RESPONSES: Protocol = {
  file: 'openai-responses.jsonl',
  hasDone: false,
  way: (recording, origin, apiKey) => openaiWay(recording, 'responses', '/responses', origin, apiKey),
  read: body => readResponses(body),
  meaning: responsesMeaning,
  rules: RESPONSES_RULES,
  refused: new Map([['openai-responses-010', AT_THE_SERVER], ['openai-responses-011', AT_THE_SERVER], ['openai-responses-012', AT_THE_SERVER]]),
  apart: recording => (recording.features?.includes('x:concatenated') === true ? takeApart(responseText(recording), recording.expect, RESPONSES_GLUED) : undefined),
}

const COHERE: Protocol = {
  file: 'cohere.jsonl',
  hasDone: true,
  way(recording, origin, apiKey) {
    const { path } = recording.request
    const deployment = cohere(modelOf(recording), { baseUrl: `${origin}${without(path, '/chat')}`, apiKey })
    return { deployment, path, headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` } }
  },
  read: body => readCohere(body),
  meaning: cohereMeaning,
  rules: COHERE_RULES,
  refused: new Map(),
}

const MISTRAL: Protocol = {
  ...OPENAI_CHAT,
  file: 'mistral.jsonl',
  way(recording, origin, apiKey) {
    const { path } = recording.request
    const deployment = mistral(modelOf(recording), { baseUrl: `${origin}${without(path, '/chat/completions')}`, apiKey })
    return { deployment, path, headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` } }
  },
  rules: MISTRAL_RULES,
}

/** PROTOCOLS, edge 22, has the last word on what no parser can make an answer of. */
function noAnswer(id: string): Exception {
  return { reason: `${id} is JSON that is no answer (no candidate, no feedback): malformed_response is expected, not an empty completion`, expect: { outcome: 'malformed', choices: [] } }
}

const GEMINI: Protocol = {
  file: 'gemini.jsonl',
  hasDone: false,
  way({ request }, origin, apiKey) {
    const [, base = '', model = ''] = /^(.+?)(?:\/publishers\/google)?\/models\/([^/:]+):\w+$/.exec(request.path) ?? []
    const baseUrl = new URL(`${origin}${base}`).href
    const placed = base.includes('/projects/')
    const deployment = placed ? vertex(model, { baseUrl, auth: () => apiKey }) : gemini(model, { baseUrl, apiKey })
    const path = request.path.slice(0, request.path.lastIndexOf(':'))
    return {
      deployment,
      path: new URL(`${origin}${path}`).href.slice(origin.length),
      verbs: { json: ':generateContent', stream: ':streamGenerateContent?alt=sse' },
      headers: { 'content-type': 'application/json', ...(placed ? { authorization: `Bearer ${apiKey}` } : { 'x-goog-api-key': apiKey }) },
    }
  },
  read: body => readGemini(body),
  meaning: geminiMeaning,
  rules: GEMINI_RULES,
  refused: new Map(),
  exception: ({ id }) => (id === 'gemini-028' || id === 'gemini-029' ? noAnswer(id) : undefined),
}

const REGION = 'us-east-1'

const BEDROCK: Protocol = {
  file: 'bedrock.jsonl',
  hasDone: false,
  streamInPath: true,
  way({ request: { path, headers } }, origin, apiKey, stream) {
    const model = /^\/model\/([^/]+)\/converse(?:-stream)?$/.exec(path)?.[1]
    if (model === undefined) throw new Error('The recorded path is not of Converse.')
    const pair = { accessKeyId: 'id-of-the-recordings', secretAccessKey: apiKey }
    // Recorded requests that bear a date were signed; where the others had their credential was not recorded.
    const signed = headers['x-amz-date'] !== undefined
    const deployment = bedrock(decodeURIComponent(model), { region: REGION, baseUrl: origin, ...(signed ? { credentials: pair } : { apiKey }) })
    const accept = stream ? 'application/vnd.amazon.eventstream' : 'application/json'
    return {
      deployment,
      path: `/model/${encodeURIComponent(decodeURIComponent(model))}/${stream ? 'converse-stream' : 'converse'}`,
      headers: { 'content-type': 'application/json', accept, ...(!signed && { authorization: `Bearer ${apiKey}` }) },
      ...(signed && { wrong: arrived => wrongSignature(arrived, new URL(origin).pathname, { ...pair, region: REGION, service: 'bedrock' }) }),
      ...(model.includes(':') && { note: 'the `:` in the path is encoded, which was left as it is: both name the same model' }),
    }
  },
  read: body => readBedrock(body),
  meaning: bedrockMeaning,
  rules: BEDROCK_RULES,
  refused: new Map(),
}

/** Every protocol that is played back. */
export const PROTOCOLS: readonly Protocol[] = [OPENAI_CHAT, ANTHROPIC, OPENAI_RESPONSES, GEMINI, BEDROCK, COHERE, MISTRAL]
