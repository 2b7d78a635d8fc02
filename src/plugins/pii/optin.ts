import { at, cutsAfter, cutsBefore, isAlnum, luhn } from './chars.js'
import { CONTEXT } from './context-words.js'
import { isBitcoin, isVin, macScore } from './optin-checks.js'
import type { Hits } from './hits.js'

/** A recogniser that is tried at the beginning of each word; its patterns are sticky and bounded. */
interface Rule {
  readonly maxLength: number
  readonly patterns: readonly RegExp[]
  readonly base: number
  /** What a match that stands gains; undefined drops it. */
  check?(match: string): number | undefined
}

const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)'
const STREET = '(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq|terrace|ter|way|highway|hwy|parkway|pkwy|circle|cir|close|crescent|mews|trail|loop)'
const CITY = '(?:,? (?:apt|apartment|suite|ste|unit|flat|floor|#)\\.? ?[a-z0-9-]{1,6})?(?:, [A-Z][A-Za-z.\'-]{1,24}(?: [A-Z][A-Za-z.\'-]{1,24}){0,2}(?:,? [A-Z]{2},? \\d{5}(?:-\\d{4})?|,? [A-Z]{1,2}\\d[A-Z0-9]? \\d[A-Z]{2}|,? \\d{4,5})?)?'

const date = (match: string): number | undefined => (/\b(?:1[89]|20)\d\d\b|\b\d{1,2}[-./]\d{1,2}[-./]\d{2}$/.test(match) ? 0 : undefined)
const mixed = (match: string): number | undefined => (/[a-z]/.test(match) && /[A-Z]/.test(match) && /\d/.test(match) && isBitcoin(match) ? 0 : undefined)

