import { CODES, GatewayError, type Code } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Deployment, Group, RouteTarget, Step } from '../protocol/ports.js'
import { nearest, quoted, refuseUnknownKeys } from '../protocol/suggest.js'

/** A step of a chain with a condition: taken only after one of these faults. */
export interface ConditionalStep {
  readonly use: Deployment | Group
  readonly only: readonly Code[]
}

/**
 * Asks its targets in the order given: the next one when the one before could not answer.
 *
 * @example
 * fallback(openai('gpt-5.6'), anthropic('claude-opus-5'), { use: openai('gpt-5.6-long'), only: ['context_length'] })
 */
export function fallback(...targets: readonly (Deployment | Group | ConditionalStep)[]): Group {
  if (targets.length === 0) throw bad('fallback() needs at least one deployment.')
  const steps = targets.map((target, at) => toTarget(target, at))
  return Object.freeze<Group>({ kind: 'group', strategy: 'fallback', fixed: true, targets: Object.freeze(steps), order: given => given })
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

const STEP_KEYS = new Set(['use', 'only'])

function toTarget(target: unknown, at: number): RouteTarget {
  if (isTarget(target)) return target
  if (!isObject(target) || !('use' in target)) {
    throw bad(`fallback(): argument ${at + 1} is not a deployment, a group, or { use, only }. Make one with a factory.`)
  }
  refuseUnknownKeys(target, STEP_KEYS, `fallback(): argument ${at + 1}`)
  const { use, only } = target
  if (!isTarget(use)) throw bad(`fallback(): "use" of argument ${at + 1} is not a deployment or a group.`)
  if (!Array.isArray(only) || only.length === 0) throw bad(`fallback(): "only" of argument ${at + 1} must be a list of error codes, such as ['context_length'].`)
  for (const code of only as readonly unknown[]) {
    if (CODES.includes(code as Code)) continue
    const better = nearest(String(code), CODES)
    throw bad(`fallback(): ${quoted(String(code))} is not an error code.${better === undefined ? '' : ` Did you mean "${better}"?`}`)
  }
  return Object.freeze<Step>({ kind: 'step', use, only: Object.freeze([...(only as Code[])]) })
}

/** True for what a route or a group can hold. */
export function isTarget(value: unknown): value is Deployment | Group {
  return isObject(value) && (value['kind'] === 'deployment' || (value['kind'] === 'group' && Array.isArray(value['targets']) && typeof value['order'] === 'function'))
}
