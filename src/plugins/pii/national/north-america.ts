import { allSame, base36, byTable, digit, isDate, luhn, noRemainder, number, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

const PRINTED = new Set(['078051120', '219099999', '123456789'])

/** SSA: no area 000, 666 or 900 on, no group 00, no serial 0000, and not what was printed on sample cards. */
const issued: Check = s => {
  const area = number(s, 0, 3)
  if (area === 0 || area === 666 || area >= 900 || number(s, 3, 5) === 0 || number(s, 5, 9) === 0) return false
  return !allSame(s) && !PRINTED.has(s)
}

/** ABA: the first two digits tell the Federal Reserve district and the kind of institution. */
const district: Check = s => {
  const first = number(s, 0, 2)
  return (first <= 12 && number(s, 2, 9) > 0) || (first >= 21 && first <= 32) || (first >= 61 && first <= 72) || first === 80
}

/** CMS: no letter that could be read as a digit. */
const MBI = '[AC-HJKMNP-RT-Y]'
const MBI_ANY = '[0-9AC-HJKMNP-RT-Y]'

/** Initials, date and state of birth, consonants, homoclave. */
const CURP_STATES = new Set('AS BC BS CC CL CM CS CH DF DG GT GR HG JC MC MN MS NT NL OC PL QT QR SP SL SR TC TS TL VZ YN ZS NE'.split(' '))
const CURP_ALPHABET = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'
const RFC_ALPHABET = '0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ'

const curpBorn: Check = s => isDate(number(s, 4, 6), number(s, 6, 8), number(s, 8, 10)) && CURP_STATES.has(s.slice(11, 13))

/** RENAPO: weights 18 to 2 over an alphabet with Ñ, what is missing to the next ten. */
const curp: Check = s => {
  let sum = 0
  for (let i = 0; i < 17; i++) sum += CURP_ALPHABET.indexOf(s.charAt(i)) * (18 - i)
  return (10 - (sum % 10)) % 10 === digit(s, 17)
}

const rfcBorn: Check = s => isDate(number(s, s.length - 9, s.length - 7), number(s, s.length - 7, s.length - 5), number(s, s.length - 5, s.length - 3))

/** SAT: weights 13 to 2, a company's code preceded by a blank, what is missing to the next eleven, 10 written A. */
const rfc: Check = s => {
  let sum = s.length === 12 ? RFC_ALPHABET.indexOf(' ') * 13 : 0
  for (let i = 0; i < s.length - 1; i++) sum += RFC_ALPHABET.indexOf(s.charAt(i)) * (s.length - i)
  return base36(s, s.length - 1) === (11 - (sum % 11)) % 11
}

const PASSPORT_WORDS = ['passport', 'passport number', 'passport no', 'travel document']

const UNITED_STATES: readonly NationalRow[] = [
  row('US_SSN', 'US', {
    shape: 'd{9}',
    groups: ['3 2 4', '3 6', '5 4'],
    also: issued,
    base: 0.2,
    context: ['ssn', 'social security', 'social security number', 'social', 'ss number'],
  }),
  row('US_ITIN', 'US', {
    shape: ['9d{2}5d{5}', '9d{2}6[0-5]d{4}', '9d{2}7d{5}', '9d{2}8[0-8]d{4}', '9d{2}9[0-24-9]d{4}'],
    groups: ['3 2 4', '3 6', '5 4'],
    base: 0.2,
    context: ['itin', 'taxpayer', 'taxpayer identification', 'individual taxpayer', 'tax id', 'tin'],
  }),
  row('ABA_ROUTING_NUMBER', 'US', {
    shape: '[0-36-8]d{8}',
    groups: ['4 4 1'],
    also: district,
    check: noRemainder([3, 7, 1, 3, 7, 1, 3, 7, 1], 10),
    share: 0.038,
    base: 0.15,
    context: ['routing', 'routing number', 'aba', 'rtn', 'transit number'],
  }),
  row('US_BANK_NUMBER', 'US', {
    shape: 'd{8,17}',
    base: 0.15,
    context: ['account', 'account number', 'acct', 'bank', 'bank account', 'checking', 'savings'],
  }),
  row('US_DRIVER_LICENSE', 'US', {
    shape: ['ld{4,14}', 'ld{18}', 'l{2}d{3,7}', 'l{2}d{6}l', 'l{3}d{6}', 'd{7,9}l', 'd{8}l{2}', 'ld{6}R', 'd{2}l{3}d{5}', 'd{6,14}', 'd{16}'],
    groups: ['4 4 4', '4 4 4 2', '5 5 5', '4 3 2 3 1', '1 3 3 3 3', '3 3 3', '3 2 4', '2 3 3', '2 3 4', '4 5 5', '5 5 4', '1 2 2 4', '3 2 2 2'],
    base: 0.15,
    context: ['driver license', "driver's license", 'drivers license', 'driving license', 'driver', 'dl', 'license number', 'license no', 'dmv', 'permit'],
  }),
  row('US_PASSPORT', 'US', { shape: ['d{9}', 'ld{8}'], base: 0.15, context: PASSPORT_WORDS }),
  row('US_MBI', 'US', {
    shape: `[1-9]${MBI}${MBI_ANY}d${MBI}${MBI_ANY}d${MBI}{2}d{2}`,
    groups: ['4 3 4'],
    base: 0.4,
    context: ['medicare', 'mbi', 'beneficiary', 'medicare number', 'cms'],
  }),
  row('US_NPI', 'US', {
    shape: '[12]d{9}',
    groups: ['4 3 3'],
    also: s => !allSame(s, 0, 9),
    // CMS: Luhn with the card issuer prefix 80840, which adds 24.
    check: s => luhn(s, 0, 10, 24),
    share: 0.02,
    base: 0.15,
    context: ['npi', 'national provider', 'national provider identifier', 'provider'],
  }),
  row('MEDICAL_LICENSE', 'US', {
    shape: '[A-HJ-MPRSTUX][A-Z9]d{7}',
    // DEA: the digits at odd places, and those at even ones twice; the last digit of the sum.
    check: byTable([1, 2, 1, 2, 1, 2], '0123456789', 2),
    share: 0.1,
    base: 0.25,
    context: ['dea', 'dea number', 'medical license', 'medical certificate', 'prescriber', 'controlled substance'],
  }),
]

export const NORTH_AMERICA: readonly NationalRow[] = [
  ...UNITED_STATES,
  row('CA_SIN', 'CA', {
    shape: '[1-79]d{8}',
    groups: ['3 3 3'],
    // ESDC: Luhn.
    check: s => luhn(s),
    share: 0.08,
    base: 0.15,
    context: ['sin', 'social insurance', 'social insurance number', 'nas', 'assurance sociale', "numéro d'assurance sociale"],
  }),
  row('MX_CURP', 'MX', {
    shape: 'l{4}d{6}[HMX]l{2}[B-DF-HJ-NP-TV-Z]{3}xd',
    also: curpBorn,
    check: curp,
    share: 0.0003,
    base: 0.4,
    context: ['curp', 'clave única de registro', 'registro de población'],
  }),
  row('MX_RFC', 'MX', {
    shape: ['[A-ZÑ&]{4}d{6}[1-9A-V][1-9A-Z][0-9A]', '[A-ZÑ&]{3}d{6}[1-9A-V][1-9A-Z][0-9A]'],
    groups: ['4 6 3', '3 6 3'],
    also: rfcBorn,
    check: rfc,
    // SAT has given out codes whose last character does not hold.
    failed: 'shape',
    share: 0.0034,
    base: 0.3,
    context: ['rfc', 'registro federal de contribuyentes', 'contribuyente'],
  }),
]
