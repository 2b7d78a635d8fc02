import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { PiiSession } from './session.js'
import type { Finding } from './types.js'

const TOKEN_CHARS = 56

/** Findings of several sources in order, none over another: the higher score wins, then the longer. */
export function merged(...lists: readonly (readonly Finding[])[]): readonly Finding[] {
  const [first = [], ...more] = lists.filter(list => list.length > 0)
  if (more.length === 0) return first
  const ranked = [first, ...more].flat().sort((a, b) => b.score - a.score || b.end - b.start - (a.end - a.start) || a.start - b.start)
  const kept: Finding[] = []
  // By place, so that each asks its two neighbours only.
  for (const finding of ranked) {
    const at = placeOf(kept, finding.start)
    const before = kept[at - 1]
    const after = kept[at]
    if ((before === undefined || before.end <= finding.start) && (after === undefined || after.start >= finding.end)) kept.splice(at, 0, finding)
  }
  return kept
}

function placeOf(kept: readonly Finding[], start: number): number {
  let low = 0
  let high = kept.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((kept[middle]?.start ?? 0) < start) low = middle + 1
    else high = middle
  }
  return low
}

/** True where a finding is a placeholder of ours, or lies inside one: `key: [EMAIL_1]` holds no key. */
export function inToken(text: string, { start, end }: Finding, session: PiiSession | undefined): boolean {
  if (session === undefined || session.size === 0) return false
  if (end - start > TOKEN_CHARS) return false
  const from = Math.max(0, start - TOKEN_CHARS)
  const near = text.slice(from, end + TOKEN_CHARS)
  const open = near.lastIndexOf('[', start - from)
  const close = near.indexOf(']', Math.max(open, end - from - 1))
  return open >= 0 && close >= 0 && session.has(near.slice(open, close + 1))
}

/** What a function of the user's gave, checked: anything else would be a guard that looks at nothing. */
export function findingsOf(given: unknown, length: number): readonly Finding[] {
  if (!Array.isArray(given)) throw wrong()
  return given.map((finding: unknown) => {
    if (!isObject(finding)) throw wrong()
    const { type, start, end, score, reason } = finding
    const placed = Number.isSafeInteger(start) && Number.isSafeInteger(end) && Number(start) >= 0 && Number(start) < Number(end) && Number(end) <= length
    if (typeof type !== 'string' || !/^[A-Z][A-Z_]{1,23}$/.test(type) || !placed) throw wrong()
    return { type, start: Number(start), end: Number(end), score: typeof score === 'number' ? score : 0.6, reason: typeof reason === 'string' ? reason : 'model' }
  })
}

function wrong(): GatewayError {
  return new GatewayError('refused', 'The "model" of redactPii gave no list of findings ({ type, start, end, score, reason }), so the call was refused.')
}
