import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fallback, Gateway, type Deployment } from '../../src/index.js'
import { scripted } from '../../src/testing/index.js'
import { thrown, witness } from '../gateway/support.js'

const named = (prefix: string) => (model: string): Deployment => scripted({ id: `${prefix}:${model}`, model, answers: prefix })
const who = async (gateway: Gateway, model: string) => (await gateway.chat({ model: model as never, messages: 'Hi' })).deployment
const make = (options: ConstructorParameters<typeof Gateway>[0]) => new Gateway(options) as unknown as Gateway

describe('a model name finds its route', () => {
  const gateway = make({
    routes: {
      smart: scripted({ id: 'smart', answers: 'x' }),
      'gpt-4': 'clever',
      clever: 'smart',
      'lab/special': scripted({ id: 'special', answers: 'x' }),
      '*': named('all'),
      'lab/*': named('lab'),
      'lab/big-*': named('big'),
      '*-preview': named('preview'),
      'fixed-*': scripted({ id: 'fixed', answers: 'x' }),
    },
    providers: { lab: named('provider'), other: named('other') },
  })

  it.each([
    ['smart', 'smart'],
    ['gpt-4', 'smart'],
    ['clever', 'smart'],
    ['lab/special', 'special'],
    ['lab/small', 'lab:small'],
    ['lab/big-one', 'big:one'],
    ['lab/big-', 'lab:big-'],
    ['x-preview', 'preview:x'],
    ['fixed-2', 'fixed'],
    ['other/m', 'all:other/m'],
    ['gpt-5', 'all:gpt-5'],
  ])('%s is answered by %s', async (model, deployment) => {
    expect(await who(gateway, model)).toBe(deployment)
    // Found again, from what was remembered.
    expect(await who(gateway, model)).toBe(deployment)
  })

  it('the longest wildcard wins in whatever order they were written', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(['a*', 'ab*', 'abc*', '*', 'a*z'], { minLength: 1 }), async names => {
        const shuffled = make({ routes: Object.fromEntries(names.map(name => [name, named(name)])) })
        const fits = names.filter(name => new RegExp(`^${name.replace('*', '.+')}$`).test('abcd'))
        const longest = fits.sort((a, b) => b.length - a.length)[0]
        if (longest === undefined) expect((await thrown(() => who(shuffled, 'abcd'))).code).toBe('model_not_found')
        else expect(await who(shuffled, 'abcd')).toMatch(`${longest}:`)
      }),
      { numRuns: 40 },
    )
  })

  it('provider/model goes to the factory with the rest of the name, slashes and all', async () => {
    const gateway = make({ providers: { router: named('router') } })
    expect(await who(gateway, 'router/meta/llama-4')).toBe('router:meta/llama-4')
    for (const model of ['router/', 'router', '/x', 'rooter/x', '__proto__/x', 'constructor/x']) expect((await thrown(() => who(gateway, model))).code).toBe('model_not_found')
  })

  it('a factory that fails or returns nonsense fails the call with what to do, and is asked again', async () => {
    let times = 0
    const gateway = make({ routes: { 'x/*': (() => (++times === 1 ? undefined : scripted('ok'))) as never } })
    const error = await thrown(() => gateway.chat({ model: 'x/y' as never, messages: 'Hi' }))
    expect([error.code, error.message]).toEqual(['invalid_config', expect.stringContaining('What the factory of "x/*" returned')])
    expect((await gateway.chat({ model: 'x/y' as never, messages: 'Hi' })).text).toBe('ok')
  })

  it('names made up by callers do not pile up, and the busy one keeps its deployment', async () => {
    let made = 0
    const gateway = make({ routes: { '*': model => (made++, scripted({ id: model, answers: 'x' })) } })
    for (let at = 0; at < 1_200; at++) {
      await who(gateway, `m${at}`)
      await who(gateway, 'busy')
    }
    expect(made).toBe(1_201)
    await who(gateway, 'm1199')
    expect(made).toBe(1_201)
    await who(gateway, 'm0')
    expect(made).toBe(1_202)
  })
})

