import { spawn } from 'node:child_process'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi, type TestContext } from 'vitest'
import type { GatewayOptions, Plugin } from '../../src/index.js'
import { BUDGETS } from '../../scripts/demo/budgets.js'
import { demo } from '../../scripts/demo/demo.js'
import { GUARDS } from '../../scripts/demo/guards.js'
import { OUTAGES } from '../../scripts/demo/outages.js'
import { masking, PRIVACY } from '../../scripts/demo/privacy.js'
import { answered, SCENES, type Scene } from '../../scripts/demo/scenes.js'
import { FIRST, SECOND, Stage } from '../../scripts/demo/stage.js'
import { Page, wrap, type Out } from '../../scripts/demo/terminal.js'
import { playTour } from '../../scripts/demo/tour.js'
import { startProvider } from '../../scripts/loopback/index.js'
import { redactPii } from '../../src/plugins/pii/index.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CANARY = 'sk-canary-0123456789'
const NEVER = new AbortController().signal

interface Paper extends Out {
  readonly text: string
}
function paper(look: Omit<Out, 'write'> = {}): Paper {
  const pieces: string[] = []
  return { ...look, write: (text: string) => void pieces.push(text), get text() { return pieces.join('') } }
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
function runDemo(args: readonly string[], onOutput: (text: string, kill: (signal: NodeJS.Signals) => void) => void = () => undefined): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', OPENAI_API_KEY: CANARY, ANTHROPIC_API_KEY: CANARY, HTTP_PROXY: 'http://127.0.0.1:9' }
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo/main.ts', ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000, killSignal: 'SIGKILL' })
    const told = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      told.stdout += text
      onOutput(told.stdout, signal => child.kill(signal))
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => (told.stderr += text))
    child.once('error', reject)
    child.once('close', code => resolve({ code, ...told }))
  })
}

async function tour(scenes: readonly Scene[], out: Out = paper()) {
  const stage = await Stage.open(1)
  try {
    const tally = await playTour(new Page(out, {}), stage, NEVER, scenes)
    const keys = [...stage.first.requests, ...stage.second.requests].map(({ credential }) => credential?.reveal())
    expect(keys).not.toContain(CANARY)
    return { tally, keys }
  } finally {
    await stage.close()
  }
}

// For all tests, which run side by side: what they wait for is real time.
beforeAll(() => {
  vi.stubEnv('OPENAI_API_KEY', CANARY)
  vi.stubEnv('ANTHROPIC_API_KEY', CANARY)
})
afterAll(() => void vi.unstubAllEnvs())

