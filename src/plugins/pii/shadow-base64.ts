import { isDigit } from './chars.js'

/** Takes units with the place they came from. */
export interface Sink {
  put(unit: number, start: number, end: number): void
}

const LEAST_BYTES = 18

function sextet(c: number): number {
  if (isDigit(c)) return c + 4
  if (c >= 97) return c - 71
  if (c >= 65 && c <= 90) return c - 65
  return c === 43 || c === 45 ? 62 : 63
}

const isText = (byte: number): boolean => (byte >= 32 && byte < 127) || byte === 10 || byte === 13 || byte === 9

/** The three bytes of the four characters at `i`, of which the last may be missing. */
const bits = (text: string, i: number, end: number): number => {
  let value = 0
  for (let k = 0; k < 4; k++) value = (value << 6) | (i + k < end ? sextet(text.charCodeAt(i + k)) : 0)
  return value
}

/** How far the run reads as text: the index of the first group that does not. */
function textEnd(text: string, start: number, end: number): number {
  let high = 0
  let total = 0
  for (let i = start; i < end; i += 4) {
    const value = bits(text, i, end)
    for (let k = 0; k < Math.min(3, end - i - 1); k++) {
      const byte = (value >> (16 - k * 8)) & 255
      total++
      if (byte >= 128) high++
      else if (!isText(byte)) return i
    }
    if (high > 6 && high > total / 3) return i
  }
  return end
}

/** Decodes base64 that holds text into `sink`; returns how many characters of it were taken. */
export function decodeRun(text: string, start: number, end: number, sink: Sink): number {
  const stop = textEnd(text, start, end)
  if (((stop - start) * 3) / 4 < LEAST_BYTES) return 0
  for (let i = start; i < stop; i += 4) {
    const value = bits(text, i, stop)
    const to = Math.min(i + 4, stop)
    for (let k = 0; k < Math.min(3, to - i - 1); k++) sink.put((value >> (16 - k * 8)) & 255, i, to)
  }
  return stop - start
}

/** Whether base64 is no secret but a text. */
export const decodesToText = (text: string, start: number, end: number): boolean => textEnd(text, start, end) === end

/** Whether the run that begins at `start` has enough that reads as text. */
export const isEncoded = (text: string, start: number): boolean => textEnd(text, start, start + 32) >= start + 24