describe('what a gateway says of its routes', () => {
  it('models() lists each name once, wildcards as written', () => {
    const gateway = make({ routes: { smart: scripted('x'), fast: 'smart', 'lab/*': named('lab') }, providers: { lab: named('lab'), mine: named('mine') } })
    expect(gateway.models()).toEqual(['smart', 'fast', 'lab/*', 'mine/*'])
  })

  it('a record names the route that was taken and the model that was asked for', async () => {
    const plugin = witness()
    const gateway = make({ routes: { 'lab/*': named('lab'), smart: scripted('x'), fast: 'smart' }, providers: { mine: named('mine') }, plugins: [plugin] })
    for (const model of ['lab/a', 'fast', 'mine/b']) await who(gateway, model)
    expect(plugin.records.map(({ model, route }) => [model, route])).toEqual([['lab/a', 'lab/*'], ['fast', 'smart'], ['mine/b', 'mine/*']])
  })

  it('with() replaces what is named and nothing else, and leaves the first gateway alone', async () => {
    const plugin = witness()
    const first = new Gateway({ routes: { smart: scripted({ id: 'real', answers: 'real' }), fast: scripted({ id: 'fast', answers: 'fast' }) }, plugins: [plugin], maxOutputTokens: 7 })
    const double = scripted({ id: 'double', answers: 'double' })
    const second = first.with({ routes: { smart: double } })
    expect((await second.chat({ model: 'smart', messages: 'Hi' })).text).toBe('double')
    expect((await second.chat({ model: 'fast', messages: 'Hi' })).text).toBe('fast')
    expect((await first.chat({ model: 'smart', messages: 'Hi' })).text).toBe('real')
    expect(double.calls[0]?.request.maxOutputTokens).toBe(7)
    expect(plugin.records).toHaveLength(3)
    expect((await first.with({ plugins: [] }).chat({ model: 'fast', messages: 'Hi' })).text).toBe('fast')
    expect(plugin.records).toHaveLength(3)
  })

  it('the settings of a route win over those of the gateway, and those of the call over both', async () => {
    const target = scripted({ id: 'd', answers: { fail: { status: 503 } } })
    const options = { breaker: false, retry: { baseMs: 0, attempts: 2 } } as const
    const gateway = new Gateway({ routes: { plain: target, route: { use: target, retry: { attempts: 4 } } }, ...options })
    const tries = async (model: 'plain' | 'route', call = {}) => (await thrown(() => gateway.chat({ model, messages: 'Hi' }, call))).attempts?.length
    expect([await tries('plain'), await tries('route'), await tries('route', { retry: { attempts: 1 } }), await tries('route', { retry: { maxAttempts: 3 } })]).toEqual([2, 4, 1, 3])
  })

  it('health() shows each deployment once, with what is open on it', async () => {
    const held = scripted({ id: 'held', limits: { concurrency: 2 }, answers: { chunks: ['a', 'b'] } })
    const gateway = new Gateway({ routes: { a: held, b: fallback(held, scripted({ id: 'spare', answers: 'x' })) } })
    const stream = await gateway.stream({ model: 'a', messages: 'Hi' })
    expect(gateway.health()).toMatchObject({ calls: 1, log: { dropped: 0 }, deployments: [{ id: 'held', state: 'ready', openAnswers: 1 }, { id: 'spare' }] })
    await stream.result()
    expect(gateway.health()).toMatchObject({ calls: 0, deployments: [{ id: 'held', openAnswers: 0 }, { id: 'spare' }] })
  })

  it('a model that cannot do it is passed over with the reason, and nobody left says so', async () => {
    const small = scripted({ id: 'small', capabilities: { tools: false, maxOutputTokens: 10, contextWindow: 20, jsonSchema: false, images: false, prefill: false }, answers: 'small' })
    const big = scripted({ id: 'big', answers: 'big' })
    const gateway = new Gateway({ routes: { both: fallback(small, big), small } })
    const needs = [
      [{ tools: [{ name: 't', inputSchema: {} }] }, 'tools'],
      [{ maxOutputTokens: 11 }, 'at most 10 tokens'],
      [{ messages: 'word '.repeat(100) }, 'context window of 20'],
      [{ output: {} }, 'output schema'],
      [{ messages: [{ role: 'user', content: [{ type: 'image', image: 'https://a.example/b.png' }] }] }, 'images'],
    ] as const
    for (const [need, reason] of needs) {
      const request = { messages: 'Hi', ...need } as { messages: string }
      const error = await thrown(() => gateway.chat({ model: 'small', ...request }))
      expect([error.code, error.excluded]).toEqual(['no_candidates', [{ deployment: 'small', reason: expect.stringContaining(reason) as string }]])
      if (!('output' in need)) expect((await gateway.chat({ model: 'both', ...request })).deployment).toBe('big')
    }
  })
})
