import { describe, expect, it } from 'vitest'
import { NATIONAL, nationalIndex, type NationalRow } from '../../../src/plugins/pii/national/index.js'
import { seededRandom } from '../../../src/testing/index.js'
import { CHECK_AT, UNCHECKED, WRITTEN } from './national-vectors.js'

const DIGITS = '0123456789'
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const compact = (text: string) => text.toUpperCase().replace(/[-./ ]/g, '')
const classOf = (character: string) => (DIGITS.includes(character) ? DIGITS : LETTERS)
const rows = NATIONAL.map(row => [row.type, row] as const)
const checked = rows.filter(([, row]) => row.share < 1)
const written = (row: NationalRow) => WRITTEN[row.type] ?? []

const ASKED_FOR =
  'US_SSN US_ITIN ABA_ROUTING_NUMBER US_BANK_NUMBER US_DRIVER_LICENSE US_PASSPORT US_MBI US_NPI MEDICAL_LICENSE UK_NHS UK_NINO UK_PASSPORT UK_DRIVING_LICENCE UK_POSTCODE UK_VEHICLE_REGISTRATION ' +
  'DE_TAX_ID DE_TAX_NUMBER DE_VAT_ID DE_ID_CARD DE_PASSPORT DE_SOCIAL_SECURITY DE_HEALTH_INSURANCE DE_LANR DE_BSNR DE_FUEHRERSCHEIN DE_HANDELSREGISTER DE_KFZ DE_PLZ IN_AADHAAR IN_GSTIN IN_PAN IN_PASSPORT ' +
  'IN_VEHICLE_REGISTRATION IN_VOTER KR_RRN KR_FRN KR_BRN KR_DRIVER_LICENSE KR_PASSPORT IT_FISCAL_CODE IT_VAT_CODE IT_DRIVER_LICENSE IT_IDENTITY_CARD IT_PASSPORT AU_ABN AU_ACN AU_TFN AU_MEDICARE ES_NIF ES_NIE ' +
  'ES_PASSPORT SG_NRIC_FIN SG_UEN SE_PERSONNUMMER SE_ORGANISATIONSNUMMER NG_NIN NG_VEHICLE_REGISTRATION TR_NATIONAL_ID TR_LICENSE_PLATE CA_SIN FI_PERSONAL_IDENTITY PL_PESEL PH_TIN TH_TNIN ZA_ID_NUMBER'
const FURTHER = 'FR_NIR NL_BSN BE_NN BR_CPF BR_CNPJ MX_CURP MX_RFC CN_RIC JP_MY_NUMBER NO_FODSELSNUMMER DK_CPR CH_AHV PT_NIF AT_SVNR IE_PPS AR_CUIT CL_RUT CZ_RC SK_RC RO_CNP BG_EGN HR_OIB'

describe('the list of national identifiers', () => {
  it('holds every identifier that was promised, once, so that a country asked for is not half covered', () => {
    const types = NATIONAL.map(row => row.type)
    expect(types).toEqual(expect.arrayContaining([...ASKED_FOR.split(' '), ...FURTHER.split(' ')]))
    expect(new Set(types).size).toBe(types.length)
  })

  it.each(rows)('%s makes a placeholder, has a country, and a score that needs context without check digits', (type, row) => {
    expect(type).toMatch(/^[A-Z][A-Z_]{1,23}$/)
    expect(row.country).toMatch(/^[A-Z]{2}$/)
    expect(row.base).toBeGreaterThanOrEqual(0.15)
    expect(row.base).toBeLessThanOrEqual(0.4)
    expect(row.raise).toBe(row.share === 1 ? 0 : row.raise)
    expect(row.context.length).toBeGreaterThan(0)
    expect(row.context.filter(word => word !== word.toLowerCase() || word !== word.trim())).toEqual([])
  })

  it('is indexed by length and by letters, so that a scan that asks the index misses nothing', () => {
    const index = nationalIndex(NATIONAL)
    for (const row of NATIONAL) {
      for (const example of [...written(row), ...(UNCHECKED[row.type] ?? [])].map(compact)) expect((/^\d+$/.test(example) ? index.digits : index.letters)[example.length]).toContain(row)
      const indexed = [index.digits, index.letters].flatMap(lists => lists.flatMap((list, length) => (list?.includes(row) === true ? [length] : [])))
      expect([...new Set(indexed)].sort((a, b) => a - b)).toEqual(row.lengths)
    }
    expect(index.digits[9]?.filter(row => row.letters.length > 0 && row.digits.length === 0)).toEqual([])
    expect(nationalIndex([])).toEqual({ digits: [[]], letters: [[]] })
  })
})

