import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { platform as node } from '../../src/platform/node.js'
import { platform as web } from '../../src/platform/web.js'
import { context, httpServer, post, readText } from '../transport/server.js'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

describe.each([['node', node], ['web', web]] as const)('the platform of %s', (name, platform) => {
  it('tells the time of day', () => {
    const now = platform.clock().now()
    expect(Math.abs(now - Date.now())).toBeLessThan(1000)
    expect(platform.clock().now()).toBeGreaterThanOrEqual(now)
  })

  it('does not tell a time that jumps back with the wall clock', () => {
    const now = platform.clock().now()
    vi.spyOn(Date, 'now').mockReturnValue(0)
    expect(platform.clock().now()).toBeGreaterThanOrEqual(now)
    vi.restoreAllMocks()
  })

  it('calls once, when the time has come, unless it was cancelled', () => {
    vi.useFakeTimers()
    const calls: string[] = []
    platform.clock().after(100, () => calls.push('a'))
    platform.clock().after(50, () => calls.push('b')).cancel()
    platform.clock().after(-1, () => calls.push('c'))
    vi.advanceTimersByTime(99)
    expect(calls).toEqual(['c'])
    vi.advanceTimersByTime(1000)
    expect(calls).toEqual(['c', 'a'])
  })

  it('does not call at once for a delay that is too long for the timers', () => {
    vi.useFakeTimers()
    let called = 0
    platform.clock().after(2 ** 31, () => called++)
    platform.clock().after(Infinity, () => called++)
    vi.advanceTimersByTime(2 ** 30)
    expect(called).toBe(0)
  })

  it('defers, draws and reads the environment', async () => {
    const order: string[] = []
    await new Promise<void>(resolve => {
      platform.defer(() => (order.push('later'), resolve()))
      order.push('now')
    })
    expect(order).toEqual(['now', 'later'])
    const draws = Array.from({ length: 100 }, () => platform.random())
    expect(draws.every(draw => draw >= 0 && draw < 1)).toBe(true)
    expect(new Set(draws).size).toBeGreaterThan(90)
    vi.stubEnv('SALLYPORT_PROBE', 'x')
    expect([platform.env('SALLYPORT_PROBE'), platform.env('SALLYPORT_ABSENT')]).toEqual(['x', undefined])
  })

  it('reaches the network', async () => {
    const server = await httpServer((_, response) => response.end('ok'))
    const transport = platform.transport({ env: () => undefined })
    expect(await readText((await transport.send(post(server.url), context())).body)).toBe('ok')
    expect(transport.sockets()).toBe(name === 'node' ? 1 : undefined)
    await transport.close()
    await server.stop()
  })
})

describe('the platform of the web', () => {
  it('works where there is no process, and refuses an agent', () => {
    vi.stubGlobal('process', undefined)
    const value = web.env('HOME')
    vi.unstubAllGlobals()
    expect(value).toBeUndefined()
    expect(() => web.transport({ agent: {}, env: () => undefined })).toThrow(expect.objectContaining({ code: 'invalid_config' }))
  })

  it('loads nothing of Node', () => {
    const seen = new Set<string>()
    const visit = (url: URL) => {
      if (seen.has(url.href)) return
      seen.add(url.href)
      const text = readFileSync(url, 'utf8')
      expect(text, url.pathname).not.toMatch(/from 'node:|\bBuffer\b|\bsetImmediate\b/)
      for (const [, path = ''] of text.matchAll(/^(?:import|export) (?!type)[^']*from '(\.[^']*)\.js'/gm)) visit(new URL(`${path}.ts`, url))
    }
    for (const file of ['platform/web.ts', 'transport/codec.ts', 'transport/answer.ts', 'transport/frames.ts']) visit(new URL(`../../src/${file}`, import.meta.url))
    expect(seen.size).toBeGreaterThan(8)
  })
})
