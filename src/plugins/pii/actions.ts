import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'
import type { CallView } from '../../protocol/ports.js'
import { digest, hexOf } from '../../protocol/sha256.js'
import { nearest, quoted, refuseUnknownKeys } from '../../protocol/suggest.js'
import type { PiiType } from './types.js'

/**
 * What happens to a value. `redact`: a placeholder such as `[EMAIL_1]`. `mask`: stars, but for the last four letters or digits. `hash`: an
 * HMAC-SHA-256, the same for the same value and key. `block`: the call is refused. `report`: it stays, and `onReport` is told.
 */
export type PiiAction = 'redact' | 'mask' | 'hash' | 'block' | 'report'
/**
 * Where a value is. `input`: what the caller sends. `output`: what the model wrote. `toolArguments`: arguments of tool calls, in the history
 * and in answers. `toolResults`: what tools gave. `logs`: records that go through `sink()`.
 */
export type PiiDirection = 'input' | 'output' | 'toolArguments' | 'toolResults' | 'logs'
/** One action, or one for each direction; `redact` where a direction is left out. */
export type PiiActionChoice = PiiAction | { readonly [direction in PiiDirection]?: PiiAction }
/** One action for everything, or by type; `default` stands for the types that are not named. */
export type PiiActions = PiiAction | { readonly [type in PiiType | 'default']?: PiiActionChoice }
/** A key for `hash`: at least 16 bytes, or a function that gives the one of a tenant. */
export type PiiHashKey = string | Uint8Array | ((call: CallView) => string | Uint8Array)

const ACTIONS: ReadonlySet<string> = new Set<PiiAction>(['redact', 'mask', 'hash', 'block', 'report'])
const DIRECTIONS: ReadonlySet<string> = new Set<PiiDirection>(['input', 'output', 'toolArguments', 'toolResults', 'logs'])
const LEAST_KEY = 16
const KEPT = 4
const BLOCK = 64

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function checkAction(action: unknown, where: string, type: string): void {
  if (typeof action !== 'string' || !ACTIONS.has(action)) {
    const meant = typeof action === 'string' ? nearest(action, ACTIONS) : undefined
    throw bad(`${where} is no action. ${meant === undefined ? `Known: ${[...ACTIONS].join(', ')}.` : `Did you mean "${meant}"?`}`)
  }
  if (action === 'mask' && type === 'SECRET') throw bad(`${where}: a secret cannot be masked, for four characters of it are four too many. Use 'redact', 'hash' or 'block'.`)
}

interface Choices {
  readonly [type: string]: PiiActionChoice | undefined
}

/** What is done with each type in each direction, checked. */
export class ActionTable {
  readonly #actions: Choices = Object.create(null) as Choices

  /** @param knows whether a type is looked for; undefined or the nearest one where it is not. */
  constructor(given: unknown, knows: (type: string) => true | string | undefined) {
    if (typeof given === 'string') {
      checkAction(given, '"actions"', '')
      Object.assign(this.#actions, { default: given })
      return
    }
    if (!isObject(given)) throw bad(`"actions" must be an action, or an object of actions by type.`)
    for (const [type, choice] of Object.entries(given)) {
      const known = type === 'default' || knows(type)
      if (known !== true) throw bad(`actions.${quoted(type)}: this type is not looked for.${known === undefined ? ' Name it in "types", or its country in "countries".' : ` Did you mean "${known}"?`}`)
      this.#check(type, choice)
    }
    Object.assign(this.#actions, given)
  }

  #check(type: string, choice: unknown): void {
    if (!isObject(choice)) return checkAction(choice, `actions.${type}`, type)
    refuseUnknownKeys(choice, DIRECTIONS, `actions.${type}`)
    for (const [direction, action] of Object.entries(choice)) checkAction(action, `actions.${type}.${direction}`, type)
  }

  of(type: string, direction: PiiDirection): PiiAction {
    const action = this.#named(type, direction) ?? 'redact'
    return action === 'mask' && type === 'SECRET' ? 'redact' : action
  }

  /** What is said about the arguments of calls in answers: unlike all else they stay as the model wrote them where nothing is said. */
  ofCalls(type: string): PiiAction {
    const choice = this.#actions[type] ?? this.#actions['default']
    return typeof choice === 'object' && choice.toolArguments !== undefined ? this.of(type, 'toolArguments') : 'report'
  }

  /** Something of `direction` is changed or refused. */
  touches(direction: PiiDirection): boolean {
    if (this.#named('', direction) !== 'report') return true
    return Object.keys(this.#actions).some(type => this.of(type, direction) !== 'report')
  }

  /** Some call in an answer may be changed or refused. */
  get touchesCalls(): boolean {
    return Object.keys(this.#actions).some(type => this.ofCalls(type) !== 'report')
  }

  get hashes(): boolean {
    return Object.values(this.#actions).some(choice => (typeof choice === 'object' ? Object.values(choice).includes('hash') : choice === 'hash'))
  }

  #named(type: string, direction: PiiDirection): PiiAction | undefined {
    const choice = this.#actions[type] ?? this.#actions['default']
    return typeof choice === 'object' ? choice[direction] : choice
  }
}

/** Stars for letters and digits, but for the last four; for all of them where there are fewer than eight. */
export function masked(value: string): string {
  const chars = Array.from(value)
  const telling = chars.filter(char => /[\p{L}\p{N}]/u.test(char)).length
  let left = telling < 2 * KEPT ? telling : telling - KEPT
  return chars.map(char => (left > 0 && /[\p{L}\p{N}]/u.test(char) ? (left--, '*') : char)).join('')
}

function bytesOf(words: Int32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.byteLength))
  words.forEach((word, at) => view.setInt32(4 * at, word))
  return new Uint8Array(view.buffer)
}

/** HMAC-SHA-256. Synchronous: the event of a stream cannot wait for WebCrypto. */
export class Hmac {
  readonly #inner: Uint8Array
  readonly #outer: Uint8Array

  constructor(key: string | Uint8Array) {
    const given = typeof key === 'string' ? new TextEncoder().encode(key) : key
    const block = new Uint8Array(BLOCK)
    block.set(given.length > BLOCK ? bytesOf(digest(given)) : given)
    this.#inner = block.map(byte => byte ^ 0x36)
    this.#outer = block.map(byte => byte ^ 0x5c)
  }

  hex(text: string): string {
    const bytes = new TextEncoder().encode(text)
    return hexOf(digest(joined(this.#outer, bytesOf(digest(joined(this.#inner, bytes))))))
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** Throws `invalid_config` where a key is none. */
export function checkHashKey(key: unknown, code: 'invalid_config' | 'refused' = 'invalid_config'): asserts key is string | Uint8Array {
  const length = typeof key === 'string' ? new TextEncoder().encode(key).length : key instanceof Uint8Array ? key.length : 0
  if (length < LEAST_KEY) throw new GatewayError(code, `"hashKey" must be at least ${LEAST_KEY} bytes, as text or Uint8Array, or a function that gives them. Without a key anyone can hash guesses and compare.`)
}