describe('what is written as the issuer writes it', () => {
  it.each(rows)('%s is taken', (_, row) => {
    expect(written(row).length).toBeGreaterThanOrEqual(2)
    for (const example of written(row)) {
      expect([example, row.accepts(compact(example)), row.raw(example)]).toEqual([example, row.share === 1 ? 'shape' : 'checksum', true])
      expect(example.length).toBeLessThanOrEqual(row.maxLength)
    }
  })

  it.each(rows)('%s is told the same of digits that are known to be digits', (_, row) => {
    const random = seededRandom(row.type.length)
    for (let i = 0; i < 2000; i++) {
      const length = row.lengths[i % row.lengths.length] as number
      let drawn = ''
      while (drawn.length < length) drawn += Math.floor(random() * 10)
      expect(row.accepts(drawn, true)).toBe(row.accepts(drawn))
    }
    for (const example of written(row).map(compact).filter(each => /^\d+$/.test(each))) expect(row.accepts(example, true)).toBe(row.accepts(example))
  })

  it.each(Object.entries(UNCHECKED))('%s without check digits that hold is a shape and no more', (type, examples) => {
    const row = NATIONAL.find(each => each.type === type)
    for (const example of examples) expect([example, row?.accepts(compact(example)), row?.raw(example)]).toEqual([example, 'shape', true])
  })

  it.each(rows)('%s one character longer or shorter is another thing', (_, row) => {
    const examples = written(row).map(compact)
    const shortest = examples.reduce((a, b) => (b.length < a.length ? b : a))
    const longest = examples.reduce((a, b) => (b.length > a.length ? b : a))
    const short = shortest.slice(0, (row.lengths[0] as number) - 1)
    const long = longest.padEnd((row.lengths.at(-1) as number) + 1, longest.at(-1))
    expect([row.accepts(short), row.accepts(long), row.accepts('')]).toEqual(['no', 'no', 'no'])
    expect(row.lengths.filter(length => row.accepts('-'.repeat(length)) !== 'no' || row.accepts('漢'.repeat(length)) !== 'no')).toEqual([])
  })

  it.each(rows)('%s with separators at every place is no identifier', (_, row) => {
    for (const example of written(row).filter(each => compact(each).length > 4)) {
      expect(row.raw([...compact(example)].join(' '))).toBe(false)
      expect(row.raw(`-${compact(example)}`)).toBe(false)
      expect(row.raw(`${compact(example)} `)).toBe(false)
    }
  })
})

describe('check digits', () => {
  it.each(checked)('%s: every other character in the place of the check digit is refused', (type, row) => {
    for (const example of written(row).map(compact)) {
      const at = CHECK_AT[type] ?? example.length - 1
      const others = [...classOf(example.charAt(at))].filter(other => other !== example.charAt(at))
      const told = others.map(other => row.accepts(example.slice(0, at) + other + example.slice(at + 1)))
      expect(told.filter(each => each === 'checksum')).toEqual([])
      if (!(UNCHECKED[type] ?? []).some(each => compact(each).length === example.length)) expect(told.filter(each => each !== 'no')).toEqual([])
    }
  })

  it.each(rows)('%s: of random strings no more than the share it tells hold', (_, row) => {
    const random = seededRandom(row.type.length * 31 + row.type.charCodeAt(3))
    const draws = 20_000
    for (const example of new Map(written(row).map(each => [compact(each).replace(/\d/g, '0').replace(/[A-Z]/g, 'A'), compact(each)])).values()) {
      let held = 0
      for (let i = 0; i < draws; i++) {
        let drawn = ''
        for (const character of example) drawn += classOf(character).charAt(Math.floor(random() * classOf(character).length))
        if (row.accepts(drawn) === 'checksum') held++
      }
      const bound = row.share === 1 ? 0 : row.share * draws + 4 * Math.sqrt(row.share * draws)
      expect(held).toBeLessThanOrEqual(bound)
    }
  })

  it('random digits with every row on and no context: at most 2 % of any length reach the threshold', () => {
    const random = seededRandom(5)
    const draws = 6000
    for (let length = 7; length <= 16; length++) {
      let flagged = 0
      for (let i = 0; i < draws; i++) {
        let drawn = ''
        for (let at = 0; at < length; at++) drawn += Math.floor(random() * 10)
        if (NATIONAL.some(row => row.accepts(drawn) === 'checksum' && row.base + row.raise >= 0.5)) flagged++
      }
      expect([length, flagged / draws <= 0.02]).toEqual([length, true])
    }
  })
})
