import { NOTHING, byTable, ddmmyy, digit, luhn, mod11and10, noRemainder, number, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

/** INSEE: 97 less the remainder of the thirteen digits, Corsica's 2A and 2B read as 19 and 18. */
const nir: Check = s => {
  const corsica = s.charCodeAt(6) === 65 ? 19 : s.charCodeAt(6) === 66 ? 18 : number(s, 5, 7)
  const value = (number(s, 0, 5) * 100 + corsica) * 1e6 + number(s, 7, 13)
  return 97 - (value % 97) === number(s, 13, 15)
}

/** A month, or 20, 30 to 42 and 50 to 99 where it is not known. */
const nirMonth: Check = s => {
  const month = number(s, 3, 5)
  // A place 00 or a person 000 is none.
  if (s.startsWith('00', 5) || s.startsWith('000', 10)) return false
  return (month >= 1 && month <= 12) || month === 20 || (month >= 30 && month <= 42) || month >= 50
}

/** IBZ: 97 less the remainder of nine digits, with a 2 before them for who was born from 2000 on. */
const national: Check = s => {
  const value = number(s, 0, 9)
  const told = number(s, 9, 11)
  return 97 - (value % 97) === told || 97 - ((value + 2e9) % 97) === told
}

/** Month and day may be 00 where they are not known; a bis number adds 20 or 40 to the month. People of a day are counted from 001 to 998. */
const nationalDate: Check = s => number(s, 2, 4) % 20 <= 12 && number(s, 2, 4) < 60 && number(s, 4, 6) <= 31 && number(s, 6, 9) % 999 > 0

const FISCAL_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
const FISCAL_DIGIT = '[0-9LMNPQRSTUV]'
const SAME_NAME = 'LMNPQRSTUV'

/** A digit of a fiscal code, which stands as a letter where two people would have the same. */
const fiscalDigit = (s: string, at: number): number => (s.charCodeAt(at) < 65 ? digit(s, at) : SAME_NAME.indexOf(s.charAt(at)))

const fiscalDay: Check = s => {
  const day = (fiscalDigit(s, 9) * 10 + fiscalDigit(s, 10)) % 40
  return day >= 1 && day <= 31 && fiscalDigit(s, 9) < 8
}

/** D.M. 23/12/1976: values of odd and even places, remainder of 26 as a letter. */
const fiscal: Check = s => {
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const code = s.charCodeAt(i)
    const value = code < 65 ? code - 48 : code - 65
    sum += i % 2 === 0 ? (FISCAL_ODD[value] as number) : value
  }
  return s.charCodeAt(15) === 65 + (sum % 26)
}

const vatSome: Check = s => number(s, s.length - 11, s.length - 4) > 0

const ITALY: readonly NationalRow[] = [
  row('IT_FISCAL_CODE', 'IT', {
    shape: `l{6}${FISCAL_DIGIT}{2}[ABCDEHLMPRST]${FISCAL_DIGIT}{2}l${FISCAL_DIGIT}{3}l`,
    groups: ['3 3 5 5', '3 3 2 3 4 1', '6 5 5'],
    also: fiscalDay,
    check: fiscal,
    share: 0.014,
    base: 0.4,
    context: ['codice fiscale', 'cod. fisc.', 'cf', 'c.f.', 'fiscal code', 'tax code'],
  }),
  row('IT_VAT_CODE', 'IT', {
    shape: ['d{11}', 'ITd{11}'],
    groups: ['2 11', '3 4 4', '5 6'],
    also: vatSome,
    // D.P.R. 633/1972: Luhn.
    check: s => luhn(s, s.length - 11),
    share: 0.1,
    base: 0.15,
    context: ['partita iva', 'p.iva', 'p. iva', 'piva', 'iva', 'vat', 'vat number'],
  }),
  row('IT_DRIVER_LICENSE', 'IT', {
    shape: ['l{2}d{7}l', 'U1[B-HJ-NP-UW-Z0-9]{7}l'],
    base: 0.2,
    context: ['patente', 'patente di guida', 'numero patente', 'driving licence', 'driver license'],
  }),
  row('IT_IDENTITY_CARD', 'IT', {
    shape: ['l{2}d{7}', 'd{7}l{2}', 'l{2}d{5}l{2}'],
    groups: ['2 7'],
    base: 0.2,
    context: ["carta d'identità", 'carta identità', 'carta di identità', 'identità', 'cie', 'documento', 'identity card'],
  }),
  row('IT_PASSPORT', 'IT', { shape: 'l{2}d{7}', base: 0.2, context: ['passaporto', 'numero passaporto', 'passport', 'passport number'] }),
]

