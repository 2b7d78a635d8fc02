// Writes src/providers/prices/data.ts from two sources, and prints where they differ and what is covered.
// Use: npm run prices -- [--providers <providers.tsv>] [--models-dev <its api.json or a clone>] [--date <YYYY-MM-DD>]
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readGenai } from './prices/genai.mjs'
import { merge } from './prices/merge.mjs'
import { readModelsDev, readPiAi } from './prices/models-dev.mjs'
import { pack } from './prices/pack.mjs'
import { PACKAGES, unpack } from './prices/packages.mjs'
import { providersOf, SAME_BILL } from './prices/vendors.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const { values } = parseArgs({ options: { providers: { type: 'string', default: join(here, '../../shared/providers.tsv') }, 'models-dev': { type: 'string' }, date: { type: 'string', default: new Date().toISOString().slice(0, 10) } } })

const day = path => (statSync(path).isDirectory() ? execFileSync('git', ['-C', path, 'log', '-1', '--format=%cs'], { encoding: 'utf8' }).trim() : statSync(path).mtime.toISOString().slice(0, 10))

async function read(providers) {
  const folder = mkdtempSync(join(tmpdir(), 'prices-'))
  try {
    const dataset = values['models-dev']
    const modelsDev = [{ source: 'models.dev', date: PACKAGES['pi-ai'].date, rows: readPiAi(unpack('pi-ai', folder), providers) }]
    if (dataset !== undefined) modelsDev.push({ source: 'models.dev', date: day(dataset), rows: readModelsDev(dataset, providers) })
    else console.log('without --models-dev: only those of its rows that a package carries (chat models with tools)')
    const { date } = PACKAGES['genai-prices']
    return { modelsDev, genai: { source: 'genai-prices', date, models: await readGenai(unpack('genai-prices', folder), providers, values.date) } }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const providers = providersOf(values.providers)
const { modelsDev, genai } = await read(providers)
const { table, both, disagreements } = merge(modelsDev, genai)

const sources = []
const letterOf = ({ source, date, said }) => {
  const entry = JSON.stringify([source, date, said])
  if (!sources.includes(entry)) sources.push(entry)
  return String.fromCharCode(65 + sources.indexOf(entry))
}
const packed = pack(table, letterOf)
const inTable = both.filter(key => table.has(key)).length
const figures = { date: values.date, providers: packed.size, models: table.size, both: both.length, covered: inTable, disputed: disagreements.length }

const text = `// Made by scripts/prices.mjs from the data of models.dev and of genai-prices; a fact a group, its source by its first letter.
/** Source, the day of its data, and what the other source says: "agreed", "disputed", or nothing ("alone"). */
export const SOURCES: readonly (readonly [source: string, date: string, said: string])[] = [
${sources.map(entry => `  [${JSON.parse(entry).map(word => `'${word}'`).join(', ')}],`).join('\n')}
]
/** \`both\`: models that both sources price; \`covered\`: those of them that are in the table; \`disputed\`: on which the two differ. */
export const FIGURES = ${JSON.stringify(figures).replace(/"(\w+)":/g, ' $1: ').replaceAll('"', "'").replace('}', ' }')} as const
/** Providers that bill as another one does. */
export const SAME_BILL: Readonly<Record<string, string>> = {
${Object.entries(SAME_BILL).map(([id, as]) => `  '${id}': '${as}',`).join('\n')}
}
/** A provider a line: groups of source letter, price, "=", models. scripts/prices/pack.mjs says how a price is written. */
export const TABLE: Readonly<Record<string, string>> = {
${[...packed].map(([vendor, groups]) => `  '${vendor}': '${groups}',`).join('\n')}
}
`
const out = join(here, '../src/providers/prices')
mkdirSync(out, { recursive: true })
writeFileSync(join(out, 'data.ts'), text)

const shown = price => ['input', 'output', 'cachedInput', 'cacheWrite'].map(kind => price[kind] ?? '-').join('/')
for (const { key, differs, dev, other, chosen } of disagreements) console.log(`${key}: ${differs.join()} models.dev ${shown(dev)} genai-prices ${shown(other)} -> ${chosen}`)
for (const key of both) if (!table.has(key)) console.log(`${key}: priced by both and not in the table`)
console.log(`${both.length} models are priced by both sources; ${inTable} of them (${((100 * inTable) / both.length).toFixed(1)} %) are in the table; on ${disagreements.length} the sources differ`)
console.log(`${table.size} models of ${packed.size} providers written`)
