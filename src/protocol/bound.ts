import type { Capabilities } from './ports.js'
import { rateOf, type Price, type Rates } from './rates.js'
import type { Message, Part, UpstreamRequest } from './request.js'

/** The most one attempt can use: what a hold is made of. */
export interface Bound {
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What wires add around the text of a message, and around all of them: roles, separators, and the words that introduce tools. */
const MESSAGE_TOKENS = 64
const CALL_TOKENS = 256
const TOOLS_TOKENS = 1_024
/** The most providers count for a picture, and for a file or a sound that is named by its address. */
const IMAGE_TOKENS = 16_384
const REMOTE_TOKENS = 262_144
const INPUT: readonly (keyof Rates)[] = ['input', 'cachedInput', 'cacheWrite', 'cacheWrite1h', 'inputAudio', 'cachedInputAudio', 'inputImage']
const OUTPUT: readonly (keyof Rates)[] = ['output', 'reasoning', 'outputAudio', 'outputImage']
const NANOS_PER_DOLLAR = 1e9

/** A text has at most as many tokens as UTF-8 bytes: tokens are made of bytes. */
function bytesOf(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit > 0x7f) bytes += unit > 0x7ff ? 2 : 1
  }
  return bytes
}

/**
 * A bound of what a request can use: bytes of text for its input, plus what wires add; `maxOutputTokens` for the output. Without
 * `maxOutputTokens` the output is what the model can write at most; infinite where that is not known.
 */
export function boundOf(request: UpstreamRequest, capabilities: Capabilities): Bound {
  const { messages, tools = [], output, providerOptions } = request
  let tokens = CALL_TOKENS
  for (const message of messages) tokens += messageTokens(message)
  if (tools.length > 0) tokens += TOOLS_TOKENS
  for (const tool of tools) tokens += MESSAGE_TOKENS + bytesOf(JSON.stringify(tool) ?? '')
  if (output !== undefined) tokens += bytesOf(JSON.stringify(output) ?? '')
  if (providerOptions !== undefined) tokens += bytesOf(JSON.stringify(providerOptions) ?? '')
  return { inputTokens: tokens, outputTokens: outputBoundOf(request, capabilities) }
}

/** The output of {@link boundOf} alone, which takes no look at the messages. */
export function outputBoundOf(request: UpstreamRequest, { maxOutputTokens }: Capabilities): number {
  return request.maxOutputTokens ?? maxOutputTokens ?? Infinity
}

function messageTokens(message: Message): number {
  const { content } = message
  let tokens = MESSAGE_TOKENS
  if (message.role === 'tool') tokens += bytesOf(message.toolCallId)
  if (message.role === 'user' && message.name !== undefined) tokens += bytesOf(message.name)
  if (typeof content === 'string') return tokens + bytesOf(content)
  for (const part of content) tokens += partTokens(part)
  return tokens
}

function partTokens(part: Part): number {
  const sent = part.providerData === undefined ? 0 : bytesOf(JSON.stringify(part.providerData))
  switch (part.type) {
    case 'text':
    case 'reasoning':
    case 'refusal':
      return sent + bytesOf(part.text)
    case 'image':
      return sent + IMAGE_TOKENS
    case 'file':
    case 'audio':
      return sent + mediaTokens(part.data)
    default:
      return sent + MESSAGE_TOKENS + bytesOf(JSON.stringify(part) ?? '')
  }
}

/** A page, or a second of sound, has far fewer tokens than bytes. */
function mediaTokens(data: string | URL | Uint8Array): number {
  if (typeof data !== 'string') return data instanceof Uint8Array ? Math.max(IMAGE_TOKENS, data.byteLength) : REMOTE_TOKENS
  return /^https?:/i.test(data) ? REMOTE_TOKENS : Math.max(IMAGE_TOKENS, data.length)
}

/** The most that so many tokens can cost, in whole nano-dollars, rounded up: the highest rate of any kind, tier and service tier that may apply. */
export function boundNanos({ inputTokens, outputTokens }: Bound, price: Price): number {
  const fee = (price.request ?? 0) * NANOS_PER_DOLLAR
  if (price.tiers === undefined && price.serviceTiers === undefined) {
    const { input, output } = topsOf(price)
    return Math.ceil(inputTokens * input + outputTokens * output + fee)
  }
  const services = [price, ...Object.values(price.serviceTiers ?? {})]
  const input = Math.max(...services.flatMap(service => highest(service, INPUT, inputTokens)))
  const output = Math.max(...services.flatMap(service => highest(service, OUTPUT, inputTokens)))
  return Math.ceil(inputTokens * (input * 1000) + outputTokens * (output * 1000) + fee)
}

/** The highest rates of a price, in nano-dollars by the token. */
interface Tops {
  readonly input: number
  readonly output: number
}

/** Prices are frozen, and few: looked through once each. */
const tops = new WeakMap<Price, Tops>()

function topsOf(price: Price): Tops {
  let known = tops.get(price)
  if (known === undefined) tops.set(price, (known = { input: top(price, INPUT) * 1000, output: top(price, OUTPUT) * 1000 }))
  return known
}

function top(price: Price, kinds: readonly (keyof Rates)[]): number {
  let most = 0
  for (const kind of kinds) {
    const rate = price[kind]
    if (rate !== undefined && rate > most) most = rate
  }
  return most
}

/** A smaller prompt than the bound may fall into a lower tier, which is not always the cheaper one. */
function highest(service: Omit<Price, 'input' | 'output'> & Rates, kinds: readonly (keyof Rates)[], prompt: number): number[] {
  const rates = [0]
  for (const kind of kinds) {
    const top = rateOf(service, kind, prompt)
    if (top !== undefined) rates.push(top)
    if (service[kind] !== undefined) rates.push(service[kind])
    for (const tier of service.tiers ?? []) if (tier.above < prompt && tier[kind] !== undefined) rates.push(tier[kind])
  }
  return rates
}
