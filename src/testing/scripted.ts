import { CODES, GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Capabilities, Deployment, DeploymentLimits, OpenContext, Price, Upstream } from '../protocol/ports.js'
import type { UpstreamRequest } from '../protocol/request.js'
import { quoted, refuseUnknownKeys } from '../protocol/suggest.js'
import { Playback, type ScriptedCall } from './playback.js'
import { render, type Script } from './script.js'
import { embedParts, embedProblem, type ScriptedEmbed } from './scripted-embed.js'

/** What {@link scripted} takes. */
export interface ScriptedOptions {
  /** Default: `provider/model`. */
  readonly id?: string
  /** Default: `scripted`. */
  readonly provider?: string
  /** Default: `test`. */
  readonly model?: string
  readonly price?: Price
  /** `prefill: true` lets it go on from a prefilled message; without it a prefill is refused with a 400. */
  readonly capabilities?: Capabilities
  readonly limits?: DeploymentLimits
  /** Its share under `weighted`. */
  readonly weight?: number
  readonly managed?: boolean
  readonly region?: string
  readonly dataPolicy?: readonly string[]
  /** What an active health probe finds: false, or a promise that rejects, where it is not well. Default: there is nothing to probe. */
  readonly probe?: () => boolean | Promise<boolean>
  readonly tags?: readonly string[]
  /** It has embeddings too; see {@link ScriptedEmbed}. */
  readonly embed?: ScriptedEmbed
  /** One answer for ever, answers by attempt (the last one repeats), or a function; the first attempt is 1. */
  readonly answers: Script | readonly Script[] | ((attempt: number, request: UpstreamRequest) => Script)
}

/** A deployment that follows a script and keeps a record of it. */
export interface ScriptedDeployment extends Deployment {
  /** Each try, in order; the last 10,000. */
  readonly calls: readonly ScriptedCall[]
  /** Tries that have not ended. */
  readonly open: number
}

const MOST_CALLS = 10_000
const OPTIONS = new Set(['id', 'provider', 'model', 'price', 'capabilities', 'limits', 'tags', 'answers', 'weight', 'managed', 'region', 'dataPolicy', 'probe', 'embed'])
const PRICES = new Set(['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h', 'reasoning', 'request'])
const CAPABILITIES = new Set(['contextWindow', 'maxOutputTokens', 'tools', 'images', 'files', 'audio', 'jsonSchema', 'reasoning', 'prefill'])
const LIMITS = new Set(['concurrency', 'requestsPerMinute', 'inputTokensPerMinute', 'outputTokensPerMinute', 'tokensPerMinute'])
const ANSWER = new Set(['text', 'chunks', 'reasoning', 'toolCalls', 'finishReason', 'usage', 'latencyMs', 'firstEventMs', 'chunkMs', 'fail', 'failAfter', 'continues'])
const CALL = new Set(['name', 'input', 'id'])
const FINISHES = new Set<unknown>(['stop', 'length', 'tool-calls', 'content-filter', 'other'])
const MID_FAULTS = new Set<unknown>(['cut', 'truncate', 'stall', 'garbage'])
const FAULTS = new Set<unknown>([...MID_FAULTS, 'silent', 'reset', 'html'])
const STATUS_FAULT = new Set(['status', 'retryAfterMs', 'code', 'upstream'])
const UPSTREAM_WORDS = new Set(['type', 'code', 'param', 'message', 'requestId'])
const USAGE = new Set(['inputTokens', 'outputTokens', 'cachedInputTokens', 'cacheWriteTokens', 'cacheWrite1hTokens', 'reasoningTokens', 'reportedCostUsd'])

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

function must(condition: boolean, message: string): void {
  if (!condition) throw bad(message)
}

function checkKeys(value: unknown, known: ReadonlySet<string>, where: string): void {
  if (value === undefined) return
  if (!isObject(value)) throw bad(`${where} must be an object.`)
  refuseUnknownKeys(value, known, where)
}

function checkAmounts(value: unknown, known: ReadonlySet<string>, where: string): void {
  checkKeys(value, known, where)
  for (const [key, amount] of Object.entries(value ?? {})) must(typeof amount === 'number' && amount >= 0 && amount < Infinity, `${where}.${key} must be a number, 0 or more.`)
}

