import { Worker } from 'node:worker_threads'
import { short } from './scores.mjs'

const WORKER = new URL('worker.mjs', import.meta.url)
export const SIZES_KB = [1, 4, 16, 64, 256]
const LINEAR = 1.15
const TRIES = 4
const LONG_MS = 300

/** What is repeated until the text is as long as wanted. Each has stopped some detector for seconds, or might. */
export const UNITS = {
  digits: '1234567890',
  'one digit': '1',
  'digits and dashes': '1-',
  'digits and spaces': '1 ',
  'digits and dots': '1.',
  'phones without an end': '+1 (415) 555-',
  'pluses': '+',
  'brackets': '(',
  'digits in brackets': '(1)',
  'square brackets': '[[',
  'placeholders without an end': '[EMAIL_',
  'at signs': '@',
  'addresses without an end': 'a@',
  'addresses of dots': 'a.a@a.',
  'dots': '.',
  'words and dots': 'ab.',
  'dashes': '-',
  'a key begins': '-----BEGIN PRIVATE KEY-----\n',
  'a key almost begins': '-----BEGIN ',
  'token prefixes': 'sk-ghp_xoxb-',
  'tokens': 'ghp_aB3dE6gH9jK2mN5pQ8sT1vW4xY7z ',
  'webs of tokens': 'eyJhbGciOi.',
  'colons': ':',
  'hex and colons': 'ab:',
  'logins': 'https://a:b@',
  'schemes': 'http://',
  'upper case': 'ABCDEFGH',
  'banks': 'DE12 3456 ',
  'letters and digits': 'A1B2',
  'keys': 'password=',
  'keys and values': '"key": "aB3dE6gH9jK2mN5p", ',
  'zero width': '1\u200b',
  'full width': '\uff11\uff12\uff13',
  'percent': '%31',
  'escapes': '\\u0031',
  'entities': '&#49;',
  'base64': 'MTIzNDU2Nzg5MDEyMzQ1Njc4OTAx',
  'nested base64': 'TVRJek5EVTJOemc1TURFeU16UTFOamM0T1RBeA==\n',
  'accents': '\u00e9\u0301',
  'astral': '\u{1f600}1',
  'half astral': '\ud83d',
  'spaces': ' ',
  'line ends': '\n',
  'quotes': '"\\"',
  'slashes': '/a',
  'underscores': '_',
  'context words': 'card iban phone ssn ',
}

/** A worker that can be stopped in the middle of a pattern. */
class Timed {
  #data
  #worker

  constructor(data) {
    this.#data = data
  }

  /** Milliseconds, or undefined where it took too long. */
  async ask(job, timeoutMs) {
    if (this.#worker === undefined) await this.#start()
    const worker = this.#worker
    const answer = new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    worker.postMessage(job)
    let timer
    const late = new Promise(resolve => {
      timer = setTimeout(resolve, timeoutMs, undefined)
    })
    try {
      const result = await Promise.race([answer, late])
      if (result === undefined) await this.stop()
      else if (result.failed !== undefined) throw new Error(result.failed)
      return result?.ms
    } finally {
      clearTimeout(timer)
      worker.removeAllListeners('message')
      worker.removeAllListeners('error')
    }
  }

  async stop() {
    const worker = this.#worker
    this.#worker = undefined
    worker?.on('error', () => {})
    await worker?.terminate()
  }

  async #start() {
    this.#worker = new Worker(WORKER, { workerData: this.#data })
    await new Promise((resolve, reject) => {
      this.#worker.once('message', resolve)
      this.#worker.once('error', reject)
    })
    this.#worker.removeAllListeners('error')
  }
}

/** Growth from the smallest of two sizes to the largest: 1 is linear, 2 square. */
function exponent(times, from, to) {
  const [a, b] = [times.get(from), times.get(to)]
  return a === undefined || b === undefined ? undefined : Math.log(b / a) / Math.log(to / from)
}

function growth(times) {
  const full = exponent(times, 16, 256)
  if (full !== undefined) return full
  const done = [...times.keys()]
  return done.length < 2 ? undefined : exponent(times, done.at(-2), done.at(-1))
}

/** One unit at every size, until one takes too long; `times` keeps the best. */
async function measureUnit(timed, unit, times, timeoutMs) {
  for (const kb of SIZES_KB) {
    const ms = await timed.ask({ unit, characters: kb * 1024 }, timeoutMs)
    if (ms === undefined) return kb
    times.set(kb, Math.min(ms, times.get(kb) ?? Infinity))
  }
  return undefined
}

async function rowOf(timed, unit, timeoutMs) {
  const times = new Map()
  let slow
  // A busy moment looks like growth; growth is there every time.
  for (let tries = 0; tries < TRIES; tries++) {
    slow = await measureUnit(timed, unit, times, timeoutMs)
    if (slow !== undefined || growth(times) <= LINEAR || times.get(SIZES_KB.at(-1)) > LONG_MS) break
  }
  return { growth: growth(times), ms: Object.fromEntries(times), slow }
}

/** Every input, until the time is up. */
export async function adversarial(detector, path, { timeoutMs, budgetMs }) {
  const timed = new Timed({ name: detector.name, path })
  const rows = {}
  const stop = performance.now() + budgetMs
  try {
    for (const [name, unit] of Object.entries(UNITS)) {
      if (performance.now() > stop) break
      try {
        rows[name] = await rowOf(timed, unit, timeoutMs)
      } catch (error) {
        rows[name] = { ms: {}, failed: short(error) }
      }
    }
  } finally {
    await timed.stop()
  }
  return { rows, ...worst(rows), timeoutMs, of: Object.keys(UNITS).length }
}

function worst(rows) {
  const list = Object.entries(rows)
  const most = (of, start) => list.reduce((best, [name, row]) => (of(row) > best.value ? { name, value: of(row) } : best), { name: undefined, value: start })
  const named = test => list.filter(([, row]) => test(row)).map(([name]) => name)
  const stalls = named(row => row.failed !== undefined || row.slow <= 64)
  return {
    growth: most(row => row.growth ?? 0, 0),
    at64: stalls.length > 0 ? { name: stalls[0], value: Infinity } : most(row => row.ms[64] ?? 0, 0),
    slow: named(row => row.slow !== undefined),
    failed: named(row => row.failed !== undefined),
  }
}
