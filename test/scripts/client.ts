import { request as httpRequest, type Agent, type ClientRequest, type IncomingHttpHeaders } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { startProvider, type Fault, type LoopbackProvider, type ProviderOptions } from '../../scripts/loopback/index.js'

export type Dialect = ProviderOptions['dialect']
export const DIALECTS: readonly Dialect[] = ['openai', 'anthropic']
export const TEXT = 'one two three four five six'
export const KEY = 'sk-do-not-print-me'

interface Reply {
  readonly status?: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly error?: string
  /** Milliseconds from the request to each packet. */
  readonly atMs: readonly number[]
}

const running: LoopbackProvider[] = []
/** Stops every server of the test; nothing may be left of it. */
export async function stopAll(): Promise<void> {
  for (const provider of running.splice(0)) {
    await provider.stop()
    expect([provider.openSockets, provider.openRequests]).toEqual([0, 0])
  }
}

export async function start(options: ProviderOptions): Promise<LoopbackProvider> {
  const provider = await startProvider({ words: TEXT, paceMs: 0, ...options })
  running.push(provider)
  return provider
}

export function bodyOf(dialect: Dialect, stream: boolean, more: object = {}): object {
  const max = dialect === 'anthropic' ? { max_tokens: 100 } : stream ? { stream_options: { include_usage: true } } : {}
  return { model: 'm-1', messages: [{ role: 'user', content: 'Say it.' }], stream, ...max, ...more }
}

export function send(provider: LoopbackProvider, dialect: Dialect, body: unknown, options: { agent?: Agent; path?: string; onRequest?: (req: ClientRequest) => void } = {}): Promise<Reply> {
  const path = options.path ?? (dialect === 'openai' ? '/chat/completions' : '/messages')
  const credential = dialect === 'openai' ? { authorization: `Bearer ${KEY}` } : { 'x-api-key': KEY }
  return new Promise(resolve => {
    const startedMs = performance.now()
    const atMs: number[] = []
    let text = ''
    const req = httpRequest(provider.baseUrl + path, { method: 'POST', headers: { 'content-type': 'application/json', ...credential }, agent: options.agent ?? false }, res => {
      const done = (error?: string) => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text, atMs, ...(error !== undefined && { error }) })
      res.setEncoding('utf8')
      res.on('data', (chunk: string) => {
        text += chunk
        atMs.push(performance.now() - startedMs)
      })
      res.on('end', () => done())
      res.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    })
    req.on('error', (error: NodeJS.ErrnoException) => resolve({ headers: {}, body: text, error: error.code ?? error.message, atMs }))
    options.onRequest?.(req)
    req.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}

export const faulty = (dialect: Dialect, fault: Fault, more: Partial<ProviderOptions> = {}) => start({ dialect, plan: attempt => (attempt === 1 ? fault : undefined), ...more })
export const object = (value: unknown) => value as Record<string, unknown>

/** The data of each event that parses; `[DONE]` and broken ones as their text. */
export function eventsOf(body: string): unknown[] {
  return body.split('\n\n').flatMap(block => {
    const data = block.split('\n').find(line => line.startsWith('data: '))?.slice(6)
    if (data === undefined) return []
    try {
      return [JSON.parse(data) as unknown]
    } catch {
      return [data]
    }
  })
}

export function textOf(dialect: Dialect, body: string): string {
  return eventsOf(body)
    .map(event => {
      const { choices, delta } = object(event)
      const found = dialect === 'openai' ? object((choices as { delta?: unknown }[] | undefined)?.[0]?.delta ?? {})['content'] : object(delta ?? {})['text']
      return typeof found === 'string' ? found : ''
    })
    .join('')
}

export function jsonText(dialect: Dialect, body: string): string {
  const parsed = JSON.parse(body) as { choices: { message: { content: string } }[]; content: { text: string }[] }
  return (dialect === 'openai' ? parsed.choices[0]?.message.content : parsed.content[0]?.text) ?? ''
}

export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !condition(); i++) await sleep(5)
  expect(condition()).toBe(true)
}
