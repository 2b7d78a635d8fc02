// Plays mutated and random answers to every decoder, from bytes to the finished answer.
// Use: npm run fuzz -- [--decoder <name>] [--seed <n>] [--count <n>] [--from <n>] [--plain]   (--plain: without recorded seeds)
import { parseArgs } from 'node:util'
import { DECODERS } from '../../test/fuzz/decoders.js'
import { again, fuzz, MOST_BYTES, MOST_MS, slowestMs } from '../../test/fuzz/run.js'

const { values } = parseArgs({ options: { decoder: { type: 'string' }, seed: { type: 'string', default: String(Date.now() % 1_000_000) }, count: { type: 'string', default: '2000000' }, from: { type: 'string', default: '0' }, plain: { type: 'boolean', default: false } } })
const [seed, count, from] = [values.seed, values.count, values.from].map(Number)
const chosen = DECODERS.filter(({ name }) => values.decoder === undefined || name === values.decoder)
if (chosen.length === 0 || ![seed, count, from].every(Number.isSafeInteger)) {
  console.error(`Give whole numbers, and one of: ${DECODERS.map(({ name }) => name).join(', ')}.`)
  process.exit(1)
}

const number = (value: number, digits = 0): string => value.toLocaleString('en', { maximumFractionDigits: digits })
console.log(`seed ${seed}; recorded seeds ${values.plain ? 'left out' : 'taken where they lie in ../shared'}`)
console.log(`${'decoder'.padEnd(14)}${'inputs'.padStart(12)}${'answers'.padStart(12)}${'inputs/s'.padStart(10)}${'slowest ms'.padStart(12)}${'largest MB'.padStart(12)}${'peak MB'.padStart(9)}${'crashes'.padStart(9)}`)
let failed = false
for (const decoder of chosen) {
  const options = { seed: seed ?? 0, count: count ?? 0, from: from ?? 0, recorded: !values.plain }
  const report = fuzz(decoder, options)
  const { inputs, answers, failures, ms, slowest, largest } = report
  const slowMs = slowestMs(decoder, options, report)
  const peakMb = process.resourceUsage().maxRSS / 1024
  console.log(`${decoder.name.padEnd(14)}${number(inputs).padStart(12)}${number(answers).padStart(12)}${number(inputs / (ms / 1000)).padStart(10)}${number(slowMs, 1).padStart(12)}${number(largest.bytes / 1_048_576, 1).padStart(12)}${number(peakMb).padStart(9)}${number(failures.length).padStart(9)}`)
  for (const { index, what } of failures) console.log(`${again(decoder, seed ?? 0, index, !values.plain)}\n${what}`)
  if (slowMs > MOST_MS) console.log(`slow: ${again(decoder, seed ?? 0, slowest.index, !values.plain)}`)
  failed ||= failures.length > 0 || slowMs > MOST_MS || largest.bytes > MOST_BYTES
}
process.exitCode = failed ? 1 : 0