/** Types that are looked for where they are asked for; those without patterns are found by the scan. */
export const OPT_IN: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['URL', { maxLength: 2048, base: 0.6, patterns: [/(?:https?|ftps?|sftp|wss?):\/\/[^\s<>"'`{}|\\^]{1,2040}/iy, /www\.[a-z0-9-]{1,63}\.[^\s<>"'`{}|\\^]{2,1900}/iy, /[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,3}\.(?:com|org|net|edu|gov|info|biz|io|co|app|dev|uk|de|fr|us|eu|ca|au|jp|nl|it|es|ch|at)(?:\/[^\s<>"'`{}|\\^]{0,500})?(?![\w@.-])/iy] }],
  ['PRIVATE_IP', { maxLength: 39, base: 0, patterns: [] }],
  ['MAC', { maxLength: 17, base: 0, patterns: [/(?:[0-9a-f]{2}-){5}[0-9a-f]{2}/iy, /[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}/iy, /[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}/iy], check: macScore }],
  ['CRYPTO_ADDRESS', { maxLength: 90, base: 0.6, patterns: [/0x[0-9a-f]{40}/iy, /(?:bc1|tb1|ltc1)[ac-hj-np-z02-9]{11,87}/iy] }],
  ['CRYPTO_ADDRESS_58', { maxLength: 35, base: 0.6, patterns: [/[13][1-9A-HJ-NP-Za-km-z]{25,34}/y], check: mixed }],
  ['DATE_OF_BIRTH', { maxLength: 30, base: 0.2, patterns: [/\d{1,4}[-./]\d{1,2}[-./]\d{1,4}/y, new RegExp(`\\d{1,2}(?:st|nd|rd|th)?\\.? (?:of |de )?${MONTH}\\.?,? (?:de |of )?\\d{4}`, 'iy'), new RegExp(`${MONTH}\\.? \\d{1,2}(?:st|nd|rd|th)?,? \\d{4}`, 'iy')], check: date }],
  ['ADDRESS', { maxLength: 200, base: 0.6, patterns: [new RegExp(`\\d{1,5}[a-zA-Z]?,? (?:[NSEWnsew]\\.? )?(?:[A-Z0-9][\\w'.-]{0,20} ){1,4}(?:${STREET}|${STREET.toUpperCase()}|${STREET.replace(/(^|[|:])([a-z])/g, (_, open: string, first: string) => open + first.toUpperCase())})\\b\\.?${CITY}`, 'y'), /[A-ZÄÖÜ][a-zäöüß-]{2,30}(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer) \d{1,4} ?[a-z]?(?:, \d{5} [A-ZÄÖÜ][a-zäöüß-]{1,24})?/y, /\d{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|allée|impasse|quai)(?: [\wÀ-ÿ'’-]{1,20}){1,5}/iy, /(?:calle|avenida|plaza|via|viale|piazza|rua|P\.? ?O\.? Box)(?: [\wÀ-ÿ'’-]{1,20}){0,4},? \d{1,5}/iy] }],
  ['VIN', { maxLength: 17, base: 0.3, patterns: [/[A-HJ-NPR-Z0-9]{17}/y], check: match => (/\d/.test(match) && /[A-Z]/.test(match) ? (isVin(match) ? 0.3 : 0) : undefined) }],
  ['PLATE', { maxLength: 14, base: 0.2, patterns: [/[A-Z]{1,3}[- ]?[A-Z]{0,2}[- ]?\d{1,4}[- ]?[A-Z]{0,3}\d{0,2}/y, /\d{1,4}[- ]?[A-Z]{1,3}[- ]?\d{1,4}/y], check: match => (/\d/.test(match) && match.length >= 5 ? 0 : undefined) }],
  ['IMEI', { maxLength: 19, base: 0.3, patterns: [/\d{15}/y, /\d{2}[- ]\d{6}[- ]\d{6}[- ]\d/y], check: match => (luhn(match, 0, match.length) ? 0 : undefined) }],
  ['GPS', { maxLength: 60, base: 0.55, patterns: [/\d{1,2}\.\d{3,10} ?°? ?[NS]?[,;/ ] ?[-+]?\d{1,3}\.\d{3,10} ?°? ?[EW]?/y, /\d{1,2}°\s?\d{1,2}['′]\s?(?:\d{1,2}(?:\.\d{1,4})?["″]\s?)?[NS],?\s?\d{1,3}°\s?\d{1,2}['′]\s?(?:\d{1,2}(?:\.\d{1,4})?["″]\s?)?[EW]/y], check: match => (Math.abs(parseFloat(match)) <= 90 ? 0 : undefined) }],
  ['CARD_DETAIL', { maxLength: 9, base: 0.2, patterns: [/(?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[2-4]\d/y, /\d{3,4}/y] }],
])

const TRAILING = '.,;:!?)]'

function trimmed(type: string, match: string): number {
  let length = match.length
  if (type === 'URL' || type === 'GPS' || type === 'ADDRESS') while (length > 1 && (TRAILING.includes(match.charAt(length - 1)) || match.charAt(length - 1) === ' ')) length--
  return length
}

/** The types of {@link OPT_IN} that are wanted, in a pass of their own. */
export class OptIn {
  readonly #rules: readonly (readonly [string, Rule])[]

  private constructor(rules: readonly (readonly [string, Rule])[]) {
    this.#rules = rules
  }

  static of(wants: ReadonlySet<string>): OptIn | undefined {
    const rules = [...OPT_IN].filter(([type, rule]) => wants.has(type.replace('_58', '')) && rule.patterns.length > 0).map(([type, rule]) => [type.replace('_58', ''), rule] as const)
    return rules.length > 0 ? new OptIn(rules) : undefined
  }

  scan(hits: Hits): void {
    const { text } = hits
    let word = false
    const reached = this.#rules.map(() => 0)
    for (let i = 0; i < text.length; i++) {
      const inside = isAlnum(text.charCodeAt(i)) || text.charCodeAt(i) >= 0xc0
      if (inside && !word && !cutsBefore(text, i)) this.#at(hits, i, reached)
      word = inside
    }
  }

  #at(hits: Hits, i: number, reached: number[]): void {
    this.#rules.forEach(([type, rule], index) => {
      if (i < (reached[index] ?? 0)) return
      const end = attempt(hits, i, type, rule)
      if (end > i) reached[index] = end
    })
  }
}

const glues = (c: number): boolean => c >= 45 && c <= 47

/** Whether more follows or stands before without a space. */
function isGlued(text: string, start: number, end: number): boolean {
  return (glues(at(text, end)) && isAlnum(at(text, end + 1))) || (glues(at(text, start - 1)) && isAlnum(at(text, start - 2)))
}

function attempt(hits: Hits, i: number, type: string, rule: Rule): number {
  const { text } = hits
  for (const pattern of rule.patterns) {
    pattern.lastIndex = i
    const match = pattern.exec(text)?.[0]
    hits.steps += match?.length ?? 8
    if (match === undefined) continue
    const end = i + trimmed(type, match)
    if (type !== 'URL' && (cutsAfter(text, end) || isGlued(text, i, end))) continue
    const gain = rule.check === undefined ? 0 : rule.check(match)
    if (gain === undefined) continue
    const start = type === 'GPS' && (at(text, i - 1) === 45 || at(text, i - 1) === 43) ? i - 1 : i
    if (hits.weigh(type, start, end, rule.base + gain, 'shape', CONTEXT[type])) return end
  }
  return i
}
