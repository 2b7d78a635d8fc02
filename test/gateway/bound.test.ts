import { describe, expect, it } from 'vitest'
import { fallback, Gateway, route, weighted, when } from '../../src/index.js'
import { scripted, seededRandom } from '../../src/testing/index.js'
import { expectNothingLeft } from '../compositions/left-behind.js'
import { all, thrown, witness } from './support.js'

const ASK = { model: 'smart', messages: 'Hi' } as const

function scene() {
  const [vip, plain] = [scripted({ id: 'vip', answers: 'vip' }), scripted({ id: 'plain', answers: 'plain' })]
  const seen = witness()
  const gateway = new Gateway({ plugins: [seen], random: seededRandom(1), routes: { smart: route(when({ tags: 'vip' }, vip), plain), drawn: weighted([vip, 1], [plain, 1], { sticky: 'conversation' }), chain: fallback(vip, plain) } })
  return { gateway, records: seen.records, nothingLeft: () => expectNothingLeft({ gateway, deployments: [vip, plain] }) }
}

describe('a bound gateway', () => {
  it('carries its principal and its conversation into chats, streams and batches', async () => {
    const at = scene()
    const principal = { team: 'search', tags: ['vip'] }
    const ann = at.gateway.as({ principal, conversation: 'c1' })
    expect((await ann.chat(ASK)).deployment).toBe('vip')
    expect((await (await ann.stream(ASK)).result()).deployment).toBe('vip')
    const items = await all(ann.batch([ASK, ASK]))
    expect(items.map(item => (item as { result?: { deployment: string } }).result?.deployment)).toEqual(['vip', 'vip'])
    expect(at.records).toHaveLength(4)
    for (const record of at.records) expect(record).toMatchObject({ principal, conversation: 'c1' })
    await at.nothingLeft()
  })

  it('gives way to what a call says itself', async () => {
    const at = scene()
    const ann = at.gateway.as({ principal: { user: 'ann', tags: ['vip'] }, conversation: 'c1' })
    expect((await ann.chat(ASK, { principal: { user: 'bob' } })).deployment).toBe('plain')
    expect(at.records).toMatchObject([{ principal: { user: 'bob' }, conversation: 'c1' }])
    await at.nothingLeft()
  })

  it('can be bound further, and leaves the one it was made from as it was', async () => {
    const at = scene()
    const team = at.gateway.as({ principal: { team: 'search' } })
    const talk = team.as({ conversation: 'c2' })
    await talk.chat(ASK)
    await team.chat(ASK)
    await at.gateway.chat(ASK)
    expect(at.records.map(({ principal, conversation }) => [principal?.team, conversation])).toEqual([['search', 'c2'], ['search', undefined], [undefined, undefined]])
    await at.nothingLeft()
  })

  it('keeps a sticky conversation on its side', async () => {
    const at = scene()
    const sides = new Map<string, Set<string>>()
    for (let call = 0; call < 40; call++) {
      const conversation = `c${call % 8}`
      const { deployment } = await at.gateway.as({ conversation }).chat({ model: 'drawn', messages: 'Hi' })
      sides.set(conversation, (sides.get(conversation) ?? new Set()).add(deployment))
    }
    expect([...sides.values()].every(({ size }) => size === 1)).toBe(true)
    expect(new Set([...sides.values()].flatMap(side => [...side])).size).toBe(2)
    await at.nothingLeft()
  })

  it('holds nothing: it is closed with its gateway', async () => {
    const at = scene()
    const ann = at.gateway.as({ principal: { user: 'ann' } })
    await ann.chat(ASK)
    await at.gateway.close()
    expect((await thrown(() => ann.chat(ASK))).code).toBe('closed')
    expect((await thrown(() => ann.stream(ASK))).code).toBe('closed')
    await at.nothingLeft()
  })

  it.each([{ user: 1 }, 'ann', { users: 'ann' }, { tags: 'vip' }])('with a principal of %j is refused at the call', async principal => {
    const at = scene()
    expect((await thrown(() => at.gateway.as({ principal } as never).chat(ASK))).code).toBe('invalid_request')
    await at.nothingLeft()
  })
})