export const WESTERN_EUROPE: readonly NationalRow[] = [
  ...ITALY,
  row('FR_NIR', 'FR', {
    shape: ['[1-478]d{14}', '[1-478]d{4}2[AB]d{8}'],
    groups: ['1 2 2 2 3 3 2', '13 2', '1 2 2 5 3 2', '1 2 2 2 3 3 2'],
    also: nirMonth,
    check: nir,
    share: 0.0065,
    base: 0.15,
    context: ['nir', 'sécurité sociale', 'securite sociale', 'numéro de sécurité sociale', 'numéro de sécu', 'insee', 'carte vitale'],
  }),
  row('NL_BSN', 'NL', {
    shape: 'd{9}',
    groups: ['4 2 3', '3 3 3'],
    also: s => s !== NOTHING,
    // RvIG: weights 9 to 2 and -1, modulus 11.
    check: noRemainder([9, 8, 7, 6, 5, 4, 3, 2, -1], 11),
    share: 1 / 11,
    base: 0.15,
    context: ['bsn', 'burgerservicenummer', 'sofinummer', 'citizen service number'],
  }),
  row('BE_NN', 'BE', {
    shape: 'd{11}',
    groups: ['2 2 2 3 2', '6 3 2', '6 5'],
    mixed: true,
    also: nationalDate,
    check: national,
    share: 0.0026,
    base: 0.15,
    context: ['rijksregisternummer', 'registre national', 'numéro national', 'nationaal nummer', 'niss', 'insz', 'national number'],
  }),
  row('CH_AHV', 'CH', {
    shape: '756d{10}',
    groups: ['3 4 4 2'],
    // ZAS: EAN-13.
    check: noRemainder([1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1], 10),
    share: 0.0001,
    base: 0.3,
    context: ['ahv', 'ahv-nummer', 'ahv-nr', 'ahvn', 'avs', 'numéro avs', 'sozialversicherungsnummer', 'social security'],
  }),
  row('AT_SVNR', 'AT', {
    shape: '[1-9]d{9}',
    groups: ['4 6', '4 2 2 2'],
    also: s => number(s, 4, 6) >= 1 && number(s, 4, 6) <= 31 && number(s, 6, 8) >= 1 && number(s, 6, 8) <= 15,
    // ASVG section 31: weights 3 7 9 over the serial and 5 8 4 2 1 6 over the date, modulus 11.
    check: s => (digit(s, 0) * 3 + digit(s, 1) * 7 + digit(s, 2) * 9 + digit(s, 4) * 5 + digit(s, 5) * 8 + digit(s, 6) * 4 + digit(s, 7) * 2 + digit(s, 8) + digit(s, 9) * 6) % 11 === digit(s, 3),
    share: 0.0043,
    base: 0.15,
    context: ['svnr', 'sv-nummer', 'sozialversicherungsnummer', 'versicherungsnummer', 'e-card', 'social security'],
  }),
  row('GR_AMKA', 'GR', {
    shape: 'd{11}',
    also: s => ddmmyy(s),
    // IDIKA: Luhn.
    check: s => luhn(s),
    share: 0.0037,
    base: 0.15,
    context: ['amka', 'αμκα', 'social security'],
  }),
  row('GR_AFM', 'GR', {
    shape: 'd{9}',
    also: s => s !== NOTHING,
    // AADE: powers of two, remainder of 11, and 10 counts as 0.
    check: byTable([256, 128, 64, 32, 16, 8, 4, 2], '01234567890'),
    share: 0.1,
    base: 0.15,
    context: ['afm', 'αφμ', 'vat', 'tax number'],
  }),
  row('HR_OIB', 'HR', {
    shape: ['d{11}', 'HRd{11}'],
    groups: ['2 11'],
    // Zakon o OIB: ISO 7064 MOD 11,10.
    check: s => mod11and10(s, s.length - 11, s.length),
    share: 0.1,
    base: 0.15,
    context: ['oib', 'osobni identifikacijski broj', 'pin'],
  }),
]
