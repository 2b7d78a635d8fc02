// A price as text: input output cachedInput cacheWrite cacheWrite1h, the last ones left out, "-" for none; then other
// kinds with a letter; then ">N" with the rates above N prompt tokens and "@name" with those of a service tier.
const PLACES = ['input', 'output', 'cachedInput', 'cacheWrite', 'cacheWrite1h']
const LETTERS = { r: 'reasoning', a: 'inputAudio', b: 'outputAudio', c: 'cachedInputAudio', i: 'inputImage', j: 'outputImage', q: 'request' }

const number = value => String(Number(value.toPrecision(10))).replace(/^0\./, '.')

function rates(price) {
  const placed = PLACES.map(kind => (price[kind] === undefined ? '-' : number(price[kind])))
  while (placed.at(-1) === '-') placed.pop()
  return [...placed, ...Object.entries(LETTERS).flatMap(([letter, kind]) => (price[kind] === undefined ? [] : [letter + number(price[kind])]))].join(' ')
}

export function textOf(price) {
  const tiers = (price.tiers ?? []).map(tier => `>${tier.above} ${rates(tier)}`)
  const services = Object.entries(price.serviceTiers ?? {}).map(([name, tier]) => `@${name} ${rates(tier)}`)
  return rates(price) + [...tiers, ...services].join('')
}

// The same test as the look-up's: a name without its date finds the same price.
const DATED = /[-@]20\d\d(-?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])$/

/** One text a provider: groups of `<source><price>=<names>` joined by "|". */
export function pack(table, letterOf) {
  const vendors = new Map()
  const label = row => letterOf(row) + textOf(row.price)
  for (const [key, row] of table) {
    const [vendor, name] = key.split(' ')
    if (/[|'\\]/.test(name)) throw new Error(`${key}: a name that the table cannot hold`)
    const plain = table.get(`${vendor} ${name.replace(DATED, '')}`)
    if (DATED.test(name) && plain !== undefined && textOf(plain.price) === textOf(row.price)) continue
    const groups = vendors.get(vendor) ?? new Map()
    vendors.set(vendor, groups.set(label(row), [...(groups.get(label(row)) ?? []), name]))
  }
  return new Map([...vendors].sort(([a], [b]) => (a < b ? -1 : 1)).map(([vendor, groups]) => [vendor, [...groups].map(([text, names]) => `${text}=${names.join(' ')}`).join('|')]))
}
