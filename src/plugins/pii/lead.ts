import type { Detector, Finding } from './types.js'

/** No match of several words is longer, and no word that leads to one stands further away. */
const LEAD = 72
const BEGIN = '-----BEGIN'

/** A detector that can leave out what is context alone. */
export interface StreamDetector extends Detector {
  /** What is found from `start` on, with what stands before as context; `start` is between two words. */
  detectFrom?(text: string, start: number): readonly Finding[]
}

const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90)

/** The last place up to `most` between two words of letters, which no number and no address goes over; 0 where a private key may begin before it. */
function leadStart(text: string, most: number): number {
  for (let at = most; at > 0; at--) {
    if (text.charCodeAt(at) === 32 && isLetter(text.charCodeAt(at - 1)) && isLetter(text.charCodeAt(at + 1))) return text.lastIndexOf(BEGIN, at) < 0 ? at : 0
  }
  return 0
}

/** All that goes beyond `done`: what lies well before it was decided, and is not looked at again. */
export function foundFrom(detector: StreamDetector, text: string, done: number): readonly Finding[] {
  const start = leadStart(text, done - LEAD)
  return start > 0 && detector.detectFrom !== undefined ? detector.detectFrom(text, start) : detector.detect(text)
}
