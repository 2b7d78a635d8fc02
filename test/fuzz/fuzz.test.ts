import { describe, expect, it } from 'vitest'
import { DECODERS } from './decoders.js'
import { again, fuzz, MOST_BYTES, MOST_MS, slowestMs } from './run.js'

const COUNT = 20_000
// Always the same, so that a change is judged by itself; npm run fuzz takes another each time.
const SEED = 1

describe('bytes of any kind', () => {
  it.each(DECODERS.map(decoder => [decoder.name, decoder] as const))('end in an answer or a typed error: %s', (_, decoder) => {
    const report = fuzz(decoder, { seed: SEED, count: COUNT })
    expect(report.failures.map(({ index, what }) => `${again(decoder, SEED, index)}\n${what}`)).toEqual([])
    expect([report.inputs, report.answers > COUNT / 20, report.faults > COUNT / 20]).toEqual([COUNT, true, true])
    const { slowest, largest } = report
    expect(slowestMs(decoder, { seed: SEED, count: COUNT }, report), again(decoder, SEED, slowest.index)).toBeLessThanOrEqual(MOST_MS)
    expect(largest.bytes, again(decoder, SEED, largest.index)).toBeLessThanOrEqual(MOST_BYTES)
  }, 120_000)
})
