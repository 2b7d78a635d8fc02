import { GatewayError } from '../protocol/errors.js'
import { refuseUnknownKeys } from '../protocol/suggest.js'
import type { JsonlFile } from './jsonl-file.js'
import { checkNumber, checkOptional, checkOptions, type Sink } from './sinks.js'

/** Options of {@link jsonlSink}. */
export interface JsonlSinkOptions {
  /** Also write prompts and answers; false. */
  readonly content?: boolean
  /** A file that would grow past this is rotated first; 64 MiB. */
  readonly maxBytes?: number
  /** Files rotated longer ago than this are deleted; 14. `Infinity` keeps them. */
  readonly retainDays?: number
}

/**
 * Appends each record as a line of JSON. The file has mode 0600 and its folder is made; a full file becomes
 * `name.<time>.jsonl` (ISO 8601 without separators, of the record that found no room), and such files are deleted after
 * `retainDays`, counted back from the newest record. Processes may share a file, which then grows past `maxBytes` by what they write at
 * once. Needs Node. Throws `invalid_config`.
 */
export function jsonlSink(path: string, options: JsonlSinkOptions = {}): Sink {
  if (typeof path !== 'string' || path === '' || path.includes('\0') || /[/\\]$/.test(path)) {
    throw new GatewayError('invalid_config', 'jsonlSink needs the path of a file, such as "logs/calls.jsonl".')
  }
  checkOptions(options, 'jsonlSink')
  refuseUnknownKeys(options, new Set(['content', 'maxBytes', 'retainDays']), 'jsonlSink')
  const { content = false, maxBytes = 64 * 1024 * 1024, retainDays = 14 } = options
  checkOptional(content, 'jsonlSink: content', 'boolean')
  checkNumber(maxBytes, 'jsonlSink: maxBytes', 1)
  checkNumber(retainDays, 'jsonlSink: retainDays', 0, false)
  let file: Promise<JsonlFile> | undefined
  const open = async (): Promise<JsonlFile> => new (await import('./jsonl-file.js')).JsonlFile(path, maxBytes, retainDays)
  return { name: 'jsonl', content, write: async records => (await (file ??= open())).write(records) }
}
