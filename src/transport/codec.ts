import type { Warning } from '../protocol/events.js'
import type { Adapter, HttpCall, OpenContext, Opened, Target, Upstream } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import { siftHeaders } from '../protocol/sift-headers.js'
import { tryParseJson } from '../protocol/json.js'
import { refuseLosses } from '../protocol/strict.js'
import { Answer } from './answer.js'
import type { AnswerLimits } from './content.js'
import { embeddings } from './embeddings.js'
import { abortFault } from './faults.js'
import { sseFraming } from './frames.js'
import type { ByteReader, Received, Transport } from './types.js'

/** An adapter over a transport. */
export interface CodecOptions {
  readonly adapter: Adapter
  readonly transport: Transport
  readonly target: Target
  readonly limits?: Partial<AnswerLimits>
}

const LIMITS: AnswerLimits = { jsonBytes: 32 * 1024 * 1024, streamBytes: 256 * 1024 * 1024 }
// A number of a vector is up to 22 characters.
const EMBED_BYTES = 64 * 1024 * 1024
const ERROR_BYTES = 1024 * 1024
const ERROR_TEXT = 4096
// The status alone says enough: a body that never ends must not turn a 429 into a timeout.
const ERROR_MS = 2_000

/** The upstream that speaks `adapter`'s dialect over `transport`. `open` resolves when the headers of a good answer are here. */
export function codecUpstream({ adapter, transport, target, limits }: CodecOptions): Upstream {
  const bounds = { ...LIMITS, ...limits }
  const wide = { ...LIMITS, jsonBytes: EMBED_BYTES, ...limits }
  const sse = sseFraming()
  let vectors: ReturnType<typeof embeddings> | undefined
  return {
    ...(adapter.embed !== undefined && { embeds: () => adapter.embed?.limits(target) }),
    async open(op, request, ctx) {
      const codec = op === 'chat' ? adapter : (vectors ??= embeddings(adapter))
      const { call, warnings } = prepare(adapter, codec, target, request, ctx)
      const signal = ctx.abort ?? ctx.signal
      const ready = call instanceof Promise ? await call : call
      if (signal.aborted) throw abortFault(signal.reason)
      const received = await transport.send(ready, { signal, onActivity: ctx.onActivity })
      const { status, headers, body } = received
      if (status < 200 || status > 299) throw adapter.fault(status, headers, await errorBody(received, ctx), ctx.clock.now())
      const decoder = codec.decode({ request, target, wire: ctx.wire, status, headers })
      return new Answer({ status, headers, warnings, body, decoder, bounds: codec === adapter ? bounds : wide, clock: ctx.clock, provider: target.provider, framing: codec.frames, sse, rates: () => adapter.limits?.(headers, ctx.clock.now()) }) satisfies Opened
    },
    async probe(ctx) {
      const asked = adapter.probe?.(target)
      if (asked === undefined) return false
      const signal = ctx.abort ?? ctx.signal
      const call = ctx.secret === undefined ? asked : await adapter.authorize(asked, ctx.secret)
      const received = await transport.send(call, { signal, onActivity: ctx.onActivity })
      const body = await errorBody(received, ctx)
      if (received.status < 200 || received.status > 299) throw adapter.fault(received.status, received.headers, body, ctx.clock.now())
      return true
    },
  }
}

/** Does not wait, unless the adapter has to fetch a token. */
function prepare(adapter: Adapter, codec: Pick<Adapter, 'encode'>, target: Target, request: UpstreamRequest, ctx: OpenContext): { call: HttpCall | Promise<HttpCall>; warnings: readonly Warning[] } {
  const encoded = codec.encode(request, target, ctx.wire)
  let { call } = encoded
  let warnings: readonly Warning[] = encoded.warnings
  if (ctx.headers !== undefined) {
    const { kept, refused } = siftHeaders(ctx.headers)
    call = { ...call, headers: { ...call.headers, ...kept } }
    if (refused.length > 0) warnings = [...warnings, ...refused]
  }
  refuseLosses(request, warnings)
  // Last, so that no header of the caller's takes the credential's place, and a signature covers them all.
  return { call: ctx.secret === undefined ? call : adapter.authorize(call, ctx.secret), warnings }
}

/** The body of an error answer: parsed, else the start of its text, else nothing. A body that is cut, endless or late is taken as far as it came. */
async function errorBody({ body }: Received, ctx: OpenContext): Promise<unknown> {
  const timer = ctx.clock.after(ERROR_MS, () => body.cancel())
  const chunks: Uint8Array[] = []
  try {
    await gather(body, chunks)
  } catch {
    const ended = ctx.abort ?? ctx.signal
    if (ended.aborted) throw abortFault(ended.reason)
  } finally {
    timer.cancel()
  }
  const text = textOf(chunks)
  return text.trim() === '' ? undefined : (tryParseJson(text) ?? text.slice(0, ERROR_TEXT))
}

async function gather(body: ByteReader, chunks: Uint8Array[]): Promise<void> {
  let size = 0
  for (;;) {
    const chunk = await body.read()
    if (chunk === undefined) return
    size += chunk.length
    if (size > ERROR_BYTES) return body.cancel()
    chunks.push(chunk)
  }
}

function textOf(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder()
  let text = ''
  for (const chunk of chunks) text += decoder.decode(chunk, { stream: true })
  return text + decoder.decode()
}