function checkStatus(fail: Record<string, unknown>, where: string): void {
  checkKeys(fail, STATUS_FAULT, `${where}.fail`)
  const { status, retryAfterMs, code, upstream } = fail
  must(Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599, `${where}.fail.status must be an HTTP status.`)
  must(retryAfterMs === undefined || (typeof retryAfterMs === 'number' && retryAfterMs >= 0), `${where}.fail.retryAfterMs must be milliseconds, 0 or more.`)
  must(code === undefined || (CODES as readonly unknown[]).includes(code), `${where}.fail.code must be an error code of the library.`)
  checkKeys(upstream, UPSTREAM_WORDS, `${where}.fail.upstream`)
}

function checkFault({ fail, failAfter }: Record<string, unknown>, where: string): void {
  if (isObject(fail)) checkStatus(fail, where)
  else must(fail === undefined || FAULTS.has(fail), `${where}.fail is not a fault. Known: ${[...FAULTS].join(', ')}, { status }.`)
  if (failAfter === undefined) return
  must(Number.isSafeInteger(failAfter) && Number(failAfter) >= 0, `${where}.failAfter must be a number of chunks.`)
  must(MID_FAULTS.has(fail), `${where}.failAfter means something only with fail: ${[...MID_FAULTS].join(', ')}.`)
}

function checkContent({ text, chunks, reasoning, toolCalls, continues }: Record<string, unknown>, where: string): void {
  must(text === undefined || typeof text === 'string', `${where}.text must be a text.`)
  must(chunks === undefined || (Array.isArray(chunks) && chunks.every(chunk => typeof chunk === 'string')), `${where}.chunks must be a list of texts.`)
  must(text === undefined || chunks === undefined, `${where} has text and chunks. Give one of them.`)
  must(reasoning === undefined || typeof reasoning === 'string', `${where}.reasoning must be a text.`)
  must(continues === undefined || typeof continues === 'boolean', `${where}.continues must be true or false.`)
  if (toolCalls === undefined) return
  if (!Array.isArray(toolCalls)) throw bad(`${where}.toolCalls must be a list.`)
  for (const [index, call] of (toolCalls as readonly unknown[]).entries()) {
    checkKeys(call ?? null, CALL, `${where}.toolCalls[${index}]`)
    must(isObject(call) && typeof call['name'] === 'string' && call['name'] !== '', `${where}.toolCalls[${index}] needs a name.`)
  }
}

function checkScript(script: unknown, where: string): void {
  if (typeof script === 'string') return
  if (!isObject(script)) throw bad(`${where} must be a text or an object such as { text: 'Hello' }.`)
  refuseUnknownKeys(script, ANSWER, where)
  checkContent(script, where)
  checkFault(script, where)
  checkAmounts(script['usage'], USAGE, `${where}.usage`)
  must(script['finishReason'] === undefined || FINISHES.has(script['finishReason']), `${where}.finishReason must be one of ${[...FINISHES].join(', ')}.`)
  for (const key of ['latencyMs', 'firstEventMs', 'chunkMs']) {
    const ms = script[key]
    must(ms === undefined || (typeof ms === 'number' && ms >= 0 && ms < Infinity), `${where}.${key} must be milliseconds, 0 or more.`)
  }
}

function checkOptions(options: ScriptedOptions): void {
  refuseUnknownKeys(options, OPTIONS, 'scripted()')
  for (const key of ['id', 'provider', 'model'] as const) must(options[key] === undefined || (typeof options[key] === 'string' && options[key] !== ''), `scripted(): ${key} must be a text.`)
  checkAmounts(options.price, PRICES, 'scripted(): price')
  must(options.price === undefined || ('input' in options.price && 'output' in options.price), 'scripted(): price needs input and output.')
  checkKeys(options.capabilities, CAPABILITIES, 'scripted(): capabilities')
  checkAmounts(options.limits, LIMITS, 'scripted(): limits')
  checkAmounts({ ...(options.weight !== undefined && { weight: options.weight }) }, new Set(['weight']), 'scripted()')
  const problem = embedProblem(options.embed)
  must(problem === undefined, `scripted(): ${problem}`)
  must(options.probe === undefined || typeof options.probe === 'function', 'scripted(): probe must be a function that gives true or false.')
  must(options.tags === undefined || (Array.isArray(options.tags) && options.tags.every(tag => typeof tag === 'string')), 'scripted(): tags must be a list of texts.')
  if (typeof options.answers === 'function') return
  const list: readonly unknown[] = Array.isArray(options.answers) ? options.answers : [options.answers]
  must(list.length > 0, 'scripted(): answers is an empty list. Give one answer at least.')
  for (const [index, script] of list.entries()) checkScript(script, Array.isArray(options.answers) ? `scripted(): answers[${index}]` : 'scripted(): answers')
}

