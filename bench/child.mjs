// One client in a process of its own, so that processor time and memory are its own. The parent sends one operation at a time.
import { JSON_WORDS, textOf } from './lib/wire.mjs'

const [file, baseUrl, model, messages] = JSON.parse(process.argv[2])
const client = (await import(file)).create({ baseUrl, model, messages: JSON.parse(messages) })
const jsonLength = textOf(JSON_WORDS).length
let open = []

const cpuUs = since => {
  const { user, system } = process.cpuUsage(since)
  return user + system
}

async function chat() {
  const text = await client.chat()
  if (text.length !== jsonLength) throw new Error(`the answer has ${text.length} characters instead of ${jsonLength}`)
}

async function read(expected, onFirst) {
  let length = 0
  await client.stream(text => {
    if (length === 0 && text.length > 0) onFirst?.()
    length += text.length
  })
  if (length !== expected) throw new Error(`the stream has ${length} characters instead of ${expected}`)
}

async function calls({ concurrency, count }) {
  // Opens the sockets first: a pool may have closed idle ones since the last round.
  await Promise.all(Array.from({ length: concurrency }, chat))
  let left = count
  const walls = []
  const worker = async () => {
    while (left-- > 0) {
      const t = performance.now()
      await chat()
      walls.push(performance.now() - t)
    }
  }
  const cpu = process.cpuUsage()
  const t0 = performance.now()
  await Promise.all(Array.from({ length: concurrency }, worker))
  const ms = performance.now() - t0
  const us = cpuUs(cpu) / count
  walls.sort((a, b) => a - b)
  return { cpuUs: us, perSecond: (count * 1000) / ms, p50Ms: walls[Math.floor(count * 0.5)], p99Ms: walls[Math.min(count - 1, Math.floor(count * 0.99))] }
}

async function streams({ concurrency, repeat, chunks }) {
  const expected = textOf(chunks).length
  const cpu = process.cpuUsage()
  for (let i = 0; i < repeat; i++) await Promise.all(Array.from({ length: concurrency }, () => read(expected)))
  return { cpuUs: cpuUs(cpu) / (chunks * concurrency * repeat) }
}

async function first({ count, chunks }) {
  const expected = textOf(chunks).length
  const waits = []
  for (let i = 0; i < count; i++) {
    const t = performance.now()
    await read(expected, () => waits.push(performance.now() - t))
  }
  waits.sort((a, b) => a - b)
  return { ms: waits[Math.floor(waits.length / 2)] }
}

async function hits({ count, repeat = 1 }) {
  const total = count * repeat
  const hit = async () => {
    const text = await client.hit()
    if (text.length !== jsonLength) throw new Error(`the answer has ${text.length} characters instead of ${jsonLength}`)
  }
  await hit()
  const before = client.hits()
  const cpu = process.cpuUsage()
  for (let i = 0; i < total; i++) await hit()
  const us = cpuUs(cpu) / total
  if (client.hits() - before !== total) throw new Error(`${client.hits() - before} of ${total} answers came from the cache`)
  return { cpuUs: us }
}

async function collected() {
  for (let i = 0; i < 4; i++) {
    await new Promise(resolve => setTimeout(resolve, 20))
    globalThis.gc()
  }
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed + external, rss }
}

async function hold({ count }) {
  const before = await collected()
  const expected = textOf(1).length
  const started = []
  for (let i = 0; i < count; i++) {
    started.push(new Promise((resolve, reject) => {
      const reading = read(expected, resolve)
      reading.catch(reject)
      open.push(reading)
    }))
  }
  await Promise.all(started)
  const after = await collected()
  return { heapKb: (after.heap - before.heap) / 1024 / count, rssKb: (after.rss - before.rss) / 1024 / count }
}

async function drain() {
  await Promise.all(open)
  open = []
  return {}
}

async function memory() {
  const { heap, rss } = await collected()
  return { heap, rss, resources: process.getActiveResourcesInfo().length }
}

const OPERATIONS = { calls, streams, first, hits, hold, drain, memory }

process.on('message', async ({ id, op, ...options }) => {
  try {
    process.send({ id, value: await OPERATIONS[op](options) })
  } catch (error) {
    process.send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
})
process.on('disconnect', () => process.exit(0))
process.send({ ready: true })
