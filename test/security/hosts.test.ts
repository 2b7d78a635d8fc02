import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { Gateway, openai, type GatewayOptions } from 'sallyport'
import { bedrock } from 'sallyport/bedrock'
import { vertex } from 'sallyport/vertex'
import { thrown } from '../gateway/support.js'
import { KEY, OWN } from './deployments.js'
import { json, Played } from './server.js'

let home: Played
let other: Played
beforeAll(async () => {
  ;[home, other] = await Promise.all([Played.start(), Played.start()])
})
afterAll(() => Promise.all([home.stop(), other.stop()]))
afterEach(() => {
  vi.unstubAllEnvs()
  home.arrived.length = other.arrived.length = 0
})

const rows = OWN.map(row => [row.name, row] as const)
const open = (deployment: ReturnType<(typeof OWN)[number]['make']>, more: Partial<GatewayOptions> = {}) => new Gateway({ routes: { smart: deployment }, retry: { attempts: 1 }, ...more } as GatewayOptions)
const ASK = { model: 'smart', messages: 'Hi' } as never

describe.each(rows)('a key of %s', (_name, row) => {
  it('that is in the environment does not go to another host than its own', async () => {
    for (const name of row.env) vi.stubEnv(name, KEY)
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere')
    home.reply = (_, response) => json(response, 200, row.answer('Hello'))
    try {
      const gateway = open(row.make(home.url, undefined))
      await gateway.chat(ASK).catch(() => undefined)
      await gateway.close()
    } catch (error) {
      // Some say so when they are made.
      expect((error as { code?: string }).code).toBe('invalid_config')
    }
    expect(home.everything).not.toContain(KEY)
  })

  it.each([301, 302, 303, 307, 308])('is not carried on by a redirect (%i), in chats or streams', async status => {
    home.reply = (_, response) => void response.writeHead(status, { location: `${other.url}/v1/taken` }).end()
    const gateway = open(row.make(home.url, KEY))
    for (const way of ['chat', 'stream'] as const) await thrown(() => gateway[way](ASK))
    await gateway.close()
    expect([home.arrived.length, other.arrived.length]).toEqual([2, 0])
  })

  it.each(['@127.0.0.1/x', '../../../x', '//other.test/x', 'models/../../x', 'publishers/../../../x', 'tunedModels/./..', '..', '.', 'x?y=//other.test', 'x#y', 'https://other.test/x', 'x\\..\\..\\y', '%2e%2e/%2e%2e/x', 'a:b@other.test'])('goes to its host whatever the model is called: %s', async model => {
    home.reply = (_, response) => json(response, 200, row.answer('Hello'))
    let gateway: Gateway | undefined
    try {
      gateway = open(row.make(`${home.url}/prefix`, KEY, { model: model.replaceAll('other.test', new URL(other.url).host) }))
    } catch (error) {
      expect((error as { code?: string }).code).toBe('invalid_config')
      return
    }
    await gateway.chat(ASK).catch(() => undefined)
    await gateway.close()
    expect(other.arrived).toEqual([])
    for (const { host, url } of home.arrived) expect([`http://${host}`, url.startsWith('/prefix/'), /\/\.\.?(?:\/|$)/.test(url)]).toEqual([home.url, true, false])
  })

  it('is not sent with an address that holds a name and a password, which is not repeated', async () => {
    const error = await thrown(() => row.make(`http://user:${KEY}@127.0.0.1:9`, 'x'))
    expect([error.code, JSON.stringify(error).includes(KEY)]).toEqual(['invalid_config', false])
  })

  it.each(['file:///etc/hosts', 'ftp://x.test', 'data:text/plain,x', 'javascript:1', 'unix:/run/x', 'not an address', ''])('is not sent to %j', async url => {
    expect((await thrown(() => row.make(url, 'x'))).code).toBe('invalid_config')
  })

  it('stays where it is whatever a request says', async () => {
    home.reply = (_, response) => json(response, 200, row.answer('Hello'))
    const gateway = open(row.make(home.url, KEY))
    const { host } = new URL(other.url)
    const options = { baseUrl: other.url, base_url: other.url, endpoint: other.url, host, url: other.url, baseURL: other.url }
    await gateway.chat({ ...(ASK as object), providerOptions: Object.fromEntries(['openai', 'responses', 'anthropic', 'gemini', 'bedrock', 'cohere', 'ollama'].map(name => [name, options])) } as never).catch(() => undefined)
    await gateway.chat({ ...(ASK as object), model: other.url } as never).catch(() => undefined)
    await gateway.chat(ASK, { headers: { 'x-forwarded-host': host, forwarded: `host=${host}` } }).catch(() => undefined)
    await gateway.close()
    expect(other.arrived).toEqual([])
    expect(home.arrived.length).toBeGreaterThan(0)
  })
})

it('credentials of this machine are for the hosts of their maker alone', async () => {
  expect((await thrown(() => vertex('gemini-2.5-pro', { baseUrl: home.url }))).code).toBe('invalid_config')
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, KEY)
  const gateway = open(bedrock('m', { region: 'us-east-1', baseUrl: home.url }))
  expect((await thrown(() => gateway.chat(ASK))).code).toBe('no_candidates')
  expect(home.arrived).toEqual([])
})

it('an answer cannot make the gateway fetch anything', async () => {
  home.reply = (_, response) => json(response, 200, { id: 'c', model: 'm', choices: [{ index: 0, message: { role: 'assistant', content: `![x](${other.url}/pixel)`, images: [{ image_url: { url: `${other.url}/image` } }], annotations: [{ type: 'url_citation', url_citation: { url: `${other.url}/cited` } }] }, finish_reason: 'stop' }], usage: {} })
  const gateway = open(openai('gpt-4.1', { baseUrl: home.url, apiKey: KEY }))
  const { message } = await gateway.chat(ASK)
  home.reply = (_, response) => json(response, 200, OWN[0]?.answer('ok'))
  await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: [{ type: 'image', image: `${other.url}/asked` }] }, message, { role: 'user', content: 'And?' }] } as never)
  await gateway.close()
  expect(other.arrived).toEqual([])
})