function picker({ answers }: ScriptedOptions): (attempt: number, request: UpstreamRequest) => Script {
  if (typeof answers === 'function') {
    return (attempt, request) => {
      const script = answers(attempt, request)
      checkScript(script, `scripted(): the answer to attempt ${attempt}`)
      return script
    }
  }
  const list = (Array.isArray(answers) ? [...answers] : [answers]) as readonly Script[]
  return attempt => list[Math.min(attempt, list.length) - 1] ?? ''
}

function recordOf(call: Playback): ScriptedCall {
  return {
    request: call.request,
    wire: call.wire,
    startedMs: call.startedMs,
    get aborted() {
      return call.aborted
    },
    get closed() {
      return call.closed
    },
  }
}

function well(id: string, found: boolean): true {
  if (!found) throw new GatewayError('overloaded', `The probe of the scripted deployment ${quoted(id)} found it down.`, { origin: 'upstream' })
  return true
}

/**
 * A deployment for tests: answers by a script on the clock of the gateway, with no socket, and remembers every try. Give it a
 * text for one answer for ever. Throws `invalid_config` for an option it does not know.
 *
 * @example
 * const primary = scripted({ id: 'primary', answers: [{ fail: { status: 503 } }, 'Hello'] })
 * const backup = scripted({ id: 'backup', answers: { text: 'Hello from the backup', chunkMs: 20 } })
 */
export function scripted(options: string | ScriptedOptions): ScriptedDeployment {
  const given: ScriptedOptions = typeof options === 'string' ? { answers: options } : options
  if (!isObject(given as unknown)) throw bad("scripted() takes a text or an object such as { answers: 'Hello' }.")
  checkOptions(given)
  const { provider = 'scripted', model = 'test', id = `${provider}/${model}` } = given
  const pick = picker(given)
  const calls: ScriptedCall[] = []
  let attempts = 0
  let open = 0
  const { probe, weight, managed, region, dataPolicy, embed } = given
  const { vector, verbs } = embedParts(embed)
  const upstream: Upstream = {
    ...(probe !== undefined && { probe: async () => well(id, await probe()) }),
    ...verbs,
    open: (op, request: UpstreamRequest, ctx: OpenContext) => {
      if (op !== 'chat' && (op !== 'embed' || verbs.embeds === undefined)) return Promise.reject(new GatewayError('invalid_request', `A scripted deployment cannot do ${quoted(String(op))}.`))
      const attempt = ++attempts
      open++
      const call = new Playback(request, ctx, () => void open--)
      calls.push(recordOf(call))
      if (calls.length > MOST_CALLS) calls.shift()
      return call.open(() => render(pick(attempt, request), { request, wire: ctx.wire, id, model, attempt, prefill: given.capabilities?.prefill === true, vector }))
    },
  }
  return Object.freeze<ScriptedDeployment>({
    kind: 'deployment',
    id,
    provider,
    model,
    capabilities: Object.freeze({ ...given.capabilities }),
    tags: Object.freeze([...(given.tags ?? [])]),
    ...(given.price !== undefined && { price: Object.freeze({ ...given.price }) }),
    ...(given.limits !== undefined && { limits: Object.freeze({ ...given.limits }) }),
    ...(weight !== undefined && { weight }),
    ...(managed !== undefined && { managed }),
    ...(region !== undefined && { region }),
    ...(dataPolicy !== undefined && { dataPolicy: Object.freeze([...dataPolicy]) }),
    reach: Object.freeze({ upstream }),
    get calls(): readonly ScriptedCall[] {
      return calls
    },
    get open(): number {
      return open
    },
  })
}
