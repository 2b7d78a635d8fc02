import type { DetectOptions, Detector, Finding } from './types.js'

const EMAIL = /[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,62}){1,4}/g

/** A stand-in: mail addresses only. */
export function createDetector(_options: DetectOptions = {}): Detector {
  return { maxLength: 320, detect: text => [...text.matchAll(EMAIL)].map(match => ({ type: 'EMAIL', start: match.index, end: match.index + match[0].length, score: 0.9, reason: 'shape' })) }
}

/** What is found in a text. */
export function detect(text: string, options: DetectOptions = {}): readonly Finding[] {
  return createDetector(options).detect(text)
}
