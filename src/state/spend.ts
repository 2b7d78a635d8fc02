import { GatewayError } from '../protocol/errors.js'
import type { SpendQuery, SpendRow } from '../protocol/policy.js'
import type { Deployment, Store, Tally } from '../protocol/ports.js'
import { hash53 } from '../protocol/hash.js'
import { isObject } from '../protocol/json.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import type { Payer } from './meters.js'

/** All offsets of time zones are whole quarters of an hour, so the days of each zone are made of these. */
const BUCKET_MS = 900_000
const NANOS_PER_DOLLAR = 1e9
const GROUP = 'spend:'
const BY = ['team', 'project', 'user', 'key', 'route', 'provider', 'deployment', 'model'] as const
const QUERY = new Set(['by', 'from', 'to', 'where'])
const DIMENSIONS = new Set<string>([...BY, 'tag'])
const MOST_MODEL = 200
const MOST_FIELD = 16_000
const MOST_CUT = 60
const LATEST_MS = 253_402_300_799_000

type Row = { nanos: number; attempts: number; unpriced: number }

interface Fields {
  readonly n: string
  readonly a: string
  readonly u: string
}

/** Writes down what one payer spends; the names of its sums are worked out once. */
export class Spender {
  readonly #payer: Payer
  readonly #fields = new Map<string, Fields>()
  #bucket = -1
  #group = ''

  constructor(payer: Payer) {
    this.#payer = payer
  }

  /** What one attempt is written down as: its cost, and that it was billed, in the quarter of an hour in which its call started. */
  tallies(deployment: Deployment, startedMs: number, nanos: number, unpriced: boolean): readonly Tally[] {
    const { n, a, u } = this.#of(deployment)
    const bucket = Math.floor(startedMs / BUCKET_MS)
    if (bucket !== this.#bucket) this.#group = groupOf(startedMs)
    this.#bucket = bucket
    const group = this.#group
    const tallies: Tally[] = [{ group, field: n, amount: nanos }, { group, field: a, amount: 1 }]
    if (unpriced) tallies.push({ group, field: u, amount: 1 })
    return tallies
  }

  #of({ provider, id, model }: Deployment): Fields {
    let fields = this.#fields.get(id)
    if (fields === undefined) {
      const { team = null, project = null, user = null, key = null, route, tags } = this.#payer
      const what = named([team, project, user, key, route, provider, id, model.slice(0, MOST_MODEL), ...new Set(tags)])
      this.#fields.set(id, (fields = { n: `n${what}`, a: `a${what}`, u: `u${what}` }))
    }
    return fields
  }
}

/** As they are where a field of the store can hold them; else long names are cut, and told apart by a hash, and the last tags are left out. */
function named(values: readonly (string | null)[]): string {
  const whole = JSON.stringify(values)
  if (whole.length <= MOST_FIELD) return whole
  const cut = values.map(value => (value === null || value.length <= MOST_CUT ? value : `${value.slice(0, MOST_CUT - 12)}~${hash53(value).toString(36)}`))
  while (cut.length > BY.length && JSON.stringify(cut).length > MOST_FIELD) cut.pop()
  return JSON.stringify(cut)
}

function groupOf(ms: number): string {
  return GROUP + new Date(Math.floor(ms / BUCKET_MS) * BUCKET_MS).toISOString()
}

/** Answers `gateway.spend()`. Throws `invalid_request`. Without `to`, everything: the clock of another process may be ahead of ours. */
export async function spend(store: Store, query: SpendQuery): Promise<readonly SpendRow[]> {
  if (!isObject(query as unknown)) throw bad('spend() takes an object: spend({ by: "team" }).')
  refuseUnknownKeys(query, QUERY, 'spend()', 'invalid_request')
  const { by, where = {} } = query
  if (by !== undefined && !DIMENSIONS.has(by)) throw bad(`spend(): "by" must be one of ${[...DIMENSIONS].join(', ')}.`)
  if (!isObject(where as unknown)) throw bad('spend(): "where" must be an object such as { team: "search" }.')
  refuseUnknownKeys(where, DIMENSIONS, 'spend().where', 'invalid_request')
  const rows = new Map<string | null, Row>()
  for (const [, field, sum] of await store.tallies({ start: edge(query.from, 0, 'from'), end: edge(query.to, LATEST_MS, 'to') })) {
    const values = JSON.parse(field.slice(1)) as readonly (string | null)[]
    if (Object.entries(where).some(([dimension, wanted]) => wanted !== undefined && !valuesOf(values, dimension).includes(wanted))) continue
    for (const value of by === undefined ? [null] : valuesOf(values, by)) {
      let row = rows.get(value)
      if (row === undefined) rows.set(value, (row = { nanos: 0, attempts: 0, unpriced: 0 }))
      row[field.startsWith('n') ? 'nanos' : field.startsWith('a') ? 'attempts' : 'unpriced'] += sum
    }
  }
  if (by === undefined && rows.size === 0) rows.set(null, { nanos: 0, attempts: 0, unpriced: 0 })
  return [...rows].map(([of, row]) => ({ of, ...row, usd: row.nanos / NANOS_PER_DOLLAR })).sort((a, b) => b.nanos - a.nanos || (String(a.of) < String(b.of) ? -1 : 1))
}

function valuesOf(values: readonly (string | null)[], dimension: string): readonly (string | null)[] {
  const at = BY.indexOf(dimension as (typeof BY)[number])
  if (at >= 0) return [values[at] ?? null]
  const tags = values.slice(BY.length)
  return tags.length === 0 ? [null] : tags
}

function edge(given: number | Date | undefined, otherwise: number, name: string): string {
  const ms = given instanceof Date ? given.getTime() : given
  if (ms === undefined) return groupOf(otherwise)
  if (!Number.isFinite(ms) || ms < 0 || ms > LATEST_MS) throw bad(`spend(): "${name}" must be a Date or epoch milliseconds.`)
  if (ms % BUCKET_MS !== 0) throw bad(`spend(): "${name}" must lie on a quarter of an hour, which spend is added up by.`)
  return groupOf(ms)
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_request', message)
}
