import { keepsAlone, SAME_BILL } from './vendors.mjs'

const same = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, a, b)
const free = price => price.input === 0 && price.output === 0

/** The kinds on which two prices differ; a kind that one of them leaves out is no difference. */
function differences(a, b) {
  return ['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h'].filter(kind => a[kind] !== undefined && b[kind] !== undefined && !same(a[kind], b[kind]))
}

/**
 * A row for that very name wins over one by a rule for names like it, then the newest row wins; what it leaves out is taken from an older row with the same price for input and output. A row that
 * says 0 for everything wins over none that names a price.
 * @param rows `{ source, date, price, byRule }` of one model, in any order.
 */
export function choose(rows) {
  const ranked = [...rows].sort((a, b) => Number(free(a.price)) - Number(free(b.price)) || Number(a.byRule) - Number(b.byRule) || (a.date < b.date ? 1 : -1))
  const [{ source, date, price }, ...older] = ranked
  const whole = { ...price }
  for (const { price: other } of older)
    if (same(other.input, price.input) && same(other.output, price.output)) for (const kind of Object.keys(other)) whole[kind] ??= other[kind]
  return { source, date, price: whole }
}

const hour = rates => (rates.cacheWrite !== undefined && rates.cacheWrite1h === undefined && same(rates.cacheWrite, rates.input * 1.25) ? { ...rates, cacheWrite1h: rates.input * 2 } : rates)

/** Anthropic bills an hour of cache at twice its input price; rates that have only its five-minute price (5/4 of input) get it. */
function withHour(name, price) {
  if (!/claude/.test(name)) return price
  const { tiers, serviceTiers } = price
  return {
    ...hour(price),
    ...(tiers !== undefined && { tiers: tiers.map(hour) }),
    ...(serviceTiers !== undefined && { serviceTiers: Object.fromEntries(Object.entries(serviceTiers).map(([tier, rates]) => [tier, hour(rates)])) }),
  }
}

/** Anthropic's cache is never written below the price of input: such a figure is a slip, and the other source's is taken. */
function withoutSlips(name, price) {
  const { cacheWrite, ...rest } = price
  return /claude/.test(name) && cacheWrite < price.input ? rest : price
}

/** Whether the price lacks what the model is for: text rates alone would bill its audio or its images far too low. */
function halfPriced(name, price) {
  if (/audio|realtime|[-_]tts|transcri|speech/i.test(name)) return price.inputAudio === undefined && price.outputAudio === undefined
  return /image|banana/i.test(name) && price.outputImage === undefined
}

/** What the sources say of one model: `dev` and `other` are rows of models.dev, newest first, and of genai-prices. */
function rowsOf(key, modelsDev, genai) {
  const [vendor, name] = key.split(' ')
  const theirs = genai.models.get(vendor)
  const price = theirs?.find(name)
  const dev = modelsDev.filter(({ rows }) => rows.has(key)).map(({ source, date, rows }) => ({ source, date, price: withoutSlips(name, rows.get(key)), byRule: false }))
  const other = price === undefined ? [] : [{ source: genai.source, date: genai.date, price, byRule: !theirs.names.has(name) }]
  return { vendor, name, dev, other, two: dev.length > 0 && other.length > 0 }
}

function keeps({ vendor, name, two }, price) {
  if (halfPriced(name, price)) return false
  // Where one source alone says that all is free, it mostly means that it has no price.
  return two || (keepsAlone(vendor) && (!free(price) || /[:-]free$/.test(name)))
}

function keysOf(modelsDev, genai) {
  const named = [...genai.models].flatMap(([vendor, { names }]) => [...names].map(name => `${vendor} ${name}`))
  const keys = new Set([...modelsDev.flatMap(({ rows }) => [...rows.keys()]), ...named])
  return [...keys].filter(key => !(key.split(' ')[0] in SAME_BILL)).sort()
}

/** One row a model, with where it is from and whether the other source agrees; and the figures of the comparison. */
export function merge(modelsDev, genai) {
  const table = new Map()
  const disagreements = []
  const both = []
  for (const key of keysOf(modelsDev, genai)) {
    const rows = rowsOf(key, modelsDev, genai)
    const { name, dev, other, two } = rows
    if (dev.length + other.length === 0) continue
    const row = choose([...dev, ...other])
    const differs = two ? differences(dev[0].price, other[0].price) : []
    if (two) both.push(key)
    if (differs.length > 0) disagreements.push({ key, differs, dev: dev[0].price, other: other[0].price, chosen: row.source })
    const said = differs.length > 0 ? 'disputed' : two ? 'agreed' : 'alone'
    if (keeps(rows, row.price)) table.set(key, { ...row, price: withHour(name, row.price), said })
  }
  return { table, both, disagreements }
}
