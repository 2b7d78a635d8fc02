import { hash53 } from '../protocol/hash.js'
import { isObject } from '../protocol/json.js'
import type { Deployment, Group, Note, RouteTarget, RouteView } from '../protocol/ports.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { isTarget } from './fallback.js'
import { arrival, bad, drawn, groupOf, keyOf, ranked, splitOptions, unitsOf, type Unit } from './rank.js'

/** A target with its share; `variant` is noted on the answers it gives. */
export interface Branch {
  readonly use: Unit
  readonly weight: number
  readonly variant?: string
}
/** A target with its share, or a deployment that has a `weight` of its own. */
export type Choice = Deployment | readonly [target: Unit, weight: number] | Branch
/** What the choice is bound to. */
export type Sticky = 'user' | 'conversation'
/** How {@link weighted} chooses. */
export interface WeightedOptions {
  /** The same `principal.user` or `conversation` gets the same order, in every process. Calls without one are drawn. */
  readonly sticky?: Sticky
  /** Takes turns in place of drawing: in each round of calls everyone gets exactly its share. */
  readonly smooth?: boolean
}

const OPTIONS = new Set(['sticky', 'smooth'])
const BRANCH = new Set(['use', 'weight', 'variant'])
const STICKY = ['user', 'conversation']

/**
 * Draws the first target in proportion to its weight, then the next among the rest: so the others are its fallbacks. A
 * weight of 0 makes a last resort. Weights need not add up to anything. Throws `invalid_config` where one is missing.
 *
 * @example
 * weighted([openai('gpt-5.6'), 3], [anthropic('claude-opus-5'), 1])
 * weighted({ use: a, weight: 1, variant: 'short prompt' }, { use: b, weight: 1, variant: 'long prompt' }, { sticky: 'user' })
 */
export function weighted(...choices: readonly Choice[]): Group
export function weighted(...choicesAndOptions: readonly [...Choice[], WeightedOptions]): Group
export function weighted(...given: readonly unknown[]): Group {
  const { targets, options } = splitOptions('weighted', given, OPTIONS)
  const { sticky, smooth } = options
  if (smooth !== undefined && typeof smooth !== 'boolean') throw bad('weighted(): smooth must be true or false.')
  return shared('weighted', targets.map(toBranch), checkSticky('weighted', sticky), smooth === true)
}

/** Checks what a choice is bound to. */
export function checkSticky(name: string, sticky: unknown): Sticky | undefined {
  if (sticky === undefined || STICKY.includes(sticky as string)) return sticky as Sticky | undefined
  const near = nearest(String(sticky), STICKY)
  throw bad(`${name}(): sticky cannot be ${quoted(String(sticky))}. ${near === undefined ? 'Known: user, conversation.' : `Did you mean "${near}"?`}`)
}

function toBranch(choice: unknown, at: number): Branch {
  const where = `weighted(): argument ${at + 1}`
  if (Array.isArray(choice)) {
    if (choice.length !== 2) throw bad(`${where} must be [target, weight].`)
    return { use: choice[0] as Unit, weight: weightOf(choice[1], where) }
  }
  if (!isObject(choice)) throw bad(`${where} is not a target with a weight. Write [target, weight] or { use, weight }.`)
  if (isTarget(choice)) return { use: choice, weight: weightOf('weight' in choice ? choice.weight : undefined, where) }
  refuseUnknownKeys(choice, BRANCH, where)
  const { use, weight, variant } = choice
  if (variant !== undefined && (typeof variant !== 'string' || variant === '')) throw bad(`${where}: variant must be a text.`)
  return { use: use as Unit, weight: weightOf(weight, where), ...(variant !== undefined && { variant }) }
}

function weightOf(weight: unknown, where: string): number {
  if (weight === undefined) throw bad(`${where} has no weight. Write [target, weight], or give the deployment a weight.`)
  if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) throw bad(`${where}: the weight must be a number, 0 or more.`)
  return weight
}

interface Share {
  readonly weight: number
  readonly key: string
}

/** A group that shares its calls out by weight. */
export function shared(name: string, branches: readonly Branch[], sticky: Sticky | undefined, smooth: boolean): Group {
  const targets = unitsOf(name, branches.map(({ use }) => use))
  if (branches.every(({ weight }) => weight === 0)) throw bad(`${name}(): every weight is 0, so nobody would be asked. Give one of them more.`)
  const shares = new Map<RouteTarget, Share>(branches.map(({ use, weight }) => [use, { weight, key: keyOf(use) }]))
  if (sticky !== undefined && new Set([...shares.values()].map(({ key }) => key)).size < shares.size) throw bad(`${name}(): two targets have the same ids, so users cannot be told apart between them. Give a deployment an id.`)
  const notes = branches.flatMap(({ use, variant }) => (variant === undefined ? [] : [{ use, note: Object.freeze<Note>({ variant }) }]))
  const weigh = (target: RouteTarget): number => shares.get(target)?.weight ?? 0
  const order = (given: readonly RouteTarget[], view: RouteView): readonly RouteTarget[] => {
    for (const { use, note } of notes) view.note(use, note)
    const who = sticky === undefined ? undefined : sticky === 'user' ? view.principal?.user : view.conversation
    if (who !== undefined) return ranked(given, target => affinity(shares.get(target), who))
    const line = drawn(given, weigh, view.random)
    return smooth ? inTurn(given, line, view.state(group, newCredit), weigh) : line
  }
  const group = groupOf(name, targets, order)
  return group
}

/** Rendezvous hashing: the score depends on this target and this key alone, so taking away another one moves only that one's keys. */
function affinity(share: Share | undefined, who: string): number {
  return share === undefined ? Infinity : arrival((hash53(`${share.key}\0${who}`) + 0.5) / 2 ** 53, share.weight)
}

const newCredit = (): Map<RouteTarget, number> => new Map()

/** Each earns its weight; the richest goes first and pays for the round. */
function inTurn(given: readonly RouteTarget[], line: readonly RouteTarget[], credit: Map<RouteTarget, number>, weigh: (target: RouteTarget) => number): readonly RouteTarget[] {
  let first: RouteTarget | undefined
  let most = -Infinity
  let round = 0
  for (const target of given) {
    const weight = weigh(target)
    if (weight === 0) continue
    round += weight
    const has = (credit.get(target) ?? 0) + weight
    credit.set(target, has)
    if (has > most) {
      most = has
      first = target
    }
  }
  if (first === undefined) return line
  credit.set(first, most - round)
  return [first, ...line.filter(target => target !== first)]
}
