import { expect } from 'vitest'
import { Gateway, type CacheHealth, type CacheOptions, type CallOptions, type CallRecord, type ChatRequest, type ChatResult, type GatewayOptions, type Plugin } from '../../src/index.js'
import { scripted, virtualClock, type ScriptedDeployment, type ScriptedOptions, type VirtualClock } from '../../src/testing/index.js'
import { leftovers } from '../compositions/left-behind.js'
import { witness } from './support.js'

/** 1,000 nano-dollars an input token, 2,000 an output token. */
const PRICE = { input: 1, output: 2 }
/** 10 x 1,000 + 5 x 2,000 nano-dollars at {@link PRICE}. */
export const USAGE = { inputTokens: 10, outputTokens: 5 }
export const NANOS = 20_000
export const HELLO = { text: 'Hello to you', usage: USAGE }

export type Request = ChatRequest<'smart'>
export const ask = (text = 'Hi', more: Partial<Request> = {}): Request => ({ model: 'smart', messages: text, ...more })

export interface Scene {
  readonly clock: VirtualClock
  readonly deployment: ScriptedDeployment
  readonly gateway: Gateway<{ readonly smart: ScriptedDeployment }>
  readonly records: readonly CallRecord[]
  /** Times the upstream was asked. */
  readonly asked: () => number
  readonly chat: (request?: Request, options?: CallOptions) => Promise<ChatResult>
  /** A stream, read to its end. */
  readonly read: (request?: Request, options?: CallOptions) => Promise<ChatResult>
  readonly health: () => CacheHealth | undefined
  readonly nothingLeft: () => void
}

export interface SceneOptions {
  readonly answers?: ScriptedOptions['answers']
  readonly cache?: boolean | CacheOptions
  readonly plugins?: readonly Plugin[]
  readonly capabilities?: NonNullable<ScriptedOptions['capabilities']>
  readonly options?: Omit<GatewayOptions, 'routes' | 'providers' | 'cache'>
}

/** A gateway with a cache before one scripted deployment. */
export function scene({ answers = HELLO, cache = true, plugins = [], capabilities = {}, options }: SceneOptions = {}): Scene {
  const deployment = scripted({ id: 'd', provider: 'p', model: 'm', price: PRICE, capabilities, answers })
  const clock = virtualClock()
  const seen = witness()
  const gateway = new Gateway({ routes: { smart: deployment }, clock, cache, retry: { attempts: 1 }, ...options, plugins: [seen, ...plugins] })
  return {
    clock,
    deployment,
    gateway,
    records: seen.records,
    asked: () => deployment.calls.length,
    chat: (request = ask(), options) => gateway.chat(request, options),
    read: async (request = ask(), options) => (await gateway.stream(request, options)).result(),
    health: () => gateway.health().cache,
    nothingLeft: () => expect(leftovers({ gateway, clock, deployments: [deployment] })).toEqual({}),
  }
}
