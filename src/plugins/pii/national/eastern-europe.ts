import { NOTHING, byTable, digit, isDate, luhn, noRemainder, number, weighted, yymmdd, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

/** The month is raised by 20 for each century on from 1900, and by 80 before it. */
const peselDate: Check = s => isDate(number(s, 0, 2), number(s, 2, 4) % 20, number(s, 4, 6))

/** The month is raised by 50 for women, and by 20 where the day's numbers ran out. */
const birthNumberDate: Check = s => {
  const month = number(s, 2, 4) % 50
  const year = number(s, 0, 2)
  return isDate(year, month > 20 ? month - 20 : month, number(s, 4, 6)) && (s.length === 10 || year < 54)
}

/** Zákon 133/2000: divisible by 11, or a remainder of 10 written as 0; nine digits, until 1953, have no check digit. */
const birthNumber: Check = s => birthNumberDate(s) && (s.length === 9 || (number(s, 0, 9) % 11) % 10 === digit(s, 9))
const checkedBirthNumber: Check = s => s.length === 10

const NIP_WEIGHTS = [6, 5, 7, 2, 3, 4, 5, 6, 7]
const nip: Check = s => weighted(s, NIP_WEIGHTS, s.length - 10) % 11 === digit(s, s.length - 1)

const BIRTH_WORDS = ['rodné číslo', 'rodné č.', 'rodne cislo', 'rč', 'r.č.', 'birth number']

const birthRow = (type: string, country: string): NationalRow =>
  row(type, country, {
    shape: ['d{9}', 'd{10}'],
    groups: ['6 3', '6 4'],
    also: birthNumber,
    check: checkedBirthNumber,
    failed: 'shape',
    share: 0.015,
    base: 0.15,
    context: BIRTH_WORDS,
  })

/** Two rounds of weights; the second where the first leaves 10, and 0 where it does too. */
const baltic: Check = s => {
  const first = weighted(s, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
  if (first < 10) return first === digit(s, 10)
  return (weighted(s, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11) % 10 === digit(s, 10)
}

const born = (s: string): boolean => yymmdd(s, 1)

/** 1899 to 2099 by the month, raised by 20 before 1900 and by 40 from 2000 on. */
const egnDate: Check = s => number(s, 2, 4) < 53 && isDate(number(s, 0, 2), number(s, 2, 4) % 20, number(s, 4, 6))

/** Counties 1 to 48, 51, 52, 70 for any, 80 to 83. */
const cnpPlace: Check = s => {
  const county = number(s, 7, 9)
  return born(s) && ((county >= 1 && county <= 48) || county === 51 || county === 52 || county === 70 || (county >= 80 && county <= 83))
}

/** Seven digits of the birth date, with a year of three digits. */
const emsoDate: Check = s => isDate(number(s, 4, 7) < 800 ? 2000 + number(s, 4, 7) : 1000 + number(s, 4, 7), number(s, 2, 4), number(s, 0, 2))

export const EASTERN_EUROPE: readonly NationalRow[] = [
  row('PL_PESEL', 'PL', {
    shape: 'd{11}',
    also: peselDate,
    // Ustawa o ewidencji ludności: weights 1 3 7 9, what is missing to the next ten.
    check: noRemainder([1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10),
    share: 0.0184,
    base: 0.15,
    context: ['pesel', 'nr pesel', 'numer pesel'],
  }),
  row('PL_NIP', 'PL', {
    shape: ['[1-9]d{9}', 'PL[1-9]d{9}'],
    groups: ['3 3 2 2', '3 2 2 3', '2 10'],
    // Ustawa o NIP: weights 6 5 7 2 3 4 5 6 7, remainder of 11; 10 is not given out.
    check: nip,
    share: 0.091,
    base: 0.15,
    context: ['nip', 'numer nip', 'nr nip', 'identyfikacji podatkowej'],
  }),
  birthRow('CZ_RC', 'CZ'),
  birthRow('SK_RC', 'SK'),
  row('RO_CNP', 'RO', {
    shape: '[1-9]d{12}',
    also: cnpPlace,
    // HG 1375/2006: key 279146358279, remainder of 11, and 10 gives 1.
    check: byTable([2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], '01234567891'),
    share: 0.0021,
    base: 0.15,
    context: ['cnp', 'cod numeric personal', 'personal numeric code'],
  }),
  row('BG_EGN', 'BG', {
    shape: 'd{10}',
    also: egnDate,
    // ЗГР: weights 2 4 8 5 10 9 7 3 6, remainder of 11, and 10 gives 0.
    check: byTable([2, 4, 8, 5, 10, 9, 7, 3, 6], '01234567890'),
    share: 0.0112,
    base: 0.15,
    context: ['egn', 'егн', 'единен граждански номер', 'personal number'],
  }),
  row('EE_ISIKUKOOD', 'EE', { shape: '[1-8]d{10}', also: born, check: baltic, share: 0.003, base: 0.15, context: ['isikukood', 'isikukoodi', 'personal identification code'] }),
  row('LT_ASMENS_KODAS', 'LT', { shape: '[3-6]d{10}', also: born, check: baltic, share: 0.0015, base: 0.15, context: ['asmens kodas', 'asmens kodą', 'personal code'] }),
  row('SI_EMSO', 'SI', {
    shape: 'd{13}',
    also: emsoDate,
    // Weights 7 to 2 twice, what is missing to the next eleven; 10 is not given out.
    check: byTable([7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], '0?987654321'),
    share: 0.0034,
    base: 0.15,
    context: ['emšo', 'emso', 'enotna matična številka'],
  }),
  row('HU_TAJ', 'HU', {
    shape: 'd{9}',
    groups: ['3 3 3'],
    also: s => s !== NOTHING,
    // 1996. évi XX. törvény: weights 3 and 7 in turn, remainder of ten.
    check: byTable([3, 7, 3, 7, 3, 7, 3, 7], '0123456789'),
    share: 0.1,
    base: 0.15,
    context: ['taj', 'taj szám', 'taj-szám', 'társadalombiztosítási'],
  }),
  row('IL_ID', 'IL', {
    shape: 'd{9}',
    groups: ['8 1', '1 7 1'],
    also: s => s !== NOTHING,
    // Misrad HaPnim: Luhn.
    check: s => luhn(s),
    share: 0.1,
    base: 0.15,
    context: ['תעודת זהות', 'מספר זהות', 'ת.ז.', 'teudat zehut', 'israeli id', 'id number'],
  }),
]
