import type { Warning } from 'sallyport'
import { isObject } from '../../src/protocol/json.js'

/** A place where two meanings are not the same. An absent value is `undefined`. */
export interface Difference {
  /** Such as `messages[2].role`. */
  readonly path: string
  readonly recorded: unknown
  readonly arrived: unknown
}
/** What a rule may look at beside the difference. */
export interface RuleContext {
  readonly vendor: string
  readonly warnings: readonly Warning[]
  /** The whole recorded meaning. */
  readonly recorded: Meaning
}
/** A request in words that do not depend on how it was spelled. */
export type Meaning = Readonly<Record<string, unknown>>
/** A difference that is right by design. */
export interface Rule {
  readonly reason: string
  allows(difference: Difference, context: RuleContext): boolean
}
/** Two requests held against each other. */
export interface Compared {
  readonly wrong: readonly Difference[]
  /** Reasons of the rules that allowed something. */
  readonly allowed: readonly string[]
}

/** Every place where two values differ; an element that only one list has is one place. */
export function differences(recorded: unknown, arrived: unknown, path = ''): Difference[] {
  if (Object.is(recorded, arrived)) return []
  if (Array.isArray(recorded) && Array.isArray(arrived)) {
    return Array.from({ length: Math.max(recorded.length, arrived.length) }, (_, at) => differences(recorded[at], arrived[at], `${path}[${at}]`)).flat()
  }
  if (isObject(recorded) && isObject(arrived)) {
    const keys = [...new Set([...Object.keys(recorded), ...Object.keys(arrived)])]
    return keys.flatMap(key => differences(recorded[key], arrived[key], path === '' ? key : `${path}.${key}`))
  }
  return [{ path, recorded, arrived }]
}

export function compare(recorded: Meaning, arrived: Meaning, rules: readonly Rule[], context: Omit<RuleContext, 'recorded'>): Compared {
  const allowed = new Set<string>()
  const wrong = differences(recorded, arrived).filter(difference => {
    const rule = rules.find(each => each.allows(difference, { ...context, recorded }))
    if (rule !== undefined) allowed.add(rule.reason)
    return rule === undefined
  })
  return { wrong, allowed: [...allowed] }
}

/** The object without fields that are `null` or `undefined`: both say nothing. */
export function present(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined))
}

/** A value for a line of a report: short, and without most of what was said. */
function brief(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

export function describe({ path, recorded, arrived }: Difference): string {
  return `${path}: ${brief(recorded)} expected, ${brief(arrived)} found`
}

/** The elements that are objects, with all others as they stand under `value`. */
export function objects(list: unknown): Record<string, unknown>[] {
  return Array.isArray(list) ? (list as readonly unknown[]).map(each => (isObject(each) ? each : { value: each })) : []
}
