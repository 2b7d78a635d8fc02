import { GatewayError } from '../../protocol/errors.js'
import { isObject, MAX_JSON_DEPTH, type Json, type JsonObject } from '../../protocol/json.js'
import type { Block } from '../common/own.js'

type Fields = Record<string, unknown>

// References written out can grow beyond all measure.
const MOST_NODES = 10_000
const TYPES: ReadonlyMap<string, string> = new Map([['string', 'STRING'], ['number', 'NUMBER'], ['integer', 'INTEGER'], ['boolean', 'BOOLEAN'], ['object', 'OBJECT'], ['array', 'ARRAY']])
const FORMATS: ReadonlySet<unknown> = new Set(['date-time', 'int32', 'int64', 'float', 'double'])
/** What may be said of a value of a type, beside its parts. */
const KEPT: ReadonlyMap<string, readonly string[]> = new Map([
  ['STRING', ['minLength', 'maxLength', 'pattern']],
  ['NUMBER', ['minimum', 'maximum']],
  ['INTEGER', ['minimum', 'maximum']],
  ['OBJECT', ['minProperties', 'maxProperties']],
  ['ARRAY', ['minItems', 'maxItems']],
])

function anything(): Block {
  return { anyOf: [{ type: 'STRING', nullable: true }, { type: 'NUMBER' }, { type: 'BOOLEAN' }, { type: 'OBJECT' }, { type: 'ARRAY', items: { type: 'STRING' } }] }
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function words(value: unknown): string[] {
  return list(value).filter(item => typeof item === 'string')
}

/** Both at once, as far as that can be said; the second has the last word. */
function merged(first: Fields, second: Fields): Fields {
  const properties = isObject(first['properties']) && isObject(second['properties']) ? { properties: { ...first['properties'], ...second['properties'] } } : {}
  const required = [...new Set([...words(first['required']), ...words(second['required'])])]
  return { ...first, ...second, ...properties, ...(required.length > 0 && { required }) }
}

function typeOfValue(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value === 'boolean' ? 'boolean' : Array.isArray(value) ? 'array' : isObject(value) ? 'object' : 'string'
}

function typesOf(schema: Fields): string[] {
  const { type } = schema
  const named = typeof type === 'string' ? [type] : words(type)
  if (named.length > 0) return named.map(name => name.toLowerCase())
  if (isObject(schema['properties']) || schema['required'] !== undefined) return ['object']
  if (schema['items'] !== undefined || schema['prefixItems'] !== undefined) return ['array']
  const values = 'const' in schema ? [schema['const']] : list(schema['enum'])
  return [...new Set(values.filter(value => value !== null).map(typeOfValue))]
}

class Rewriter {
  readonly #root: JsonObject
  readonly #open = new Set<string>()
  #nodes = 0

  constructor(root: JsonObject) {
    this.#root = root
  }

  write(schema: unknown, depth = 0): Block {
    if (++this.#nodes > MOST_NODES || depth > MAX_JSON_DEPTH) throw new GatewayError('invalid_request', 'The schema is too large or too deep once its references are written out. Make it smaller, or use a newer model.')
    if (!isObject(schema)) return anything()
    const ref = schema['$ref']
    if (typeof ref === 'string') return this.#reference(ref, schema, depth)
    if (Array.isArray(schema['allOf'])) return this.#all(schema, depth)
    const variants = [...list(schema['anyOf']), ...list(schema['oneOf'])]
    return variants.length > 0 ? this.#variants(schema, variants, depth) : this.#plain(schema, depth)
  }

  #reference(ref: string, { $ref: _, ...rest }: Fields, depth: number): Block {
    const found = this.#find(ref)
    if (found === undefined) return this.write(rest, depth + 1)
    // A schema that holds itself ends here: what is below may be anything.
    if (this.#open.has(ref)) return cut(found)
    this.#open.add(ref)
    const out = this.write(merged(found, rest), depth + 1)
    this.#open.delete(ref)
    return out
  }

  #find(ref: string): Fields | undefined {
    if (!ref.startsWith('#')) return undefined
    let found: unknown = this.#root
    for (const step of ref.slice(1).split('/').slice(1)) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
      if (!(isObject(found) || Array.isArray(found)) || !Object.hasOwn(found, key)) return undefined
      found = (found as Fields)[key]
    }
    return isObject(found) ? found : undefined
  }

  /** References inside are taken in first, so that their properties join the others. */
  #all({ allOf, ...rest }: Fields, depth: number): Block {
    let all: Fields = rest
    for (const part of list(allOf)) {
      if (!isObject(part)) continue
      const { $ref: ref, ...own } = part
      const found = typeof ref === 'string' && !this.#open.has(ref) ? this.#find(ref) : undefined
      all = merged(found === undefined ? own : merged(found, own), all)
    }
    return this.write(all, depth + 1)
  }

  #variants({ anyOf: _, oneOf: __, ...base }: Fields, variants: readonly unknown[], depth: number): Block {
    const written = variants.filter(variant => !isNull(variant)).map(variant => this.write(isObject(variant) ? merged(base, variant) : base, depth + 1))
    const flat = written.flatMap(block => (Array.isArray(block['anyOf']) ? (block['anyOf'] as Block[]) : [block]))
    return joined(flat, variants.some(isNull))
  }

  #plain(schema: Fields, depth: number): Block {
    const types = typesOf(schema)
    const values = 'const' in schema ? [schema['const']] : list(schema['enum'])
    const nullable = types.includes('null') || schema['nullable'] === true || values.includes(null)
    const named = types.flatMap(type => TYPES.get(type) ?? [])
    if (named.length === 0 && types.length === 0) return anything()
    return joined(named.map(type => this.#typed(type, schema, depth)), nullable)
  }

  #typed(type: string, schema: Fields, depth: number): Block {
    const out: Block = { type }
    for (const key of ['title', 'description']) if (typeof schema[key] === 'string') out[key] = schema[key]
    for (const key of KEPT.get(type) ?? []) if (typeof schema[key] === (key === 'pattern' ? 'string' : 'number')) out[key] = schema[key] as Json
    if (FORMATS.has(schema['format']) && (schema['format'] === 'date-time') === (type === 'STRING')) out['format'] = schema['format'] as Json
    if (type === 'NUMBER' || type === 'INTEGER') bounds(out, schema)
    oneOf(out, schema)
    if (type === 'OBJECT') this.#object(out, schema, depth)
    else if (type === 'ARRAY') this.#array(out, schema, depth)
    return out
  }

  #object(out: Block, schema: Fields, depth: number): void {
    const names = isObject(schema['properties']) ? Object.keys(schema['properties']) : []
    if (names.length === 0) return
    const properties = schema['properties'] as Fields
    // Entries, for a property may have any name.
    out['properties'] = Object.fromEntries(names.map(name => [name, this.write(properties[name], depth + 1)]))
    const known = new Set(names)
    for (const key of ['required', 'propertyOrdering']) {
      const found = words(schema[key]).filter(name => known.has(name))
      if (found.length > 0) out[key] = found
    }
  }

  #array(out: Block, schema: Fields, depth: number): void {
    const { items, prefixItems } = schema
    const each = [...list(prefixItems), ...(Array.isArray(items) ? (items as unknown[]) : isObject(items) ? [items] : [])]
    const written = each.map(item => this.write(item, depth + 1)).flatMap(block => (Array.isArray(block['anyOf']) ? (block['anyOf'] as Block[]) : [block]))
    out['items'] = written.length === 0 ? anything() : joined(written, false)
  }
}

