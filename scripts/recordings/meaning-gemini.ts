import { isObject } from '../../src/protocol/json.js'
import { objects, present, type Meaning, type Rule } from './difference.js'

type Fields = Record<string, unknown>

const SCHEMAS = new Set(['parameters', 'parametersJsonSchema', 'responseSchema', 'responseJsonSchema'])

/** Names of fields are taken in two spellings. Below `args`, `response` and schemas they are the caller's own. */
function camel(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camel)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      return [name, SCHEMAS.has(name) || name === 'args' || name === 'response' ? inner : camel(inner)]
    }),
  )
}

/** Types are written in large or small letters. */
function schema(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map(item => schema(item))
  if (!isObject(value)) return key === 'type' && typeof value === 'string' ? value.toLowerCase() : value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, schema(inner, name)]))
}

function declared(raw: Fields): Fields {
  const { description, parameters, parametersJsonSchema, ...rest } = raw
  return { ...rest, ...(description !== undefined && description !== '' && { description }), parameters: schema(parametersJsonSchema ?? parameters) }
}

function tools(raw: Fields): Fields {
  return raw['functionDeclarations'] === undefined ? raw : { ...raw, functionDeclarations: objects(raw['functionDeclarations']).map(declared) }
}

// Neighbours of one role are one turn.
function turns(contents: unknown): Fields[] {
  const out: { role: unknown; parts: Fields[] }[] = []
  for (const { role, parts } of objects(contents)) {
    const last = out.at(-1)
    if (last !== undefined && last.role === role) last.parts.push(...objects(parts))
    else out.push({ role, parts: objects(parts) })
  }
  return out
}

function generation(config: unknown): Fields {
  if (!isObject(config)) return {}
  const { thinkingConfig: thinking, ...rest } = config
  if (!isObject(thinking)) return rest
  const level = thinking['thinkingLevel']
  return { ...rest, thinkingConfig: { ...thinking, ...(typeof level === 'string' && { thinkingLevel: level.toLowerCase() }) } }
}

/** What a generateContent body asks for. Whatever has no place of its own is kept under its own name. */
export function geminiMeaning(body: Readonly<Fields>): Meaning {
  // The runner writes the wire into the body, where this dialect has it in the address.
  const { contents, systemInstruction: system, tools: given, generationConfig: config, stream: _, ...rest } = camel(present(body)) as Fields
  return {
    ...rest,
    contents: turns(contents),
    ...(isObject(system) && { system: objects(system['parts']) }),
    ...(given !== undefined && { tools: objects(given).map(tools) }),
    generationConfig: generation(config),
  }
}

/** Differences of this protocol that are right by design. */
export const GEMINI_RULES: readonly Rule[] = [
  { reason: '`parameters` of a function without any is the empty object, said in more or fewer words', allows: ({ path, recorded, arrived }) => /\.parameters\.(?:required|properties)$/.test(path) && JSON.stringify(recorded ?? arrived ?? null).length === 2 },
]
