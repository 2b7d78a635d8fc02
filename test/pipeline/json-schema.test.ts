import * as z from 'zod'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkJson } from '../../src/pipeline/json-schema.js'

const words = (value: unknown, schema: unknown): string[] => checkJson(value, schema).map(({ message, path = [] }) => `${path.join('.')}: ${message}`)
const person = { type: 'object', properties: { name: { type: 'string', minLength: 2 }, age: { type: 'integer', minimum: 0 } }, required: ['name'], additionalProperties: false }

describe('a value that is held against a JSON Schema', () => {
  it.each<[unknown, unknown]>([
    [{ name: 'Ada', age: 36 }, person],
    [5, true],
    [5, { type: ['string', 'number'] }],
    [null, { type: 'string', nullable: true }],
    [1.1, { multipleOf: 0.1 }],
    ['😀😀', { maxLength: 2 }],
    [[1, 'a', true], { prefixItems: [{ type: 'number' }, { type: 'string' }], items: { type: 'boolean' } }],
    [[1, 'a'], { items: [{ type: 'number' }, { type: 'string' }] }],
    [{ a: { b: 1 } }, { enum: [{ a: { b: 1 } }] }],
    [{ v: { v: {} } }, { $defs: { n: { type: 'object', properties: { v: { $ref: '#/$defs/n' } } } }, $ref: '#/$defs/n' }],
    [{ 'a/b': 1 }, { properties: { 'a/b': { $ref: '#/$defs/x~1y' } }, $defs: { 'x/y': { type: 'number' } } }],
    [3, { if: { type: 'number' }, then: { minimum: 3 }, else: false }],
    ['x', { format: 'email', unknownWord: 5, pattern: '(' }],
    ['x', { $ref: 'https://example.test/schema' }],
    [{}, { properties: 5, required: 'x', type: undefined, allOf: 3, items: 'y' }],
    [[1, 2], { contains: { const: 2 } }],
    [{ a: 'x' }, { type: 'OBJECT', properties: { a: { type: 'any' } } }],
  ])('%# fits', (value, schema) => {
    expect(words(value, schema)).toEqual([])
  })

  it.each<[unknown, unknown, string]>([
    [{ age: 1 }, person, 'name: is missing'],
    [{ name: 'A' }, person, 'name: must have at least 2 characters'],
    [{ name: 'Ada', age: -1 }, person, 'age: must be at least 0'],
    [{ name: 'Ada', age: 1.5 }, person, 'age: must be integer, not number'],
    [{ name: 'Ada', more: 1 }, person, ': has a property that is not allowed'],
    ['5', { type: ['number', 'null'] }, ': must be number or null, not string'],
    [{ a: ['x', 5] }, { properties: { a: { items: { type: 'string' } } } }, 'a.1: must be string, not number'],
    [{ x: 1 }, { additionalProperties: { type: 'string' } }, '*: must be string, not number'],
    [[1, 1], { uniqueItems: true }, ': must hold no item twice'],
    [[1], { contains: { const: 2 } }, ': has the wrong number of items of one kind'],
    ['c', { enum: ['a', 'b'] }, ': must be one of ["a","b"]'],
    [1, { const: 2 }, ': must be 2'],
    [1, { anyOf: [{ type: 'string' }, { minimum: 2 }] }, ': fits none of the schemas of anyOf'],
    [5, { oneOf: [{ type: 'number' }, { minimum: 2 }] }, ': fits more than one schema of oneOf'],
    ['x', { not: { type: 'string' } }, ': must not be so'],
    [2, { if: { type: 'number' }, then: { minimum: 3 } }, ': must be at least 3'],
    [5, { exclusiveMaximum: 5 }, ': must be less than 5'],
    [5, { multipleOf: 2 }, ': must be a multiple of 2'],
    ['ab', { pattern: '^a$' }, ': must match ^a$'],
    [5, { allOf: [{ type: 'number' }, false] }, ': nothing is allowed here'],
    [{ a: 1 }, { dependentRequired: { a: ['b'] } }, 'b: is missing'],
    [{ long: 1 }, { propertyNames: { maxLength: 2 } }, ': has a property with a name that is not allowed'],
    [{ x1: 'a' }, { patternProperties: { '^x': { type: 'number' } }, additionalProperties: false }, '*: must be number, not string'],
    [JSON.parse('{"__proto__":1}'), { additionalProperties: false }, ': has a property that is not allowed'],
    [{}, { required: ['constructor'] }, 'constructor: is missing'],
  ])('%# does not, and it is said where and why', (value, schema, says) => {
    expect(words(value, schema)).toEqual([says])
  })

  it('ends where the schema goes round or branches without end, and then counts as wrong', () => {
    expect(words(1, { $ref: '#' })).toHaveLength(1)
    expect(words(1, { not: { $ref: '#' } })).toHaveLength(1)
    const branch = { type: 'object', properties: { a: { $ref: '#' } } }
    const tree = { anyOf: [branch, branch, { const: 1 }] }
    let value: unknown = 2
    for (let depth = 0; depth < 150; depth++) value = { a: value }
    expect(words(value, tree)).toEqual([expect.stringContaining('branches too often')])
  })

  it('says at most ten things, and nothing of the answer but the names the schema has', () => {
    const issues = words({ secretName: 'secret value', list: Array.from({ length: 99 }, () => 'secret value') }, { properties: { list: { items: { type: 'number' } } }, additionalProperties: { type: 'number' } })
    expect(issues.length).toBeLessThanOrEqual(10)
    expect(issues.join()).not.toMatch(/secret/)
  })

  it('agrees with zod on shapes that both can say', () => {
    const schema = z.object({ a: z.string().min(2).optional(), b: z.array(z.number().int().max(9)).max(2), c: z.union([z.literal('x'), z.boolean(), z.null()]) }).strict()
    const json = z.toJSONSchema(schema)
    const leaf = fc.constantFrom<unknown>('', 'xy', 'x', 1, 9, 10, 1.5, true, null)
    const value = fc.record({ a: leaf, b: fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), c: leaf, d: leaf }, { requiredKeys: [] })
    fc.assert(fc.property(value, given => void expect(checkJson(given, json).length === 0).toBe(schema.safeParse(given).success)), { numRuns: 2_000 })
  })
})
