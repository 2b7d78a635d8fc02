import type { ChatEvent } from '../../../src/protocol/events.js'
import { collect, type Collected } from '../../../src/protocol/collect.js'
import { GatewayError } from '../../../src/protocol/errors.js'
import type { OpenContext, Opened, Upstream, Wire } from '../../../src/protocol/ports.js'
import type { UpstreamRequest } from '../../../src/protocol/request.js'
import { fromAiSdk, type AiSdkModel, type AiSdkOptions } from '../../../src/providers/ai-sdk/index.js'
import type { Fields } from '../../../src/providers/ai-sdk/model.js'

export type V = 'v2' | 'v3' | 'v4'
export const VERSIONS: readonly V[] = ['v2', 'v3', 'v4']

/** Usage and finish as each version writes them. */
export function finishOf(version: V, reason = 'stop', more: Fields = {}): Fields {
  const usage = version === 'v2' ? { inputTokens: 10, outputTokens: 5, totalTokens: 15 } : { inputTokens: { total: 10, noCache: 10, cacheRead: undefined, cacheWrite: undefined }, outputTokens: { total: 5, text: 5, reasoning: undefined } }
  return { finishReason: version === 'v2' ? reason : { unified: reason, raw: `raw-${reason}` }, usage, ...more }
}

/** A stream of parts that notes how it was cancelled; an `Error` among them breaks it. */
class PartStream {
  cancelled = 0
  readonly stream: ReadableStream<unknown>

  constructor(parts: readonly unknown[], end: 'close' | 'hang' = 'close') {
    let at = 0
    this.stream = new ReadableStream({
      pull: controller => {
        const part = parts[at++]
        if (part instanceof Error) return controller.error(part)
        if (part !== undefined) return controller.enqueue(part)
        if (end === 'hang') return new Promise<void>(() => undefined)
        controller.close()
      },
      cancel: () => void this.cancelled++,
    }, { highWaterMark: 0 })
  }
}

export interface ModelParts {
  readonly version?: V
  readonly provider?: string
  readonly modelId?: string
  readonly content?: readonly unknown[]
  /** Instead of `content` with a finish. */
  readonly result?: unknown
  readonly parts?: readonly unknown[]
  readonly end?: 'close' | 'hang'
  readonly finish?: Fields
  readonly response?: Fields
  readonly supportedUrls?: unknown
  readonly fails?: () => unknown
}

export interface HandMade extends AiSdkModel {
  readonly asked: Fields[]
  readonly streams: PartStream[]
}

/** A model made by hand. */
export function model({ version = 'v3', provider = 'mine', modelId = 'parrot', content = [{ type: 'text', text: 'Hello' }], result, parts, end, finish = finishOf(version), response, supportedUrls, fails }: ModelParts = {}): HandMade {
  const asked: Fields[] = []
  const streams: PartStream[] = []
  return {
    specificationVersion: version,
    provider,
    modelId,
    ...(supportedUrls !== undefined && { supportedUrls }),
    asked,
    streams,
    doGenerate: (options: Fields) => {
      asked.push(options)
      if (fails !== undefined) return Promise.reject(fails() as Error)
      return Promise.resolve(result ?? { content, warnings: [], ...(response !== undefined && { response }), ...finish })
    },
    doStream: (options: Fields) => {
      asked.push(options)
      if (fails !== undefined) return Promise.reject(fails() as Error)
      const made = new PartStream(parts ?? [{ type: 'stream-start', warnings: [] }, { type: 'text-start', id: '0' }, { type: 'text-delta', id: '0', delta: 'Hello' }, { type: 'text-end', id: '0' }, { type: 'finish', ...finish }], end)
      streams.push(made)
      return Promise.resolve({ stream: made.stream, ...(response !== undefined && { response }) })
    },
  }
}

export const ASK: UpstreamRequest = { messages: [{ role: 'user', content: 'Hi' }] }

export interface Tried extends OpenContext {
  readonly abort_: AbortController
  readonly activity: () => number
}

export function context(wire: Wire, headers?: Record<string, string>): Tried {
  const abort_ = new AbortController()
  let active = 0
  return {
    wire,
    signal: abort_.signal,
    clock: { now: () => 0, after: () => ({ cancel: () => undefined }) },
    onActivity: () => void active++,
    activity: () => active,
    abort_,
    ...(headers !== undefined && { headers }),
  }
}

export function upstreamOf(made: AiSdkModel, options?: AiSdkOptions): Upstream {
  const { reach } = fromAiSdk(made, options)
  if (!('upstream' in reach)) throw new Error('no upstream')
  return reach.upstream
}

export async function drained(opened: Opened): Promise<ChatEvent[]> {
  const events: ChatEvent[] = opened.warnings.map(warning => ({ type: 'warning', warning }))
  for (;;) {
    const batch = await opened.read()
    if (batch === undefined) return events
    events.push(...batch)
  }
}

/** One answer, from the request to its events. */
export async function ask(made: AiSdkModel, wire: Wire = 'json', request: UpstreamRequest = ASK): Promise<ChatEvent[]> {
  return drained(await upstreamOf(made).open('chat', request, context(wire)))
}

export async function answer(made: AiSdkModel, wire: Wire = 'json', request: UpstreamRequest = ASK): Promise<Collected> {
  return collect(await ask(made, wire, request))
}

/** What the model was asked, after one answer. */
export async function sent(made: HandMade, request: UpstreamRequest, wire: Wire = 'json'): Promise<Fields> {
  await ask(made, wire, request)
  return made.asked.at(-1) ?? {}
}

export async function failure(work: () => unknown): Promise<GatewayError> {
  try {
    await work()
  } catch (error) {
    if (GatewayError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
