import { at, cutsAfter, has, HEX, isAlnum, isDigit, isWord } from './chars.js'
import type { Hits } from './hits.js'
import { macScore } from './optin-checks.js'

/** `public`, `private`, or neither: loopback, documentation (RFC 5737, 3849), multicast and the like. */
type Scope = 'public' | 'private' | 'none'

/** Blocks of RFC 1918, 6598 (private) and 6890 (none): first address, number of leading bits, scope. */
const BLOCKS: readonly (readonly [number, number, Scope])[] = (
  [
    ['10.0.0.0', 8, 'private'],
    ['172.16.0.0', 12, 'private'],
    ['192.168.0.0', 16, 'private'],
    ['100.64.0.0', 10, 'private'],
    ['0.0.0.0', 8, 'none'],
    ['127.0.0.0', 8, 'none'],
    ['169.254.0.0', 16, 'none'],
    ['192.0.0.0', 24, 'none'],
    ['192.0.2.0', 24, 'none'],
    ['198.51.100.0', 24, 'none'],
    ['203.0.113.0', 24, 'none'],
    ['198.18.0.0', 15, 'none'],
    ['224.0.0.0', 3, 'none'],
  ] as const
).map(([first, bits, scope]) => [first.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), 2 ** (32 - bits), scope] as const)

function scopeOf4(address: number): Scope {
  // An address whose last three parts are 0 is a version or a network.
  if (address % 2 ** 24 === 0) return 'none'
  return BLOCKS.find(([first, size]) => address >= first && address < first + size)?.[2] ?? 'public'
}

/** Where it is a version: `Chrome/120.0.0.0`, `v1.2.3.4`, `1.2.3.4-beta`, `>=1.2.3.4`. */
function isVersion(text: string, start: number, end: number): boolean {
  const before = at(text, start - 1)
  if (before === 47 && isAlnum(at(text, start - 2))) return true
  if (before === 36 || before === 94 || before === 126 || before === 45 || before === 46 || before === 43) return true
  const next = at(text, end)
  return ((next === 46 || next === 45 || next === 43) && isWord(at(text, end + 1))) || (before === 61 && (at(text, start - 2) === 62 || at(text, start - 2) === 60))
}

/** Reads one part of at most 255 without leading zeros; returns where it ends, or -1. */
function partEnd(text: string, start: number): number {
  let i = start
  let value = 0
  while (i - start < 3 && isDigit(at(text, i))) value = value * 10 + text.charCodeAt(i++) - 48
  return i === start || value > 255 || (i - start > 1 && text.charCodeAt(start) === 48) ? -1 : i
}

/** Four numbers with dots that begin at `start`; returns where they end, or `start`. */
export function ip4(hits: Hits, start: number): number {
  const { text } = hits
  let address = 0
  let largest = 0
  let i = start
  for (let part = 0; part < 4; part++) {
    if (part > 0 && at(text, i++) !== 46) return start
    const end = partEnd(text, i)
    if (end < 0) return start
    const value = Number(text.slice(i, end))
    largest = Math.max(largest, value)
    address = address * 256 + value
    i = end
  }
  hits.steps += i - start
  if (cutsAfter(text, i) || isVersion(text, start, i)) return start
  const scope = scopeOf4(address)
  // Four small numbers are more often a version.
  if (scope !== 'none') hits.weigh(scope === 'public' ? 'IP' : 'PRIVATE_IP', start, i, largest < 20 ? 0.5 : 0.7, 'shape')
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

const isRun = (c: number): boolean => c === 58 || has(c, HEX)

/** The run of hexadecimal digits and colons around `colon`: an IPv6 or MAC address. Returns where the run ends, so that it is read once. */
export function colons(hits: Hits, colon: number, floor: number): number {
  const { text } = hits
  let start = colon
  while (start > floor && has(text.charCodeAt(start - 1), HEX)) start--
  let end = colon
  while (end < text.length && isRun(text.charCodeAt(end))) end++
  hits.steps += end - start
  // One colon at the end belongs to the sentence.
  if (end > colon + 1 && at(text, end - 1) === 58 && at(text, end - 2) !== 58) end--
  if (end - start < 5 || end - start > 39 || isWord(at(text, start - 1)) || cutsAfter(text, end)) return end
  judge(hits, start, end)
  return end
}

/** Eight groups of one digit: what is shorter, such as a time of day, leaves groups out. */
const SHORTEST_WHOLE = 15

function judge(hits: Hits, start: number, end: number): void {
  const run = hits.text.slice(start, end)
  if (run.length < SHORTEST_WHOLE && !run.includes('::')) return
  const mac = run.length === 17 && /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(run) ? macScore(run) : undefined
  if (mac !== undefined) hits.weigh('MAC', start, end, mac, 'shape')
  const groups = groupsOf(run)
  if (groups === undefined || groups.length < 1) return
  const scope = scopeOf6(run.startsWith('::') ? 0 : parseInt(groups[0] ?? '0', 16), parseInt(groups[1] ?? '0', 16))
  if (scope !== 'none') hits.weigh(scope === 'public' ? 'IP' : 'PRIVATE_IP', start, end, 0.75, 'shape')
  // Nothing else is written as eight groups, whether the block is given out yet or not.
  else if (groups.length === 8 && !/^(?:2001:0?db8|3fff|0|ff)/i.test(run)) hits.weigh('IP', start, end, 0.6, 'shape')
}
