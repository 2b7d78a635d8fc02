import { at, cutsAfter, has, HEX, isAlnum, isDigit, isWord } from './chars.js'
import type { Hits } from './hits.js'

/** `public`, `private`, or neither: loopback, documentation (RFC 5737, 3849), multicast and the like. */
type Scope = 'public' | 'private' | 'none'

function scopeOf4(a: number, b: number, c: number, d: number): Scope {
  if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128)) return 'private'
  if (a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254)) return 'none'
  if ((a === 192 && b === 0 && (c === 2 || c === 0)) || (a === 198 && b === 51 && c === 100) || (a === 203 && b === 0 && c === 113)) return 'none'
  if ((a === 198 && (b === 18 || b === 19)) || (b === 0 && c === 0 && d === 0)) return 'none'
  return 'public'
}

/** Where it is a version: `Chrome/120.0.0.0`, `v1.2.3.4`, `1.2.3.4-beta`, `>=1.2.3.4`. */
function isVersion(text: string, start: number, end: number): boolean {
  const before = at(text, start - 1)
  if (before === 47 && isAlnum(at(text, start - 2))) return true
  if (before === 36 || before === 94 || before === 126 || before === 45 || before === 46 || before === 43) return true
  const next = at(text, end)
  return ((next === 46 || next === 45 || next === 43) && isWord(at(text, end + 1))) || (before === 61 && (at(text, start - 2) === 62 || at(text, start - 2) === 60))
}

/** Four numbers with dots that begin at `start`; returns where they end, or `start`. */
export function ip4(hits: Hits, start: number): number {
  const { text } = hits
  const parts = [0, 0, 0, 0]
  let i = start
  for (let part = 0; part < 4; part++) {
    if (part > 0 && at(text, i++) !== 46) return start
    const from = i
    let value = 0
    while (i - from < 3 && isDigit(at(text, i))) value = value * 10 + text.charCodeAt(i++) - 48
    if (i === from || value > 255 || (i - from > 1 && text.charCodeAt(from) === 48)) return start
    parts[part] = value
  }
  hits.steps += i - start
  if (cutsAfter(text, i) || isVersion(text, start, i)) return start
  const scope = scopeOf4(parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0, parts[3] ?? 0)
  if (scope === 'none') return i
  const small = parts.every(part => part < 20)
  hits.weigh(scope === 'public' ? 'IP' : 'PRIVATE_IP', start, i, small ? 0.5 : 0.7, 'shape')
  return i
}

function scopeOf6(first: number, second: number): Scope {
  if ((first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80) return 'private'
  if ((first & 0xe000) !== 0x2000 || (first === 0x2001 && second === 0xdb8) || (first & 0xfff0) === 0x3ff0) return 'none'
  return 'public'
}

/** Groups of a run of hexadecimal digits and colons, or nothing where they are no address. */
function groupsOf(run: string): readonly string[] | undefined {
  const halves = run.split('::')
  if (halves.length > 2) return undefined
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')))
  if (groups.some(group => group === '' || group.length > 4)) return undefined
  return halves.length === 2 ? (groups.length <= 7 ? groups : undefined) : groups.length === 8 ? groups : undefined
}

/** The run of hexadecimal digits and colons around `colon`: an IPv6 or MAC address. Returns where the run ends, so that it is read once. */
export function colons(hits: Hits, colon: number, floor: number): number {
  const { text } = hits
  let start = colon
  while (start > floor && has(text.charCodeAt(start - 1), HEX)) start--
  let end = colon
  while (end < text.length && (has(text.charCodeAt(end), HEX) || text.charCodeAt(end) === 58)) end++
  hits.steps += end - start
  while (end > colon + 1 && text.charCodeAt(end - 1) === 58 && text.charCodeAt(end - 2) !== 58) end--
  const run = text.slice(start, end)
  if (run.length < 5 || run.length > 39 || isWord(at(text, start - 1)) || cutsAfter(text, end)) return end
  if (run.length === 17 && /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(run)) hits.weigh('MAC', start, end, 0.7, 'shape')
  const groups = groupsOf(run)
  if (groups === undefined || groups.length < 1) return end
  const first = run.startsWith('::') ? 0 : parseInt(groups[0] ?? '0', 16)
  const scope = scopeOf6(first, parseInt(groups[1] ?? '0', 16))
  if (scope !== 'none') hits.weigh(scope === 'public' ? 'IP' : 'PRIVATE_IP', start, end, 0.75, 'shape')
  return end
}
