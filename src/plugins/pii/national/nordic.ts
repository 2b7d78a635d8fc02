import { byTable, ddmmyy, digit, isDate, luhn, noRemainder, number, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

const HETU_CHECK = '0123456789ABCDEFHJKLMNPRSTUVWXY'

/** DVV: remainder of 31 of the nine digits; the sign of the century may be a letter or, gone with the separators, a dash or plus. */
const hetu: Check = s => s.charCodeAt(s.length - 1) === HETU_CHECK.charCodeAt((number(s, 0, 6) * 1000 + number(s, s.length - 4, s.length - 1)) % 31)

/** The day is raised by 60 in a coordination number. */
const swedishDate: Check = s => {
  const at = s.length - 10
  const day = number(s, at + 4, at + 6)
  const year = number(s, 0, at + 2)
  return isDate(year, number(s, at + 2, at + 4), day > 60 ? day - 60 : day)
}

const swedishCompany: Check = s => digit(s, s.length - 8) >= 2

/** Skatteetaten: two check digits, weights 3 7 6 1 8 9 4 5 2 1 and 5 4 3 2 7 6 5 4 3 2 1, modulus 11. */
const norwegianFirst = noRemainder([3, 7, 6, 1, 8, 9, 4, 5, 2, 1], 11)
const norwegianSecond = noRemainder([5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11)

/** A D number adds 40 to the day, an H number 40 to the month; test numbers add 80 or 65. */
const norwegianDate: Check = s => {
  const day = number(s, 0, 2)
  const month = number(s, 2, 4)
  const plain = month > 80 ? month - 80 : month > 65 ? month - 65 : month > 40 ? month - 40 : month
  return isDate(number(s, 4, 6), plain, day > 40 ? day - 40 : day)
}

export const NORDIC: readonly NationalRow[] = [
  row('FI_PERSONAL_IDENTITY', 'FI', {
    shape: ['d{9}[0-9A-FHJ-NPR-Y]', 'd{6}[A-FU-Y]d{3}[0-9A-FHJ-NPR-Y]'],
    groups: ['6 4', '11'],
    // Without a sign of the century it is none.
    joined: false,
    plus: true,
    also: s => ddmmyy(s) && number(s, s.length - 4, s.length - 1) > 1,
    check: hetu,
    share: 0.0013,
    base: 0.2,
    context: ['hetu', 'henkilötunnus', 'henkilötunnuksen', 'personbeteckning', 'personbeteckningen', 'personal identity code', 'sotu'],
  }),
  row('SE_PERSONNUMMER', 'SE', {
    shape: ['d{10}', '1[89]d{10}', '20d{10}'],
    groups: ['6 4', '8 4'],
    // A plus stands in for the dash from a hundred years on.
    plus: true,
    also: swedishDate,
    // Skatteverket: Luhn over the last ten digits.
    check: s => luhn(s, s.length - 10),
    share: 0.0074,
    base: 0.2,
    context: ['personnummer', 'personnr', 'pnr', 'samordningsnummer', 'personal identity number'],
  }),
  row('SE_ORGANISATIONSNUMMER', 'SE', {
    shape: ['d{10}', '16d{10}'],
    groups: ['6 4', '8 4'],
    also: swedishCompany,
    check: s => luhn(s, s.length - 10),
    share: 0.08,
    base: 0.15,
    context: ['organisationsnummer', 'orgnr', 'org.nr', 'org nr', 'organisationsnr', 'company number'],
  }),
  row('NO_FODSELSNUMMER', 'NO', {
    shape: 'd{11}',
    groups: ['6 5', '6 3 2'],
    also: norwegianDate,
    check: s => norwegianFirst(s) && norwegianSecond(s),
    share: 0.0026,
    base: 0.15,
    context: ['fødselsnummer', 'fodselsnummer', 'fnr', 'personnummer', 'd-nummer', 'national identity number'],
  }),
  row('DK_CPR', 'DK', {
    shape: 'd{10}',
    groups: ['6 4'],
    also: s => ddmmyy(s),
    check: noRemainder([4, 3, 2, 7, 6, 5, 4, 3, 2, 1], 11),
    // CPR: numbers without a valid check digit have been given out since 2007.
    failed: 'shape',
    share: 0.0034,
    base: 0.15,
    context: ['cpr', 'cpr-nummer', 'cpr-nr', 'cprnr', 'personnummer', 'civil registration number'],
  }),
  row('IS_KENNITALA', 'IS', {
    shape: '[0-7]d{8}[089]',
    groups: ['6 4'],
    also: s => isDate(number(s, 4, 6), number(s, 2, 4), number(s, 0, 2) % 40),
    // Þjóðskrá: weights 3 2 7 6 5 4 3 2, what is missing to the next eleven.
    check: byTable([3, 2, 7, 6, 5, 4, 3, 2], '0?987654321'),
    share: 0.0022,
    base: 0.15,
    context: ['kennitala', 'kt', 'kt.', 'national id'],
  }),
]
