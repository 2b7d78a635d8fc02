import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'

type Branch = { [key: string]: unknown } | unknown[]

const STEP = /\.([^.[\]]+)|\[(\d{1,6})\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]/gy
const MOST_PATH = 2048
const MOST_STEPS = 64

function malformed(message: string): GatewayError {
  return new GatewayError('malformed_response', message, { origin: 'upstream' })
}

function stepsOf(path: string): (string | number)[] {
  const steps: (string | number)[] = []
  let read = 1
  if (path.startsWith('$') && path.length <= MOST_PATH) {
    for (const [whole, name, index, single, double] of path.slice(1).matchAll(STEP)) {
      steps.push(index === undefined ? (name ?? (single ?? double ?? '').replace(/\\(.)/g, '$1')) : Number(index))
      read += whole.length
    }
  }
  if (read !== path.length || steps.length === 0 || steps.length > MOST_STEPS) throw malformed('A piece of a tool call has a path that cannot be read.')
  return steps
}

function isBranch(value: unknown): value is Branch {
  return typeof value === 'object' && value !== null
}

function grown(step: string | number | undefined): Branch {
  // Names come from outside, so that no name may be one of the prototype.
  return typeof step === 'number' ? [] : (Object.create(null) as Branch)
}

function valueOf(piece: Record<string, unknown>): unknown {
  for (const key of ['stringValue', 'numberValue', 'boolValue']) if (piece[key] !== undefined) return piece[key]
  return 'nullValue' in piece ? null : undefined
}

/** The arguments of one call, put together from values at paths. */
export class PartialArguments {
  readonly #root: Branch = grown('')
  #open: string | undefined

  add(pieces: unknown): void {
    for (const piece of Array.isArray(pieces) ? (pieces as unknown[]) : []) {
      if (!isObject(piece)) continue
      const path = piece['jsonPath']
      const value = valueOf(piece)
      if (typeof path !== 'string') throw malformed('A piece of a tool call has no path.')
      if (value !== undefined) this.#put(path, value)
      this.#open = piece['willContinue'] === true ? path : undefined
    }
  }

  /** Arguments that came whole. */
  assign(args: unknown): void {
    if (isObject(args)) for (const [key, value] of Object.entries(args)) (this.#root as Record<string, unknown>)[key] = value
  }

  get text(): string {
    return JSON.stringify(this.#root)
  }

  #put(path: string, value: unknown): void {
    const steps = stepsOf(path)
    let branch = this.#root
    for (const [at, step] of steps.slice(0, -1).entries()) {
      const next = this.#at(branch, step)
      const child = next ?? grown(steps[at + 1])
      if (!isBranch(child)) throw malformed('The pieces of a tool call contradict each other.')
      if (next === undefined) this.#set(branch, step, child)
      branch = child
    }
    const last = steps.at(-1) ?? ''
    const before = this.#open === path ? this.#at(branch, last) : undefined
    this.#set(branch, last, typeof before === 'string' && typeof value === 'string' ? before + value : value)
  }

  #at(branch: Branch, step: string | number): unknown {
    this.#ensure(branch, step)
    return (branch as Record<string | number, unknown>)[step]
  }

  #set(branch: Branch, step: string | number, value: unknown): void {
    this.#ensure(branch, step)
    ;(branch as Record<string | number, unknown>)[step] = value
  }

  // A list grows by one, so that a number cannot make it huge.
  #ensure(branch: Branch, step: string | number): void {
    if (Array.isArray(branch) ? typeof step !== 'number' || step > branch.length : typeof step === 'number') throw malformed('The pieces of a tool call contradict each other.')
  }
}
