import { GatewayError } from '../protocol/errors.js'
import { isObject, tryParseJson, type JsonObject } from '../protocol/json.js'
import type { Schema, StandardResult, StandardSchema } from '../protocol/request.js'

/** A schema as the pipeline uses it. */
export interface OutputSpec {
  readonly jsonSchema: JsonObject
  /** Absent for a raw JSON Schema: then the answer is parsed, not validated. */
  readonly validate?: (value: unknown) => StandardResult<unknown> | Promise<StandardResult<unknown>>
}

/** An answer held against its schema. */
export type Judged = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: string }

const TARGET = 'draft-2020-12'
const MAX_ISSUES = 10

/** Remembers the JSON Schema of each schema object, which is costly to make. */
export class Schemas {
  readonly #known = new WeakMap<object, OutputSpec>()

  resolve(schema: Schema, where: string): OutputSpec {
    if (!isSchemaLike(schema)) throw new GatewayError('invalid_request', `${where} must be a Standard Schema, a JSON Schema object, or { schema, jsonSchema }.`, { origin: 'caller' })
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
    throw new GatewayError('invalid_request', `${where}: the schema has a part that no JSON Schema can say (a transform, a date ...). Give { schema, jsonSchema } with one written by hand.`, { origin: 'caller' })
  }
  throw new GatewayError('invalid_request', `${where}: this ${schema['~standard'].vendor} schema cannot give its JSON Schema. Give { schema, jsonSchema }.`, { origin: 'caller' })
}

const FENCE = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/

/** Parses the text of an answer and holds it against the schema. */
export async function judge(text: string, spec: OutputSpec): Promise<Judged> {
  const trimmed = text.trim()
  const value = tryParseJson(FENCE.exec(trimmed)?.[1] ?? trimmed)
  if (value === undefined) return { ok: false, issues: 'it is not JSON' }
  if (spec.validate === undefined) return { ok: true, value }
  const result = await validated(spec.validate, value)
  if (result.issues === undefined) return { ok: true, value: result.value }
  return { ok: false, issues: result.issues.slice(0, MAX_ISSUES).map(issue => `${pathOf(issue.path)}${issue.message.slice(0, 200)}`).join('; ') }
}

async function validated(validate: NonNullable<OutputSpec['validate']>, value: unknown): Promise<StandardResult<unknown>> {
  try {
    return await validate(value)
  } catch (error) {
    // The same check would fail on every further answer, each of them paid for.
    throw new GatewayError('invalid_request', `"output": the schema failed with a ${error instanceof Error ? error.name : typeof error}. Its validate must return issues and not throw.`, { origin: 'caller' })
  }
}

function pathOf(path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined): string {
  if (path === undefined || path.length === 0) return ''
  return `${path.map(step => String(typeof step === 'object' ? step.key : step)).join('.')}: `
}
