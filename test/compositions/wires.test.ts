import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { fallback, Gateway } from '../../src/index.js'
import { countedClock, expectNothingLeft } from './left-behind.js'
import { chunk, data, rawServer, say, sseHead, STOP, type RawServer } from './raw.js'
import { ASK, deploymentAt, failure, once, ORDERS, provider, restarts, TEXT, THREE, wired } from './support.js'

describe.each(ORDERS)('%s first, %s behind it', (...order) => {
  describe.each(THREE)('%s', way => {
    it.each(['errorEvent', 'jsonError200', 'html200'] as const)('a status of 200 does not hide a failure (%s)', async fault => {
      const scene = await wired(order, fault)
      const seen = await scene.go(way)
      expect([seen.text, seen.result?.deployment, restarts(seen)]).toEqual([TEXT, 'backup', 0])
      expect(scene.primary.requests.length).toBeLessThanOrEqual(3)
      expect(seen.result?.cost.estimated).toBe(false)
      await scene.nothingLeft()
    })

    it('an answer on the other wire than the one asked for is an answer', async () => {
      const scene = await wired(order, way === 'chat on JSON' ? 'sseForJson' : 'jsonForStream')
      const seen = await scene.go(way)
      expect([seen.text, seen.result?.deployment]).toEqual([TEXT, 'primary'])
      // A stream that nobody asked for need not bring its usage: then the bill is estimated, never zero.
      const { usage, cost } = seen.result ?? {}
      expect(usage?.outputTokens).toBe(cost?.estimated === true ? undefined : 60)
      expect(cost?.nanos).toBeGreaterThan(0)
      expect([scene.primary.requests.length, scene.backup.requests.length]).toEqual([1, 0])
      await scene.nothingLeft()
    })

    it('an error after the first words is rescued like a cut', async () => {
      const scene = await wired(order, once('errorAfter:20'))
      const seen = await scene.go(way)
      expect(seen.text).toBe(TEXT)
      expect(seen.result?.attempts[0]?.outcome).toBe('failure')
      await scene.nothingLeft()
    })
  })

  it('comments that keep a connection alive are no first event', async () => {
    const scene = await wired(order, { comments: 10, thenFirstAfter: 5_000 }, { options: { deadlines: { firstEventMs: 100 } } })
    const seen = await scene.go('restart')
    expect([seen.text, seen.result?.attempts[0]?.deadline]).toEqual([TEXT, 'first-event'])
    expect(seen.tookMs).toBeLessThan(1_500)
    await scene.nothingLeft()
  })

  it('a key that is refused, or has no money left, is passed over by every later request', async () => {
    for (const refusal of [{ status: 401 }, { status: 402 }]) {
      const dead = (_: number, { headers }: { headers: Record<string, unknown> }) => (`${String(headers['authorization'])}${String(headers['x-api-key'])}`.includes('key-dead') ? refusal : undefined)
      const scene = await wired(order, dead, { primaryOptions: { apiKey: ['key-dead', 'key-live'] } })
      for (let call = 0; call < 6; call++) expect((await scene.go('chat on JSON')).result?.deployment).toBe('primary')
      expect(scene.primary.requests.map(({ credential }) => credential?.reveal())).toEqual(['key-dead', ...Array.from({ length: 6 }, () => 'key-live')])
      expect(scene.backup.requests).toHaveLength(0)
      expect(scene.gateway.health().deployments[0]?.keys).toMatchObject({ total: 2, cooling: 1, inFlight: 0 })
      expect(JSON.stringify([scene.records, scene.gateway.health()])).not.toContain('key-')
      await scene.nothingLeft()
    }
  })

  it('a pool whose keys are all refused falls back, and asks nobody again while they rest', async () => {
    const scene = await wired(order, { status: 401 }, { primaryOptions: { apiKey: ['key-1', 'key-2'] } })
    expect((await scene.go('chat on JSON')).result?.deployment).toBe('backup')
    const second = await scene.go('chat on JSON')
    expect(second.result?.attempts.map(({ outcome, code }) => [outcome, code])).toEqual([['skipped', 'credential_rejected'], ['success', undefined]])
    expect(scene.primary.requests).toHaveLength(2)
    await scene.nothingLeft()
  })
})

/** A lone server that writes `pieces`, each in a packet of its own. */
async function lone(pieces: readonly (string | Uint8Array)[], options: object = {}): Promise<{ server: RawServer; gateway: Gateway; nothingLeft(): Promise<void> }> {
  const server = await rawServer(async (res: ServerResponse) => {
    sseHead(res)
    for (const piece of pieces) {
      res.write(piece)
      await sleep(3)
    }
    res.end()
  })
  const clock = countedClock()
  const backup = await provider({ dialect: 'openai', words: 'the backup answered' })
  const gateway = new Gateway({ clock, random: () => 0.001, chatWire: 'stream', ...options, routes: { stream: fallback(deploymentAt(server, 'openai', 'raw'), deploymentAt(backup, 'openai', 'backup')) } }) as unknown as Gateway
  return { server, gateway, nothingLeft: () => expectNothingLeft({ gateway, clock, providers: [server, backup] }) }
}

