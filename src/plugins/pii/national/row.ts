import { type Check } from './checks.js'

/** `no`: another thing. `shape`: it looks like one. `checksum`: its check digits, or its date with them, hold too. */
type Accepted = 'no' | 'shape' | 'checksum'

/** One national identifier. */
export interface NationalRow {
  readonly type: string
  /** ISO 3166 code of who gives it out. */
  readonly country: string
  /** Lengths without separators, ascending. */
  readonly lengths: readonly number[]
  /** Those of them that are digits throughout. */
  readonly digits: readonly number[]
  /** Those of them that have a letter, or may have one. */
  readonly letters: readonly number[]
  /** Most characters with separators. */
  readonly maxLength: number
  /** Score of the bare shape. */
  readonly base: number
  /** What `checksum` adds, by its strength: .5 where at most one random number in 200 passes, .3 where one in 40 does, else .2. */
  readonly raise: number
  /** Upper bound of the random strings of its length, with letters where it has letters, that are `checksum`; 1 where it has no check digits. */
  readonly share: number
  /** Lower case; the words of a phrase stand in order, one space between. */
  readonly context: readonly string[]
  /** `compact` is the candidate in upper case without its separators; `digits` true says that it is known to be digits throughout, and saves time. */
  accepts(compact: string, digits?: boolean): Accepted
  /** The last character may stand in brackets. */
  readonly brackets: boolean
  /** Digits alone are one only with a word beside them that says so. */
  readonly timid: boolean
  /** Whether the separators (`.`, `-`, `/` or a space) of the candidate as written stand where the issuer puts them. */
  raw(text: string): boolean
}

/** How a row is told. */
export interface Rule {
  /** `d` a digit, `l` a letter, `x` either, `[A-C9]` one of these, `{3}` or `{1,3}` times; any other character stands for itself. */
  readonly shape: string | readonly string[]
  /** Lengths of the parts between separators, such as `3 2 4`; `classes` where letters and digits part. None: it is written in one piece. */
  readonly groups?: 'classes' | readonly string[]
  /** False: it is never written in one piece, unless its length is a group. */
  readonly joined?: false
  /** True: the separators need not be the same. */
  readonly mixed?: true
  /** True: a plus sign separates too. */
  readonly plus?: true
  readonly brackets?: true
  readonly timid?: true
  readonly base: number
  readonly context: readonly string[]
  /** What the shape cannot say and is no check digit. */
  readonly also?: Check
  readonly check?: Check
  readonly share?: number
  /** What a failed check leaves: `shape` where the authority gives out numbers without check digits or does not publish them. */
  readonly failed?: 'shape'
}

type Allowed = Uint8Array

const SPAN = 256
const TOKEN = /\[([^\]]*)\](?:\{(\d+)(?:,(\d+))?\})?|(.)(?:\{(\d+)(?:,(\d+))?\})?/g

function span(set: Allowed, from: number, to: number): Allowed {
  set.fill(1, from, to + 1)
  return set
}

function members(listed: string): Allowed {
  const set = new Uint8Array(SPAN)
  for (let i = 0; i < listed.length; i++) {
    const ranged = listed[i + 1] === '-' && i + 2 < listed.length
    span(set, listed.charCodeAt(i), listed.charCodeAt(ranged ? i + 2 : i))
    if (ranged) i += 2
  }
  return set
}

const known = new Map<string, Allowed>([
  ['d', members('0-9')],
  ['l', members('A-Z')],
  ['x', members('0-9A-Z')],
])

function setOf(listed: string | undefined, single: string): Allowed {
  const key = listed ?? single
  const made = listed === undefined && known.get(single)
  if (made) return made
  const shared = known.get(`[${key}]`) ?? members(key)
  known.set(`[${key}]`, shared)
  return shared
}

/** Every fixed length that a shape stands for, as one set of characters a place. */
function placesOf(shape: string): readonly (readonly Allowed[])[] {
  let all: Allowed[][] = [[]]
  for (const [, listed, least, most, single, few, many] of shape.matchAll(TOKEN)) {
    const set = setOf(listed, single as string)
    const from = Number(least ?? few ?? 1)
    const to = Number(most ?? many ?? from)
    all = all.flatMap(places => Array.from({ length: to - from + 1 }, (_, more) => [...places, ...Array<Allowed>(from + more).fill(set)]))
  }
  return all
}

const DIGIT_CODES = Array.from({ length: 10 }, (_, digit) => 48 + digit)
const LETTER_CODES = Array.from({ length: SPAN - 65 }, (_, letter) => 65 + letter)
const allows = (set: Allowed, codes: readonly number[]): boolean => codes.some(code => set[code] === 1)

