import { BASE62, DIGITS, LOWER, Random, UPPER } from './random.mjs'
import { sentence } from './prose.mjs'

const luhn = start => {
  let sum = 0
  for (let i = start.length - 1, twice = true; i >= 0; i--, twice = !twice) {
    const digit = Number(start[i]) * (twice ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return `${start}${(10 - (sum % 10)) % 10}`
}
const inFours = text => text.replace(/(.{4})(?=.)/g, '$1 ')
const between = (r, least, most) => least + r.below(most - least + 1)
const maybe = (r, text, other) => (r.below(2) === 0 ? text : other(text))
// A leading digit that is not 0 or 1 is what the North American plan asks of an area and an exchange.
const exchange = r => `${between(r, 2, 9)}${r.chars('23456789', 1)}${r.chars(DIGITS, 1)}`

function iban(r) {
  const [country, bank] = r.pick([['DE', r.chars(DIGITS, 18)], ['GB', `${r.chars(UPPER, 4)}${r.chars(DIGITS, 14)}`], ['NL', `${r.chars(UPPER, 4)}${r.chars(DIGITS, 10)}`], ['FR', r.chars(DIGITS, 23)], ['ES', r.chars(DIGITS, 20)], ['BE', r.chars(DIGITS, 12)]])
  const number = [...`${bank}${country}00`].map(char => (char >= 'A' ? char.charCodeAt(0) - 55 : char)).join('')
  return `${country}${String(98n - (BigInt(number) % 97n)).padStart(2, '0')}${bank}`
}

function ssn(r) {
  const area = r.pick([between(r, 1, 665), between(r, 667, 899)])
  return [String(area).padStart(3, '0'), String(between(r, 1, 99)).padStart(2, '0'), String(between(r, 1, 9_999)).padStart(4, '0')].join(r.pick(['-', '-', ' ']))
}

/** Made up, by the public rules of each type. */
const VALUES = {
  EMAIL: r => r.pick([
    () => `${r.chars(LOWER, 6)}.${r.chars(LOWER, 7)}@${r.chars(LOWER, 9)}.net`,
    () => `${r.chars(LOWER, 3)}+${r.chars(LOWER, 4)}@mail.${r.chars(LOWER, 8)}.co.uk`,
    () => `${r.chars(UPPER, 1)}${r.chars(LOWER, 5)}_${r.chars(DIGITS, 2)}@${r.chars(LOWER, 4)}-${r.chars(LOWER, 5)}.org`,
    () => `${r.chars(LOWER, 1)}-${r.chars(LOWER, 8)}@${r.chars(LOWER, 6)}.museum`,
  ])(),
  PHONE: r => r.pick([
    () => `+1 ${exchange(r)} ${exchange(r)} ${r.chars(DIGITS, 4)}`,
    () => `(${exchange(r)}) ${exchange(r)}-${r.chars(DIGITS, 4)}`,
    () => `${exchange(r)}-${exchange(r)}-${r.chars(DIGITS, 4)}`,
    () => `+44 20 7${r.chars(DIGITS, 3)} ${r.chars(DIGITS, 4)}`,
    () => `+49 (0)30 ${r.chars('123456789', 2)}${r.chars(DIGITS, 6)}`,
    () => `+33 6 ${r.chars(DIGITS, 2)} ${r.chars(DIGITS, 2)} ${r.chars(DIGITS, 2)} ${r.chars(DIGITS, 2)}`,
    () => `+3161${r.chars(DIGITS, 7)}`,
    () => `0${r.chars('123456789', 1)}${r.chars(DIGITS, 2)} ${r.chars(DIGITS, 3)} ${r.chars(DIGITS, 4)}`,
  ])(),
  CREDIT_CARD: r => r.pick([
    () => maybe(r, luhn(`4${r.chars(DIGITS, 14)}`), inFours),
    () => maybe(r, luhn(`5${between(r, 1, 5)}${r.chars(DIGITS, 13)}`), inFours),
    () => luhn(`3${r.pick(['4', '7'])}${r.chars(DIGITS, 12)}`),
    () => luhn(`6011${r.chars(DIGITS, 11)}`).replace(/(.{4})(?=.)/g, '$1-'),
  ])(),
  IBAN: r => maybe(r, iban(r), inFours),
  US_SSN: ssn,
  IP: r => r.pick([
    () => `${between(r, 77, 95)}.${r.below(256)}.${r.below(256)}.${between(r, 1, 254)}`,
    () => `2a02:${Array.from({ length: 7 }, () => r.chars('123456789abcdef', 4)).join(':')}`,
    () => `2a01:${r.chars('123456789', 3)}:${r.chars('abcdef', 4)}::${r.chars('123456789', 2)}`,
  ])(),
}

const KEYS = {
  EMAIL: ['email', 'contact', 'reply-to'], PHONE: ['phone', 'tel', 'mobile'], CREDIT_CARD: ['card', 'card_number', 'pan'],
  IBAN: ['iban', 'account', 'bank account'], US_SSN: ['ssn', 'social security number'], IP: ['ip', 'client_ip', 'remote address'],
}
const SHAPES = [
  ({ key, value, r }) => [`{"id": ${r.below(9_000)}, "${key.replaceAll(' ', '_')}": "`, value, '", "active": true}'],
  ({ key, value, r }) => [`${key}: `, value, `\nroom: ${r.below(90)}\n`],
  ({ key, value, r }) => [`id,${key},seats\n${r.below(9_000)},`, value, `,${r.below(90)}\n`],
  ({ key, value, r }) => [`${sentence(r, false)}The ${key} is `, value, `. ${sentence(r, false)}`],
  ({ key, value, r }) => [`${sentence(r, false)}My ${key}: `, value, `, since ${between(r, 1990, 2026)}.`],
  ({ key, value, r }) => [`2026-03-${between(r, 10, 28)}T10:${between(r, 10, 59)}:07Z INFO ${key.replaceAll(' ', '_')}=`, value, ` took=${r.below(900)}ms`],
  ({ key, value }) => [`<${key.replaceAll(/[ _]/g, '-')}>`, value, `</${key.replaceAll(/[ _]/g, '-')}>`],
]

/** What only looks like a value: numbers, dates, versions, ids, hashes. */
const DECOYS = [
  r => `Order 20${r.chars(DIGITS, 2)}-${r.chars(DIGITS, 7)} of 2026-0${between(r, 1, 9)}-1${r.below(9)} came to $${r.below(9_999)}.${r.chars(DIGITS, 2)}.`,
  r => `Version ${r.below(20)}.${r.below(20)}.${r.below(400)}.${r.below(90)} of the build ${r.chars('0123456789abcdef', 40)} is out.`,
  r => `Tracking number: ${r.chars(DIGITS, 12)}, sku ${r.chars(UPPER, 2)}${r.chars(DIGITS, 8)}`,
  r => `{"uuid": "${[8, 4, 4, 4, 12].map(length => r.chars('0123456789abcdef', length)).join('-')}", "size": ${r.chars('123456789', 9)}}`,
  r => `At ${between(r, 10, 23)}:${between(r, 10, 59)} we had ${between(r, 100, 999)} ${between(r, 100, 999)} visitors, ${between(r, 10, 99)}.${r.chars(DIGITS, 6)}, ${r.chars('0123456789', 5)}.`,
  r => `import { at } from '@scope/${r.chars(LOWER, 6)}' // pkg@${r.below(9)}.${r.below(20)}.${r.below(20)}`,
  r => `The server listens on 127.0.0.1:${between(r, 1_000, 9_999)} and 10.${r.below(255)}.${r.below(255)}.7.`,
  r => `ISBN 978-3-${r.chars(DIGITS, 4)}-${r.chars(DIGITS, 4)}-${r.below(9)}, page ${r.below(900)}, ${r.chars(BASE62, 10)}.`,
  r => sentence(r, false) + sentence(r, false),
]

/** Lines as in the labelled files, of our own making: each value in the shapes a program or a person writes it in, and as many texts without any. */
export function records(each, seed = 29) {
  const r = new Random(seed)
  const rows = []
  for (const [type, make] of Object.entries(VALUES)) {
    for (let i = 0; i < each; i++) {
      const [before, value, after] = SHAPES[i % SHAPES.length]({ key: r.pick(KEYS[type]), value: make(r), r })
      rows.push({ text: `${before}${value}${after}`, spans: [{ type, start: before.length, end: before.length + value.length }] })
      rows.push({ text: r.pick(DECOYS)(r), spans: [] })
    }
  }
  return rows
}
