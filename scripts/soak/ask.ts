import { GatewayError, type CallOptions, type ChatResult, type Random } from '../../src/index.js'
import { answerTo } from './faults.js'
import type { World } from './world.js'

const WAYS = ['chat', 'chat', 'stream', 'restart', 'leave', 'abort'] as const
const ROUTES = ['wired', 'streamed', 'scripted', 'chain'] as const
/** Prompts that are asked again and again. */
const REPEATED = 40

/** Prompts that never come again would push the others out of the cache. */
const NOT_KEPT: CallOptions = { cache: false }

/** What became of one call, for the table; `wrong` is a bar missed. */
export type Outcome = string

function outcomeOf({ attempts, cached, deployment }: ChatResult): Outcome {
  if (cached !== false) return cached === 'hit' ? 'answered from the cache' : 'answered by the flight of another call'
  const tried = attempts.filter(({ outcome }) => outcome !== 'skipped')
  if (tried.some(({ outcome }) => outcome === 'aborted')) return 'answered after a hedge'
  if (tried.length <= 1) return 'answered at the first try'
  return tried.every(one => one.deployment === deployment) ? 'answered after a retry' : 'answered after a fallback'
}

interface Asked {
  readonly model: (typeof ROUTES)[number]
  readonly prompt: string
  readonly options: CallOptions
}

/** Every fifth call goes over sockets. */
function asked(at: number, die: Random): Asked {
  const model = at % 5 === 0 ? ROUTES[die() < 0.5 ? 0 : 1] : ROUTES[die() < 0.5 ? 2 : 3]
  const repeated = die() < 0.1
  return repeated ? { model, prompt: `repeated ${Math.floor(die() * REPEATED)}`, options: {} } : { model, prompt: `prompt ${at}`, options: NOT_KEPT }
}

async function read(world: World, { model, prompt, options }: Asked, recover: 'error' | 'restart', leaveAfter: number): Promise<Outcome> {
  const stream = await world.gateway.stream({ model, messages: prompt }, { ...options, recover })
  let text = ''
  let events = 0
  let restarted = false
  for await (const event of stream) {
    if (event.type === 'text-delta') text += event.text
    if (event.type === 'restart') {
      text = ''
      restarted = true
    }
    if (++events >= leaveAfter) return 'left by its reader'
  }
  if (text !== answerTo(prompt)) return 'wrong: another text'
  return restarted ? 'answered after a restart' : outcomeOf(await stream.result())
}

async function abort(world: World, { model, prompt, options }: Asked, ms: number): Promise<Outcome> {
  const caller = new AbortController()
  const timer = setTimeout(() => caller.abort(), ms)
  try {
    const result = await world.gateway.chat({ model, messages: prompt }, { ...options, signal: caller.signal })
    return result.text === answerTo(prompt) ? outcomeOf(result) : 'wrong: another text'
  } finally {
    clearTimeout(timer)
  }
}

/** One call of a mixed crowd. */
export async function ask(world: World, at: number, die: Random): Promise<Outcome> {
  const call = asked(at, die)
  const way = WAYS[Math.floor(die() * WAYS.length)]
  const more = die()
  try {
    if (way === 'stream') return await read(world, call, 'error', Infinity)
    if (way === 'restart') return await read(world, call, 'restart', Infinity)
    if (way === 'leave' && more < 0.2) return await read(world, call, 'error', 1 + Math.floor(more * 20))
    if (way === 'abort' && more < 0.2) return await abort(world, call, more * 60)
    const result = await world.gateway.chat({ model: call.model, messages: call.prompt }, call.options)
    return result.text === answerTo(call.prompt) ? outcomeOf(result) : 'wrong: another text'
  } catch (error) {
    return GatewayError.is(error) ? `typed: ${error.code}` : `wrong: ${String(error)}`
  }
}
