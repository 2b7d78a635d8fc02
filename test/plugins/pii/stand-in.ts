import { createRedactor, type RedactPii } from '../../../src/plugins/pii/plugin.js'
import { settingsOf, type RedactPiiOptions } from '../../../src/plugins/pii/options.js'
import type { Detector, DetectOptions, Finding } from '../../../src/plugins/pii/types.js'
import type { CallView } from '../../../src/protocol/ports.js'
import { virtualClock } from '../../../src/testing/index.js'

const PATTERNS: readonly (readonly [type: string, pattern: RegExp, score: number])[] = [
  ['EMAIL', /[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z]{2,20}){1,3}/g, 0.9],
  ['US_SSN', /\b\d{3}-\d{2}-\d{4}\b/g, 0.8],
  ['CREDIT_CARD', /\b\d{4}(?:[ -]?\d{4}){3}\b/g, 0.9],
  ['IBAN', /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b/g, 0.95],
  ['SECRET', /\bsk-[A-Za-z0-9]{16,64}\b/g, 1],
  ['SECRET', /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,65536}?-----END [A-Z ]{0,40}PRIVATE KEY-----/g, 1],
  // Told by its context alone.
  ['PHONE', /(?<=\b(?:phone|call)\b[^\d\n]{0,12})\d{3} \d{4}\b/gi, 0.6],
]

/** A detector of a few plain shapes, so that these tests do not depend on the real one. */
export function standIn({ known = {}, types }: DetectOptions = {}): Detector {
  return {
    maxLength: 128,
    detect(text) {
      const found: Finding[] = []
      for (const [type, pattern, score] of PATTERNS) if (types === undefined || types.includes(type)) for (const { 0: { length }, index } of text.matchAll(pattern)) found.push({ type, start: index, end: index + length, score, reason: 'shape' })
      for (const [type, values] of Object.entries(known)) for (const value of values) for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, at + value.length)) found.push({ type, start: at, end: at + value.length, score: 1, reason: 'known' })
      found.sort((a, b) => a.start - b.start || b.end - a.end)
      const kept: Finding[] = []
      for (const finding of found) if ((kept.at(-1)?.end ?? 0) <= finding.start) kept.push(finding)
      return kept
    },
  }
}

/** The plugin over the stand-in. */
export function redactor(options: RedactPiiOptions = {}, detector: (options: DetectOptions) => Detector = standIn): RedactPii {
  return createRedactor(settingsOf(options, detector))
}

/** A chat that a plugin is opened for. */
export function viewOf(more: Partial<CallView> = {}): CallView {
  return { id: 'c', kind: 'chat', model: 'm', clock: virtualClock(), onEnd: () => undefined, ...more }
}
