import { isObject } from '../../src/protocol/json.js'

/** A request body as it was sent. */
export type Body = Readonly<Record<string, unknown>>
type Fields = Record<string, unknown>
/** What a server of this wire would refuse in a body, in words; empty where it takes it. Written from PROTOCOLS, not from the adapters. */
export type Rules = (body: Body) => readonly string[]

export const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
export const text = (value: unknown): string => (typeof value === 'string' ? value : '')
export const fields = (value: unknown): Fields => (isObject(value) ? value : {})

/** Collects what is wrong. */
export class Wrong {
  readonly found: string[] = []

  unless(fine: boolean, what: string): void {
    if (!fine) this.found.push(what)
  }
}

/** Every text anywhere in a value, keys included. */
export function everything(value: unknown): string {
  return JSON.stringify(value)
}

/** Every call has one result, in the turn right after it, and no result answers nothing. */
export function paired(wrong: Wrong, calls: readonly string[], results: readonly string[], at: string): void {
  wrong.unless(new Set(calls).size === calls.length, `${at}: two calls have one id`)
  wrong.unless(calls.length === results.length && calls.every(id => results.includes(id)), `${at}: calls ${calls.join()} have the results ${results.join()}`)
}

/** Neighbours have different roles, and the first is the user. */
export function alternating(wrong: Wrong, roles: readonly string[], first = 'user'): void {
  wrong.unless(roles[0] === first, `the first turn is of ${roles[0] ?? 'nobody'}`)
  for (const [at, role] of roles.entries()) wrong.unless(at === 0 || role !== roles[at - 1], `turns ${at - 1} and ${at} are both of ${role}`)
}

/** A JSON text of an object. */
export function isObjectText(value: unknown): boolean {
  try {
    return isObject(JSON.parse(text(value)))
  } catch {
    return false
  }
}
