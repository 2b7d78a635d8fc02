// Routing in virtual time: prints its tables in Markdown, and exits with 1 where a bar is missed.
import { aimd } from './aimd.js'
import { costs } from './cost.js'
import { latency } from './latency.js'
import type { Part } from './part.js'
import { shares } from './shares.js'

const parts: readonly Part[] = [latency, costs, shares, aimd]

for (const part of parts) {
  const startedMs = performance.now()
  const { lines, ok } = part.run()
  console.log(`\n## ${part.name}\n`)
  for (const line of lines) console.log(line)
  console.log(`\n(${((performance.now() - startedMs) / 1_000).toFixed(1)} s)`)
  if (!ok) process.exitCode = 1
}
