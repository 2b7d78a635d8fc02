import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { file } from './detectors.mjs'

const CODE = /(?<!\.d)\.(?:[cm]?[jt]s|tsx|jsx)$/
const SKIPPED = new Set(['test', 'tests', '__tests__', 'locales', 'locale', 'fixtures', 'min', 'umd', '.bin', '.cache', '.vite'])
const MOST_BY_FILE = 200_000
const MOST_BY_PACKAGE = 300_000
const MOST_BY_LINE = 400

function* filesOf(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules' && !SKIPPED.has(entry.name)) yield* filesOf(path)
    } else if (CODE.test(entry.name) && !entry.name.includes('.min.')) yield path
  }
}

/** Text of the files of a folder that a person could have written, up to so many bytes. */
function textsOf(folder, most) {
  const texts = []
  let bytes = 0
  for (const path of filesOf(folder)) {
    const { size } = statSync(path)
    if (size === 0 || size > MOST_BY_FILE || bytes + size > most) continue
    const text = readFileSync(path, 'utf8')
    if (text.length / text.split('\n').length > MOST_BY_LINE) continue
    texts.push(text)
    bytes += size
  }
  return texts
}

function packages(folder) {
  return readdirSync(folder)
    .sort()
    .flatMap(name => (name.startsWith('.') ? [] : name.startsWith('@') ? readdirSync(join(folder, name)).map(inner => join(folder, name, inner)) : [join(folder, name)]))
    .filter(path => statSync(path).isDirectory())
}

/** Our own sources and those of the installed packages, a little of each. */
export function sourceTexts(mostBytes) {
  const own = textsOf(file('../../src'), mostBytes)
  const installed = []
  let left = mostBytes
  for (const path of packages(realpathSync(file('../../node_modules')))) {
    for (const text of textsOf(path, Math.min(MOST_BY_PACKAGE, left))) {
      installed.push(text)
      left -= Buffer.byteLength(text)
    }
  }
  return { own, installed }
}

/** Cut at line ends, because some detectors take a minute over a long text. */
export function pieces(text, characters = 16_384) {
  const found = []
  for (let at = 0; at < text.length; ) {
    let end = Math.min(text.length, at + characters)
    if (end < text.length) {
      const line = text.lastIndexOf('\n', end)
      if (line > at) end = line + 1
    }
    found.push(text.slice(at, end))
    at = end
  }
  return found
}

// An author's address is one, also in a comment.
const ADDRESS = /^[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|edu|gov|io|dev|me|de|fr|uk|us|ca|se|jp|cn|ru|nl|co|info|name|email|app|codes|tech)$/i
const NONE_AT_ALL = ['CREDIT_CARD', 'IBAN', 'US_SSN']

/** False hits by MB; what is not one of the default types does not count. */
export async function falseHits(detector, texts, types, budgetMs) {
  const { detect } = detector.open()
  const byType = {}
  let bytes = 0
  let hits = 0
  let addresses = 0
  const stop = performance.now() + budgetMs
  for (const text of texts) {
    if (performance.now() > stop) break
    bytes += Buffer.byteLength(text)
    for (const piece of pieces(text)) {
      for (const { type, start, end } of await detect(piece)) {
        if (!types.includes(type)) continue
        if (type === 'EMAIL' && ADDRESS.test(piece.slice(start, end))) addresses++
        else {
          byType[type] = (byType[type] ?? 0) + 1
          hits++
        }
      }
    }
  }
  const megabytes = bytes / 1_000_000
  return { megabytes, hits, addresses, byType, perMb: megabytes === 0 ? undefined : hits / megabytes, never: NONE_AT_ALL.reduce((sum, type) => sum + (byType[type] ?? 0), 0) }
}
