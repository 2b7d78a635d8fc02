import { keepsAlone, SAME_BILL } from './vendors.mjs'

const same = (a, b) => Math.abs(a - b) <= 1e-9 * Math.max(1, a, b)
const free = price => price.input === 0 && price.output === 0

/** The kinds on which two prices differ; a kind that one of them leaves out is no difference. */
export function differences(a, b) {
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

/** Whether the price lacks what the model is for: text rates alone would bill its audio or its images far too low. */
function halfPriced(name, price) {
  if (/audio|realtime|[-_]tts|transcri|speech/i.test(name)) return price.inputAudio === undefined && price.outputAudio === undefined
  return /image|banana/i.test(name) && price.outputImage === undefined
}

/** One row a model, with where it is from and whether the other source agrees; and the figures of the comparison. */
export function merge(modelsDev, genai) {
  const keys = new Set(modelsDev.flatMap(({ rows }) => [...rows.keys()]))
  for (const [vendor, { names }] of genai.models) for (const name of names) keys.add(`${vendor} ${name}`)
  const table = new Map()
  const disagreements = []
  const both = []
  for (const key of [...keys].sort()) {
    const [vendor, name] = key.split(' ')
    if (vendor in SAME_BILL) continue
    const dev = modelsDev.flatMap(({ source, date, rows }) => (rows.has(key) ? [{ source, date, price: rows.get(key), byRule: false }] : []))
    const theirs = genai.models.get(vendor)
    const price = theirs?.find(name)
    const other = price === undefined ? [] : [{ source: genai.source, date: genai.date, price, byRule: !theirs.names.has(name) }]
    if (dev.length + other.length === 0) continue
    const two = dev.length > 0 && other.length > 0
    const row = choose([...dev, ...other])
    const differs = two ? differences(dev[0].price, other[0].price) : []
    if (two) both.push(key)
    if (differs.length > 0) disagreements.push({ key, differs, dev: dev[0].price, other: other[0].price, chosen: row.source })
    if (halfPriced(name, row.price)) continue
    // Where one source alone says that all is free, it mostly means that it has no price.
    if (!two && (!keepsAlone(vendor) || (free(row.price) && !/[:-]free$/.test(name)))) continue
    table.set(key, { ...row, price: withHour(name, row.price), said: two ? (differs.length > 0 ? 'disputed' : 'agreed') : 'alone' })
  }
  return { table, both, disagreements }
}
