import { canonical } from '../protocol/canonical.js'
import { isObject } from '../protocol/json.js'
import type { StandardResult } from '../protocol/request.js'

type Issue = NonNullable<StandardResult<unknown>['issues']>[number]
type Keyword = (value: unknown, rule: unknown, at: Place) => void
type Path = readonly (string | number)[]

/** A schema that takes more looks than this is not checked to its end, and the value counts as wrong. */
const MAX_LOOKS = 200_000
const MAX_DEPTH = 1_000
/** A pattern is of the schema's author, the text is not: longer ones are not held against it. */
const MAX_PATTERN_TEXT = 1_000
const MAX_ISSUES = 10

/** What one check has found so far. */
class Check {
  readonly root: unknown
  depth = 0
  /** It ended before its end: what it has found so far says nothing. */
  spent = false
  #left = MAX_LOOKS

  constructor(root: unknown) {
    this.root = root
  }

  enter(): void {
    if (--this.#left < 0 || ++this.depth > MAX_DEPTH) this.spent = true
  }
}

/** Where in the value, under which part of the schema. A name that only the model knows is `*` in the path: errors repeat no answer. */
class Place {
  readonly check: Check
  readonly path: Path
  readonly schema: Record<string, unknown>
  readonly issues: Issue[]

  constructor(check: Check, path: Path, schema: Record<string, unknown>, issues: Issue[]) {
    this.check = check
    this.path = path
    this.schema = schema
    this.issues = issues
  }

  wrong(message: string, path: Path = this.path): void {
    if (this.issues.length < MAX_ISSUES) this.issues.push({ message, path })
  }

  /** Holds something inside the value, or the value itself, against a part of the schema. */
  into(value: unknown, schema: unknown, step?: string | number): void {
    look(value, schema, this.check, step === undefined ? this.path : [...this.path, step], this.issues)
  }

  /** The same without a word about what is wrong. */
  fits(value: unknown, schema: unknown): boolean {
    const issues: Issue[] = []
    look(value, schema, this.check, this.path, issues)
    return issues.length === 0
  }
}

/**
 * Holds a value against a JSON Schema (2020-12, and the words of draft 7 and OpenAPI that say the same). `format` and words that
 * are not known say nothing; references stay inside the schema.
 */
export function checkJson(value: unknown, schema: unknown): readonly Issue[] {
  const issues: Issue[] = []
  const check = new Check(schema)
  look(value, schema, check, [], issues)
  return check.spent ? [{ message: 'the schema goes round or branches too often to be checked' }] : issues
}

function look(value: unknown, schema: unknown, check: Check, path: Path, issues: Issue[]): void {
  if (check.spent) return
  if (schema === false) return void (issues.length < MAX_ISSUES && issues.push({ message: 'nothing is allowed here', path }))
  if (!isObject(schema)) return
  if (value === null && schema['nullable'] === true) return
  const at = new Place(check, path, schema, issues)
  check.enter()
  for (const [word, rule] of Object.entries(schema)) if (rule !== undefined) KEYWORDS.get(word)?.(value, rule, at)
  check.depth--
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
}
const TYPES: ReadonlySet<unknown> = new Set(['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'])
/** A type that JSON Schema does not have, such as one of a dialect, says nothing. */
function isType(value: unknown, type: unknown): boolean {
  return type === 'integer' ? Number.isInteger(value) : typeOf(value) === type || !TYPES.has(type)
}
function equal(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && canonical(a) === canonical(b))
}
function listed(rule: unknown): readonly unknown[] {
  return Array.isArray(rule) ? rule : []
}
function compiled(pattern: unknown): RegExp | undefined {
  if (typeof pattern !== 'string') return undefined
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return undefined
  }
}
/** Characters as JSON Schema counts them. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}
/** How many there are of what a bound is about; nothing where it is about something else. */
function sizeOf(value: unknown, of: 'number' | 'string' | 'array' | 'object'): number | undefined {
  if (typeOf(value) !== of) return undefined
  if (typeof value === 'number') return value
  if (typeof value === 'string') return lengthOf(value)
  return Array.isArray(value) ? value.length : Object.keys(value as object).length
}

