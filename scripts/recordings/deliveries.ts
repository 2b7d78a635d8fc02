import type { Random } from 'sallyport'
import { seededRandom } from '../../src/testing/random.js'

/** One way to bring a body to the client. */
export interface Delivery {
  readonly name: string
  /** `stream`: by gateway.stream; else by gateway.chat over the wire named. */
  readonly ask: 'stream' | 'chat-json' | 'chat-stream'
  /** Rewrites the body without changing what it says. */
  readonly rewrite: (text: string) => string
  /** Cuts the bytes into what is written at once. */
  readonly cut: (bytes: Uint8Array) => Uint8Array[]
  /** Sent with `content-length`; else chunked. */
  readonly sized: boolean
  /** The stream's own last word is missing. */
  readonly unterminated: boolean
}

const LINE = /\r\n|\r|\n/g
const BLANK_LINE = /(\r\n\r\n|\r\r|\n\n)/g
const DONE = /data: ?\[DONE\](?:\r\n|\r|\n)*$/
/** Bytes that are written one by one; what is behind them goes in random pieces, to keep the run short. */
export const SINGLE_BYTES = 20_000

export function crlf(text: string): string {
  return text.replace(LINE, '\r\n')
}
export function cr(text: string): string {
  return text.replace(LINE, '\r')
}
export function bom(text: string): string {
  return `\uFEFF${text}`
}
/** Comments before the first event and after each; a bare one among them. */
export function comments(text: string): string {
  let at = 0
  return `: keep-alive\n\n${text.replace(BLANK_LINE, end => `${end}${at++ % 2 === 0 ? ': keep-alive\n\n' : ':\n'}`)}`
}
/** Without the last event's blank line. */
export function unclosed(text: string): string {
  return text.replace(/[\r\n]+$/, '')
}
/** Without `[DONE]`. */
export function notDone(text: string): string {
  return text.replace(DONE, '')
}
const same = (text: string): string => text

function whole(bytes: Uint8Array): Uint8Array[] {
  return [bytes]
}

function afterOne(bytes: Uint8Array): Uint8Array[] {
  return [bytes.subarray(0, 1), bytes.subarray(1)]
}

/** Pieces of 1 to `most` bytes, cut anywhere, also inside a character. */
export function randomPieces(bytes: Uint8Array, most: number, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const next = Math.min(bytes.length, at + 1 + Math.floor(random() * most))
    pieces.push(bytes.subarray(at, next))
    at = next
  }
  return pieces
}

/** Each byte its own piece, up to {@link SINGLE_BYTES}. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  const single = bytes.subarray(0, SINGLE_BYTES)
  return [...Array.from(single, (_, at) => single.subarray(at, at + 1)), ...randomPieces(bytes.subarray(SINGLE_BYTES), 64, seededRandom(1))]
}

function split(most: number, seed: number): (bytes: Uint8Array) => Uint8Array[] {
  return bytes => randomPieces(bytes, most, seededRandom(seed))
}

function delivery(name: string, ask: Delivery['ask'], more: Partial<Delivery> = {}): Delivery {
  return { name, ask, rewrite: same, cut: whole, sized: false, unterminated: false, ...more }
}

/** The name, then the same split at random. */
function both(name: string, ask: Delivery['ask'], seed: number, more: Partial<Delivery>): Delivery[] {
  return [delivery(name, ask, more), delivery(`${name}, split at random`, ask, { ...more, cut: split(24, seed) })]
}

/** How event streams are delivered. @param hasDone the protocol ends its streams with `[DONE]`. */
export function streamDeliveries(hasDone: boolean): Delivery[] {
  return [
    delivery('whole', 'stream'),
    delivery('byte by byte', 'stream', { cut: byteByByte }),
    delivery('split at random (up to 7 bytes)', 'stream', { cut: split(7, 11) }),
    delivery('split at random (up to 64 bytes)', 'stream', { cut: split(64, 12) }),
    delivery('split at random (up to 1,024 bytes)', 'stream', { cut: split(1024, 13) }),
    ...both('CRLF', 'stream', 21, { rewrite: crlf }),
    ...both('CR alone', 'stream', 22, { rewrite: cr }),
    ...both('BOM', 'stream', 23, { rewrite: bom }),
    delivery('BOM, byte by byte', 'stream', { rewrite: bom, cut: byteByByte }),
    delivery('BOM, cut inside the mark', 'stream', { rewrite: bom, cut: afterOne }),
    ...both('comments', 'stream', 24, { rewrite: comments }),
    delivery('comments, CRLF and BOM, split at random', 'stream', { rewrite: text => bom(crlf(comments(text))), cut: split(24, 25) }),
    ...both('no last blank line', 'stream', 26, { rewrite: unclosed }),
    ...(hasDone ? [...both('no [DONE]', 'stream', 27, { rewrite: notDone, unterminated: true }), delivery('no [DONE], no last blank line', 'stream', { rewrite: text => unclosed(notDone(text)), unterminated: true })] : []),
    ...both('gateway.chat over the stream wire', 'chat-stream', 28, {}),
    delivery('an event stream where JSON was asked for', 'chat-json'),
  ]
}

/** How binary event streams are delivered: they have no line ends, marks or comments to play with. */
export function binaryDeliveries(): Delivery[] {
  return [
    delivery('whole', 'stream'),
    delivery('with its length', 'stream', { sized: true }),
    delivery('byte by byte', 'stream', { cut: byteByByte }),
    delivery('split at random (up to 7 bytes)', 'stream', { cut: split(7, 41) }),
    delivery('split at random (up to 64 bytes)', 'stream', { cut: split(64, 42) }),
    delivery('split at random (up to 1,024 bytes)', 'stream', { cut: split(1024, 43) }),
    ...both('gateway.chat over the stream wire', 'chat-stream', 44, {}),
    delivery('an event stream where JSON was asked for', 'chat-json'),
  ]
}

/** How bodies that are no event streams are delivered. @param ask as it was recorded. */
export function plainDeliveries(ask: Delivery['ask']): Delivery[] {
  return [
    delivery('whole', ask, { sized: true }),
    delivery('chunked', ask),
    delivery('byte by byte', ask, { cut: byteByByte }),
    delivery('split at random (up to 7 bytes)', ask, { cut: split(7, 31) }),
    delivery('split at random (up to 64 bytes)', ask, { cut: split(64, 32) }),
    delivery('split at random (up to 1,024 bytes)', ask, { cut: split(1024, 33), sized: true }),
    ...both('BOM', ask, 34, { rewrite: bom }),
    delivery('BOM, byte by byte', ask, { rewrite: bom, cut: byteByByte }),
    delivery('BOM, cut inside the mark', ask, { rewrite: bom, cut: afterOne }),
    delivery('JSON where an event stream was asked for', ask === 'stream' ? 'chat-stream' : 'stream'),
  ]
}
