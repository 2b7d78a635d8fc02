import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Gateway } from '../../src/index.js'
import { auditLog } from '../../src/plugins/audit.js'
import { scripted, verifyAudit } from '../../src/testing/index.js'
import { deployment, NANOS, PRICE } from './money-scene.js'
import { KEY, thrown } from './support.js'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-audited-'))
  path = join(folder, 'audit.jsonl')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

type Entry = { readonly kind: string; readonly data?: { readonly [key: string]: unknown } } & { readonly [key: string]: unknown }
const text = (): Promise<string> => readFile(path, 'utf8')
const entries = async (): Promise<readonly Entry[]> => (await text()).trimEnd().split('\n').map(line => JSON.parse(line) as Entry)
const PROMPT = 'the prompt that nobody else may read'
const ANSWER = 'the answer that nobody else may read'
const ask = { model: 'smart', messages: PROMPT, maxOutputTokens: 100 } as const
const make = (options: object = {}, log = auditLog(path)) => new Gateway({ routes: { smart: scripted({ id: 'd', price: PRICE, answers: { text: ANSWER, usage: { inputTokens: 10, outputTokens: 5 } } }), cheap: deployment('e') }, audit: log, ...options } as never) as unknown as Gateway

describe('an audit log', () => {
  it('says of each call and each change who, what, by which policy and for how much, in a chain that holds', async () => {
    const gateway = make({ budgets: [{ name: 'team', of: { team: '*' }, usd: 1, window: 'total' }] })
    const { id, secret } = await gateway.keys.create({ team: 'search', user: 'ann', limits: { name: 'own', requestsPerDay: 1 } })
    await gateway.chat(ask as never, { key: secret })
    await thrown(() => gateway.chat(ask as never, { key: secret }))
    await thrown(() => gateway.chat(ask as never, { key: `${secret}x` }))
    const fresh = await gateway.keys.rotate(id)
    await gateway.keys.update(id, { user: 'bob' })
    gateway.setBudgets([{ name: 'other', usd: 5 }])
    gateway.setLimits([{ name: 'calls', requestsPerMinute: 5 }])
    gateway.setCredential('openai', KEY)
    await gateway.keys.revoke(id)
    await gateway.close()
    const all = await entries()
    expect(all.map(({ kind }) => kind)).toEqual(['open', 'change', 'call', 'call', 'call', 'change', 'change', 'change', 'change', 'change', 'change', 'close'])
    const flat = all.map(entry => JSON.stringify(entry))
    const calls = flat.filter((_line, at) => all[at]?.kind === 'call')
    for (const part of ['"team":"search"', '"user":"ann"', `"key":"${id}"`, `"costNanos":${NANOS}`, '"decision":"allowed"']) expect(calls[0]).toContain(part)
    for (const part of ['"code":"limit_exceeded"', '"by":"own"', '"decision":"refused"']) expect(calls[1]).toContain(part)
    expect(calls[2]).toContain('"code":"unauthenticated"')
    const changes = flat.filter((_line, at) => all[at]?.kind === 'change')
    for (const [at, parts] of [['key_created', id], ['key_rotated', id], ['key_updated', '"user"'], ['budgets_set', '"other"'], ['limits_set', '"calls"'], ['credential_set', '"openai"'], ['key_revoked', id]].entries()) {
      for (const part of parts) expect(changes[at]).toContain(part)
    }
    const whole = await text()
    for (const secretText of [secret.slice(-43), fresh.secret.slice(-43), KEY, PROMPT, ANSWER]) expect(whole).not.toContain(secretText)
    expect(await verifyAudit(path)).toMatchObject({ ok: true })
  })

  it('holds prompts and answers only where it is asked to', async () => {
    const gateway = make({}, auditLog(path, { content: true }))
    await gateway.chat(ask as never)
    await gateway.close()
    const whole = await text()
    expect([whole.includes(PROMPT), whole.includes(ANSWER)]).toEqual([true, true])
    expect(await verifyAudit(path)).toMatchObject({ ok: true })
  })

  it('says of a change that was refused nothing', async () => {
    const gateway = make()
    await thrown(() => gateway.setBudgets([{ usd: -1 }]))
    await thrown(() => gateway.setCredential('openai', ''))
    await thrown(() => gateway.keys.create({ budgets: [{ usd: -1 }] }))
    await gateway.close()
    // Nothing was there to open it for.
    const whole = await text().catch(() => '')
    expect(whole).not.toContain('"change"')
  })

  it('of one gateway is not taken by another, and what is none is refused', async () => {
    const log = auditLog(path)
    const gateway = make({}, log)
    expect((await thrown(() => make({}, log))).message).toContain('belongs to another gateway')
    expect((await thrown(() => make({}, { name: 'audit' } as never))).message).toContain('must be auditLog(path)')
    await gateway.close()
  })
})
