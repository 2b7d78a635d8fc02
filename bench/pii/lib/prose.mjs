import { DIGITS, LOWER, Random, UPPER } from './random.mjs'

const NOUNS = 'harbour meeting invoice garden engine letter window market river bridge teacher report kitchen contract village ticket doctor season mirror project customer journey library schedule'.split(' ')
const VERBS = 'opened carried repaired promised counted followed answered measured borrowed painted noticed delivered gathered refused explained'.split(' ')
const SMALL = 'the a our every that another this some their no'.split(' ')
const LINKS = 'because while although before after until since unless'.split(' ')
const NAMES = 'Mirela Tobias Anouk Henrik Sunniva Ottavio Brandt Kowalik Ferreira Lindqvist Okafor Marchetti'.split(' ')
const PLACES = 'Halden Morvane Eskwick Tarnholt Ostrava Ribeira Kallstad'.split(' ')

function clause(r) {
  const subject = r.below(4) === 0 ? r.pick(NAMES) : `${r.pick(SMALL)} ${r.pick(NOUNS)}`
  return `${subject} ${r.pick(VERBS)} ${r.pick(SMALL)} ${r.pick(NOUNS)}`
}

/** Numbers as they stand in any text, none of them anybody's. */
function figure(r) {
  return r.pick([
    () => `${1 + r.below(28)} ${r.pick(['March', 'June', 'October'])} ${1990 + r.below(36)}`,
    () => `${r.below(24)}:${String(r.below(60)).padStart(2, '0')}`,
    () => `$${r.below(900)}.${r.chars(DIGITS, 2)}`,
    () => `${r.below(10)}.${r.below(20)}.${r.below(30)}`,
    () => `${r.below(100)} %`,
    () => `room ${r.below(400)}`,
    () => `https://www.${r.chars(LOWER, 8)}.org/${r.pick(NOUNS)}`,
  ])()
}

/** A value that somebody may want hidden. */
export function value(r) {
  return r.pick([
    () => `${r.chars(LOWER, 6)}.${r.chars(LOWER, 5)}@${r.chars(LOWER, 9)}.net`,
    () => `+${r.pick(['44 20 7', '49 30 9', '1 415 2'])}${r.chars(DIGITS, 2)} ${r.chars(DIGITS, 4)}`,
    () => card(r),
    () => `${81 + r.below(9)}.${r.below(250)}.${r.below(250)}.${1 + r.below(250)}`,
  ])()
}

function card(r) {
  const start = `4${r.chars(DIGITS, 14)}`
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const digit = Number(start[i]) * (i % 2 === 0 ? 2 : 1)
    sum += digit > 9 ? digit - 9 : digit
  }
  return `${start}${(10 - (sum % 10)) % 10}`.replace(/(.{4})(?=.)/g, '$1 ')
}

export function sentence(r, valued) {
  const roll = r.below(12)
  let text = clause(r)
  if (roll < 4) text += ` ${r.pick(LINKS)} ${clause(r)}`
  if (roll === 5) text += ` in ${r.pick(PLACES)}`
  if (roll === 6 || roll === 7) text += `, ${figure(r)}`
  if (roll === 8 && valued) text += `, ${value(r)}`
  return `${text[0].toUpperCase()}${text.slice(1)}. `
}

/** Running text of about so many characters; with `valued` one sentence in twelve holds a value. */
export function prose(characters, { seed = 3, valued = true } = {}) {
  const r = new Random(seed)
  let text = ''
  while (text.length < characters) text += r.below(9) === 0 ? `${sentence(r, valued).trimEnd()}\n\n` : sentence(r, valued)
  return text
}

/** Numbers with nothing beside them. */
export function randomDigits(lengths, each, seed = 11) {
  const r = new Random(seed)
  return lengths.flatMap(length => Array.from({ length: each }, () => r.chars(DIGITS, length)))
}

/** Letters and digits, as order numbers have them. */
export function randomCodes(each, seed = 13) {
  const r = new Random(seed)
  return Array.from({ length: each }, () => `${r.chars(UPPER, 2)}${r.chars(DIGITS, 7)}`)
}
