// A process of its own for the providers: what they remember is not counted as the gateway's.
import { seededRandom } from '../../src/testing/index.js'
import { startProvider, type PlanRequest } from '../loopback/index.js'
import { answerTo, wiredFault } from './faults.js'

/** What this process tells its parent. */
export type Told = { readonly baseUrls: readonly string[] } | { readonly open: number }

function promptOf({ body }: PlanRequest): string {
  const { messages = [] } = body as { messages?: readonly { readonly content: unknown }[] }
  const content = messages.at(-1)?.content
  return typeof content === 'string' ? content : (content as readonly { readonly text: string }[]).map(({ text }) => text).join('')
}

const die = seededRandom(71)
const common = { paceMs: 0, words: (request: PlanRequest) => answerTo(promptOf(request)), plan: () => wiredFault(die) }
const providers = [await startProvider({ dialect: 'openai', ...common }), await startProvider({ dialect: 'anthropic', ...common })]
const tell = (told: Told): void => void process.send?.(told)

process.on('message', ask => {
  if (ask === 'open') return tell({ open: providers.reduce((sum, { openSockets, openRequests }) => sum + openSockets + openRequests, 0) })
  void Promise.all(providers.map(provider => provider.stop())).then(() => process.disconnect())
})
process.on('disconnect', () => process.exit())
tell({ baseUrls: providers.map(({ baseUrl }) => baseUrl) })