function bound(of: Parameters<typeof sizeOf>[1], holds: (size: number, rule: number) => boolean, words: (rule: number) => string): Keyword {
  return (value, rule, at) => {
    const size = sizeOf(value, of)
    if (size !== undefined && typeof rule === 'number' && !holds(size, rule)) at.wrong(words(rule))
  }
}
const least = (of: Parameters<typeof sizeOf>[1], words: (rule: number) => string): Keyword => bound(of, (size, rule) => size >= rule, words)
const most = (of: Parameters<typeof sizeOf>[1], words: (rule: number) => string): Keyword => bound(of, (size, rule) => size <= rule, words)

/** The part of the schema that a `#/...` reference names; nothing is checked behind any other. */
function referred(root: unknown, reference: unknown): unknown {
  if (reference === '#') return root
  if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined
  let part = root
  for (const step of reference.slice(2).split('/')) {
    const name = unescaped(step)
    part = typeof part === 'object' && part !== null && Object.hasOwn(part, name) ? (part as Record<string, unknown>)[name] : undefined
  }
  return part
}
function unescaped(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~')
  } catch {
    return step
  }
}

function properties(value: unknown, rule: unknown, at: Place): void {
  if (!isObject(value) || !isObject(rule)) return
  for (const [name, schema] of Object.entries(rule)) if (Object.hasOwn(value, name)) at.into(value[name], schema, name)
}
function patternProperties(value: unknown, rule: unknown, at: Place): void {
  if (!isObject(value) || !isObject(rule)) return
  for (const [source, schema] of Object.entries(rule)) {
    const pattern = compiled(source)
    for (const name of Object.keys(value)) if (name.length <= MAX_PATTERN_TEXT && pattern?.test(name) === true) at.into(value[name], schema, '*')
  }
}
function additional(value: unknown, rule: unknown, at: Place): void {
  if (!isObject(value)) return
  const known = isObject(at.schema['properties']) ? at.schema['properties'] : {}
  const patterns = isObject(at.schema['patternProperties']) ? Object.keys(at.schema['patternProperties']).map(compiled) : []
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(known, name) || patterns.some(pattern => pattern?.test(name.slice(0, MAX_PATTERN_TEXT)) === true)) continue
    if (rule === false) at.wrong('has a property that is not allowed')
    else at.into(value[name], rule, '*')
  }
}
function items(value: unknown, rule: unknown, at: Place): void {
  if (!Array.isArray(value)) return
  // In draft 7 a list of schemas stands here.
  if (Array.isArray(rule)) return prefixItems(value, rule, at)
  const from = listed(at.schema['prefixItems']).length
  for (let i = from; i < value.length && !at.check.spent; i++) at.into(value[i], rule, i)
}
function prefixItems(value: unknown, rule: unknown, at: Place): void {
  if (Array.isArray(value)) for (const [i, schema] of listed(rule).entries()) if (i < value.length) at.into(value[i], schema, i)
}
function contains(value: unknown, rule: unknown, at: Place): void {
  if (!Array.isArray(value)) return
  const { minContains = 1, maxContains = Infinity } = at.schema as { minContains?: number; maxContains?: number }
  const count = value.filter(item => at.fits(item, rule)).length
  if (count < minContains || count > maxContains) at.wrong('has the wrong number of items of one kind')
}
function required(value: unknown, rule: unknown, at: Place): void {
  if (isObject(value)) for (const name of listed(rule)) if (typeof name === 'string' && !Object.hasOwn(value, name)) at.wrong('is missing', [...at.path, name])
}
function dependentRequired(value: unknown, rule: unknown, at: Place): void {
  if (isObject(value) && isObject(rule)) for (const [name, names] of Object.entries(rule)) if (Object.hasOwn(value, name)) required(value, names, at)
}
function oneOf(value: unknown, rule: unknown, at: Place): void {
  const count = listed(rule).filter(schema => at.fits(value, schema)).length
  if (count !== 1) at.wrong(count === 0 ? 'fits none of the schemas of oneOf' : 'fits more than one schema of oneOf')
}
function conditional(value: unknown, rule: unknown, at: Place): void {
  at.into(value, at.schema[at.fits(value, rule) ? 'then' : 'else'])
}
function multipleOf(value: unknown, rule: unknown, at: Place): void {
  if (typeof value !== 'number' || typeof rule !== 'number' || rule <= 0) return
  const times = value / rule
  if (Math.abs(times - Math.round(times)) > 1e-9 * Math.max(1, Math.abs(times))) at.wrong(`must be a multiple of ${rule}`)
}
function pattern(value: unknown, rule: unknown, at: Place): void {
  if (typeof value === 'string' && value.length <= MAX_PATTERN_TEXT && compiled(rule)?.test(value) === false) at.wrong(`must match ${String(rule).slice(0, 100)}`)
}

