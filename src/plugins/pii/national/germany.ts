import { allSame, crossSum, digit, icao, mod11and10, number, weighted, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

/** PassV, annex 11: no letter that could be read as a digit or make a word; the first says whether it is a passport or a card. */
const SERIAL = '[CFGHJKLMNPRTVWXYZ0-9]{8}'
const CARD = `[LMNPRTVWXYZ]${SERIAL}`
const PASSPORT = `[CFGHJK]${SERIAL}`

/** A letter counts as two digits, A = 01 to Z = 26. */
const ordinal = (s: string, at: number): number => s.charCodeAt(at) - 64
const letterDigits = (s: string, at: number, first: number, second: number): number => {
  const value = ordinal(s, at)
  const high = Math.floor(value / 10) * first
  const low = (value % 10) * second
  return Math.floor(high / 10) + (high % 10) + Math.floor(low / 10) + (low % 10)
}

/** AO section 139b and BZSt: no digit more than three times in the first ten. */
function fewRepeats(s: string): boolean {
  for (let i = 0; i < 7; i++) {
    let count = 0
    for (let j = i; j < 10; j++) if (s.charCodeAt(j) === s.charCodeAt(i)) count++
    if (count > 3) return false
  }
  return true
}

/** VKVV section 4: weights 2 1 2 5 7 1 2 1 | 2 1 (the letter) | 2 1, sum of the digits of the products modulo 10. */
const pension: Check = s => (crossSum(s, [2, 1, 2, 5, 7, 1, 2, 1]) + letterDigits(s, 8, 2, 1) + crossSum(s, [2, 1], 9)) % 10 === digit(s, 11)

/** The day is raised by 50 where a number was taken. */
const pensionDate: Check = s => {
  const day = number(s, 2, 4) % 50
  const month = number(s, 4, 6)
  return day >= 1 && day <= 31 && month >= 1 && month <= 12
}

/** SGB V section 290, annex 1: weights 1 and 2 in turn over the letter as two digits and eight digits. */
const health: Check = s => (letterDigits(s, 0, 1, 2) + crossSum(s, [1, 2, 1, 2, 1, 2, 1, 2], 1)) % 10 === digit(s, 9)

/** A word is no serial number. */
const threeDigits: Check = s => {
  let digits = 0
  for (let i = 0; i < s.length; i++) if (s.charCodeAt(i) < 65) digits++
  return digits >= 3
}

/** ICAO 9303: the check digit follows the nine characters in the machine-readable zone, and is seldom written elsewhere. */
const zone: Check = s => s.length === 10

const serial: Check = s => threeDigits(s) && (s.length === 9 || icao(s, 0, 10))

/** One to three letters of the place, one or two letters, the number: told apart by what stands between. */
const PLATE_GROUPS = [1, 2, 3].flatMap(place => [1, 2].flatMap(letters => [1, 2, 3, 4, 5].map(digits => `${place} ${letters} ${digits}`)))

export const GERMANY: readonly NationalRow[] = [
  row('DE_TAX_ID', 'DE', {
    shape: '[1-9]d{10}',
    groups: ['2 3 3 3'],
    check: s => mod11and10(s, 0, 11) && fewRepeats(s),
    share: 0.1,
    base: 0.15,
    context: ['steuer-id', 'steuerid', 'steuer-idnr', 'idnr', 'steueridentifikationsnummer', 'identifikationsnummer', 'steuerliche identifikationsnummer', 'tax id', 'tax identification'],
  }),
  row('DE_TAX_NUMBER', 'DE', {
    shape: ['0[1-9]d{11}', '1[0-6]d{11}', '[1-59]d{3}0d{8}', 'd{10,11}'],
    groups: ['13', '2 3 5', '3 3 5', '3 4 4', '5 5'],
    joined: false,
    base: 0.2,
    context: ['steuernummer', 'steuer-nr', 'steuer nr', 'st.-nr', 'st-nr', 'stnr', 'finanzamt', 'steuerbescheid', 'tax number'],
  }),
  row('DE_VAT_ID', 'DE', {
    shape: 'DE[1-9]d{8}',
    groups: ['2 9', '2 3 3 3', '5 3 3'],
    mixed: true,
    // BZSt: ISO 7064 MOD 11,10; no number begins with 0.
    check: s => mod11and10(s, 2, 11),
    share: 0.1,
    base: 0.3,
    context: ['ust-id', 'ust-idnr', 'ustid', 'ustidnr', 'umsatzsteuer-id', 'umsatzsteuer-identifikationsnummer', 'umsatzsteuer', 'vat', 'vat id', 'vat number'],
  }),
  row('DE_ID_CARD', 'DE', {
    shape: [CARD, `${CARD}d`],
    also: serial,
    check: zone,
    failed: 'shape',
    share: 0.1,
    base: 0.2,
    context: ['personalausweis', 'personalausweisnummer', 'ausweis', 'ausweisnummer', 'ausweis-nr', 'seriennummer', 'identity card', 'id card'],
  }),
  row('DE_PASSPORT', 'DE', {
    shape: [PASSPORT, `${PASSPORT}d`],
    also: serial,
    check: zone,
    failed: 'shape',
    share: 0.1,
    base: 0.2,
    context: ['reisepass', 'reisepassnummer', 'pass', 'passnummer', 'pass-nr', 'passport', 'passport number'],
  }),
  row('DE_SOCIAL_SECURITY', 'DE', {
    shape: 'd{8}ld{3}',
    groups: ['2 6 1 3', '8 1 3'],
    also: pensionDate,
    check: pension,
    share: 0.0074,
    base: 0.2,
    context: ['rentenversicherungsnummer', 'rentenversicherung', 'sozialversicherungsnummer', 'sozialversicherung', 'versicherungsnummer', 'rvnr', 'svnr', 'sv-nummer', 'social security'],
  }),
  row('DE_HEALTH_INSURANCE', 'DE', {
    shape: 'ld{9}',
    groups: ['1 3 3 3'],
    check: health,
    share: 0.1,
    base: 0.2,
    context: ['krankenversicherung', 'krankenversicherungsnummer', 'krankenversichertennummer', 'versichertennummer', 'kvnr', 'krankenkasse', 'gesundheitskarte', 'egk', 'health insurance'],
  }),
  row('DE_LANR', 'DE', {
    shape: 'd{9}',
    // KBV, Arztnummern-Richtlinie: weights 4 and 9 in turn over six digits, what is missing to the next ten; the specialty follows.
    check: s => (weighted(s, [4, 9, 4, 9, 4, 9]) + digit(s, 6)) % 10 === 0,
    share: 0.1,
    base: 0.15,
    context: ['lanr', 'arztnummer', 'arzt-nr', 'lebenslange arztnummer', 'vertragsarzt', 'physician number'],
  }),
  row('DE_BSNR', 'DE', {
    shape: 'd{9}',
    also: s => !allSame(s),
    base: 0.15,
    context: ['bsnr', 'betriebsstättennummer', 'betriebsstätte', 'betriebsstättennr', 'praxisnummer'],
  }),
  row('DE_FUEHRERSCHEIN', 'DE', {
    shape: 'lx{8}dx',
    also: threeDigits,
    base: 0.2,
    context: ['führerschein', 'führerscheinnummer', 'fuehrerschein', 'fahrerlaubnis', 'fahrerlaubnisnummer', 'driving licence', "driver's license", 'driver license'],
  }),
  row('DE_HANDELSREGISTER', 'DE', {
    shape: 'HR[AB]d{1,6}',
    groups: ['3 1', '3 2', '3 3', '3 4', '3 5', '3 6'],
    base: 0.4,
    context: ['handelsregister', 'handelsregisternummer', 'amtsgericht', 'registergericht', 'registernummer', 'commercial register'],
  }),
  row('DE_KFZ', 'DE', {
    shape: ['[A-ZÄÖÜ]{1,3}l{1,2}[1-9]d{0,3}', '[A-ZÄÖÜ]{1,3}l{1,2}[1-9]d{0,3}[EH]'],
    // FZV, annex 4: eight characters at most, and the sign of old or electric ones.
    also: s => s.length <= (s.charCodeAt(s.length - 1) < 65 ? 8 : 9),
    groups: PLATE_GROUPS,
    joined: false,
    mixed: true,
    base: 0.2,
    context: ['kennzeichen', 'kfz-kennzeichen', 'kfz', 'nummernschild', 'amtliches kennzeichen', 'fahrzeug', 'license plate', 'number plate', 'licence plate'],
  }),
  row('DE_PLZ', 'DE', {
    shape: ['0[1-9]d{3}', '[1-9]d{4}'],
    also: s => s !== '01000' && s !== '99999',
    base: 0.15,
    context: ['plz', 'postleitzahl', 'postanschrift', 'anschrift', 'wohnort', 'postal code'],
  }),
]
