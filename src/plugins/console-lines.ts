import type { Usage } from '../protocol/events.js'
import type { AttemptReport, CallRecord } from '../protocol/result.js'
import { levelOf, plainText } from './sinks.js'

const MOST_LINES = 20
const MOST_CONTENT = 2_000
const COLORS = { info: 32, warn: 33, error: 31 }
const WORDS = { info: 'ok', warn: 'WARN', error: 'FAIL' }

const ms = (value: number) => `${Math.round(value)}ms`

function money(nanos: number | null): string {
  if (nanos === null) return 'cost unknown'
  // A rounded price must not read as free of charge.
  if (nanos > 0 && nanos < 1_000) return '<$0.000001'
  return `$${(nanos / 1e9).toFixed(6)}`
}

function tokens(usage: Usage | undefined): string[] {
  if (usage === undefined) return []
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage
  const cached = cachedInputTokens ? `(${cachedInputTokens} cached)` : ''
  const reasoning = reasoningTokens ? `(${reasoningTokens} reasoning)` : ''
  return [`in=${inputTokens ?? '?'}${cached}`, `out=${outputTokens ?? '?'}${reasoning}`]
}

function answeredBy(record: CallRecord): string[] {
  if (record.deployment === undefined) return []
  const model = record.answeredModel === undefined || record.deployment.endsWith(record.answeredModel) ? [] : [`(${plainText(record.answeredModel)})`]
  return [record.outcome === 'success' ? '->' : 'at', plainText(record.deployment), ...model]
}

function headline(record: CallRecord, color: boolean): string {
  const level = levelOf(record)
  const word = (record.outcome === 'aborted' ? 'ABORT' : WORDS[level]).padEnd(5)
  const warnings = record.warnings.map(warning => (warning.parameter === undefined ? warning.code : `${warning.code} ${plainText(warning.parameter, 40)}`))
  return [
    plainText(record.startedAt, 40),
    color ? `\u001b[${COLORS[level]}m${word}\u001b[0m` : word,
    plainText(record.model),
    ...answeredBy(record),
    ...(record.code === undefined ? [] : [record.code]),
    ms(record.totalMs),
    ...(record.firstEventMs === undefined ? [] : [`first=${ms(record.firstEventMs)}`]),
    ...tokens(record.usage),
    ...(record.costNanos === undefined ? [] : [money(record.costNanos)]),
    ...(record.finishReason === undefined ? [] : [record.finishReason]),
    ...(record.restarts > 0 ? [`restarts=${record.restarts}`] : []),
    ...(warnings.length > 0 ? [`warnings=${warnings.length} (${warnings.slice(0, 5).join(', ')}${warnings.length > 5 ? ', …' : ''})`] : []),
    `id=${plainText(record.id, 80)}`,
  ].join(' ')
}

function attemptLine(attempt: AttemptReport, at: number): string {
  return [
    `  #${at + 1}`,
    plainText(attempt.deployment),
    attempt.outcome,
    ...(attempt.code === undefined ? [] : [attempt.deadline === undefined ? attempt.code : `${attempt.code}(${attempt.deadline})`]),
    ...(attempt.status === undefined ? [] : [`http=${attempt.status}`]),
    ...(attempt.reason === undefined ? [] : [plainText(attempt.reason)]),
    ...(attempt.outcome === 'skipped' ? [] : [`at=+${ms(attempt.startedMs)}`, ms(attempt.durationMs)]),
    ...(attempt.waitedMs ? [`then waited ${ms(attempt.waitedMs)}`] : []),
    ...tokens(attempt.usage),
    ...(attempt.costNanos === undefined ? [] : [money(attempt.costNanos)]),
  ].join(' ')
}

function bounded(lines: readonly string[]): readonly string[] {
  return lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES), `  … and ${lines.length - MOST_LINES} more`]
}

function contentLines({ content }: CallRecord): string[] {
  if (content === undefined) return []
  const calls = JSON.stringify(content.toolCalls)
  return [
    `  prompt ${plainText(JSON.stringify(content.messages) ?? '', MOST_CONTENT)}`,
    `  answer ${plainText(content.text, MOST_CONTENT)}`,
    ...(calls === undefined || calls === '[]' ? [] : [`  calls ${plainText(calls, MOST_CONTENT)}`]),
  ]
}

/** The lines for one call: the call itself, then each attempt that is not the answer, with why. */
/** What a person reads of a call. */
export function linesOf(record: CallRecord, content: boolean, color: boolean): string[] {
  const attempts = record.attempts.flatMap((attempt, at) => (attempt.outcome === 'success' ? [] : [attemptLine(attempt, at)]))
  const excluded = record.outcome === 'failure' ? record.excluded.map(one => `  not asked ${plainText(one.deployment)} ${plainText(one.reason)}`) : []
  return [headline(record, color), ...bounded(attempts), ...bounded(excluded), ...(content ? contentLines(record) : [])]
}
