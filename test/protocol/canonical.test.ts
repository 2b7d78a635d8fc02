import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonical } from '../../src/protocol/canonical.js'
import { GatewayError } from '../../src/protocol/errors.js'

/** The same value with the keys of every object in another order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(value).reverse()) out[key] = reversed((value as Record<string, unknown>)[key])
  return out
}

const refusal = (value: unknown): unknown => {
  try {
    return canonical(value)
  } catch (error) {
    return error
  }
}

describe('equal values are equal texts', () => {
  test('whatever the order of the keys', () => {
    fc.assert(fc.property(fc.jsonValue(), value => void expect(canonical(reversed(value))).toBe(canonical(value))))
  })

  test('and for plain JSON the text says the value', () => {
    fc.assert(fc.property(fc.jsonValue(), value => void expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))))
  })

  test('what JSON leaves out is left out, -0 is 0', () => {
    expect(canonical({ b: undefined, a: [undefined, -0, NaN], c: () => 1, d: Symbol('x') })).toBe('{"a":[null,0,null]}')
    expect(canonical(undefined)).toBe('null')
    expect(canonical({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
  })
})

describe('unlike values are unlike texts', () => {
  test('for any two JSON values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)))
        expect(canonical(a) === canonical(b)).toBe(same)
      }),
    )
  })

  test('bytes, a URL, and the texts that look like them', () => {
    const bytes = new Uint8Array([1, 2, 3])
    const texts = [bytes, new Uint8Array([1, 2, 4]), 'AQID', 'b"AQID"', { 0: 1, 1: 2, 2: 3 }, [1, 2, 3], new URL('https://x.test/a'), 'https://x.test/a', 'u"https://x.test/a"'].map(value => canonical([value]))
    expect(new Set(texts).size).toBe(texts.length)
    expect(canonical(Buffer.from(bytes))).toBe(canonical(bytes))
  })

  test('bytes longer than the arguments of a call can be', () => {
    const bytes = Uint8Array.from({ length: 300_001 }, (_, i) => i % 251)
    expect(canonical(bytes)).toBe(`b"${Buffer.from(bytes).toString('base64')}"`)
  })

  test('numbers, texts and booleans in a box', () => {
    expect(canonical([new Number(1), new String('a'), new Boolean(false)])).toBe('[1,"a",false]')
    expect(canonical(new Number(2))).not.toBe(canonical(new Number(1)))
  })

  test('keys that objects treat in their own way', () => {
    expect(canonical(JSON.parse('{"__proto__":{"a":1}}'))).toBe('{"__proto__":{"a":1}}')
    expect(canonical({ '"': 1, '\n': 2 })).toBe('{"\\n":2,"\\"":1}')
  })
})

describe('what has no text is refused', () => {
  test('a cycle, without an endless walk', () => {
    const loop: Record<string, unknown> = { a: 1 }
    loop['self'] = [loop, loop]
    expect(refusal(loop)).toMatchObject({ code: 'invalid_request' })
  })

  test('nesting that would end the stack', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    expect(GatewayError.is(refusal(deep))).toBe(true)
  })

  test('a bigint', () => {
    expect(refusal({ seed: 1n })).toMatchObject({ code: 'invalid_request' })
  })

  test('but an object whose toJSON gives itself is taken, as JSON does', () => {
    const own = { a: 1, toJSON: () => own }
    expect(canonical(own)).toBe('{"a":1}')
    expect(canonical({ x: { toJSON: () => undefined } })).toBe('{}')
  })
})