const KEYWORDS: ReadonlyMap<string, Keyword> = new Map<string, Keyword>([
  ['type', (value, rule, at) => void ((Array.isArray(rule) ? rule : [rule]).some(type => isType(value, type)) || at.wrong(`must be ${Array.isArray(rule) ? rule.join(' or ') : String(rule)}, not ${typeOf(value)}`))],
  ['enum', (value, rule, at) => void (listed(rule).some(one => equal(value, one)) || at.wrong(`must be one of ${JSON.stringify(rule).slice(0, 100)}`))],
  ['const', (value, rule, at) => void (equal(value, rule) || at.wrong(`must be ${JSON.stringify(rule).slice(0, 100)}`))],
  ['$ref', (value, rule, at) => at.into(value, referred(at.check.root, rule))],
  ['properties', properties],
  ['patternProperties', patternProperties],
  ['additionalProperties', additional],
  ['propertyNames', (value, rule, at) => void (isObject(value) && !Object.keys(value).every(name => at.fits(name, rule)) && at.wrong('has a property with a name that is not allowed'))],
  ['required', required],
  ['dependentRequired', dependentRequired],
  ['items', items],
  ['prefixItems', prefixItems],
  ['contains', contains],
  ['uniqueItems', (value, rule, at) => void (rule === true && Array.isArray(value) && new Set(value.map(canonical)).size < value.length && at.wrong('must hold no item twice'))],
  ['allOf', (value, rule, at) => listed(rule).forEach(schema => at.into(value, schema))],
  ['anyOf', (value, rule, at) => void (listed(rule).some(schema => at.fits(value, schema)) || at.wrong('fits none of the schemas of anyOf'))],
  ['oneOf', oneOf],
  ['not', (value, rule, at) => void (at.fits(value, rule) && at.wrong('must not be so'))],
  ['if', conditional],
  ['pattern', pattern],
  ['multipleOf', multipleOf],
  ['minimum', bound('number', (size, rule) => size >= rule, rule => `must be at least ${rule}`)],
  ['maximum', bound('number', (size, rule) => size <= rule, rule => `must be at most ${rule}`)],
  ['exclusiveMinimum', bound('number', (size, rule) => size > rule, rule => `must be more than ${rule}`)],
  ['exclusiveMaximum', bound('number', (size, rule) => size < rule, rule => `must be less than ${rule}`)],
  ['minLength', least('string', rule => `must have at least ${rule} characters`)],
  ['maxLength', most('string', rule => `must have at most ${rule} characters`)],
  ['minItems', least('array', rule => `must have at least ${rule} items`)],
  ['maxItems', most('array', rule => `must have at most ${rule} items`)],
  ['minProperties', least('object', rule => `must have at least ${rule} properties`)],
  ['maxProperties', most('object', rule => `must have at most ${rule} properties`)],
])
