import { GatewayError, type AttemptReport, type Cost, type Usage } from 'sallyport'
import type { Heard } from './ask.js'
import type { Page } from './terminal.js'

/** Milliseconds for a person. */
export function time(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
}

/** Nano-dollars for a person. */
export function dollars(nanos: number | null | undefined): string {
  return nanos === null || nanos === undefined ? 'cost unknown: no price was given' : `$${(nanos / 1e9).toFixed(6)}`
}

function tokens({ inputTokens, outputTokens }: Usage, { nanos, estimated }: Cost): string {
  const money = `${dollars(nanos)}${estimated ? ', part of it estimated: a cut answer reports no usage' : ''}`
  return `${inputTokens ?? '?'} in, ${outputTokens ?? '?'} out; ${money}`
}

function attempt({ deployment, outcome, code, status, reason, durationMs, waitedMs }: AttemptReport): string {
  if (outcome === 'success') return `${deployment}: answered after ${time(durationMs)}`
  if (outcome === 'skipped') return `${deployment}: not asked: ${reason ?? code ?? 'no reason given'}`
  const what = `${code ?? outcome}${status === undefined ? '' : `, status ${status}`}`
  // The rest of a reason says what to do, and here the gateway does it.
  const why = reason === undefined ? '' : ` ${reason.split('. ')[0]?.replace(/\.$/, '') ?? ''}.`
  const next = waitedMs === undefined ? '' : ` Asked again ${time(waitedMs)} later.`
  return `${deployment}: ${outcome === 'failure' ? 'failed' : outcome} after ${time(durationMs)} (${what}).${why}${next}`
}

/** Each try and why it ended as it did. */
export function attempts(page: Page, all: readonly AttemptReport[]): void {
  all.forEach((one, at) => page.row(at === 0 ? 'attempts' : '', `${at + 1}. ${attempt(one)}`, one.outcome === 'success' ? undefined : 'yellow'))
}

/** What the caller got beside the text. */
export function report(page: Page, { result, firstMs, restarts, continued }: Heard): void {
  const { timings, usage, cost } = result
  const again = restarts + continued > 0 && timings.firstEventMs !== undefined ? `first from ${result.deployment} after ${time(timings.firstEventMs)}, ` : ''
  page.blank()
  page.row('answered by', result.deployment, 'bold')
  attempts(page, result.attempts)
  page.row('time', `${firstMs === undefined ? '' : `first token after ${time(firstMs)}, `}${again}whole answer after ${time(timings.totalMs)}`)
  page.row('tokens', tokens(usage, cost))
  for (const { message } of result.warnings) page.row('warning', message)
}

/** An error as the caller meets it: its code, what to do, and each try. */
export function failure(page: Page, error: unknown): void {
  page.blank()
  if (!GatewayError.is(error)) return page.row('error', error instanceof Error ? `${error.name}: ${error.message}` : 'something that is no error was thrown', 'red')
  page.row('error', `${error.code}: ${error.message}`, 'red')
  attempts(page, error.attempts ?? [])
}
