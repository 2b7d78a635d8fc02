import { isObject, MAX_JSON_DEPTH } from '../../protocol/json.js'

// Keywords the strict mode answers with a 400.
const REFUSED = [
  'allOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'patternProperties', 'propertyNames',
  'unevaluatedProperties', 'unevaluatedItems', 'contains', 'prefixItems', 'uniqueItems', 'minProperties', 'maxProperties',
]

function typed(schema: Record<string, unknown>, type: string): boolean {
  return schema['type'] === type || (Array.isArray(schema['type']) && schema['type'].includes(type))
}

function closed(schema: Record<string, unknown>): boolean {
  const properties = schema['properties'] ?? {}
  const required = schema['required'] ?? []
  return schema['additionalProperties'] === false && isObject(properties) && Array.isArray(required) && Object.keys(properties).every(key => required.includes(key))
}

function below(schema: Record<string, unknown>): unknown[] {
  const maps = ['properties', '$defs', 'definitions'].flatMap(key => (isObject(schema[key]) ? Object.values(schema[key]) : []))
  return [...maps, ...(Array.isArray(schema['anyOf']) ? schema['anyOf'] : []), ...('items' in schema ? [schema['items']] : [])]
}

function sound(schema: unknown, depth: number): boolean {
  if (depth > MAX_JSON_DEPTH || !isObject(schema) || REFUSED.some(key => key in schema)) return false
  if (!['type', 'enum', 'const', 'anyOf', '$ref'].some(key => key in schema)) return false
  if ((typed(schema, 'object') || 'properties' in schema) && !closed(schema)) return false
  return below(schema).every(child => sound(child, depth + 1))
}

/** True where a JSON Schema may be sent with `strict`: every object closed, every property required, no refused keyword. */
export function allowsStrict(schema: unknown): boolean {
  return isObject(schema) && schema['type'] === 'object' && !('anyOf' in schema) && sound(schema, 0)
}
