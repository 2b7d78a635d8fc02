import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../../src/protocol/json.js'
import { subsetSchema } from '../../../src/providers/gemini/schema.js'
import { faultOf } from './support.js'

const ALLOWED = new Set(['type', 'format', 'title', 'description', 'nullable', 'enum', 'items', 'minItems', 'maxItems', 'properties', 'required', 'propertyOrdering', 'minProperties', 'maxProperties', 'minimum', 'maximum', 'minLength', 'maxLength', 'pattern', 'anyOf'])
const TYPES = new Set(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'OBJECT', 'ARRAY'])

/** What the server would refuse in a schema, and where. */
function refused(schema: Record<string, unknown>, at = '$'): string[] {
  const keys = Object.keys(schema).filter(key => !ALLOWED.has(key)).map(key => `${at}.${key}`)
  const alone = 'anyOf' in schema && Object.keys(schema).length > 1 ? [`${at}: anyOf is not alone`] : []
  const type = 'anyOf' in schema || TYPES.has(String(schema['type'])) ? [] : [`${at}: type ${String(schema['type'])}`]
  const values = Array.isArray(schema['enum']) && (schema['type'] !== 'STRING' || schema['enum'].some(value => typeof value !== 'string' || value === '')) ? [`${at}.enum`] : []
  const items = schema['type'] === 'ARRAY' && schema['items'] === undefined ? [`${at}: no items`] : []
  const properties = (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>
  const required = ((schema['required'] ?? []) as string[]).filter(name => !Object.hasOwn(properties, name)).map(name => `${at}: requires ${name}`)
  const below = [...Object.entries(properties), ...((schema['anyOf'] ?? []) as Record<string, unknown>[]).entries(), ...(schema['items'] === undefined ? [] : [['items', schema['items'] as Record<string, unknown>] as const])]
  return [...keys, ...alone, ...type, ...values, ...items, ...required, ...below.flatMap(([name, inner]) => refused(inner, `${at}/${name}`))]
}

type Schema = Record<string, unknown>
const variantsOf = (schema: Schema) => (schema['anyOf'] ?? []) as Schema[]

function acceptsNumber({ type, minimum, maximum }: Schema, value: number): boolean {
  return (type === 'NUMBER' || Number.isInteger(value)) && value >= Number(minimum ?? -Infinity) && value <= Number(maximum ?? Infinity)
}

function acceptsObject(schema: Schema, value: object): boolean {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>
  const whole = ((schema['required'] ?? []) as string[]).every(name => Object.hasOwn(value, name))
  return whole && Object.entries(value).every(([name, inner]) => !Object.hasOwn(properties, name) || accepts(properties[name] ?? {}, inner))
}

/** Whether a value fits a schema of the subset. */
function accepts(schema: Schema, value: unknown): boolean {
  if (variantsOf(schema).some(each => accepts(each, value))) return true
  if (value === null) return schema['nullable'] === true
  if (Array.isArray(value)) return schema['type'] === 'ARRAY' && value.every(item => accepts(schema['items'] as Schema, item))
  switch (typeof value) {
    case 'string':
      return schema['type'] === 'STRING' && (!Array.isArray(schema['enum']) || schema['enum'].includes(value))
    case 'number':
      return /^(?:NUMBER|INTEGER)$/.test(String(schema['type'])) && acceptsNumber(schema, value)
    case 'boolean':
      return schema['type'] === 'BOOLEAN'
    default:
      return schema['type'] === 'OBJECT' && acceptsObject(schema, value as object)
  }
}

interface Pair { readonly schema: JsonObject; readonly value: Json }
const leaf = fc.oneof(
  fc.string({ minLength: 1 }).map((value): Pair => ({ schema: { type: 'string', format: 'uuid', minLength: 1 }, value })),
  fc.string().map((value): Pair => ({ schema: { const: value }, value })),
  fc.array(fc.string(), { minLength: 1 }).map((values): Pair => ({ schema: { type: 'string', enum: values }, value: values[0] ?? '' })),
  fc.integer().map((value): Pair => ({ schema: { type: 'integer', exclusiveMinimum: value - 1, multipleOf: 1 }, value })),
  fc.integer().map((value): Pair => ({ schema: { enum: [value, 'x', null] }, value })),
  fc.boolean().map((value): Pair => ({ schema: { type: ['boolean', 'null'] }, value: value ? value : null })),
  fc.constant<Pair>({ schema: { $ref: '#/$defs/word' }, value: 'w' }),
  fc.constant<Pair>({ schema: { type: 'object', additionalProperties: { type: 'string' }, patternProperties: { x: {} }, propertyNames: {} }, value: { any: 'x' } }),
)
const NAMES = fc.constantFrom('a', 'b', '__proto__', 'type', 'anyOf', '$ref', 'required')
const { node } = fc.letrec<{ node: Pair }>(tie => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }).map((items): Pair => ({ schema: { type: 'array', prefixItems: items.map(item => item.schema), uniqueItems: true }, value: items.map(item => item.value) })),
    fc.uniqueArray(fc.tuple(NAMES, tie('node')), { selector: ([name]) => name, maxLength: 4 }).map((entries): Pair => ({
      schema: { type: 'object', additionalProperties: false, properties: Object.fromEntries(entries.map(([name, pair]) => [name, pair.schema])), required: entries.map(([name]) => name) },
      value: Object.fromEntries(entries.map(([name, pair]) => [name, pair.value])),
    })),
    fc.tuple(tie('node'), tie('node')).map(([one, other]): Pair => ({ schema: { oneOf: [one.schema, other.schema, { type: 'null' }] }, value: one.value })),
    tie('node').map((pair): Pair => ({ schema: { allOf: [pair.schema, { description: 'more' }] }, value: pair.value })),
  ),
}))

