import type { CallRecord } from '../../protocol/result.js'
import { mapLeaves } from './leaves.js'
import type { Policy } from './policy.js'
import type { Detector } from './types.js'

/** Parts of a record that hold words of the caller, the model or the provider. */
const WORDS = ['metadata', 'content', 'attempts', 'warnings', 'conversation', 'note'] as const

/** A record with its masks on; the same where there is nothing to mask. */
export function maskedRecord(record: CallRecord, detector: Detector, policy: Policy): CallRecord {
  let made: CallRecord | undefined
  for (const part of WORDS) {
    const before = record[part]
    const after = mapLeaves(before, part, (text, _path, key) => maskedText(text, key, detector, policy))
    if (after !== before) made = { ...(made ?? record), [part]: after }
  }
  return made === undefined ? record : Object.freeze(made)
}

function maskedText(text: string, key: string, detector: Detector, policy: Policy): string {
  const before = key === '' ? '' : `${key.slice(0, 64)}: `
  const whole = before + text
  let out = ''
  let from = before.length
  for (const { type, start, end } of detector.detect(whole)) {
    const action = policy.action(type, 'logs')
    if (end <= from || action === 'report') continue
    const at = Math.max(start, from)
    // A log is no place to refuse a call.
    out += whole.slice(from, at) + policy.replaced(type, whole.slice(at, end), action === 'block' ? 'redact' : action, false)
    from = end
  }
  return out + whole.slice(from)
}
