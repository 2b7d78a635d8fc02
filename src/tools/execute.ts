import { cancellable } from '../pipeline/cancellable.js'
import { wordsOf } from '../pipeline/judge.js'
import { Schemas } from '../pipeline/schema.js'
import { GatewayError } from '../protocol/errors.js'
import { isObject, type Json, type JsonObject } from '../protocol/json.js'
import type { Clock } from '../protocol/ports.js'
import type { ChatRequest, Message, StandardResult, Tool, ToolCall, ToolMessage } from '../protocol/request.js'
import { quoted } from '../protocol/suggest.js'
import { Cancel } from '../resilience/cancel.js'
import { contentOf, failureOf } from './content.js'

const CONCURRENCY = 10
const MAX_RESULT = 200_000
/** Names told to a model that asks for a tool there is not. */
const MAX_NAMES = 50

/** What tools run with. */
export interface ToolsetParts {
  readonly tools: ChatRequest['tools']
  readonly clock: Clock
  /** The end of the run. */
  readonly cancel: Cancel
  readonly concurrency?: number | undefined
  readonly toolTimeoutMs?: number | undefined
  readonly maxResultChars?: number | undefined
  readonly metadata?: { readonly [key: string]: Json } | undefined
}
/** Where in the run calls are made. */
export interface Place {
  readonly step: number
  readonly messages: readonly Message[]
}

/** The tools of a run. Whatever one of them does, its call gets a result, or the run has ended. */
export class Toolset {
  readonly #parts: ToolsetParts
  readonly #known = new Map<string, Tool>()
  readonly #schemas = new Schemas()
  /** A provider's own tool may be one that the caller has to run, under a name that only the provider knows. */
  readonly #foreign: boolean

  constructor(parts: ToolsetParts) {
    this.#parts = parts
    const tools = Array.isArray(parts.tools) ? (parts.tools as NonNullable<ToolsetParts['tools']>) : []
    for (const tool of tools) if ('name' in tool) this.#known.set(tool.name, tool)
    this.#foreign = this.#known.size < tools.length
  }

  /** The call is the caller's to run. */
  leaves({ name }: ToolCall): boolean {
    const tool = this.#known.get(name)
    return tool === undefined ? this.#foreign : tool.execute === undefined
  }

  /** Runs the calls, so many at once; gives one result for each, in their order. Rejects only with the end of the run. */
  async run(calls: readonly ToolCall[], place: Place, onEnd: (call: ToolCall, result: ToolMessage) => void): Promise<readonly ToolMessage[]> {
    const results: ToolMessage[] = []
    let next = 0
    const lane = async (): Promise<void> => {
      for (let at = next++; at < calls.length; at = next++) {
        const call = calls[at] as ToolCall
        const result = (results[at] = await this.#one(call, place))
        onEnd(call, result)
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.#parts.concurrency ?? CONCURRENCY, calls.length) }, lane))
    return results
  }

  async #one(call: ToolCall, place: Place): Promise<ToolMessage> {
    const { cancel, clock, toolTimeoutMs } = this.#parts
    if (cancel.reason !== undefined) throw cancel.reason
    const abort = new AbortController()
    const own = new Cancel()
    own.onCancel(reason => abort.abort(reason))
    const off = cancel.onCancel(reason => own.cancel(reason))
    const timer = toolTimeoutMs === undefined ? undefined : clock.after(toolTimeoutMs, () => own.cancel(new GatewayError('timeout', `The tool took longer than ${toolTimeoutMs} ms and was given up.`)))
    try {
      // Late, so that a tool which throws at once is one that rejects.
      const content = await cancellable(Promise.resolve().then(() => this.#content(call, place, abort.signal)), own)
      return { role: 'tool', toolCallId: call.id, ...content }
    } catch (error) {
      if (cancel.reason !== undefined) throw cancel.reason
      return failed(call, failureOf(error))
    } finally {
      off()
      timer?.cancel()
    }
  }

  async #content(call: ToolCall, { step, messages }: Place, signal: AbortSignal): Promise<Pick<ToolMessage, 'content' | 'isError'>> {
    const tool = this.#known.get(call.name)
    if (tool?.execute === undefined) return { content: this.#unknown(call.name), isError: true }
    const input = await this.#input(tool, call.input)
    if ('problem' in input) return { content: `The input of ${quoted(call.name)} is not valid: ${input.problem}.`, isError: true }
    const { metadata, maxResultChars = MAX_RESULT } = this.#parts
    signal.throwIfAborted()
    const given = await tool.execute(input.value, { toolCallId: call.id, messages, signal, step, ...(metadata !== undefined && { metadata }) })
    return { content: contentOf(given, maxResultChars) }
  }

  async #input(tool: Tool, given: unknown): Promise<{ readonly value: unknown } | { readonly problem: string }> {
    const { validate, jsonSchema } = this.#schemas.resolve(tool.inputSchema, 'inputSchema')
    const result = validate === undefined ? await fitting(given, jsonSchema) : await validate(given)
    return result.issues === undefined ? { value: result.value } : { problem: wordsOf(result.issues) }
  }

  #unknown(name: string): string {
    const names = [...this.#known.keys()]
    return `There is no tool ${quoted(name)}. ${names.length === 0 ? 'There are no tools.' : `The tools are: ${names.slice(0, MAX_NAMES).join(', ')}.`}`
  }
}

/** An input held against a JSON Schema that no library checks. */
async function fitting(given: unknown, schema: JsonObject): Promise<StandardResult<unknown>> {
  if (!isObject(given)) return { issues: [{ message: 'it must be a JSON object' }] }
  // Who gives schemas of a library does not load it.
  const issues = (await import('../pipeline/json-schema.js')).checkJson(given, schema)
  return issues.length === 0 ? { value: given } : { issues }
}

/** A result that tells the model what went wrong. */
export function failed({ id }: ToolCall, content: string): ToolMessage {
  return { role: 'tool', toolCallId: id, content, isError: true }
}
