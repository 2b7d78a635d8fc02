import { GatewayError, type AttemptReport, type ChatResult, type Cost, type Usage } from 'sallyport'
import type { Page } from './terminal.js'

/** Milliseconds for a person. */
export function time(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
}

function tokens({ inputTokens, outputTokens }: Usage, { usd, estimated }: Cost): string {
  const money = usd === null ? 'cost unknown: no price was given' : `$${usd.toFixed(6)}${estimated ? ', part of it estimated: a cut answer reports no usage' : ''}`
  return `${inputTokens ?? '?'} in, ${outputTokens ?? '?'} out; ${money}`
}

function attempt({ deployment, outcome, code, status, reason, durationMs, waitedMs }: AttemptReport): string {
  if (outcome === 'success') return `${deployment}: answered after ${time(durationMs)}`
  if (outcome === 'skipped') return `${deployment}: not asked: ${reason ?? code ?? 'no reason given'}`
  const what = `${code ?? outcome}${status === undefined ? '' : `, status ${status}`}`
  const next = waitedMs === undefined ? '' : ` Asked again ${time(waitedMs)} later.`
  return `${deployment}: ${outcome} after ${time(durationMs)}: ${what}. ${reason ?? ''}${next}`
}

/** Each try and why it ended as it did. */
export function attempts(page: Page, all: readonly AttemptReport[]): void {
  all.forEach((one, at) => page.row(at === 0 ? 'attempts' : '', `${at + 1}. ${attempt(one)}`, one.outcome === 'success' ? undefined : 'yellow'))
}

/** What the caller got beside the text. */
export function report(page: Page, kind: 'chat' | 'stream', result: ChatResult): void {
  const { timings, usage, cost } = result
  page.blank()
  page.row('answered by', result.deployment, 'bold')
  attempts(page, result.attempts)
  const first = kind === 'stream' && timings.firstEventMs !== undefined ? `first token after ${time(timings.firstEventMs)}, ` : ''
  page.row('time', `${first}whole answer after ${time(timings.totalMs)}`)
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
