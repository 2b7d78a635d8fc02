import { parseArgs } from 'node:util'
import { chainOf, playLive, type LiveOptions, type Models } from './live.js'
import type { Scene } from './scenes.js'
import { Stage } from './stage.js'
import { Page, type Out } from './terminal.js'
import { playTour, type Tally } from './tour.js'

const USAGE = 'npm run demo [-- --fast | --live [--openai MODEL] [--anthropic MODEL] [--ollama MODEL]]'
const NOTHING =
  'No real provider was found. Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or start Ollama on this machine (port 11434) with a model installed, and run it again. Without --live the demo needs none of them.'
/** From word to word with `--fast`, in milliseconds. */
const FAST_MS = 1
const OPTIONS = {
  fast: { type: 'boolean', default: false },
  live: { type: 'boolean', default: false },
  openai: { type: 'string', default: 'gpt-5.6' },
  anthropic: { type: 'string', default: 'claude-opus-5' },
  ollama: { type: 'string' },
} as const

/** What the demo needs from outside. */
export interface Surroundings {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly out: Out
  readonly signal: AbortSignal
  /** Without a path. Default: port 11434 of this machine. */
  readonly ollamaUrl?: string
  /** Default: all. */
  readonly scenes?: readonly Scene[]
}

function conclude(page: Page, { scenes, right }: Tally, interrupted: boolean): number {
  const wrong = scenes - right
  page.blank()
  if (interrupted) {
    page.heading('demo: interrupted', 'yellow')
    return 130
  }
  page.heading(`demo: ${scenes} scenes, ${right} right, ${wrong} wrong`, wrong === 0 ? 'green' : 'red')
  return wrong === 0 ? 0 : 1
}

/** Plays the demo and closes all it opened. Gives the exit status: 0, 1 where an answer was wrong, 2 where it could not be played, 130 where it was interrupted. */
export async function demo({ args, env, out, signal, ollamaUrl = 'http://127.0.0.1:11434', scenes }: Surroundings): Promise<number> {
  const page = new Page(out, env)
  let values: Models & { readonly live: boolean; readonly fast: boolean }
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    page.heading(error instanceof Error ? error.message : 'The options cannot be read.', 'red')
    page.heading(USAGE)
    return 2
  }
  if (values.live) return live(page, values, { env, signal, ollamaUrl })
  const stage = await Stage.open(values.fast ? FAST_MS : undefined)
  try {
    return conclude(page, await playTour(page, stage, signal, scenes), signal.aborted)
  } finally {
    await stage.close()
  }
}

async function live(page: Page, models: Models, where: Omit<LiveOptions, 'models'>): Promise<number> {
  const chain = await chainOf({ ...where, models })
  if (chain.length === 0) {
    page.heading(NOTHING, 'red')
    return 2
  }
  page.heading('sallyport demo, live')
  page.paragraph(`The chain: ${chain.map(({ id }) => id).join(', then ')}. These are real providers: what they charge, they charge you.`)
  return conclude(page, await playLive(page, chain, where.signal), where.signal.aborted)
}
