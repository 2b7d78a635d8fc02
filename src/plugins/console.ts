import { refuseUnknownKeys } from '../protocol/suggest.js'
import { checkOptional, checkOptions, type Sink } from './sinks.js'

/** Options of {@link consoleSink}. */
export interface ConsoleSinkOptions {
  /** Takes each line, without a line break; `console.log`. */
  readonly write?: (line: string) => void
  /** Also print prompts and answers, cut to 2,000 characters each; false. */
  readonly content?: boolean
  /** Colour the first word; false. */
  readonly color?: boolean
}

/**
 * A sink for people: one line per call with who answered, milliseconds, tokens and cost, and one line for each attempt that
 * did not answer, with why. Metadata is not printed. Throws `invalid_config`.
 */
export function consoleSink(options: ConsoleSinkOptions = {}): Sink {
  checkOptions(options, 'consoleSink')
  refuseUnknownKeys(options, new Set(['write', 'content', 'color']), 'consoleSink')
  checkOptional(options.write, 'consoleSink: write', 'function')
  checkOptional(options.content, 'consoleSink: content', 'boolean')
  checkOptional(options.color, 'consoleSink: color', 'boolean')
  const { write = (line: string) => console.log(line), content = false, color = false } = options
  return {
    name: 'console',
    content,
    // The line stands where it belongs among the application's own.
    maxBatch: 1,
    async write(records) {
      const { linesOf } = await import('./console-lines.js')
      for (const record of records) {
        for (const line of linesOf(record, content, color)) await (write(line) as unknown)
      }
    },
  }
}
