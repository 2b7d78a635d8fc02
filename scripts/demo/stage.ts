import { anthropic, fallback, Gateway, openai, type CallRecord, type GatewayOptions, type RouteConfig } from 'sallyport'
import type { PiiReport, Sink } from 'sallyport/pii'
import { isRecord, textOf } from '../loopback/dialect.js'
import { startProvider, type Fault, type LoopbackProvider, type LoopbackRequest, type PlanRequest } from '../loopback/index.js'
import { ANSWERS } from './answers.js'

/** Options of the gateway of a scene. */
export type Settings = Partial<GatewayOptions> | ((stage: Stage) => Partial<GatewayOptions>)

/** The gateway of the demo: one route to ask for, and a cheaper one that a budget may choose. */
export type DemoGateway = Gateway<{ readonly smart: RouteConfig }>

/** The deployments of the chain, in order, with prices made up for the demo. */
export const FIRST = { id: 'openai/gpt-5.6', model: 'gpt-5.6', price: { input: 1.25, output: 10 }, firstTokenMs: 180 } as const
export const SECOND = { id: 'anthropic/claude-sonnet-4-5', model: 'claude-sonnet-4-5', price: { input: 3, output: 15 }, firstTokenMs: 240 } as const
/** What the route "cheap" asks, at the second provider. */
export const CHEAP = { id: 'anthropic/claude-haiku-4-5', model: 'claude-haiku-4-5', price: { input: 0.25, output: 1.25 } } as const
/** The only key the loopback providers are ever shown. */
export const KEY = 'demo'
/** About 80 tokens a second. */
const PACE_MS = 12

function questionOf({ body }: PlanRequest): string {
  const messages: readonly unknown[] = isRecord(body) && Array.isArray(body['messages']) ? body['messages'] : []
  const last = messages.filter(isRecord).findLast(message => message['role'] === 'user')
  return textOf(last?.['content'])
}

function answering(place: 0 | 1): (request: PlanRequest) => string {
  return request => ANSWERS.get(questionOf(request))?.[place] ?? 'Nobody has recorded an answer to that.'
}

interface Reach {
  readonly baseUrl: string
  readonly apiKey: string
}
interface Script {
  faults: readonly Fault[]
  from: number
  /** Both providers refuse everything. */
  down: boolean
}
const DOWN: Fault = { status: 503 }

/** The two providers, and what the first one is made to do. */
export class Stage {
  readonly first: LoopbackProvider
  readonly second: LoopbackProvider
  /** The calls of the scene as the gateway wrote them down, with what was said as far as a scene looks at it. */
  records: readonly CallRecord[] = []
  /** What the log of the scene was given, line by line. */
  logged: readonly string[] = []
  /** What was found in the calls of the scene, by a gateway that searches them. */
  reports: readonly PiiReport[] = []
  #seen = [0, 0] as [number, number]

  private constructor(first: LoopbackProvider, second: LoopbackProvider, readonly script: Script) {
    this.first = first
    this.second = second
  }

  /** @param paceMs from word to word, in milliseconds. */
  static async open(paceMs = PACE_MS): Promise<Stage> {
    const script: Script = { faults: [], from: 0, down: false }
    const first = await startProvider({ dialect: 'openai', paceMs, words: answering(0), plan: attempt => (script.down ? DOWN : (script.faults[attempt - 1 - script.from] ?? { slowFirst: FIRST.firstTokenMs })) })
    try {
      const second = await startProvider({ dialect: 'anthropic', paceMs, words: answering(1), plan: () => (script.down ? DOWN : { slowFirst: SECOND.firstTokenMs }) })
      return new Stage(first, second, script)
    } catch (error) {
      await first.stop()
      throw error
    }
  }

  /**
   * Starts a scene. Its gateway is new: what one scene taught about a provider must not change the next.
   * @param faults how the first provider fails, request by request.
   * @param settings of its gateway; a function of the stage where they write to it.
   */
  begin(faults: readonly Fault[], settings: Settings = {}): DemoGateway {
    this.#seen = [this.first.requests.length, this.second.requests.length]
    this.records = []
    this.logged = []
    this.reports = []
    this.script.faults = faults
    this.script.from = this.first.requests.length
    this.script.down = false
    const [first, second] = [this.first, this.second].map(({ baseUrl }) => ({ baseUrl, apiKey: KEY })) as [Reach, Reach]
    const routes = {
      smart: fallback(openai(FIRST.model, { ...first, price: FIRST.price }), anthropic(SECOND.model, { ...second, price: SECOND.price })),
      cheap: anthropic(CHEAP.model, { ...second, price: CHEAP.price }),
    }
    const own = typeof settings === 'function' ? settings(this) : settings
    return new Gateway<{ readonly smart: RouteConfig }>({
      ...own,
      routes,
      plugins: [...(own.plugins ?? []), { name: 'demo', content: true, observe: record => void (this.records = [...this.records, record]) }],
    })
  }

  /** The last call as the gateway wrote it down. */
  get record(): CallRecord | undefined {
    return this.records.at(-1)
  }

  /** A log that a scene may give its gateway. */
  readonly log: Sink = { name: 'demo log', content: true, write: records => void (this.logged = [...this.logged, ...records.map(record => JSON.stringify(record))]) }

  /** For {@link reports}. */
  readonly report = (found: PiiReport): void => void (this.reports = [...this.reports, found])

  /** Both providers fail from now on, or are well again. */
  down(down: boolean): void {
    this.script.down = down
  }

  /** What each provider was asked since the scene began. */
  asked(): readonly [first: readonly LoopbackRequest[], second: readonly LoopbackRequest[]] {
    return [this.first.requests.slice(this.#seen[0]), this.second.requests.slice(this.#seen[1])]
  }

  /** Requests that are still being answered. */
  get open(): number {
    return this.first.openRequests + this.second.openRequests
  }

  async close(): Promise<void> {
    await Promise.all([this.first.stop(), this.second.stop()])
  }
}
