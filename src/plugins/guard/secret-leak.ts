import { isObject } from '../../protocol/json.js'
import type { Plugin } from '../../protocol/ports.js'
import type { Detector, PiiType } from '../pii/types.js'
import { bad, checkGuard, checkSide, Verdicts, type GuardOptions, type GuardSide } from './guard.js'
import { looking } from './look.js'
import { Detected } from './secrets.js'

/** What {@link secretLeak} takes. */
export interface SecretLeakOptions extends GuardOptions {
  /** What finds secrets: `createDetector()` of `sallyport/pii`, or an object with `detect(text)`. */
  readonly detector: Detector
  /** The types that count. Default: `SECRET` alone. */
  readonly types?: readonly PiiType[]
  /** Which texts are looked at. Default: `answer`. */
  readonly in?: GuardSide
}

/**
 * Refuses an answer that holds a secret: its text, reasoning, refusal, tool calls and citations. A stream holds back the word that
 * is being written, the 32 characters before it, and a key from its first line on, at most 8 KiB. Throws `invalid_config`;
 * refuses with `refused`.
 *
 * @example
 * import { secretLeak } from 'sallyport/guard'
 *
 * const marked = { maxLength: 64, detect: (text: string) => [...text.matchAll(/\bsecret-\d{4,32}\b/g)].map(({ index, 0: { length } }) => ({ type: 'SECRET', start: index, end: index + length, score: 1, reason: 'prefix' })) }
 * const guard = secretLeak({ detector: marked })
 */
export function secretLeak(options: SecretLeakOptions): Plugin {
  checkGuard(options, 'secretLeak', ['detector', 'types', 'in'])
  const { detector, types = ['SECRET'], in: side = 'answer' } = options
  checkSide(side, 'secretLeak')
  if (!isObject(detector) || typeof detector.detect !== 'function') throw bad('secretLeak() needs a detector: createDetector() of sallyport/pii, or an object with detect(text).')
  if (!Array.isArray(types) || types.length === 0 || types.some(type => typeof type !== 'string')) throw bad("secretLeak(): types must be a list of names, such as ['SECRET'].")
  return looking(new Detected(detector, new Set(types)), side, new Verdicts('secretLeak', options))
}
