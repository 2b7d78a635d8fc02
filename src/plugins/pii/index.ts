import { createDetector } from './detect.js'
import { settingsOf, type RedactPiiOptions } from './options.js'
import { createRedactor, type RedactPii } from './plugin.js'

export { createDetector, detect } from './detect.js'
export type { PiiAction, PiiActionChoice, PiiActions, PiiDirection, PiiHashKey } from './actions.js'
export type { PiiModel } from './mask.js'
export type { RedactPiiOptions } from './options.js'
export type { PiiConversation, PiiSessionView, RedactPii } from './plugin.js'
export type { PiiReport } from './policy.js'
export type { RestoreOptions } from './restore.js'
export type { DefaultType, DetectOptions, Detector, Finding, OptInType, PiiType, Recogniser } from './types.js'
export type { LoggerLike, LogTarget, RecordSink, Sink } from '../sinks.js'

/**
 * A plugin that masks personal data and secrets before a request leaves, and puts the values back into the answer where that is asked for. The
 * upstream, the cache and the records see the masks alone. Throws `invalid_config`.
 *
 * @example
 * import { Gateway, openai } from 'sallyport'
 * import { redactPii } from 'sallyport/pii'
 *
 * const gateway = new Gateway({ routes: { smart: openai('gpt-5.6') }, plugins: [redactPii({ restore: true })] })
 * const { text } = await gateway.chat({ model: 'smart', messages: 'Write to ada@analytical-engines.co.uk.' }, { conversation: 'c-1' })
 */
export function redactPii(options: RedactPiiOptions = {}): RedactPii {
  return createRedactor(settingsOf(options, createDetector))
}
