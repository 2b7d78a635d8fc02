import { afterEach, expect, test } from 'vitest'
import { Gateway } from '../../src/index.js'
import { ask, deployment } from './money-scene.js'

const { DateTimeFormat } = Intl
let made = 0

afterEach(() => void (Intl.DateTimeFormat = DateTimeFormat))

test('the clock of a zone is made after the first answer: neither that one nor the next call waits for it', async () => {
  made = 0
  Intl.DateTimeFormat = class extends DateTimeFormat {
    constructor(...given: ConstructorParameters<typeof DateTimeFormat>) {
      super(...given)
      made++
    }
  } as typeof DateTimeFormat
  const gateway = new Gateway({ routes: { smart: deployment('a'), cheap: deployment('b') }, budgets: [{ of: { team: '*' }, usd: 1, window: 'month', zone: 'Europe/Berlin' }] })
  const who = { principal: { team: 'search' } }
  await gateway.chat(ask(), who)
  expect(made).toBe(0)
  await new Promise(resolve => setImmediate(resolve))
  expect(made).toBe(1)
  await gateway.chat(ask(), who)
  await gateway.chat(ask(), { principal: { team: 'sales' } })
  expect(made).toBe(1)
  await gateway.close()
})

test('a zone that does not exist is refused at construction all the same', () => {
  expect(() => new Gateway({ routes: { smart: deployment('a') }, budgets: [{ of: {}, usd: 1, zone: 'Europe/Berlinn' }] })).toThrow(expect.objectContaining({ code: 'invalid_config', message: expect.stringContaining('Europe/Berlin') }))
})
