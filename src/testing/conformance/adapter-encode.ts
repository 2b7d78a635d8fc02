import type { Adapter, HttpCall, Wire } from '../../protocol/ports.js'
import { Secret } from '../../protocol/secret.js'
import { targetOf, type AdapterFixture } from './adapter-run.js'
import { ensure, equal, failed, frozen, same, show } from './check.js'

type Body = (adapter: Adapter, fixture: AdapterFixture) => void | Promise<void>

const WIRES: readonly Wire[] = ['json', 'stream']
const KEYS = ['sk-conformance-first-8c1f', 'sk-conformance-second-27ab'] as const

/** Everything in a call, as text. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? new TextDecoder().decode(item) : item)) ?? ''
}

function encodes(adapter: Adapter, fixture: AdapterFixture): void {
  const target = targetOf(fixture)
  for (const wire of WIRES) {
    const { call, warnings } = adapter.encode(fixture.request, target, wire)
    ensure(call.method === 'POST' || call.method === 'GET', () => `expected POST or GET, found ${show(call.method)}`)
    equal(new URL(call.url).origin, new URL(target.baseUrl).origin, `the host a ${wire} call goes to, which only the base URL may name`)
    for (const [name, value] of Object.entries(call.headers)) {
      ensure(name === name.toLowerCase(), () => `expected header names in lower case, found ${name}`)
      ensure(typeof value === 'string' && !/[\r\n\0]/.test(value), () => `expected the header ${name} to be one line of text`)
    }
    ensure(Array.isArray(warnings), () => `expected encode() to give a list of warnings, found ${show(warnings)}`)
  }
}

function isPure(adapter: Adapter, fixture: AdapterFixture): void {
  const target = targetOf(fixture)
  const [request, place] = [frozen(fixture.request), frozen(target)]
  for (const wire of WIRES) {
    const first = adapter.encode(fixture.request, target, wire)
    equal(fixture.request, request, `the request after encode() on the ${wire} wire`)
    equal(target, place, `the target after encode() on the ${wire} wire`)
    let second: unknown
    try {
      second = adapter.encode(request, place, wire)
    } catch (error) {
      throw failed('expected encode() to leave its input alone (it was frozen)', error)
    }
    equal(second, first, `a second encode() of the same request on the ${wire} wire`)
  }
}

async function keepsSecrets(adapter: Adapter, fixture: AdapterFixture): Promise<void> {
  const target = targetOf(fixture)
  for (const wire of WIRES) {
    for (const key of KEYS) {
      const before = adapter.encode(fixture.request, target, wire)
      const authorized = await adapter.authorize(before.call, new Secret(key))
      ensure(!textOf([authorized.url, authorized.body]).includes(key), () => 'expected the key in a header only, found it in the URL or in the body')
      const others = KEYS.filter(other => other !== key)
      ensure(!others.some(other => textOf(authorized).includes(other)), () => 'expected no trace of the key of an earlier call')
      ensure(!KEYS.some(any => textOf([before, adapter.encode(fixture.request, target, wire)]).includes(any)), () => 'expected no key in what encode() gives, found one that authorize() was given')
    }
  }
}

async function authorizesPurely(adapter: Adapter, fixture: AdapterFixture): Promise<void> {
  for (const wire of WIRES) {
    const { call } = adapter.encode(fixture.request, targetOf(fixture), wire)
    const before: HttpCall = frozen(call)
    const authorized = await adapter.authorize(call, new Secret(KEYS[0]))
    equal(call, before, 'the call after authorize()')
    try {
      await adapter.authorize(before, new Secret(KEYS[0]))
    } catch (error) {
      throw failed('expected authorize() to leave the call alone (it was frozen)', error)
    }
    equal([authorized.method, authorized.url], [call.method, call.url], 'method and URL of an authorized call')
    ensure(same(authorized.body, call.body), () => 'expected authorize() to leave the body as it is')
    const lost = Object.keys(call.headers).filter(name => !Object.hasOwn(authorized.headers, name))
    equal(lost, [], 'headers that authorize() lost')
  }
}

export const encodeChecks: readonly (readonly [string, Body])[] = [
  ['encode gives a call that can be sent', encodes],
  ['encode is pure', isPure],
  ['no key outside the headers of its own call', keepsSecrets],
  ['authorize adds to a copy', authorizesPurely],
]
