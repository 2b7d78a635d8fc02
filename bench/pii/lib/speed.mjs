import { median } from './scores.mjs'

const PIECE = 65_536

export function cut(text) {
  const found = []
  for (let at = 0; at < text.length; at += PIECE) found.push(text.slice(at, at + PIECE))
  return found
}

/** Processor time of a pass in microseconds, and the bytes it got through within the time it has. */
async function pass(scan, texts, budgetMs) {
  const stop = performance.now() + budgetMs
  const from = process.cpuUsage()
  let bytes = 0
  for (const text of texts) {
    await scan(text)
    bytes += Buffer.byteLength(text)
    if (performance.now() > stop) break
  }
  const { user, system } = process.cpuUsage(from)
  return { us: user + system, bytes }
}

/** MB/s of processor time, the median over the rounds; the first passes warm up. */
export async function megabytesPerSecond(open, texts, { rounds, budgetMs, options }) {
  const { scan } = open(options)
  const found = []
  for (let round = -2; round < rounds; round++) {
    const { us, bytes } = await pass(scan, texts, budgetMs / (rounds + 2))
    if (round >= 0 && us > 0) found.push(bytes / us)
  }
  return median(found)
}
