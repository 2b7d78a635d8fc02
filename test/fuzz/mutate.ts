import type { Random } from '../../src/protocol/ports.js'

const ENCODER = new TextEncoder()

export function below(most: number, random: Random): number {
  return Math.floor(random() * most)
}
export function pick<T>(list: readonly T[], random: Random): T {
  return list[below(list.length, random)] as T
}

/** JSON texts that decoders trip over, written as no serialiser would. */
const ODD: readonly string[] = [
  'null', 'true', 'false', '0', '-0', '-1', '1e999', '-1e999', '9007199254740993', '123456789012345678901234567890', '1e-400', '0.1', '""', '"x"', '" "', '"null"', '"[DONE]"', '[]', '{}', '[null]', '[[]]', '[{}]', '{"":""}',
  '{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"toString":1,"valueOf":2,"hasOwnProperty":3}', '{"then":{}}', '{"length":-1}', '{"toJSON":1}',
  '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\u2028\\u2029"', '"\u202e\u200f"', '"e\u0301\u0302\u0303"', '"__proto__"', '"data: [DONE]"', '"\\n\\ndata: {}\\n\\n"', '"{\\"a\\":"', '"}"', '"{\\"__proto__\\":{\\"polluted\\":true}}"',
  '"tool_calls"', '"stop"', '"error"', '"tool_use"', '"function"', '"custom"', '"text"', '"thinking"', '"constructor"',
]
const KEYS = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '', '0', '-1', 'then', 'error', 'choices', 'delta', 'message', 'content', 'type', 'index', 'id', 'usage', 'tool_calls', 'function', 'arguments', 'details', 'code', 'status'] as const

function deep(random: Random): string {
  const depth = 1 + below(random() < 0.1 ? 20_000 : 300, random)
  return random() < 0.5 ? '['.repeat(depth) + ']'.repeat(depth) : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
}
function long(random: Random): string {
  return JSON.stringify(pick(['x', 'é', '\\', '"', '{', '\u{1f388}', ' '], random).repeat(1 + below(random() < 0.02 ? 200_000 : 2_000, random)))
}
function odd(random: Random): string {
  const die = random()
  if (die < 0.04) return deep(random)
  return die < 0.1 ? long(random) : pick(ODD, random)
}

interface Place {
  readonly holder: Record<string, unknown> | unknown[]
  readonly key: string | number
}

function places(value: unknown, found: Place[], depth = 0): Place[] {
  if (typeof value !== 'object' || value === null || depth > 50) return found
  const holder = value as Place['holder']
  for (const key of Array.isArray(holder) ? holder.keys() : Object.keys(holder)) {
    found.push({ holder, key })
    places((holder as Record<string | number, unknown>)[key], found, depth + 1)
  }
  return found
}

/** Changes the structure of a JSON text in one to four places. */
function restructured(text: string, random: Random): string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return text
  }
  // What an earlier change nested is not written again.
  if (/[[{](?:"a":)?(?:[[{](?:"a":)?){60}/.test(text)) return text
  const raw: string[] = []
  const mark = (): string => `@@${raw.push(odd(random)) - 1}@@`
  for (let times = 1 + below(4, random); times > 0; times--) {
    const all = places(value, [])
    if (all.length === 0) return odd(random)
    const { holder, key } = pick(all, random)
    const record = holder as Record<string | number, unknown>
    const die = random()
    if (die < 0.55) record[key] = mark()
    else if (die < 0.7) {
      if (Array.isArray(holder)) holder.splice(Number(key), 1)
      else delete record[key]
    } else if (die < 0.85) {
      if (Array.isArray(holder)) holder.push(record[key])
      else Object.defineProperty(holder, pick(KEYS, random), { value: record[key], enumerable: true, configurable: true, writable: true })
    } else record[key] = record[pick(all, random).key] ?? [record[key]]
  }
  return JSON.stringify(value).replace(/"@@(\d+)@@"/g, (_, at: string) => raw[Number(at)] ?? 'null')
}

function frames(text: string): string[] {
  return text.split(/(?<=\r?\n\r?\n)/)
}

function reframed(text: string, other: string, random: Random): string {
  const list = frames(text)
  const at = below(list.length, random)
  const frame = list[at] ?? ''
  switch (below(7, random)) {
    case 0:
      list.splice(at, 1)
      break
    case 1:
      list.splice(at, 0, frame)
      break
    case 2:
      list.splice(below(list.length + 1, random), 0, ...list.splice(at, 1))
      break
    case 3:
      list.splice(at, 0, pick(frames(other), random))
      break
    case 4:
      list[at] = frame.replace(/\n/g, pick(['\r', '\r\n', '\n\n', ' \n'], random))
      break
    default:
      // The greedy match is one whole JSON text: a frame of these fixtures has one line of data.
      list[at] = frame.replace(/^(data: ?)(.*)$/m, (_, lead: string, data: string) => lead + restructured(data, random))
  }
  return list.join('')
}

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  const out = new Uint8Array(bytes)
  for (let times = 1 + below(8, random); times > 0 && out.length > 0; times--) {
    const at = below(out.length, random)
    out[at] = random() < 0.5 ? (out[at] ?? 0) ^ (1 << below(8, random)) : below(256, random)
  }
  return out
}

function cut(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const at = below(bytes.length + 1, random)
  switch (below(3, random)) {
    case 0:
      return bytes.subarray(0, at)
    case 1:
      return bytes.subarray(at)
    default:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(below(other.length + 1, random))])
  }
}

function noise(random: Random): Uint8Array {
  const bytes = new Uint8Array(below(random() < 0.05 ? 8_192 : 256, random))
  for (let at = 0; at < bytes.length; at++) bytes[at] = below(256, random)
  return bytes
}

/** A seed, and whether it is a stream of events. */
export interface Seed {
  readonly bytes: Uint8Array
  readonly text: string | undefined
  readonly framed: boolean
}

export function seedOf(source: string | Uint8Array, framed: boolean): Seed {
  return typeof source === 'string' ? { bytes: ENCODER.encode(source), text: source, framed } : { bytes: source, text: undefined, framed }
}

/** One input: a seed changed once, sometimes more than once, or nothing but noise. */
export function mutated(seed: Seed, other: Seed, random: Random): Uint8Array {
  if (random() < 0.03) return noise(random)
  let bytes = seed.bytes
  if (seed.text !== undefined && random() < 0.75) {
    let { text } = seed
    for (let times = random() < 0.7 ? 1 : 3; times > 0; times--) text = seed.framed ? reframed(text, other.text ?? '', random) : restructured(text, random)
    bytes = ENCODER.encode(text)
    if (random() < 0.8) return bytes
  }
  return random() < 0.6 ? flipped(bytes, random) : cut(bytes, other.bytes, random)
}
