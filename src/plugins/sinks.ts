import { GatewayError } from '../protocol/errors.js'
import type { CallRecord } from '../protocol/result.js'

/** Takes records as they come in batches, for example to insert them into a database. */
export type RecordSink = (records: readonly CallRecord[]) => void | Promise<void>

/** Somewhere records are written to. A batch whose `write` failed is offered once more, so a sink may see a record twice. */
export interface Sink {
  readonly name: string
  /** It wants `record.content`; without it records come stripped of prompts and answers. */
  readonly content?: boolean
  write(records: readonly CallRecord[]): void | Promise<void>
  flush?(): Promise<void>
  close?(): Promise<void>
  /** Most records per `write`. */
  readonly maxBatch?: number
}

/** What pino, winston and `console` have in common. */
export interface LoggerLike {
  info(obj: object, msg?: string): void
  warn(obj: object, msg?: string): void
  error(obj: object, msg?: string): void
}

export type LogTarget = Sink | RecordSink | LoggerLike

type Loose = { readonly [key: string]: unknown }

function invalid(message: string): GatewayError {
  return new GatewayError('invalid_config', message)
}

/** Throws `invalid_config` where `value` is not a number from `least` up; `whole` asks for an integer. */
export function checkNumber(value: unknown, where: string, least: number, whole = true): void {
  if (typeof value === 'number' && value >= least && (!whole || Number.isSafeInteger(value))) return
  throw invalid(`${where} must be ${whole ? 'a whole number' : 'a number'} of at least ${least}.`)
}

/** Throws `invalid_config` where `value` is given and is not of this type. */
export function checkOptional(value: unknown, where: string, type: 'boolean' | 'function'): void {
  if (value === undefined || typeof value === type) return
  throw invalid(`${where} must be a ${type}. Leave it out to have the default.`)
}

/** Throws `invalid_config` where options are not an object. */
export function checkOptions(value: unknown, where: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw invalid(`The options of ${where} must be an object.`)
}

// A winston logger is a stream and has `write` too, so loggers are recognised first.
function isLogger(target: Loose): boolean {
  return ['info', 'warn', 'error'].every(level => typeof target[level] === 'function')
}

/** Any log target as a sink; throws `invalid_config` for anything else. */
export function toSink(target: unknown, where: string): Sink {
  if (typeof target === 'function') return { name: target.name === '' ? 'function' : target.name, write: target as RecordSink }
  const known = typeof target === 'object' && target !== null ? (target as Loose) : {}
  if (isLogger(known)) return loggerSink(target as LoggerLike)
  if (typeof known['write'] !== 'function' || typeof known['name'] !== 'string' || known['name'] === '') {
    throw invalid(`${where} is not a log target. Give a function of record batches, a sink ({ name, write }) or a logger with info, warn and error.`)
  }
  checkOptional(known['content'], `${where}.content`, 'boolean')
  checkOptional(known['flush'], `${where}.flush`, 'function')
  checkOptional(known['close'], `${where}.close`, 'function')
  if (known['maxBatch'] !== undefined) checkNumber(known['maxBatch'], `${where}.maxBatch`, 1)
  return target as Sink
}

/** How loud a record is: `error` where the call failed, `warn` where it did not go smoothly. */
export function levelOf(record: CallRecord): 'info' | 'warn' | 'error' {
  if (record.outcome === 'failure') return 'error'
  const rough = record.restarts > 0 || record.warnings.length > 0 || record.attempts.some(attempt => attempt.outcome === 'failure')
  return rough ? 'warn' : 'info'
}

/** Text from outside on one line: bounded, and without control, bidi and zero-width characters. */
export function plainText(text: string, max = 120): string {
  const cut = text.length > max ? `${text.slice(0, max)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?')
}

function sentence(record: CallRecord): string {
  const asked = plainText(record.model)
  const ms = `${Math.round(record.totalMs)} ms`
  const tried = record.attempts.filter(attempt => attempt.outcome !== 'skipped').length
  const tries = `${tried} attempt${tried === 1 ? '' : 's'}`
  if (record.outcome === 'success') return `${asked} was answered by ${plainText(record.deployment ?? 'an unnamed deployment')} in ${ms} with ${tries}`
  if (record.outcome === 'aborted') return `${asked} was aborted after ${ms} and ${tries}`
  return `${asked} failed with ${record.code ?? 'an unknown code'} after ${ms} and ${tries}`
}

function loggerSink(logger: LoggerLike): Sink {
  return {
    name: 'logger',
    // One record per batch: a retry then repeats only the line that failed.
    maxBatch: 1,
    async write(records) {
      // An async logger's rejection has to end here, not as an unhandled one.
      for (const record of records) await (logger[levelOf(record)](record, sentence(record)) as unknown)
    },
  }
}