function isNull(schema: unknown): boolean {
  return isObject(schema) && (schema['type'] === 'null' || schema['const'] === null)
}

/** The type of a schema alone. */
function cut(schema: Fields): Block {
  const type = TYPES.get(typesOf(schema)[0] ?? '')
  return type === undefined ? anything() : type === 'ARRAY' ? { type, items: anything() } : { type }
}

/** `anyOf` must stand alone, so that a null goes into one of its members. */
function joined(blocks: readonly Block[], nullable: boolean): Block {
  const [first = { type: 'STRING' }, ...more] = blocks
  const head: Block = nullable || blocks.length === 0 ? { ...first, nullable: true } : first
  return more.length === 0 ? head : { anyOf: [head, ...more] }
}

function bounds(out: Block, schema: Fields): void {
  for (const [key, exclusive] of [['minimum', 'exclusiveMinimum'], ['maximum', 'exclusiveMaximum']] as const) {
    if (out[key] === undefined && typeof schema[exclusive] === 'number') out[key] = schema[exclusive]
  }
}

/** Only texts may be listed; other values are told in words. */
function oneOf(out: Block, schema: Fields): void {
  const values = ('const' in schema ? [schema['const']] : list(schema['enum'])).filter(value => value !== null)
  if (values.length === 0) return
  const fitting = values.filter(value => TYPES.get(typeOfValue(value)) === out['type'] || (out['type'] === 'NUMBER' && typeof value === 'number'))
  if (fitting.length === 0) return
  if (out['type'] === 'STRING' && !fitting.includes('')) out['enum'] = fitting as Json[]
  else out['description'] = [out['description'], `One of: ${fitting.map(value => JSON.stringify(value)).join(', ')}.`].filter(text => text !== undefined).join(' ')
}

/**
 * The schema in the subset that older models and API versions take: references written out, `const` and `enum` as listed
 * texts, null as `nullable`, and without every keyword they refuse. It accepts at least what the schema did.
 */
export function subsetSchema(schema: JsonObject): JsonObject {
  return new Rewriter(schema).write(schema)
}
