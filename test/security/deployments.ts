import { anthropic, azure, cohere, compatible, gemini, mistral, ollama, openai, openrouter, type Deployment, type DeploymentOptions } from 'sallyport'
import { fromAiSdk } from 'sallyport/ai-sdk'
import { bedrock } from 'sallyport/bedrock'
import { vertex } from 'sallyport/vertex'
import * as answers from '../conversations/answers.js'
import type { AiSdkModel } from '../../src/providers/ai-sdk/index.js'
import { finishOf } from '../providers/ai-sdk/support.js'
import { eventBytes } from '../providers/bedrock/support.js'

/** A key and two things about a person, all made up; nothing we write or print may hold them. */
export const KEY = 'canary-key-4f7Qz9LmN2rT8vXw'
export const PERSON = ['wilhelmina.canary@mail.test', 'KANARIA-77-1234-5678'] as const
export const CANARIES: readonly string[] = [KEY, ...PERSON]

/** A deployment of one dialect at an address of the tests. */
export interface Row {
  readonly name: string
  /** `key` undefined: none is given, and only the environment could have one. */
  make(baseUrl: string, key: string | undefined, more?: DeploymentOptions & { readonly model?: string }): Deployment
  /** A whole JSON answer that says this. */
  answer(text: string): unknown
  /** A stream as far as its first text. */
  opening(text: string): string | Uint8Array
  /** Stream framing. */
  readonly stream: 'sse' | 'lines' | 'frames'
  /** How the stream goes on without end. */
  more(text: string): string | Uint8Array
  /** Environment variables a key could come from. */
  readonly env: readonly string[]
  /** It sends requests by itself: nothing of the wire is ours. */
  readonly foreign?: boolean
}

const said = (make: answers.Answer) => (text: string) => make({ text }, 'sig')
const sse = (...events: readonly object[]): string => events.map(event => `${'type' in event ? `event: ${String(event.type)}\n` : ''}data: ${JSON.stringify(event)}\n\n`).join('')
const chunk = (text: string): string => sse({ id: 'c', model: 'm', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })
const given = (key: string | undefined): { apiKey?: string } => (key === undefined ? {} : { apiKey: key })

const CHAT = { answer: said(answers.openaiChat), opening: chunk, more: chunk, stream: 'sse' } as const
const claude = (text: string): string => sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
const CLAUDE = {
  answer: said(answers.anthropic), more: claude, stream: 'sse',
  opening: (text: string) => sse({ type: 'message_start', message: { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage: { input_tokens: 1, output_tokens: 1 } } }, { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }) + claude(text),
} as const
const google = (text: string): string => sse({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }], modelVersion: 'm' })
const GOOGLE = { answer: said(answers.gemini), opening: google, more: google, stream: 'sse' } as const
const response = (text: string): string => sse({ type: 'response.output_text.delta', item_id: 'i', output_index: 0, content_index: 0, delta: text })
const RESPONSES = {
  answer: said(answers.responses), more: response, stream: 'sse',
  opening: (text: string) => sse({ type: 'response.created', response: { id: 'r', model: 'm', output: [] } }, { type: 'response.output_item.added', output_index: 0, item: { type: 'message', id: 'i', role: 'assistant', content: [] } }) + response(text),
} as const
const converse = (text: string): Uint8Array => eventBytes('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })
const command = (text: string): string => sse({ type: 'content-delta', index: 0, delta: { message: { content: { text } } } })
const line = (text: string): string => `${JSON.stringify({ model: 'm', message: { role: 'assistant', content: text }, done: false })}\n`

/** A model of the SDK that asks over `fetch` with a key of its own and fails with all it knows, as models of the SDK do. */
function sdkModel(baseUrl: string, key: string | undefined): AiSdkModel {
  const ask = async ({ prompt, abortSignal }: { prompt?: unknown; abortSignal?: AbortSignal }): Promise<string> => {
    const body = JSON.stringify({ prompt })
    const fail = (message: string, more: object): Error => Object.assign(new Error(message), { name: 'AI_APICallError', [Symbol.for('vercel.ai.error.AI_APICallError')]: true, [Symbol.for('vercel.ai.error')]: true, url: baseUrl, requestBodyValues: { prompt, key }, requestHeaders: { authorization: key }, ...more })
    let answer: Response
    try {
      answer = await fetch(`${baseUrl}/sdk`, { method: 'POST', body, headers: { authorization: `Bearer ${key}` }, ...(abortSignal !== undefined && { signal: abortSignal }) })
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error
      throw fail(`Cannot connect with ${key} for ${body}`, { cause: error, isRetryable: true })
    }
    const text = await answer.text()
    if (!answer.ok) throw fail(text, { statusCode: answer.status, responseBody: text, responseHeaders: { 'x-echo': key } })
    try {
      return (JSON.parse(text) as { choices: [{ message: { content: string } }] }).choices[0].message.content
    } catch (error) {
      throw Object.assign(new Error(`JSON parsing failed: Text: ${text}`), { name: 'AI_JSONParseError', text, cause: error })
    }
  }
  return {
    specificationVersion: 'v3', provider: 'sdk', modelId: 'parrot', supportedUrls: {},
    doGenerate: async (options: object) => ({ content: [{ type: 'text', text: await ask(options) }], warnings: [], ...finishOf('v3') }),
    doStream: async (options: object) => {
      const text = await ask(options)
      const parts: object[] = [{ type: 'stream-start', warnings: [] }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: text }, { type: 'error', error: new Error(`broken after ${text} with ${key}`) }]
      return { stream: new ReadableStream({ start: to => (parts.forEach(part => to.enqueue(part)), to.close()) }) }
    },
  } as unknown as AiSdkModel
}

