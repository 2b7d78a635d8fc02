import { GatewayError } from '../../protocol/errors.js'
import { isObject, MAX_JSON_DEPTH } from '../../protocol/json.js'

/** What a leaf becomes; `key` is the name it stands under. */
export type Leaf = (text: string, path: string, key: string) => string

/** Fewer digits are nobody's number. */
const TELLING = 1e5

/** The same value with each text in it changed, names of properties and long numbers included; the same object where none was. Throws `refused` past the deepest nesting. */
export function mapLeaves(value: unknown, path: string, leaf: Leaf, key = '', depth = 0): unknown {
  if (depth > MAX_JSON_DEPTH) throw new GatewayError('refused', `${path.slice(0, 80)} is nested deeper than ${MAX_JSON_DEPTH} levels, so it cannot be searched.`, { origin: 'caller' })
  if (typeof value === 'string') return leaf(value, path, key)
  if (typeof value === 'number') return numberLeaf(value, path, leaf, key)
  if (Array.isArray(value)) {
    const list = value.map((item, at) => mapLeaves(item, `${path}[${at}]`, leaf, key, depth + 1))
    return list.some((item, at) => item !== value[at]) ? list : value
  }
  return isObject(value) && !(value instanceof Uint8Array) ? mapRecord(value, path, leaf, depth) : value
}

function numberLeaf(value: number, path: string, leaf: Leaf, key: string): unknown {
  if (Math.abs(value) < TELLING || !Number.isFinite(value)) return value
  const text = String(value)
  const given = leaf(text, path, key)
  return given === text ? value : given
}

function mapRecord(record: Readonly<Record<string, unknown>>, path: string, leaf: Leaf, depth: number): unknown {
  let changed = false
  const entries: [string, unknown][] = []
  for (const [key, value] of Object.entries(record)) {
    const name = leaf(key, `${path}{}`, '')
    // A name may be a value: a path is told, so it holds the name only where that is none.
    const given = mapLeaves(value, name === key ? `${path}.${key.slice(0, 40)}` : `${path}{}`, leaf, key, depth + 1)
    changed ||= name !== key || given !== value
    entries.push([name, given])
  }
  if (!changed) return record
  const made = Object.fromEntries(entries)
  if (Object.keys(made).length < entries.length) throw new GatewayError('refused', `${path.slice(0, 80)} has two properties that would be masked as one. Give them other names.`, { origin: 'caller' })
  return made
}
