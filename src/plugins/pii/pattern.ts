import { GatewayError } from '../../protocol/errors.js'
import { parsePattern, type Group, type Sequence, type Term } from './pattern-parse.js'

const ASCII = 129
/** A part that varies by more than this counts as unbounded. */
const LITTLE = 8

const overlaps = (a: Uint8Array, b: Uint8Array): boolean => a.some((one, i) => one === 1 && b[i] === 1)

/** Every character that a term may hold. */
function held(term: Term): Uint8Array {
  if (term.set !== undefined) return term.set
  const all = new Uint8Array(ASCII)
  for (const sequence of term.group?.alternatives ?? []) for (const inner of sequence) held(inner).forEach((one, i) => (all[i] = (all[i] ?? 0) | one))
  return all
}

const isNullable = (term: Term): boolean => term.min === 0 || (term.group !== undefined ? term.group.look || term.group.alternatives.some(sequence => sequence.every(isNullable)) : term.set === undefined)

function varies(term: Term, more: number): boolean {
  if (term.max - term.min > more) return true
  return term.group?.alternatives.some(sequence => sequence.some(inner => varies(inner, more))) ?? false
}

function first(sequence: Sequence): Uint8Array {
  const all = new Uint8Array(ASCII)
  for (const term of sequence) {
    held(term).forEach((one, i) => (all[i] = (all[i] ?? 0) | one))
    if (!isNullable(term)) break
  }
  return all
}

/** Whether two varying parts of a sequence can share characters between them, which can be done in many ways. */
function isAmbiguous(sequence: Sequence, more: number): boolean {
  return sequence.some((term, i) => {
    if (!varies(term, more)) return false
    const own = held(term)
    for (let k = i + 1; k < sequence.length; k++) {
      const next = sequence[k]
      if (next === undefined) break
      const shared = overlaps(own, held(next))
      if (shared && varies(next, more)) return true
      if (!shared && !isNullable(next)) break
    }
    return false
  })
}

function problemOfGroup(term: Term, group: Group): string | undefined {
  if (group.look && group.alternatives.some(sequence => sequence.some(inner => varies(inner, LITTLE)))) return 'a look ahead or behind that is unbounded'
  if (term.max <= 1) return undefined
  for (const [i, a] of group.alternatives.entries()) {
    if (a.every(isNullable)) return 'a repeated part that can be empty'
    for (const [k, b] of group.alternatives.entries()) {
      if (k > i && overlaps(first(a), first(b)) && term.max > 3) return 'repeated alternatives that begin with the same character'
      if (term.max > 3 && isAmbiguous([...a, ...b], 0)) return 'a repetition inside a repetition'
    }
  }
  return undefined
}

function problem(sequence: Sequence): string | undefined {
  for (const term of sequence) {
    if (term.refused !== undefined) return term.refused
    if (term.group === undefined) continue
    const inside = problemOfGroup(term, term.group) ?? term.group.alternatives.map(problem).find(found => found !== undefined)
    if (inside !== undefined) return inside
  }
  return isAmbiguous(sequence, LITTLE) ? 'two unbounded parts that match the same characters' : undefined
}

/** Throws `invalid_config` for a pattern that can take more than linear time. */
export function refuseDangerous(pattern: RegExp, where: string): void {
  const { alternatives, refused } = parsePattern(pattern)
  const found = refused ?? alternatives.map(problem).find(one => one !== undefined)
  if (found !== undefined) throw new GatewayError('invalid_config', `${where}.pattern has ${found}: on a hostile text it would take more than linear time. Give every part a bound, such as \\d{1,20}, and put something that only it matches between two of them.`)
}

/** The pattern with every unbounded repetition bound to `most`, so that no place is read for longer than that; global. */
export function bounded(pattern: RegExp, most: number): RegExp {
  const { repetitions } = parsePattern(pattern)
  let source = pattern.source
  for (const { start, end, min } of [...repetitions].reverse()) source = `${source.slice(0, start)}{${min},${Math.max(min, most)}}${source.slice(end)}`
  return new RegExp(source, `${pattern.flags.replace(/[gy]/g, '')}g`)
}
