import { format, inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Secret } from '../../src/protocol/secret.js'

it('a secret prints as nothing but [secret], whichever way it is printed', () => {
  const key = 'sk-very-secret'
  const secret = new Secret(key)
  const held = { deep: [secret], map: new Map([['k', secret]]) }
  const texts = [`${secret}`, String(secret), '' + (secret as unknown as string), JSON.stringify(secret), JSON.stringify(held), inspect(secret), inspect(held, { depth: 9, showHidden: true }), format('%s %o %j', secret, secret, secret), JSON.stringify(Object.entries(secret)), JSON.stringify({ ...secret })]
  for (const text of texts) expect(text).not.toContain('very')
  expect(texts[0]).toBe('[secret]')
  expect(inspect(secret)).toBe('[secret]')
  expect(Reflect.ownKeys(secret)).toEqual([])
  expect(secret.reveal()).toBe(key)
})

it('a copy of a secret holds nothing', () => {
  const secret = new Secret('sk-very-secret')
  expect(JSON.stringify(structuredClone(secret))).not.toContain('very')
  expect((Object.create(Secret.prototype) as Secret).reveal()).toBe('')
})
