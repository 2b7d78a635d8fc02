import { GatewayError } from '../protocol/errors.js'
import { isObject, type JsonObject } from '../protocol/json.js'
import type { Schema, StandardResult, StandardSchema } from '../protocol/request.js'

/** A schema as the pipeline uses it. */
export interface OutputSpec {
  readonly jsonSchema: JsonObject
  /** Absent for a raw JSON Schema: then the answer is held against that. */
  readonly validate?: (value: unknown) => StandardResult<unknown> | Promise<StandardResult<unknown>>
}

const TARGET = 'draft-2020-12'

/** Remembers the JSON Schema of each schema object, which is costly to make. */
export class Schemas {
  readonly #known = new WeakMap<object, OutputSpec>()

  resolve(schema: Schema, where: string): OutputSpec {
    if (!isSchemaLike(schema)) throw new GatewayError('invalid_request', `${where} must be a Standard Schema, a JSON Schema object, or { schema, jsonSchema }.`)
    const known = this.#known.get(schema)
    if (known !== undefined) return known
    const spec = resolved(schema, where)
    this.#known.set(schema, spec)
    return spec
  }
}

function isSchemaLike(schema: unknown): schema is object {
  // Some libraries make their schemas functions.
  return (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) || typeof schema === 'function'
}

function isStandard(schema: object): schema is StandardSchema {
  return '~standard' in schema && isObject(schema['~standard']) && typeof schema['~standard']['validate'] === 'function'
}

function resolved(schema: object, where: string): OutputSpec {
  if (isStandard(schema)) {
    const standard = schema['~standard']
    return { jsonSchema: jsonSchemaOf(schema, where), validate: value => standard.validate(value) }
  }
  if ('schema' in schema && 'jsonSchema' in schema && isObject(schema.schema) && isStandard(schema.schema) && isObject(schema.jsonSchema)) {
    const standard = schema.schema['~standard']
    return { jsonSchema: schema.jsonSchema as JsonObject, validate: value => standard.validate(value) }
  }
  return { jsonSchema: schema as JsonObject }
}

function jsonSchemaOf(schema: StandardSchema, where: string): JsonObject {
  const own = schema['~standard'].jsonSchema
  const method: unknown = (schema as { toJsonSchema?: unknown }).toJsonSchema
  try {
    if (own !== undefined) return own.input({ target: TARGET }) as JsonObject
    if (typeof method === 'function') return method.call(schema) as JsonObject
  } catch {
    throw new GatewayError('invalid_request', `${where}: the schema has a part that no JSON Schema can say. Give { schema, jsonSchema }.`)
  }
  throw new GatewayError('invalid_request', `${where}: this ${schema['~standard'].vendor} schema cannot give its JSON Schema. Give { schema, jsonSchema }.`)
}
