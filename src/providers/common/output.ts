import type { JsonObject } from '../../protocol/json.js'

/** What stands in the prompt where a provider takes no schema for its answer. */
export function schemaPrompt(schema: JsonObject): string {
  return `Answer with one JSON object and nothing else. It must match this JSON Schema:\n${JSON.stringify(schema)}`
}