const REQUEST = { model: 'stream', messages: ASK }
const whole = [say('one '), say('two'), STOP]
const FRAMINGS: readonly (readonly [string, readonly (string | Uint8Array)[]])[] = [
  ['CRLF', whole.map(text => `data: ${text}\r\n\r\n`)],
  ['lone CR', whole.map(text => `data: ${text}\r\r`)],
  ['CRLF split between its two halves', whole.flatMap(text => [`data: ${text}\r`, '\n\r', '\n'])],
  ['a byte order mark', ['\uFEFF', ...whole.map(data)]],
  ['comments between', [': hello\n\n', ...whole.flatMap(text => [data(text), ': still here\n', ':\n\n'])]],
  ['several data lines in one event', whole.map(text => `data: ${text.slice(0, 1)}\ndata: ${text.slice(1)}\n\n`)],
  ['no blank after the colon', whole.map(text => `data:${text}\n\n`)],
  ['a last event without a blank line', [data(say('one ')), data(say('two')), `data: ${STOP}`]],
  ['everything in one packet', [whole.map(data).join('')]],
  ['a byte in each packet', [...whole.slice(0, 1).map(data), ...[...new TextEncoder().encode(data(say('two')))].map(byte => Uint8Array.of(byte)), data(STOP)]],
]

describe('framings of an event stream', () => {
  it.each(FRAMINGS)('%s is read as it was meant', async (_name, pieces) => {
    const scene = await lone(pieces)
    const result = await scene.gateway.chat(REQUEST)
    expect([result.text, result.deployment, result.finishReason]).toEqual(['one two', 'raw', 'stop'])
    await scene.nothingLeft()
  })

  it('a character that is split over packets is not garbled', async () => {
    const bytes = new TextEncoder().encode(data(say('Grüße 👋🏽 aus 東京')))
    const scene = await lone([...[...bytes].map(byte => Uint8Array.of(byte)), data(STOP)])
    expect((await scene.gateway.chat(REQUEST)).text).toBe('Grüße 👋🏽 aus 東京')
    await scene.nothingLeft()
  })

  it('an event of a million characters is one event', async () => {
    const long = 'x'.repeat(1_000_000)
    const scene = await lone([data(say(long)), data(STOP)])
    expect((await scene.gateway.chat(REQUEST)).text).toBe(long)
    await scene.nothingLeft()
  })

  it('an event without end is refused within bounds and falls back', async () => {
    const scene = await lone(['data: ', ...Array.from({ length: 20 }, () => 'x'.repeat(1024 * 1024))])
    expect((await scene.gateway.chat(REQUEST)).deployment).toBe('backup')
    await scene.nothingLeft()
  })

  it('comments reset the idle clock: a model that thinks aloud in comments is not cut off', async () => {
    const scene = await lone([data(say('one ')), ...Array.from({ length: 60 }, () => ': thinking\n\n'), data(say('two')), data(STOP)], { deadlines: { idleMs: 100 } })
    const stream = await scene.gateway.stream(REQUEST)
    expect((await stream.result()).text).toBe('one two')
    await scene.nothingLeft()
  })

  it('silence without comments is cut off at the same place', async () => {
    const server = await rawServer(res => {
      sseHead(res)
      res.write(data(say('one ')))
    })
    const clock = countedClock()
    const gateway = new Gateway({ clock, deadlines: { idleMs: 60 }, routes: { stream: deploymentAt(server, 'openai', 'raw') } })
    const stream = await gateway.stream(REQUEST as { model: 'stream'; messages: string })
    expect((await failure(stream.result())).deadline).toBe('idle')
    await expectNothingLeft({ gateway, clock, providers: [server] })
  })
})

describe('half a tool call on the wire', () => {
  const open = chunk({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'pay', arguments: '{"cents":' } }] })

  it('a broken frame inside its arguments is a fault, not a skipped frame', async () => {
    const scene = await lone([open, '{"choi', chunk({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }), chunk({}, 'tool_calls')].map(data))
    const stream = await scene.gateway.stream(REQUEST)
    const error = await failure(stream.result())
    expect([error.code, error.partial?.toolCalls]).toEqual(['malformed_response', []])
    await scene.nothingLeft()
  })

  it('arguments that a length limit cut are no call', async () => {
    const scene = await lone([open, chunk({}, 'length')].map(data))
    const result = await scene.gateway.chat(REQUEST)
    expect([result.finishReason, result.toolCalls]).toEqual(['length', []])
    await scene.nothingLeft()
  })
})
