import { GatewayError } from '../protocol/errors.js'
import { tryParseJson } from '../protocol/json.js'
import type { StandardResult } from '../protocol/request.js'
import type { OutputSpec } from './schema.js'

/** An answer held against its schema. */
export type Judged = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: string }

const MAX_ISSUES = 10
const FENCE = /^```(?:json)?\s*\n([\s\S]*?)\n?```$/

/** Parses the text of an answer and holds it against the schema. */
export async function judge(text: string, spec: OutputSpec): Promise<Judged> {
  const trimmed = text.trim()
  const value = tryParseJson(FENCE.exec(trimmed)?.[1] ?? trimmed)
  if (value === undefined) return { ok: false, issues: 'it is not JSON' }
  if (spec.validate === undefined) {
    // Who gives schemas of a library does not load it.
    const issues = (await import('./json-schema.js')).checkJson(value, spec.jsonSchema)
    return issues.length === 0 ? { ok: true, value } : { ok: false, issues: wordsOf(issues) }
  }
  const result = await validated(spec.validate, value)
  if (result.issues === undefined) return { ok: true, value: result.value }
  return { ok: false, issues: wordsOf(result.issues) }
}

/** What a schema finds wrong, in bounded words. */
export function wordsOf(issues: NonNullable<StandardResult<unknown>['issues']>): string {
  return issues.slice(0, MAX_ISSUES).map(issue => `${pathOf(issue.path)}${issue.message.slice(0, 200)}`).join('; ')
}

async function validated(validate: NonNullable<OutputSpec['validate']>, value: unknown): Promise<StandardResult<unknown>> {
  try {
    return await validate(value)
  } catch (error) {
    // The same check would fail on every further answer, each of them paid for.
    throw new GatewayError('invalid_request', `"output": the schema failed with a ${error instanceof Error ? error.name : typeof error}. Its validate must return issues and not throw.`)
  }
}

function pathOf(path: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined): string {
  if (path === undefined || path.length === 0) return ''
  return `${path.map(step => String(typeof step === 'object' ? step.key : step)).join('.')}: `
}