const row = (name: string, env: readonly string[], wire: Pick<Row, 'answer' | 'opening' | 'more' | 'stream'>, make: Row['make']): Row => ({ name, env, make, ...wire })

/** Every adapter there is. */
export const ROWS: readonly Row[] = [
  row('openai', ['OPENAI_API_KEY'], CHAT, (baseUrl, key, { model = 'gpt-4.1', ...more } = {}) => openai(model, { ...more, ...given(key), baseUrl })),
  row('responses', ['OPENAI_API_KEY'], RESPONSES, (baseUrl, key, { model = 'gpt-4.1', ...more } = {}) => openai(model, { ...more, ...given(key), baseUrl, api: 'responses' })),
  row('compatible', ['GROQ_API_KEY'], CHAT, (baseUrl, key, { model = 'm', ...more } = {}) => compatible('groq', model, { ...more, ...given(key), baseUrl })),
  row('azure', ['AZURE_API_KEY', 'AZURE_OPENAI_API_KEY'], CHAT, (baseUrl, key, { model = 'my-gpt', ...more } = {}) => azure(model, { ...more, ...given(key), baseUrl })),
  row('azure, dated', ['AZURE_API_KEY'], CHAT, (baseUrl, key, { model = 'my-gpt', ...more } = {}) => azure(model, { ...more, ...given(key), baseUrl: `${baseUrl}/openai`, apiVersion: '2024-10-21' })),
  row('anthropic', ['ANTHROPIC_API_KEY'], CLAUDE, (baseUrl, key, { model = 'claude-opus-5', ...more } = {}) => anthropic(model, { ...more, ...given(key), baseUrl })),
  row('gemini', ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'], GOOGLE, (baseUrl, key, { model = 'gemini-2.5-pro', ...more } = {}) => gemini(model, { ...more, ...given(key), baseUrl })),
  row('vertex', [], GOOGLE, (baseUrl, key, { model = 'gemini-2.5-pro', ...more } = {}) => vertex(model, { ...more, baseUrl, ...(key !== undefined && { auth: () => key }) })),
  row('vertex, Claude', [], CLAUDE, (baseUrl, key, { model = 'claude-opus-5', ...more } = {}) => vertex(model, { ...more, publisher: 'anthropic', baseUrl, ...(key !== undefined && { auth: () => key }) })),
  row('bedrock', ['AWS_BEARER_TOKEN_BEDROCK'], { answer: said(answers.bedrock), opening: converse, more: converse, stream: 'frames' }, (baseUrl, key, { model = 'amazon.nova-pro-v1:0', ...more } = {}) => bedrock(model, { ...more, region: 'us-east-1', ...given(key), baseUrl })),
  row('bedrock, signed', ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'], { answer: said(answers.bedrock), opening: converse, more: converse, stream: 'frames' }, (baseUrl, key, { model = 'amazon.nova-pro-v1:0', ...more } = {}) => bedrock(model, { ...more, region: 'us-east-1', baseUrl, ...(key !== undefined && { credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: key } }) })),
  row('mistral', ['MISTRAL_API_KEY'], CHAT, (baseUrl, key, { model = 'mistral-large-latest', ...more } = {}) => mistral(model, { ...more, ...given(key), baseUrl })),
  row('cohere', ['COHERE_API_KEY', 'CO_API_KEY'], { answer: said(answers.cohere), opening: text => sse({ type: 'message-start', id: 'c' }) + command(text), more: command, stream: 'sse' }, (baseUrl, key, { model = 'command-a-03-2025', ...more } = {}) => cohere(model, { ...more, ...given(key), baseUrl })),
  row('ollama', ['OLLAMA_API_KEY'], { answer: said(answers.ollama), opening: line, more: line, stream: 'lines' }, (baseUrl, key, { model = 'qwen3', ...more } = {}) => ollama(model, { ...more, ...given(key), baseUrl })),
  row('openrouter', ['OPENROUTER_API_KEY'], CHAT, (baseUrl, key, { model = 'anthropic/claude-opus-5', ...more } = {}) => openrouter(model, { ...more, ...given(key), baseUrl })),
  { ...row('ai-sdk', [], CHAT, (baseUrl, key) => fromAiSdk(sdkModel(baseUrl, key))), foreign: true },
]
/** Those whose wire is ours. */
export const OWN = ROWS.filter(({ foreign }) => foreign !== true)
