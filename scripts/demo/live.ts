import { anthropic, fallback, Gateway, openai, type Deployment, type RouteConfig } from 'sallyport'
import { chat, stream } from './ask.js'
import { verdict, type Claim } from './check.js'
import { failure, report } from './report.js'
import type { Tally } from './tour.js'
import type { Page } from './terminal.js'

/** Which models to ask; `ollama` defaults to the first one installed. */
export interface Models {
  readonly openai: string
  readonly anthropic: string
  readonly ollama?: string
}
/** Where real providers are looked for. */
export interface LiveOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly models: Models
  /** Without a path. */
  readonly ollamaUrl: string
  readonly signal: AbortSignal
}

const PROBE_MS = 300
const MOST_NAMES_BYTES = 1_000_000

/** The model to ask of an Ollama on this machine; `undefined` where none answers in time. */
async function probe(ollamaUrl: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await fetch(`${ollamaUrl}/api/tags`, { signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]) })
    const text = await answer.text()
    if (!answer.ok || text.length > MOST_NAMES_BYTES) return undefined
    const { models } = JSON.parse(text) as { models?: readonly { name?: unknown }[] }
    const name = models?.[0]?.name
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}

/** A chain of what is there: keys that are set, and an Ollama that answers. */
export async function chainOf({ env, models, ollamaUrl, signal }: LiveOptions): Promise<readonly Deployment[]> {
  const has = (name: string): boolean => (env[name] ?? '').trim() !== ''
  const local = await probe(ollamaUrl, signal)
  return [
    ...(has('OPENAI_API_KEY') ? [openai(models.openai)] : []),
    ...(has('ANTHROPIC_API_KEY') ? [anthropic(models.anthropic)] : []),
    ...(local === undefined ? [] : [ollama(ollamaUrl, models.ollama ?? local)]),
  ]
}

function ollama(url: string, model: string): Deployment {
  return openai(model, { baseUrl: `${url}/v1`, apiKey: 'ollama', id: `ollama/${model}`, price: { input: 0, output: 0 } })
}

const QUESTIONS = [
  { kind: 'chat', title: 'A question, an answer', question: 'What is a sally port? Answer in two sentences.' },
  { kind: 'stream', title: 'The same as a stream', question: 'Why is the sky blue? Answer in three sentences.' },
] as const

/** Plays a chat and a stream over a chain of real providers. */
export async function playLive(page: Page, chain: readonly Deployment[], signal: AbortSignal): Promise<Tally> {
  const gateway = new Gateway<{ readonly smart: RouteConfig }>({ routes: { smart: fallback(...chain) }, recover: 'restart' })
  let right = 0
  let scenes = 0
  try {
    for (const { kind, title, question } of QUESTIONS) {
      if (signal.aborted) break
      scenes++
      page.blank()
      page.heading(`${scenes}. ${title}`)
      page.paragraph(`> ${question}`, 'cyan')
      try {
        const heard = await (kind === 'chat' ? chat : stream)(gateway, question, { signal }, page)
        report(page, heard)
        const { text, finishReason, deployment } = heard.result
        const claims: Claim[] = [
          { what: 'there is an answer', ok: text.trim() !== '', found: 'no text' },
          { what: 'the stream gave the text of the result', ok: heard.text === text },
          { what: 'the answer ended by itself', ok: finishReason === 'stop', found: finishReason },
          { what: 'a member of the chain answered', ok: chain.some(({ id }) => id === deployment), found: deployment },
        ]
        if (verdict(page, claims, 'there is an answer, and it is whole')) right++
      } catch (error) {
        failure(page, error)
      }
    }
  } finally {
    await gateway.close()
  }
  return { scenes, right }
}
