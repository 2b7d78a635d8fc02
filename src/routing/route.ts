import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Group, Principal, RouteView } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import { isTarget } from './fallback.js'
import { bad, groupOf, unitsOf, type Unit } from './rank.js'

/** What a call must be like; everything that is named has to hold. */
export interface When {
  /** Tags the principal must have, all of them. */
  readonly tags?: string | readonly string[]
  /** Where the call may be computed: `metadata.region` is one of these. */
  readonly regions?: string | readonly string[]
  /** Promises about data that the call asks for in `prefer.dataPolicy`, all of them. */
  readonly dataPolicy?: string | readonly string[]
  /** Who the call stands for; of a list, one of them. */
  readonly principal?: { readonly [K in 'team' | 'project' | 'user']?: string | readonly string[] }
  /** Values the metadata of the call must have. */
  readonly metadata?: { readonly [key: string]: string | number | boolean }
}
/** Tells from the request and who it stands for; at once, and the same for the same call. */
export type Condition = ((view: RouteView) => boolean) | When
/** A target for the calls that are meant. */
export interface Rule {
  readonly kind: 'rule'
  readonly meets: (view: RouteView) => unknown
  readonly use: Unit
}

const WHEN = new Set(['tags', 'regions', 'dataPolicy', 'principal', 'metadata'])
const WHO = ['team', 'project', 'user'] as const

/**
 * A rule for {@link route}. A condition that throws, or gives anything but true or false, refuses the call.
 *
 * @example
 * when(view => view.request.tools !== undefined, openai('gpt-5.6'))
 * when({ principal: { team: ['search', 'ads'] } }, anthropic('claude-opus-5'))
 */
export function when(condition: Condition, target: Unit): Rule {
  if (!isTarget(target)) throw bad('when() takes a deployment or a group second: when(condition, target).')
  if (typeof condition === 'function') return Object.freeze<Rule>({ kind: 'rule', meets: condition, use: target })
  if (!isObject(condition)) throw bad('when() takes a function of the call or { tags, regions, dataPolicy, principal, metadata } first.')
  return Object.freeze<Rule>({ kind: 'rule', meets: matcher(condition), use: target })
}

/**
 * Sends a call to the target of the first rule that it meets, and to no other: what follows is no fallback. A plain target
 * at the end is for all other calls; without one they find no candidate here. For fallbacks put a chain into a rule.
 *
 * @example
 * route(when({ tags: 'vip' }, fallback(best, good)), when(view => view.kind === 'stream', fast), good)
 */
export function route(...rules: readonly (Rule | Unit)[]): Group {
  const list = rules.map((rule, at) => toRule(rule, at, rules.length))
  const targets = unitsOf('route', [...new Set(list.map(({ use }) => use))])
  return groupOf('route', targets, (given, view) => {
    for (const { meets, use } of list) if (given.includes(use) && isMet(meets, view)) return [use]
    return []
  })
}

const always = (): boolean => true

function toRule(rule: unknown, at: number, count: number): Rule {
  if (isTarget(rule)) {
    if (at < count - 1) throw bad(`route(): argument ${at + 1} takes every call, so what follows is never asked. Put it last, or into when().`)
    return { kind: 'rule', meets: always, use: rule }
  }
  if (!isObject(rule) || rule['kind'] !== 'rule') throw bad(`route(): argument ${at + 1} is not a rule. Write when(condition, target).`)
  return rule as unknown as Rule
}

function isMet(meets: Rule['meets'], view: RouteView): boolean {
  let met: unknown
  try {
    met = meets(view)
  } catch (error) {
    if (GatewayError.is(error)) throw error
    throw new GatewayError('refused', 'A condition of route() threw, so it is not known where this call may go. Mend the function given to when().', { origin: 'gateway', cause: error })
  }
  if (typeof met === 'boolean') return met
  throw new GatewayError('refused', `A condition of route() gave a ${typeof met}, not true or false. It has to tell at once: do what has to wait before the call.`, { origin: 'gateway' })
}

function matcher(condition: Record<string, unknown>): (view: RouteView) => boolean {
  refuseUnknownKeys(condition, WHEN, 'when()')
  const { principal, metadata } = condition
  const tags = textsOf(condition['tags'], 'tags')
  const regions = textsOf(condition['regions'], 'regions')
  const dataPolicy = textsOf(condition['dataPolicy'], 'dataPolicy')
  const who = principal === undefined ? [] : peopleOf(principal)
  const values = metadata === undefined ? [] : valuesOf(metadata)
  if (Object.values(condition).every(part => part === undefined)) throw bad('when() has an empty condition. Put the target last in route() if it is for all other calls.')
  return view =>
    (tags === undefined || tags.every(tag => view.principal?.tags?.includes(tag) === true)) &&
    (regions === undefined || regions.some(region => view.metadata?.['region'] === region)) &&
    (dataPolicy === undefined || dataPolicy.every(policy => asked(view).includes(policy))) &&
    who.every(([key, names]) => names.some(name => view.principal?.[key] === name)) &&
    values.every(([key, value]) => view.metadata?.[key] === value)
}

function asked({ prefer }: RouteView): readonly string[] {
  const policy = prefer?.dataPolicy ?? []
  return typeof policy === 'string' ? [policy] : policy
}

function textsOf(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (texts.length === 0 || !texts.every(text => typeof text === 'string' && text !== '')) throw bad(`when(): ${name} must be a text or a list of texts.`)
  return texts as readonly string[]
}

function peopleOf(principal: unknown): readonly (readonly [(typeof WHO)[number], readonly string[]])[] {
  if (!isObject(principal)) throw bad('when(): principal must be { team, project, user }.')
  refuseUnknownKeys(principal, new Set<keyof Principal>(WHO), 'when(): principal')
  return WHO.flatMap(key => {
    const names = textsOf(principal[key], `principal.${key}`)
    return names === undefined ? [] : [[key, names] as const]
  })
}

function valuesOf(metadata: unknown): readonly (readonly [string, unknown])[] {
  if (!isObject(metadata)) throw bad('when(): metadata must be an object of the values to meet.')
  const values = Object.entries(metadata)
  for (const [key, value] of values) if (!['string', 'number', 'boolean'].includes(typeof value)) throw bad(`when(): metadata.${key} must be a text, a number or a boolean. For more, give a function.`)
  return values
}