describe('a schema in the subset', () => {
  it('has no keyword the server refuses, and accepts what it accepted (trap 59)', () => {
    fc.assert(
      fc.property(node, ({ schema, value }) => {
        const out = subsetSchema({ ...schema, $schema: 'x', $defs: { word: { type: 'string', minLength: 1 } } }) as Record<string, unknown>
        expect(refused(out)).toEqual([])
        expect(accepts(out, value)).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('writes references out, and ends where a schema holds itself', () => {
    const tree = { $defs: { node: { type: 'object', properties: { next: { $ref: '#/$defs/node' }, name: { $ref: '#/$defs/a~1b' } }, required: ['name'] }, 'a/b': { type: 'string' } }, $ref: '#/$defs/node' } as const
    expect(subsetSchema(tree)).toEqual({ type: 'OBJECT', properties: { next: { type: 'OBJECT' }, name: { type: 'STRING' } }, required: ['name'] })
  })

  it('that grows beyond all measure is refused in words', () => {
    const defs = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`d${i}`, { type: 'object', properties: { a: { $ref: `#/$defs/d${i + 1}` }, b: { $ref: `#/$defs/d${i + 1}` } } }]))
    expect(faultOf(() => subsetSchema({ $defs: defs, $ref: '#/$defs/d0' })).code).toBe('invalid_request')
  })

  it.each<[string, JsonObject, JsonObject]>([
    ['a constant', { const: 'x' }, { type: 'STRING', enum: ['x'] }],
    ['numbers that are listed', { type: 'integer', enum: [1, 2], description: 'How many.' }, { type: 'INTEGER', description: 'How many. One of: 1, 2.' }],
    ['several types', { type: ['string', 'integer', 'null'] }, { anyOf: [{ type: 'STRING', nullable: true }, { type: 'INTEGER' }] }],
    ['an optional member', { anyOf: [{ type: 'string' }, { type: 'null' }], description: 'd' }, { type: 'STRING', description: 'd', nullable: true }],
    ['an unknown format', { type: 'string', format: 'email' }, { type: 'STRING' }],
    ['a known format', { type: 'string', format: 'date-time' }, { type: 'STRING', format: 'date-time' }],
  ])('%s', (_, schema, out) => {
    expect(subsetSchema(schema)).toEqual(out)
  })
})
