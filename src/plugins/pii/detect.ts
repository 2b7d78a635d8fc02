import { settle } from './conflicts.js'
import { Hits } from './hits.js'
import { planOf, type Plan } from './plan.js'
import { Scan } from './scan.js'
import { shadow } from './shadow.js'
import type { Detector, DetectOptions, Finding } from './types.js'

function look(text: string, plan: Plan, start: number): Hits {
  const hits = new Hits(text, plan.wants, plan.thresholds, plan.allow)
  new Scan(hits, plan).run(start)
  plan.optIn?.scan(hits)
  plan.known?.scan(hits)
  plan.own?.scan(hits)
  return hits
}

class PlannedDetector implements Detector {
  readonly maxLength: number
  readonly #plan: Plan

  constructor(plan: Plan) {
    this.#plan = plan
    this.maxLength = plan.maxLength
  }

  detect(text: string): readonly Finding[] {
    return this.measure(text).findings
  }

  /** For a stream: what is found from `start` on, which is between two words; what stands before is context. */
  detectFrom(text: string, start: number): readonly Finding[] {
    return this.measure(text, start).findings
  }

  /** The findings, and how many characters were read beyond the one pass: what shows that it is linear without a clock. */
  measure(text: string, start = 0): { findings: readonly Finding[]; steps: number } {
    const hits = look(text, this.#plan, start)
    const folded = shadow(text)
    if (folded === undefined) return { findings: settle(hits.list), steps: hits.steps }
    const behind = look(folded.text, this.#plan, 0)
    for (const finding of behind.list) {
      hits.list.push({ ...finding, start: folded.starts[finding.start] ?? 0, end: folded.ends[finding.end - 1] ?? text.length })
    }
    return { findings: settle(hits.list), steps: hits.steps + behind.steps }
  }
}

/**
 * A detector with everything checked and compiled: make it once, use it for every text.
 * Finds what {@link DetectOptions} asks for, in time linear in the length of the text.
 * @throws GatewayError `invalid_config` for an unknown type or country, a recogniser without `maxLength`, or a pattern that may take more than linear time.
 * @example
 * const detector = createDetector({ types: ['default', 'MAC'], countries: ['DE'] })
 * for (const { type, start, end } of detector.detect('Write to ada@lovelace.dev')) console.log(type, start, end)
 */
export function createDetector(options: DetectOptions = {}): Detector {
  return new PlannedDetector(planOf(options))
}

/**
 * Findings in one text, in order, none over another; see {@link createDetector}, which is cheaper for many.
 * @example
 * detect('Call +44 20 7946 0018').map(finding => finding.type) // ['PHONE']
 */
export function detect(text: string, options: DetectOptions = {}): readonly Finding[] {
  return createDetector(options).detect(text)
}

/** For tests: steps instead of time. */
export function measure(text: string, options: DetectOptions = {}): { findings: readonly Finding[]; steps: number } {
  return new PlannedDetector(planOf(options)).measure(text)
}
