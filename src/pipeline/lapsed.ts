import { isObject } from '../protocol/json.js'
import type { Alert } from '../protocol/policy.js'
import type { CallRecord } from '../protocol/result.js'
import type { Principal } from '../protocol/strategy.js'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** The record of a call whose process died: what was held for it is charged at its bound, or given back. `owner` is what that process left. */
export function lapsedRecord(owner: unknown, nowMs: number): CallRecord {
  const { left, payer } = isObject(owner) ? owner : {}
  const [id, kind, started, asked, nanos, deployment, provider, model]: readonly unknown[] = Array.isArray(left) ? left : []
  const startedMs = number(started)
  const { route, ...principal } = isObject(payer) ? payer : {}
  return Object.freeze({
    version: 1,
    id: `${text(id)}-lapsed`,
    kind: kind === 'stream' || kind === 'embed' ? kind : 'chat',
    startedAt: new Date(startedMs).toISOString(),
    model: text(asked),
    route: text(route),
    outcome: 'aborted',
    ...(typeof deployment === 'string' && { deployment, provider: text(provider), answeredModel: text(model) }),
    costNanos: number(nanos),
    attempts: [],
    excluded: [],
    warnings: [],
    restarts: 0,
    totalMs: Math.max(0, nowMs - startedMs),
    principal: Object.freeze(principal as Principal),
    system: { lapsed: text(id) },
  })
}

export function lapsedAlert({ id, costNanos, principal, system }: CallRecord, nowMs: number): Alert {
  const { tags: _tags, ...of } = principal ?? {}
  return { kind: 'lapsed', at: new Date(nowMs).toISOString(), policy: '', of, spentUsd: (costNanos ?? 0) / 1e9, call: system !== undefined && 'lapsed' in system ? system.lapsed : id }
}
