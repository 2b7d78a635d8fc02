import { createRequire } from 'node:module'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, describe, test } from 'vitest'
import type { AiSdkModel } from '../../../src/providers/ai-sdk/index.js'

export type Family = 'anthropic' | 'openai' | 'compatible'
export const FAMILIES: readonly Family[] = ['anthropic', 'openai', 'compatible']

interface Settings {
  readonly apiKey: string
  readonly baseURL: string
  readonly name?: string
  readonly includeUsage?: boolean
}
type Provider = ((model: string) => AiSdkModel) & { chat(model: string): AiSdkModel; chatModel(model: string): AiSdkModel; responses(model: string): AiSdkModel }
type Maker = (settings: Settings) => Provider

const MAKERS: Record<Family, string> = { anthropic: 'createAnthropic', openai: 'createOpenAI', compatible: 'createOpenAICompatible' }

function load(name: string): Record<string, Maker> | undefined {
  try {
    return createRequire(new URL('../../ai-sdk/package.json', import.meta.url))(name) as Record<string, Maker>
  } catch {
    return undefined
  }
}

const loaded = new Map(FAMILIES.flatMap(family => ['v2', 'v3', 'v4'].map(version => [`${family}-${version}`, load(`${family}-${version}`)] as const)))
const MISSING = [...loaded].flatMap(([name, found]) => (found === undefined ? [name] : []))
const LACKS = MISSING.length === 0 ? undefined : `these packages are not installed: ${MISSING.join(', ')} (npm ci --prefix test/ai-sdk)`
const NEEDED = process.env['SALLYPORT_NEED_AI_SDK'] === '1'
if (LACKS !== undefined) console.log(`ai-sdk tests ${NEEDED ? 'fail' : 'are skipped'}: ${LACKS}`)

/** A suite that needs the packages: skipped, with the reason printed, where they are not installed; a failure where they must be. */
export function describePackages(name: string, body: () => void): void {
  if (LACKS === undefined) describe(name, body)
  else if (NEEDED) test(name, () => Promise.reject(new Error(LACKS)))
  else describe.skip(name, () => test('needs the packages', () => undefined))
}

export function providerOf(family: Family, version: string, baseURL: string): Provider {
  const make = loaded.get(`${family}-${version}`)?.[MAKERS[family]]
  if (make === undefined) throw new Error(`no ${family} of ${version}`)
  return make({ apiKey: 'not-a-key', baseURL, ...(family === 'compatible' && { name: 'local', includeUsage: true }) })
}

/** The chat model of a package. */
export function real(family: Family, version: string, baseURL: string, name = 'claude-sonnet-4-5'): AiSdkModel {
  const provider = providerOf(family, version, baseURL)
  if (family === 'openai') return provider.chat('gpt-4o')
  return family === 'anthropic' ? provider(name) : provider.chatModel('local-model')
}

export const sse = (...events: readonly (readonly [event: string, data: object])[]): string => events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify({ type: event, ...data })}\n\n`).join('')

/** A server that gives one body after the other and keeps what it was asked. */
export class Canned {
  readonly asked: Record<string, unknown>[] = []
  readonly #server: Server
  readonly #bodies: readonly string[]

  constructor(...bodies: readonly string[]) {
    this.#bodies = bodies
    this.#server = createServer((req, res) => void this.#answer(req, res))
    afterAll(() => void this.#server.close())
  }

  async start(): Promise<string> {
    await new Promise<void>(resolve => void this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let text = ''
    for await (const chunk of req) text += String(chunk)
    this.asked.push(JSON.parse(text) as Record<string, unknown>)
    const body = this.#bodies[this.asked.length - 1] ?? ''
    res.writeHead(200, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/event-stream', connection: 'close' })
    res.end(body)
  }
}
