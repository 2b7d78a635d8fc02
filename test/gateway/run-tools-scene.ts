import { expect } from 'vitest'
import { fallback, Gateway, tool, type CallRecord, type Deployment, type GatewayOptions, type Group, type JsonObject, type Tool, type ToolRunEvent } from '../../src/index.js'
import { scripted, seededRandom, virtualClock, type Script, type ScriptedDeployment, type ScriptedOptions, type VirtualClock } from '../../src/testing/index.js'
import { expectNothingLeft } from '../compositions/left-behind.js'

const PRICE = { input: 1, output: 1 }
export const schema = { type: 'object', properties: { city: { type: 'string' } } } as const satisfies JsonObject
export const asks = (...cities: readonly string[]): Script => ({ toolCalls: cities.map((city, at) => ({ name: 'weather', input: { city }, id: `call_${city}_${at}` })) })
export const usage = (inputTokens: number, outputTokens: number) => ({ usage: { inputTokens, outputTokens } })

/** A tool that answers with the city it was asked about. */
export const weather = tool<unknown>({ name: 'weather', inputSchema: schema, execute: input => `21 degrees in ${(input as { city: string }).city}` })
export const weatherBy = (execute: NonNullable<Tool['execute']>): Tool => ({ name: 'weather', inputSchema: schema, execute })

export interface ToolScene {
  readonly gateway: Gateway<{ smart: Deployment | Group }>
  readonly clock: VirtualClock
  readonly records: readonly CallRecord[]
  readonly deployments: readonly ScriptedDeployment[]
  /** Lets time run until the work is over. */
  over<T>(work: Promise<T>): Promise<T>
  nothingLeft(signals?: readonly AbortSignal[]): Promise<void>
}

export function toolScene(answers: ScriptedOptions['answers'], more: { backup?: ScriptedOptions['answers']; options?: Partial<GatewayOptions>; target?: (...deployments: readonly ScriptedDeployment[]) => Deployment | Group } = {}): ToolScene {
  const deployments = [scripted({ id: 'first', answers, price: PRICE }), scripted({ id: 'second', answers: more.backup ?? 'from the second', price: PRICE })]
  const clock = virtualClock()
  const records: CallRecord[] = []
  const target = (more.target ?? fallback)(...deployments)
  const gateway = new Gateway({ clock, random: seededRandom(3), retry: { attempts: 1 }, plugins: [{ name: 'witness', observe: record => void records.push(record) }], ...(more.options as object), routes: { smart: target } })
  return {
    gateway,
    clock,
    records,
    deployments,
    async over(work) {
      let ended = false
      const settled = work.finally(() => (ended = true))
      settled.catch(() => undefined)
      for (let round = 0; round < 2_000 && !ended; round++) await clock.advance(10)
      expect(ended).toBe(true)
      return work
    },
    nothingLeft: (signals = []) => expectNothingLeft({ gateway, clock, deployments, signals }),
  }
}

export const kinds = (events: readonly ToolRunEvent[]): readonly string[] => events.map(event => (event.type === 'step-finish' ? `step-finish ${event.step.step}` : event.type === 'step-start' ? `step-start ${event.step}` : event.type === 'tool-result' ? `tool-result ${event.message.toolCallId}` : event.type))
