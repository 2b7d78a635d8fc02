import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/protocol/errors.js'
import { isObject, MAX_JSON_DEPTH, numberAt, parseJson, stringAt, tryParseJson } from '../../src/protocol/json.js'
import { nearest, quoted, refuseUnknownKeys } from '../../src/protocol/suggest.js'

const nested = (depth: number, open = '[', close = ']') => open.repeat(depth) + close.repeat(depth)

describe('parseJson', () => {
  it('gives what the engine gives, for anything of a sane depth', () => {
    fc.assert(fc.property(fc.json({ maxDepth: 8 }), text => void expect(parseJson(text)).toEqual(JSON.parse(text))))
  })

  it('refuses what is nested deeper than anybody means', () => {
    expect(parseJson(nested(MAX_JSON_DEPTH))).toBeInstanceOf(Array)
    for (const text of [nested(MAX_JSON_DEPTH + 1), nested(100_000), `${' '.repeat(500)}${nested(MAX_JSON_DEPTH + 1)}`, '{"a":'.repeat(300) + '1' + '}'.repeat(300)]) {
      expect(() => parseJson(text)).toThrow(GatewayError)
      expect(tryParseJson(text)).toBeUndefined()
    }
  })

  it('does not take brackets in a text for depth, nor is it fooled by an escaped quote', () => {
    const text = JSON.stringify({ a: '['.repeat(1000), b: `"${'{'.repeat(1000)}\\`, c: [] })
    expect(parseJson(text)).toEqual(JSON.parse(text))
    expect(() => parseJson(`{"a":"\\"","b":${nested(MAX_JSON_DEPTH + 1)}}`)).toThrow('deeper')
  })

  it('a key named __proto__ stays a key', () => {
    const parsed = parseJson('{"__proto__":{"polluted":true}}') as Record<string, unknown>
    expect(Object.hasOwn(parsed, '__proto__')).toBe(true)
    expect(parsed['polluted']).toBeUndefined()
  })

  it('reads fields of anything without failing', () => {
    fc.assert(
      fc.property(fc.anything(), fc.string(), (value, key) => {
        const text = stringAt(value, key)
        const number = numberAt(value, key)
        expect(text === undefined || (isObject(value) && text !== '')).toBe(true)
        expect(number === undefined || Number.isFinite(number)).toBe(true)
      }),
    )
  })
})

describe('suggestions', () => {
  const known = ['maxOutputTokens', 'temperature', 'topP', 'tools', 'stop']

  it.each([
    ['maxOutputToken', 'maxOutputTokens'],
    ['max_output_tokens', 'maxOutputTokens'],
    ['TEMPERATURE', 'temperature'],
    ['tempreature', 'temperature'],
    ['top_p', 'topP'],
    ['tool', 'tools'],
    ['quantum', undefined],
  ])('%j means %j', (name, meant) => {
    expect(nearest(name, known)).toBe(meant)
  })

  it('a known name is its own nearest, whatever stands before it', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 8 }), fc.nat(), (names, at) => void expect(nearest(names[at % names.length] ?? '', names)).toBe(names[at % names.length])))
  })

  it('a name of a megabyte costs no time and stays off the screen', () => {
    const startedMs = performance.now()
    nearest('x'.repeat(1e6), known)
    expect(quoted('x'.repeat(1e6)).length).toBeLessThan(100)
    expect(performance.now() - startedMs).toBeLessThan(200)
  })

  it('a name with line breaks stays on one line', () => {
    expect(quoted('a\nb\u0000"c"')).toBe('"a\\nb\\u0000\\"c\\""')
  })

  it('names of the prototype are unknown like any other', () => {
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const value = JSON.parse(`{${JSON.stringify(key)}:1}`) as object
      expect(() => refuseUnknownKeys(value, new Set(known), 'It')).toThrow(`It has no option "${key}"`)
    }
    expect(() => refuseUnknownKeys({ tools: 1 }, new Set(known), 'It')).not.toThrow()
  })
})
