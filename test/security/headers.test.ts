import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Gateway, type GatewayOptions } from 'sallyport'
import { thrown } from '../gateway/support.js'
import { KEY, OWN } from './deployments.js'
import { json, Played } from './server.js'

let home: Played
beforeAll(async () => void (home = await Played.start()))
afterAll(() => home.stop())
beforeEach(() => void (home.arrived.length = 0))

const rows = OWN.map(row => [row.name, row] as const)
const open = (deployment: ReturnType<(typeof OWN)[number]['make']>): Gateway => new Gateway({ routes: { smart: deployment }, retry: { attempts: 1 } } as GatewayOptions)
const ASK = { model: 'smart', messages: 'Hi' } as never

const BROKEN: readonly (readonly [string, Record<string, unknown>])[] = [
  ...['a\r\nx-injected: 1', 'a\nx', 'a\rx', 'a\0x'].map(value => [`the value ${JSON.stringify(value)}`, { 'x-own': value }] as const),
  ...['x own', 'x-own:', 'x\r\ny', 'x\0', '', 'ü', 'x(y)', '"x"'].map(name => [`the name ${JSON.stringify(name)}`, { [name]: 'v' }] as const),
  ['a value that is no text', { 'x-own': 5 }],
  ['a list', { 'x-own': ['a', 'b'] }],
]
const TAKEN = ['authorization', 'Authorization', 'proxy-authorization', 'host', 'HOST', 'content-length', 'transfer-encoding', 'connection', 'cookie', 'x-api-key', 'api-key', 'x-goog-api-key']

describe.each(rows)('a header for %s', (_name, row) => {
  it.each([...BROKEN, ...TAKEN.map(name => [name, { [name]: 'v' }] as const)])('with %s is refused, for a call and for a deployment, and nothing is sent', async (_what, headers) => {
    const gateway = open(row.make(home.url, KEY))
    for (const way of ['chat', 'stream'] as const) expect((await thrown(() => gateway[way](ASK, { headers: headers as never }))).code).toBe('invalid_request')
    expect((await thrown(() => row.make(home.url, KEY, { headers: headers as never }))).code).toBe('invalid_config')
    await gateway.close()
    expect(home.arrived).toEqual([])
  })

  it('of the caller goes along; the key is in one header, the host and the length are ours', async () => {
    home.reply = (_, response) => json(response, 200, row.answer('Hello'))
    const gateway = open(row.make(home.url, KEY, { headers: { 'x-fixed': '1' } }))
    await gateway.chat(ASK, { headers: { 'x-own': 'ü'.normalize('NFD').replace(/[^ -~]/g, ''), 'x-amz-date': '20000101T000000Z', 'x-amz-security-token': 'theirs' } })
    await gateway.close()
    const [sent] = home.arrived
    const names = (sent?.raw ?? []).filter((_, at) => at % 2 === 0).map(name => name.toLowerCase())
    expect(new Set(names).size).toBe(names.length)
    expect(sent?.headers).toMatchObject({ 'x-fixed': '1', 'x-own': 'u', host: new URL(home.url).host, 'content-length': String(Buffer.byteLength(sent?.body ?? '')) })
    expect(Object.values(sent?.headers ?? {}).filter(value => String(value).includes(KEY))).toHaveLength(row.name === 'bedrock, signed' ? 0 : 1)
    expect([sent?.url.includes(KEY), sent?.body.includes(KEY)]).toEqual([false, false])
  })

  it.each([`${KEY}\r\nx-injected: 1`, `${KEY}\nx`, `${KEY}\0`])('is not made of a key that holds a line break (%#)', async key => {
    let gateway: Gateway | undefined
    try {
      gateway = open(row.make(home.url, key))
    } catch (error) {
      expect([(error as { code?: string }).code, String(error).includes(KEY)]).toEqual(['invalid_config', false])
      return
    }
    // A key that a function gives is seen when it is asked for.
    const error = await thrown(() => (gateway as Gateway).chat(ASK))
    expect(JSON.stringify(error)).not.toContain(KEY)
    await gateway.close()
    for (const { headers } of home.arrived) expect(headers['x-injected']).toBeUndefined()
  })
})
