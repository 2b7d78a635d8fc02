import { CALL } from '../batch-options.js'
import type { CallOptions } from '../pipeline/call.js'
import { validateCallOptions } from '../pipeline/validate.js'
import { GatewayError } from '../protocol/errors.js'
import type { ChatEvent } from '../protocol/events.js'
import { isObject } from '../protocol/json.js'
import type { ChatRequest, Message, ToolMessage } from '../protocol/request.js'
import type { ChatResult } from '../protocol/result.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'

/** One answer of the model, with what its tools gave. */
export interface ToolStep<Output = unknown> extends ChatResult<Output> {
  /** The first is 1. */
  readonly step: number
  /** One per call that was run, in the order of the calls. */
  readonly toolResults: readonly ToolMessage[]
  /** The conversation up to here: a new run with these goes on from this step. Without `system` of the request. */
  readonly messages: readonly Message[]
}

/**
 * Why a run ended. `done`: the model answered. `tool_calls`: it asks for tools without `execute`; the results that `messages` lacks are
 * the caller's. `length`, `content_filter`: the last answer was cut, and no tool of it was run. `max_steps`, `max_cost`, `stop_when`: as
 * the options say. `unknown_cost`: there is a `maxCostUsd`, and a step has no known price.
 */
export type ToolRunEnd = 'done' | 'tool_calls' | 'length' | 'content_filter' | 'max_steps' | 'max_cost' | 'unknown_cost' | 'stop_when'

/** Where a run is after a step. */
export interface ToolRunProgress<Output = unknown> {
  /** Also `toolRun.id` in the `metadata` of each record, and their `conversation` where none was given. */
  readonly runId: string
  readonly steps: readonly ToolStep<Output>[]
  /** The conversation so far; without `system` of the request. */
  readonly messages: readonly Message[]
  /** The sums over all steps. */
  readonly usage: ChatResult['usage']
  readonly cost: ChatResult['cost']
}

/** How a run of tools ended: the last answer, but `usage` and `cost` are the sums over all steps. */
export interface ToolRun<Output = unknown> extends ChatResult<Output>, ToolRunProgress<Output> {
  readonly stopped: ToolRunEnd
  readonly usage: ChatResult['usage']
  readonly cost: ChatResult['cost']
}

/** What happens in a run: the events of each answer, between its `step-start` and its `step-finish`. */
export type ToolRunEvent<Output = unknown> =
  | ChatEvent
  | { readonly type: 'step-start'; readonly step: number }
  /** In the order in which the tools end. */
  | { readonly type: 'tool-result'; readonly step: number; readonly name: string; readonly message: ToolMessage }
  | { readonly type: 'step-finish'; readonly step: ToolStep<Output> }

/** What `gateway.runTools()` takes beside the request; options of a call hold for every step. `deadlines.totalMs` and `signal` are about the whole run. */
export interface ToolRunOptions<Output = unknown> extends CallOptions {
  /** Answers asked for at the most. Default 10. */
  readonly maxSteps?: number
  /** Tools of one answer that run at once. Default 10. */
  readonly concurrency?: number
  /** How long one tool may take, in milliseconds; the model is told of one that took longer. Default: what is left of `deadlines.totalMs`. */
  readonly toolTimeoutMs?: number
  /** Characters of a result that the model is given at the most. Default 200,000. */
  readonly maxResultChars?: number
  /** US dollars for all steps: the run ends before a step that would exceed it if it cost as much as the step before. */
  readonly maxCostUsd?: number
  /** Told after each step. It is not waited for, and what it throws is ignored. */
  readonly onStep?: (step: ToolStep<Output>) => void
  /** Asked after each step that would be followed by another: true ends the run. What it throws ends the run as an error. */
  readonly stopWhen?: (run: ToolRunProgress<Output>) => boolean | Promise<boolean>
}

/** What of a gateway a run needs. */
export interface Asker<Stream> {
  chat<Output>(request: ChatRequest<string, Output>, options: CallOptions): Promise<ChatResult<Output>>
  stream<Output>(request: ChatRequest<string, Output>, options: CallOptions): Promise<Stream>
}

const OWN = new Set(['maxSteps', 'concurrency', 'toolTimeoutMs', 'maxResultChars', 'maxCostUsd', 'onStep', 'stopWhen'])
const KNOWN = new Set([...OWN, ...Object.keys(CALL)])

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}

/** The options that hold for a single call. */
export function stepPart(options: ToolRunOptions<never>): CallOptions {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !OWN.has(key)))
}

/** Refuses what a run cannot do, before anything is asked. */
export function validateRun(options: ToolRunOptions<never>): void {
  if (!isObject(options as unknown)) throw bad('The options of runTools() must be an object such as { maxSteps: 5 }.')
  refuseUnknownKeys(options, KNOWN, 'The options of runTools()', 'invalid_request')
  const { toolTimeoutMs, maxCostUsd, onStep, stopWhen } = options
  for (const name of ['maxSteps', 'concurrency', 'maxResultChars'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= 1)) throw bad(`"${name}" must be a whole number, 1 or more.`)
  }
  if (toolTimeoutMs !== undefined && !(typeof toolTimeoutMs === 'number' && toolTimeoutMs > 0)) throw bad('"toolTimeoutMs" must be a number of milliseconds, more than 0.')
  if (maxCostUsd !== undefined && !(typeof maxCostUsd === 'number' && maxCostUsd > 0)) throw bad('"maxCostUsd" must be US dollars, more than 0.')
  for (const [name, work] of [['onStep', onStep], ['stopWhen', stopWhen]] as const) if (work !== undefined && typeof work !== 'function') throw bad(`"${name}" must be a function.`)
  validateCallOptions(stepPart(options))
}
