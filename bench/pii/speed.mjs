// Speed of the detector on prose and code, growth on hostile texts, false hits on sources and on digits.
// node bench/pii/speed.mjs [--all] [--show]
import { build } from 'esbuild'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const scratch = join(root, '.scratch')
mkdirSync(scratch, { recursive: true })
const outfile = join(scratch, 'detect.mjs')
await build({ entryPoints: [join(root, 'src/plugins/pii/detect.ts')], bundle: true, format: 'esm', platform: 'node', outfile, logLevel: 'error' })
const { createDetector } = await import(pathToFileURL(outfile).href)

const everything = { types: ['default', 'URL', 'PRIVATE_IP', 'MAC', 'CRYPTO_ADDRESS', 'DATE_OF_BIRTH', 'ADDRESS', 'VIN', 'PLATE', 'IMEI', 'GPS', 'CARD_DETAIL'], countries: 'all' }
const detector = createDetector(process.argv.includes('--all') ? everything : {})

const WORDS = 'the people of a town near river had long known that their bridge would one day need work and when spring came they met to talk about cost time stone wood who should pay how it might be done before winter'.split(' ')
function prose(length) {
  const parts = []
  for (let size = 0, i = 0, seed = 7; size < length; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648
    const word = i % 400 === 399 ? `at 10:30 on 12/05/2024, ${seed % 1000} of them,` : WORDS[seed % WORDS.length] + (i % 12 === 11 ? '.' : '')
    parts.push(word)
    size += word.length + 1
  }
  return parts.join(' ').slice(0, length)
}

function sources(folder, most) {
  const parts = []
  let size = 0
  const walk = at => {
    for (const name of readdirSync(at).sort()) {
      if (size >= most || name === '.cache' || name === '.bin') continue
      const path = join(at, name)
      const stat = statSync(path, { throwIfNoEntry: false })
      if (stat?.isDirectory()) walk(path)
      else if (stat && /\.(ts|mjs|cjs|js)$/.test(name) && stat.size < 200_000) {
        const text = readFileSync(path, 'utf8')
        parts.push(text)
        size += text.length
      }
    }
  }
  walk(folder)
  return parts
}

/** Milliseconds of processor time: the machine has other work. */
function cpu() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function speed(texts) {
  const size = texts.reduce((sum, text) => sum + text.length, 0)
  let best = Infinity
  for (let round = 0; round < 7; round++) {
    const start = cpu()
    for (const text of texts) detector.detect(text)
    best = Math.min(best, cpu() - start)
  }
  return size / best / 1000
}

const own = sources(join(root, 'src'), 4e6)
const installed = ['typescript/lib', 'fast-check', 'vitest', 'esbuild', 'rollup', 'eslint', '@typescript-eslint', 'undici', 'zod', 'vite'].flatMap(name => (statSync(join(root, 'node_modules', name), { throwIfNoEntry: false }) ? sources(join(root, 'node_modules', name), 1.5e6) : []))

console.log('MB/s', { prose: +speed([prose(1e6)]).toFixed(1), own: +speed(own).toFixed(1), installed: +speed(installed).toFixed(1) })

for (const [name, texts] of [['own', own], ['installed', installed]]) {
  const counts = {}
  let size = 0
  for (const text of texts) {
    size += text.length
    for (const finding of detector.detect(text)) {
      counts[finding.type] = (counts[finding.type] ?? 0) + 1
      if (process.argv.includes('--show')) console.log(name, finding.type, finding.score, finding.reason, JSON.stringify(text.slice(Math.max(0, finding.start - 30), finding.end + 10).slice(0, 140)))
    }
  }
  const hits = Object.values(counts).reduce((a, b) => a + b, 0)
  console.log('false hits', name, { megabytes: +(size / 1e6).toFixed(2), hits, perMegabyte: +(hits / (size / 1e6)).toFixed(1), counts })
}

let seed = 99
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647
const digits = createDetector(everything)
let flagged = 0
const counts = {}
for (let i = 0; i < 20_000; i++) {
  const length = 6 + Math.floor(random() * 15)
  const text = Array.from({ length }, () => Math.floor(random() * 10)).join('')
  const found = digits.detect(text)
  if (found.length > 0) flagged++
  for (const { type } of found) counts[type] = (counts[type] ?? 0) + 1
}
console.log('random digits flagged', `${((flagged / 20_000) * 100).toFixed(2)} %`, counts)

const HOSTILE = ['1', '1-', '12-', '123-45-', '1 ', '12 34 ', '1.', '1.1.1.1.', '@', 'a@', 'a@a.', 'a.', '.', '-', '-----BEGIN PRIVATE KEY-----', '-----BEGIN ', 'eyJ', 'eyJa.', ':', '::', 'a:', '1:', 'f:', '=', 'password=', 'password: ', 'key=a1', 'a1', 'A1', 'DE89', 'DE89 ', 'http://', 'http://a:', '(', '(1', '+', '+1', '+1 ', '%', '%41', '&#', '&#49;', '\\u0031', '\\u', '\u200b', '\uff11', '\uff11-', '٣', '漢', 'é', '\ud835', 'A'.repeat(40), 'sk-', 'ghp_', 'Bearer ', '"', '"a":', '[', '{', '<a>', 'x'.repeat(31) + ' ', '4111 ', '4111 1111 1111 1111 ', '4111-', 'a@b.co ', '(212) 555-0123 ', 'Ab1', 'Ab1+/', '_1', '/1', '1/', 'QWxh']
const worst = { exponent: [0, ''], ms: [0, ''] }
function time(text) {
  let best = Infinity
  for (let round = 0; round < 5; round++) {
    const start = cpu()
    detector.detect(text)
    best = Math.min(best, cpu() - start)
  }
  return best
}
for (const unit of HOSTILE) {
  const fill = length => unit.repeat(Math.ceil(length / unit.length)).slice(0, length)
  const small = time(fill(16_384))
  const middle = time(fill(65_536))
  const large = time(fill(262_144))
  const exponent = Math.log(large / small) / Math.log(16)
  if (large > 2 && exponent > worst.exponent[0]) worst.exponent = [+exponent.toFixed(3), unit]
  if (middle > worst.ms[0]) worst.ms = [+middle.toFixed(1), unit]
  if (process.argv.includes('--show') && (exponent > 1.1 || middle > 10)) console.log(JSON.stringify(unit.slice(0, 30)), { exponent: +exponent.toFixed(3), ms64: +middle.toFixed(1) })
}
console.log('hostile, worst', worst)
