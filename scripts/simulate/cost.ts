import { bill } from '../../src/protocol/price.js'
import type { Deployment, Price, Random, RouteTarget } from '../../src/protocol/ports.js'
import { cheapest } from '../../src/routing/cheapest.js'
import { seededRandom } from '../../src/testing/random.js'
import { routeView } from '../../src/testing/view.js'
import { bar, table, type Part } from './part.js'

const CALLS = 20_000
const BAR = 1.02

/** Deployments of like quality whose prices have unlike shapes; US dollars per million tokens. */
const PRICES: readonly Price[] = [
  { input: 1.25, output: 10, cachedInput: 0.125 },
  { input: 2, output: 6, cachedInput: 0.5 },
  { input: 1.6, output: 8 },
  { input: 0.9, output: 12, request: 0.002 },
  { input: 3, output: 4, cachedInput: 0.3 },
]
/** What kind of calls a route has: medians of tokens, spread of the answer's logarithm, share of the prompt that is cached where that has a price. */
const WORK = [
  { name: 'short questions', input: 400, output: 250, spread: 0.6, cached: 0 },
  { name: 'long documents', input: 12_000, output: 300, spread: 0.5, cached: 0.1 },
  { name: 'agents, prompt mostly cached', input: 20_000, output: 400, spread: 0.7, cached: 0.8 },
  { name: 'long texts', input: 600, output: 2_500, spread: 0.5, cached: 0 },
] as const

type Work = (typeof WORK)[number]
interface Asked {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedInputTokens: number
}

function spread(random: Random, sigma: number): number {
  return Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
}

function ask({ input, output, spread: sigma, cached }: Work, random: Random): Asked {
  const inputTokens = Math.round(input * spread(random, 0.5))
  return { inputTokens, outputTokens: Math.round(output * spread(random, sigma)), cachedInputTokens: Math.round(inputTokens * Math.min(1, cached * (0.7 + 0.6 * random()))) }
}

const deployments = PRICES.map((price, at): Deployment => ({ kind: 'deployment', id: String(at), provider: 'p', model: 'm', capabilities: {}, tags: [], price, reach: { upstream: { open: () => Promise.reject(new Error('not to be opened')) } } }))
const costOf = ({ price }: Deployment, asked: Asked) => bill(asked, price)?.nanos ?? Infinity

/** Pays for calls by what is known before each: an estimate of the prompt and averages of what came before. */
function pay(work: Work, seed: number): { readonly ours: number; readonly oracle: number; readonly units: number } {
  const random = seededRandom(seed)
  const group = cheapest(...deployments)
  const bySum = [...deployments].sort((a, b) => PRICES[Number(a.id)]!.input + PRICES[Number(a.id)]!.output - PRICES[Number(b.id)]!.input - PRICES[Number(b.id)]!.output)[0]!
  const paid = { ours: 0, oracle: 0, units: 0 }
  let answers = 0
  let outputTokens = 0
  let cachedShare = 0
  for (let call = 0; call < CALLS; call++) {
    const real = ask(work, random)
    const guess = Math.round(real.inputTokens * spread(random, 0.15))
    const expected: Asked = { inputTokens: guess, outputTokens: answers === 0 ? 500 : outputTokens / answers, cachedInputTokens: answers === 0 ? 0 : guess * (cachedShare / answers) }
    const [choice] = group.order(group.targets, routeView({ random, cost: deployment => costOf(deployment, expected) })) as readonly RouteTarget[]
    paid.ours += costOf(choice as Deployment, real)
    paid.units += costOf(bySum, real)
    paid.oracle += Math.min(...deployments.map(deployment => costOf(deployment, real)))
    answers++
    outputTokens += real.outputTokens
    cachedShare += real.cachedInputTokens / real.inputTokens
  }
  return paid
}

export const costs: Part = {
  name: 'cheapest: what is paid, to 1 of an oracle that knows each answer beforehand',
  run() {
    const found = WORK.map((work, at) => ({ name: work.name, ...pay(work, at + 1) }))
    const rows = found.map(({ name, ours, units, oracle }) => [name, (ours / oracle).toFixed(3), (units / oracle).toFixed(3)])
    const sum = (of: 'ours' | 'oracle' | 'units') => found.reduce((total, paid) => total + paid[of], 0)
    const { line, ok } = bar('what `cheapest` pays to 1 of the oracle, all calls', sum('ours') / sum('oracle'), BAR)
    return { lines: [...table([['calls', '`cheapest`', 'lowest sum of unit prices'], ...rows, ['all', (sum('ours') / sum('oracle')).toFixed(3), (sum('units') / sum('oracle')).toFixed(3)]]), '', line], ok }
  },
}