describe.concurrent('the demo, as a newcomer runs it', () => {
  it('ends with status 0 and every scene right, without a terminal, whatever keys and proxies the environment names', async () => {
    const { code, stdout, stderr } = await runDemo(['--fast'])
    expect(stderr).toBe('')
    expect(stdout.match(/(?:WRONG|error) .*/g)).toBeNull()
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(`demo: ${SCENES.length} scenes, ${SCENES.length} right, 0 wrong`)
    expect(code).toBe(0)
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toContain('\r')
    expect(stdout).not.toContain(CANARY)
    expect(Math.max(...stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
  }, 60_000)

  it('does not keep a terminal busy after Ctrl-C', async () => {
    let sentMs = 0
    const { code, stdout } = await runDemo(['--fast'], (text, kill) => {
      if (sentMs > 0 || !text.includes('2. ')) return
      sentMs = performance.now()
      kill('SIGINT')
    })
    expect(performance.now() - sentMs).toBeLessThan(5_000)
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('demo: interrupted')
    expect(code).toBe(130)
  }, 60_000)

  it('refuses an option it does not know instead of playing something else', async () => {
    const out = paper()
    expect(await demo({ args: ['--lvie'], env: {}, out, signal: NEVER })).toBe(2)
    expect(out.text).toContain('--lvie')
  })
})

describe.concurrent('the keys of the demo', () => {
  it('never sends a key of the environment to a provider', async () => {
    const rescued = SCENES.filter(({ title }) => /breaks|answer$/.test(title))
    const { tally, keys } = await tour(rescued)
    expect(tally).toEqual({ scenes: 3, right: 3 })
    expect(keys).toEqual(Array.from({ length: 5 }, () => 'demo'))
  })
})

/** What must be wrong in the end, and what the page has to say of it. */
type Wrong = readonly [trouble: string, says: RegExp, scene: Scene]

/** A plugin that looks at prompts before they are masked, and keeps them. */
function noting(stage: Stage, settings: Partial<GatewayOptions>): Partial<GatewayOptions> {
  const note: Plugin = {
    name: 'note',
    open: () => ({
      request: request => {
        stage.logged = [...stage.logged, JSON.stringify(request.messages)]
        return request
      },
    }),
  }
  return { ...settings, plugins: [note, ...(settings.plugins ?? [])] }
}

describe.concurrent('the verdict of the demo', () => {
  const base = { title: 'T', about: 'A', call: 'C', summary: 'all is well', question: 'Why is the sky blue?', kind: 'stream' } as const
  const right = { by: FIRST.id, attempts: ['answered'], requests: [1, 0] } as const
  const cut = { faults: [{ cutAfter: 5 }], options: { recover: 'restart' } } as const
  const wrong: readonly Wrong[] = [
    ['another provider answered', /who answered/, answered({ ...base, expected: { ...right, by: SECOND.id } })],
    ['other tries were made', /attempts: "answered"/, answered({ ...base, expected: { ...right, attempts: ['timeout', 'answered'] } })],
    ['the first provider was asked more often', /requests at the first provider: 1/, answered({ ...base, expected: { ...right, requests: [2, 0] } })],
    ['the second provider was not asked', /requests at the second provider: 0/, answered({ ...base, expected: { ...right, requests: [1, 1] } })],
    ['the wait was too short', /waited 1 ms/, answered({ ...base, expected: { ...right, apartMs: 1 } })],
    ['a restart was not seen', /restarts: 0 and not 1/, answered({ ...base, expected: { ...right, cut: 'restarted' } })],
    ['a restart came in place of a continuation', /continuations: 0 and not 1/, answered({ ...base, ...cut, expected: { by: SECOND.id, attempts: ['malformed_response', 'answered'], requests: [1, 1], cut: 'continued' } })],
    ['the text is another', /whole text/, answered({ ...base, question: 'Is this question recorded?', expected: right })],
    ['the call failed', /error +malformed_response/, answered({ ...base, ...cut, options: {}, expected: right })],
    ['nothing was claimed', /nothing was checked/, { ...base, faults: [], play: () => Promise.resolve([]) }],
  ]

  it('finds the scene right that the others are made from', async () => {
    expect((await tour([answered({ ...base, expected: right })])).tally).toEqual({ scenes: 1, right: 1 })
  })
  const [dies, waits] = OUTAGES as readonly [Scene, Scene]
  const [refuses, downgrades, keys] = BUDGETS as readonly [Scene, Scene, Scene]
  const [hides] = PRIVACY as readonly [Scene]
  const [guards] = GUARDS as readonly [Scene]
  const spoilt: readonly Wrong[] = [
    ['a dead provider is still asked', /call 2: tries at the first provider/, { ...dies, settings: { ...dies.settings, breaker: false } }],
    ['its circuit opens one failure late', /call 1: circuit/, { ...dies, settings: { ...dies.settings, breaker: { failures: 4, probeIntervalMs: 1_500 } } }],
    ['its probe comes too soon', /call 2: tries at the first provider: 1 and not 0/, { ...dies, settings: { ...dies.settings, breaker: { probeIntervalMs: 100 } } }],
    ['calls fail where they should wait out an outage', /0 calls wait[^]*error /, { ...waits, settings: { ...waits.settings, queue: false } }],
    ['a budget refuses nobody', /how the calls ended/, { ...refuses, settings: { ...refuses.settings, budgets: [] } }],
    ['a budget runs low and nobody goes another way', /who answered/, { ...downgrades, settings: { ...downgrades.settings, budgets: [] } }],
    ['a key is refused by the limit of somebody else', /how the calls ended/, { ...keys, settings: { ...keys.settings, limits: [{ requestsPerMinute: 1 }] } }],
    ['nothing is masked', /the records: no value in it: 8 values/, { ...hides, settings: {} }],
    ['one value reaches the provider', /what the provider was sent: no value in it/, { ...hides, settings: masking({ restore: true, actions: { CREDIT_CARD: 'report' } }) }],
    ['one value reaches the provider in a later message only', /what the provider was sent: no value in it/, { ...hides, settings: masking({ restore: true, allow: ['bob@difference-works.co.uk'] }) }],
    ['the last digits of a card reach the provider', /the first prompt, at the provider/, { ...hides, settings: masking({ restore: true, actions: { CREDIT_CARD: 'mask' } }) }],
    ['the reader has no values', /the answer as it arrived/, { ...hides, settings: masking({}) }],
    ['a conversation forgets what stands for what', /the second prompt, at the provider/, { ...hides, settings: masking({ session: false }) }],
    ['a tool is given values that nobody asked for', /the arguments as they arrived/, { ...hides, settings: masking({ restore: { toolCalls: true } }) }],
    ['what the model makes up is shown', /the answer as it arrived/, { ...hides, settings: masking({ restore: true, actions: { default: { output: 'report' } } }) }],
    ['what the caller says reaches the log', /the log: no value in it/, { ...hides, settings: stage => noting(stage, masking({ restore: true })(stage)) }],
    ['what the model makes up is in the log', /the log: no value in it/, { ...hides, settings: stage => ({ ...masking({ restore: true })(stage), log: stage.log }) }],
    ['nobody counts what is found', /found in the prompts/, { ...hides, settings: { plugins: [redactPii({ restore: true })] } }],
    ['a blocked prompt is sent', /requests for it: 1 and not 0/, { ...guards, settings: {} }],
    ['an answer that does not fit is not asked for again', /requests for the answer: "1 and 0"/, { ...guards, faults: [...guards.faults].reverse() }],
    ['providers that are back are stormed', /the (?:first|second) provider is (?:left alone|first asked)/, { ...waits, settings: { ...waits.settings, breaker: false, retry: { baseMs: 300, attempts: 40, maxAttempts: 80 } } }],
  ]
  it.each([...wrong, ...spoilt])('is "wrong" where %s', async (_trouble, says, scene) => {
    const out = paper()
    expect((await tour([scene], out)).tally).toEqual({ scenes: 1, right: 0 })
    expect(out.text).not.toContain(scene.summary)
    expect(out.text).toMatch(says)
  })
  it('turns one wrong scene among right ones into status 1', async () => {
    const out = paper()
    const scenes = [answered({ ...base, question: 'What is a sally port?', expected: right }), answered({ ...base, question: 'What is a sally port?', expected: { ...right, by: SECOND.id } })]
    expect(await demo({ args: [], env: {}, out, signal: NEVER, scenes })).toBe(1)
    expect(out.text).toContain('WRONG')
    expect(out.text.trimEnd().split('\n').at(-1)).toBe('demo: 2 scenes, 1 right, 1 wrong')
  })
})

describe.concurrent('the demo with real providers', () => {
  async function ollama({ onTestFinished }: TestContext, words?: string): Promise<string> {
    const provider = await startProvider({ dialect: 'openai', paceMs: 0, ...(words !== undefined && { words }) })
    const front = createServer((req, res) => {
      if (req.url === '/api/tags') return void res.end(JSON.stringify({ models: [{ name: 'tiny:1b' }] }))
      const onward = request(provider.baseUrl.replace(/\/v1$/, req.url ?? ''), { method: req.method, headers: req.headers, agent: false }, answer => {
        res.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.pipe(res)
      })
      req.pipe(onward)
    })
    onTestFinished(async () => {
      front.closeAllConnections()
      await Promise.all([new Promise(resolve => front.close(resolve)), provider.stop()])
    })
    await new Promise<void>(resolve => front.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(front.address() as AddressInfo).port}`
  }

  it('says what to set, with status 2, where there is none', async () => {
    const out = paper()
    expect(await demo({ args: ['--live'], env: { OPENAI_API_KEY: ' ' }, out, signal: NEVER, ollamaUrl: 'http://127.0.0.1:9' })).toBe(2)
    for (const name of ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'Ollama']) expect(out.text).toContain(name)
  })
  it('asks a local server that was found, without any key set', async context => {
    const out = paper()
    expect(await demo({ args: ['--live'], env: {}, out, signal: NEVER, ollamaUrl: await ollama(context) })).toBe(0)
    expect(out.text).toContain('ollama/tiny:1b')
    expect(out.text.trimEnd().split('\n').at(-1)).toBe('demo: 2 scenes, 2 right, 0 wrong')
  })
  it('counts an empty answer as wrong', async context => {
    expect(await demo({ args: ['--live'], env: {}, out: paper(), signal: NEVER, ollamaUrl: await ollama(context, ' ') })).toBe(1)
  })
})

describe('the page', () => {
  const text = fc.array(fc.stringMatching(/^[a-z]{1,50}$/), { minLength: 1, maxLength: 40 }).map(words => words.join(' '))

  it('loses no word and overflows no line, however wide the terminal is', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 120 }), (words, width) => {
        const lines = wrap(words, width)
        expect(lines.join('').replaceAll(' ', '')).toBe(words.replaceAll(' ', ''))
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width)
      }),
    )
  })
  it('writes a stream the same wherever it is cut into pieces', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 90 }), (words, size, columns) => {
        const out = paper({ columns })
        const writing = new Page(out, {}).answer()
        for (let at = 0; at < words.length; at += size) writing.write(words.slice(at, at + size))
        writing.end()
        const whole = wrap(words, Math.max(30, columns - 1) - 3).map(line => `   ${line}\n`).join('')
        expect(out.text).toBe(whole)
      }),
    )
  })
  it('lets no provider steer the terminal', () => {
    const out = paper()
    const writing = new Page(out, {}).answer()
    writing.write('be\u001b[2Jfore\u0007\rafter\u009b')
    writing.end()
    expect(out.text).toBe('   be[2Jforeafter\n')
  })

  const looks = [
    ['a pipe', {}, {}, false],
    ['a terminal', { isTTY: true }, { TERM: 'xterm' }, true],
    ['a terminal with NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
  ] as const
  it.each(looks)('strikes out void text on a terminal only, and says so everywhere: %s', (_name, look, env, styled) => {
    const out = paper({ ...look, columns: 40 })
    const writing = new Page(out, env).answer()
    writing.write('one two three four five six seven eight nine ten')
    writing.discard('[void]')
    writing.write('again')
    writing.end()
    expect(out.text.includes('\u001b')).toBe(styled)
    expect(out.text.includes('\u001b[2;9mone two')).toBe(styled)
    expect(out.text.includes('\u001b[1A')).toBe(styled)
    expect(out.text).toContain('[void]')
    expect(out.text.endsWith('   again\n')).toBe(true)
  })
})
