import { allSame, noRemainder, number, weighted, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

const NINO_PREFIXES = /^(?:BG|GB|KN|NK|NT|TN|ZZ)/

/** The inward half of a postcode leaves out C I K M O V. */
const INWARD = 'd[ABD-HJLNP-UW-Z]{2}'

/** The year a current plate tells: 02 to 29 from March, 51 to 79 from September. */
const plateYear: Check = s => {
  if (s.length !== 7 || s.charCodeAt(1) < 65 || s.charCodeAt(2) > 57 || s.charCodeAt(4) < 65) return true
  const year = number(s, 2, 4)
  return (year >= 2 && year <= 29) || (year >= 51 && year <= 79)
}

/** DVLA: month, raised by 50 for women, and day, between the two digits of the year. */
const licenceDate: Check = s => {
  const month = number(s, 6, 8) % 50
  const day = number(s, 8, 10)
  return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

const SURNAMES = ['l{5}', 'l{4}9', 'l{3}99', 'l{2}999', 'l9999']

/** DSP: weights 8 to 2, the second letter times 9 (none, W, T and X count nothing), letter by remainder of 23. */
const pps: Check = s => {
  const second = s.length === 9 && !'WTX'.includes(s.charAt(8)) ? (s.charCodeAt(8) - 64) * 9 : 0
  return s.charCodeAt(7) === 'WABCDEFGHIJKLMNOPQRSTUV'.charCodeAt((weighted(s, [8, 7, 6, 5, 4, 3, 2]) + second) % 23)
}

export const BRITAIN: readonly NationalRow[] = [
  row('UK_NHS', 'GB', {
    shape: 'd{10}',
    groups: ['3 3 4'],
    also: s => !allSame(s),
    // NHS Data Dictionary: weights 10 to 2, modulus 11; a remainder that asks for 10 is not given out.
    check: noRemainder([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], 11),
    share: 1 / 11,
    base: 0.15,
    context: ['nhs', 'nhs number', 'nhs no', 'national health service', 'patient number'],
  }),
  row('UK_NINO', 'GB', {
    shape: '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]d{6}[A-D]',
    groups: ['2 2 2 2 1', '2 6 1', '8 1'],
    also: s => !NINO_PREFIXES.test(s),
    base: 0.4,
    context: ['national insurance', 'national insurance number', 'nino', 'ni number', 'ni no', 'insurance number'],
  }),
  row('UK_PASSPORT', 'GB', {
    // HMPO prints nine digits, which say nothing on their own.
    shape: ['l{2}d{7}', 'd{9}'],
    timid: true,
    base: 0.2,
    context: ['passport', 'passport number', 'passport no', 'travel document', 'hmpo'],
  }),
  row('UK_DRIVING_LICENCE', 'GB', {
    shape: SURNAMES.map(surname => `${surname}d[0156]d[0-3]d{2}[A-Z9]{2}xl{2}`),
    groups: ['5 6 5', '5 6 2 3', '5 6 3 2'],
    also: licenceDate,
    base: 0.4,
    context: ['driving licence', 'driving license', 'licence number', 'license number', 'driver number', 'dvla'],
  }),
  row('UK_POSTCODE', 'GB', {
    shape: [
      'GIR0AA',
      `[A-PR-UWYZ]d${INWARD}`,
      `[A-PR-UWYZ]d{2}${INWARD}`,
      `[A-PR-UWYZ]d[A-HJKPSTUW]${INWARD}`,
      `[A-PR-UWYZ][A-HK-Y]d${INWARD}`,
      `[A-PR-UWYZ][A-HK-Y]d{2}${INWARD}`,
      `[A-PR-UWYZ][A-HK-Y]d[ABEHMNPRV-Y]${INWARD}`,
    ],
    groups: ['2 3', '3 3', '4 3'],
    base: 0.3,
    context: ['postcode', 'post code', 'postal code', 'address'],
  }),
  row('UK_VEHICLE_REGISTRATION', 'GB', {
    shape: ['[A-HJ-PR-Y]{2}d{2}[A-HJ-PR-Z]{3}', '[A-HJ-NP-TV-Y]d{1,3}[A-HJ-PR-Y][A-HJ-PR-Z]{2}', '[A-HJ-PR-Z]{3}d{1,3}[A-HJ-NPR-TV-Y]'],
    groups: ['4 3', '2 3', '3 3', '3 2', '3 4'],
    also: plateYear,
    base: 0.2,
    context: ['registration', 'registration number', 'number plate', 'licence plate', 'license plate', 'vehicle', 'vrn', 'reg'],
  }),
  row('IE_PPS', 'IE', {
    shape: ['d{7}[A-W]', 'd{7}[A-W][A-IWTX]'],
    groups: ['7 1', '7 2', '7 1 1'],
    check: pps,
    share: 1 / 23,
    base: 0.2,
    context: ['pps', 'ppsn', 'pps number', 'personal public service', 'uimhir psp'],
  }),
]
