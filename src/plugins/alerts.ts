import { GatewayError } from '../protocol/errors.js'
import { isObject } from '../protocol/json.js'
import type { Alert } from '../protocol/policy.js'
import type { Clock } from '../protocol/ports.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'

/** Where alerts are posted as JSON. */
export interface Webhook {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
}
/** A function of one alert, or an address it is posted to. What it throws or rejects with changes nothing. */
export type AlertTarget = ((alert: Alert) => void | Promise<void>) | Webhook

/** Posts a text; resolves with the status of the answer. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<number>

const KNOWN = new Set(['url', 'headers'])
/** Before the second try, and before the third. */
const PAUSES_MS = [250, 1_000]

/** Checks where alerts go; throws `invalid_config`. */
export function checkAlerts(given: unknown): void {
  for (const [at, target] of listOf(given).entries()) {
    const where = Array.isArray(given) ? `onAlert[${at}]` : 'onAlert'
    if (typeof target === 'function') continue
    if (!isObject(target)) throw new GatewayError('invalid_config', `${where} must be a function of an alert, or { url, headers? }.`)
    refuseUnknownKeys(target, KNOWN, where)
    const { url, headers = {} } = target
    if (typeof url !== 'string' || !/^https?:\/\/[^@/]+(?:\/|$)/.test(url)) throw new GatewayError('invalid_config', `${where}.url must be an http: or https: address without credentials; put those into headers.`)
    if (!isObject(headers) || Object.values(headers).some(value => typeof value !== 'string')) throw new GatewayError('invalid_config', `${where}.headers must be an object of texts.`)
  }
}

/** Tells all of them; nobody waits for it but `later`. */
export function alertsTo(given: AlertTarget | readonly AlertTarget[] | undefined, post: Post, clock: Clock, later: (work: Promise<unknown>) => void): ((alert: Alert) => void) | undefined {
  const targets = listOf(given)
  if (targets.length === 0) return undefined
  return alert => {
    for (const target of targets) later(tell(target, alert, post, clock))
  }
}

function listOf(given: unknown): readonly AlertTarget[] {
  return given === undefined ? [] : Array.isArray(given) ? (given as AlertTarget[]) : [given as AlertTarget]
}

async function tell(target: AlertTarget, alert: Alert, post: Post, clock: Clock): Promise<void> {
  if (typeof target === 'function') return target(alert)
  const body = JSON.stringify(alert)
  for (let failures = 0; ; failures++) {
    const status = await post(target.url, { 'content-type': 'application/json', ...target.headers }, body).catch(() => 0)
    if (status >= 200 && status < 300) return
    // What was refused as it stands will be refused again.
    const pauseMs = PAUSES_MS[failures]
    if (pauseMs === undefined || (status >= 400 && status < 500 && status !== 429)) throw new GatewayError('upstream_error', `A webhook for alerts answered with ${status === 0 ? 'nothing' : status}.`)
    await new Promise<void>(resolve => void clock.after(pauseMs, resolve))
  }
}