/** One fixed length of a shape. */
interface Shape {
  readonly places: readonly Allowed[]
  /** The places where not every digit may stand: all there is to look at in a candidate of digits. */
  readonly narrow: readonly number[]
}

const shapeOf = (places: readonly Allowed[]): Shape => ({ places, narrow: places.flatMap((set, at) => (DIGIT_CODES.every(code => set[code] === 1) ? [] : [at])) })

function fits(s: string, { places, narrow }: Shape, digits: boolean): boolean {
  if (digits) {
    for (let i = 0; i < narrow.length; i++) if ((places[narrow[i] as number] as Allowed)[s.charCodeAt(narrow[i] as number)] !== 1) return false
    return true
  }
  for (let i = 0; i < places.length; i++) if ((places[i] as Allowed)[s.charCodeAt(i)] !== 1) return false
  return true
}

const isSeparator = (code: number): boolean => code === 32 || code === 43 || (code >= 45 && code <= 47)
const isDigit = (code: number): boolean => code >= 48 && code <= 57

/** Every separator stands between a letter and a digit. */
function partedByClass(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (!isSeparator(text.charCodeAt(i))) continue
    const before = text.charCodeAt(i - 1)
    const after = text.charCodeAt(i + 1)
    if (!(before > 47 && after > 47) || isDigit(before) === isDigit(after)) return false
  }
  return true
}

/** Whether the parts of the text are as long as those of the group. */
function parted(text: string, group: readonly number[]): boolean {
  let at = 0
  for (let i = 0; i < group.length; i++) {
    const end = at + (group[i] as number)
    for (; at < end; at++) if (at >= text.length || isSeparator(text.charCodeAt(at))) return false
    if (i < group.length - 1 && !isSeparator(text.charCodeAt(at++))) return false
  }
  return at === text.length
}

/** How many separators there are; -1 where they differ. */
function separators(text: string): number {
  let count = 0
  let first = 0
  let differ = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!isSeparator(code)) continue
    if (count++ === 0) first = code
    else if (code !== first) differ = true
  }
  return differ ? -1 : count
}

function rawOf({ groups, joined, mixed, plus }: Rule): (text: string) => boolean {
  const classes = groups === 'classes'
  const listed = classes || groups === undefined ? [] : groups.map(group => group.split(' ').map(Number))
  return text => {
    if (plus !== true && text.includes('+')) return false
    const count = separators(text)
    if (count === 0) return joined !== false || listed.some(group => group.length === 1 && group[0] === text.length)
    if (count < 0 && mixed !== true) return false
    if (classes) return partedByClass(text)
    for (const group of listed) if (parted(text, group)) return true
    return false
  }
}

/** Strength of a passed check: one random number in ten tells little, one in thousands much. */
const raiseOf = (share: number): number => (share <= 1 / 200 ? 0.5 : share <= 1 / 40 ? 0.3 : 0.2)

export function row(type: string, country: string, rule: Rule): NationalRow {
  const { base, context, also, check, share = 1, failed = 'no' } = rule
  const byLength: (readonly Shape[] | undefined)[] = []
  for (const places of [rule.shape].flat().flatMap(placesOf)) byLength[places.length] = [...(byLength[places.length] ?? []), shapeOf(places)]
  const lengthsOf = (wanted: (places: readonly Allowed[]) => boolean): readonly number[] => byLength.flatMap((shapes, length) => (shapes?.some(({ places }) => wanted(places)) === true ? [length] : []))
  const lengths = lengthsOf(() => true)
  const digits = lengthsOf(places => places.every(set => allows(set, DIGIT_CODES)))
  const letters = lengthsOf(places => places.some(set => allows(set, LETTER_CODES)))
  const longest = lengths.at(-1) as number
  const gaps = rule.groups === undefined ? 0 : rule.groups === 'classes' ? 3 : Math.max(...rule.groups.map(group => group.split(' ').length - 1))
  const accepts = (compact: string, allDigits = false): Accepted => {
    const shapes = byLength[compact.length]
    if (shapes === undefined) return 'no'
    for (let i = 0; i < shapes.length; i++) {
      if (!fits(compact, shapes[i] as Shape, allDigits)) continue
      if (also !== undefined && !also(compact)) return 'no'
      if (check === undefined) return 'shape'
      return check(compact) ? 'checksum' : failed
    }
    return 'no'
  }
  const { brackets = false, timid = false } = rule
  return { type, country, lengths, digits, letters, maxLength: longest + gaps, base, raise: check === undefined ? 0 : raiseOf(share), share: check === undefined ? 1 : share, context, brackets, timid, accepts, raw: rawOf(rule) }
}
