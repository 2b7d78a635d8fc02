import { at, has, isAlnum, isEscapedSpace, isForeignLetter, ALNUM, LETTER } from './chars.js'
import type { Hits } from './hits.js'

const LOCAL = 64
const DOMAIN = 253
/** Domains nobody can own: RFC 2606 and RFC 6761. */
const RESERVED = /(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)$/
/** What stands where a domain ends in a file name. */
const FILES = new Set('png jpg jpeg gif svg webp js mjs cjs ts tsx jsx css scss less json html htm tgz gz map yml yaml xml txt pdf wasm vue'.split(' '))
const KEYWORDS = new Set(['this', 'super', 'return', 'git'])

function isLocal(c: number): boolean {
  if (isAlnum(c) || isForeignLetter(c)) return true
  // . _ + - % ' & # ! $ * ~ ^
  return c === 46 || c === 95 || c === 43 || c === 45 || c === 37 || c === 39 || c === 38 || c === 35 || c === 33 || c === 36 || c === 42 || c === 126 || c === 94
}

function localStart(text: string, sign: number, floor: number): number {
  const limit = Math.max(floor, sign - LOCAL)
  if (at(text, sign - 1) === 34) {
    for (let i = sign - 2; i >= limit; i--) if (text.charCodeAt(i) === 34 && sign - i > 2) return i
    return sign
  }
  let i = sign
  while (i > limit && isLocal(text.charCodeAt(i - 1))) i--
  if (i < sign && isEscapedSpace(text, i)) i++
  // Quotes and dots may stand before an address but not at its beginning.
  while (i < sign && !isAlnum(text.charCodeAt(i)) && !isForeignLetter(text.charCodeAt(i)) && text.charCodeAt(i) !== 95 && text.charCodeAt(i) !== 43) i++
  return i
}

/** End of the domain that begins at `start`, or `start` where there is none. */
function domainEnd(text: string, start: number): number {
  const limit = Math.min(text.length, start + DOMAIN)
  let i = start
  let end = start
  let dots = 0
  while (i < limit) {
    const from = i
    while (i < limit && (has(text.charCodeAt(i), ALNUM) || text.charCodeAt(i) === 45 || isForeignLetter(text.charCodeAt(i)) || text.charCodeAt(i) >= 0x2e80)) i++
    let to = i
    while (to > from && text.charCodeAt(to - 1) === 45) to--
    if (to === from || text.charCodeAt(from) === 45) break
    if (dots > 0 && isTopLevel(text, from, to)) end = to
    if (to !== i || text.charCodeAt(i) !== 46) break
    dots++
    i++
  }
  return end
}

function isTopLevel(text: string, start: number, end: number): boolean {
  if (end - start < 2 || end - start > 24) return false
  if (text.startsWith('xn--', start)) return true
  for (let i = start; i < end; i++) if (!has(text.charCodeAt(i), LETTER) && text.charCodeAt(i) < 128) return false
  return true
}

/** An address around the `@` at `sign`; returns where to go on. */
export function email(hits: Hits, sign: number, floor: number): number {
  const { text } = hits
  const start = localStart(text, sign, floor)
  hits.steps += sign - start
  if (start === sign) return sign + 1
  const end = domainEnd(text, sign + 1)
  hits.steps += end - sign
  if (end <= sign + 1) return sign + 1
  const domain = text.slice(sign + 1, end).toLowerCase()
  if (RESERVED.test(domain) || FILES.has(domain.slice(domain.lastIndexOf('.') + 1)) || /^\d+\.\d/.test(domain)) return end
  const local = text.slice(start, sign).toLowerCase()
  if (KEYWORDS.has(local) || /[a-z][A-Z]/.test(text.slice(sign + 1, end).replace(/^[A-Z]?[a-z]*/, ''))) return end
  hits.add('EMAIL', start, end, 0.95, 'shape')
  return end
}
