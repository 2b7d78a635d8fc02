import { isObject, MAX_JSON_DEPTH, type Json, type JsonObject } from '../../protocol/json.js'

// Below these, keys are names of properties or definitions, not keywords.
const NAMED = new Set(['properties', '$defs', 'definitions', 'patternProperties', 'dependentSchemas'])
// Below these lie values, which are no schemas.
const VALUES = new Set(['const', 'enum', 'default', 'examples', 'required'])

function close(value: Json | undefined, depth: number, named: boolean): Json | undefined {
  if (depth > MAX_JSON_DEPTH) return value
  if (Array.isArray(value)) return value.map(item => close(item as Json, depth + 1, false) ?? null)
  if (!isObject(value)) return value
  const entries = Object.entries(value as JsonObject).map(([key, inner]) => [key, !named && VALUES.has(key) ? inner : close(inner, depth + 1, !named && NAMED.has(key))] as const)
  const object = !named && (value['type'] === 'object' || isObject(value['properties']))
  return Object.fromEntries(object && value['additionalProperties'] === undefined ? [...entries, ['additionalProperties', false]] : entries)
}

/** The schema with `additionalProperties: false` on every object that says nothing of it: the dialect refuses it otherwise. */
export function closedSchema(schema: JsonObject): JsonObject {
  return close(schema, 0, false) as JsonObject
}
