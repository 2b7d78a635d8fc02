import { describe, expect, it } from 'vitest'
import { isDate, luhn, mod11and10, verhoeff } from '../../../src/plugins/pii/national/checks.js'
import { NATIONAL } from '../../../src/plugins/pii/national/index.js'

const isReal = (year: number, month: number, day: number) => {
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day
}
const rowOf = (type: string) => {
  const row = NATIONAL.find(each => each.type === type)
  if (row === undefined) throw new Error(`no row ${type}`)
  return row
}

describe('embedded dates', () => {
  it.each([1900, 1999, 2000, 2023, 2024])('of %i are days of the calendar, so that a random number is no date of birth', year => {
    const wrong: string[] = []
    for (let month = 0; month <= 14; month++) for (let day = 0; day <= 33; day++) if (isDate(year, month, day) !== (month > 0 && day > 0 && isReal(year, month, day))) wrong.push(`${year}-${month}-${day}`)
    expect(wrong).toEqual([])
  })

  it('29 February of a year told by two digits needs one century in which it is', () => {
    expect([isDate(0, 2, 29), isDate(4, 2, 29), isDate(1, 2, 29), isDate(0, 2, 30)]).toEqual([true, true, false, false])
  })
})

describe('shared checks', () => {
  it('hold for the published examples', () => {
    expect([luhn('79927398713'), verhoeff('2363'), mod11and10('07945', 0, 5)]).toEqual([true, true, true])
  })

  it.each([
    ['luhn', (s: string) => luhn(s)],
    ['verhoeff', verhoeff],
    ['ISO 7064 MOD 11,10', (s: string) => mod11and10(s, 0, s.length)],
  ] as const)('%s: exactly one last digit completes any body, and no digit can be mistyped', (_, holds) => {
    for (let body = 1000; body < 9999; body += 37) {
      const complete = Array.from({ length: 10 }, (_each, last) => `${body}${last}`).filter(holds)
      expect(complete).toHaveLength(1)
      const [held] = complete as [string]
      for (let at = 0; at < held.length; at++) for (let other = 0; other < 10; other++) if (String(other) !== held[at]) expect(holds(held.slice(0, at) + other + held.slice(at + 1))).toBe(false)
    }
  })

  it('verhoeff sees every pair of neighbours in the wrong order', () => {
    for (let body = 1000; body < 9999; body += 37) {
      const held = Array.from({ length: 10 }, (_, last) => `${body}${last}`).find(verhoeff) as string
      for (let at = 0; at < held.length - 1; at++) if (held[at] !== held[at + 1]) expect(verhoeff(held.slice(0, at) + (held[at + 1] as string) + (held[at] as string) + held.slice(at + 2))).toBe(false)
    }
  })
})

describe('separators', () => {
  it.each([
    ['US_SSN', '536-90.4399', 'two kinds of separator'],
    ['US_SSN', '53-690-4399', 'another grouping'],
    ['UK_PASSPORT', 'AB 1234567', 'a number that is written in one piece'],
    ['KR_PASSPORT', 'M123-A4567', 'a number that is written in one piece'],
    ['DE_TAX_NUMBER', '12345678901', 'eleven digits in a row'],
    ['DE_KFZ', 'BMW1234', 'a word and a number'],
    ['DE_KFZ', 'B--MW 123', 'two separators at one place'],
    ['TR_LICENSE_PLATE', '3-4 ABC 123', 'a separator between digits'],
    ['BR_CPF', '390.533.44705.', 'a full stop at the end'],
  ])('%s is not read into %s: %s', (type, text) => {
    expect(rowOf(type).raw(text)).toBe(false)
  })

  it('may differ where the issuer uses two kinds', () => {
    expect([rowOf('BR_CPF').raw('390.533.447-05'), rowOf('BE_NN').raw('85.07.30-033 28'), rowOf('DE_KFZ').raw('B-MW 1234')]).toEqual([true, true, true])
  })
})

describe('what is never given out', () => {
  it.each([
    ['US_SSN', ['000123456', '666123456', '900123456', '123004567', '123450000', '078051120', '111111111']],
    ['US_ITIN', ['911491234', '911661234', '911891234', '911931234', '811701234']],
    ['ABA_ROUTING_NUMBER', ['000000000', '131000003']],
    ['US_NPI', ['1111111112', '3234567893']],
    ['UK_NINO', ['BG123456A', 'DA123456A', 'AO123456A', 'AB123456E']],
    ['UK_VEHICLE_REGISTRATION', ['AB00ABC', 'AB35ABC', 'AB80ABC', 'AB51AIB', 'I123BCD']],
    ['UK_DRIVING_LICENCE', ['99999657054SM9IJ', 'MORGA637054SM9IJ', 'MORGA657394SM9IJ', 'M9RGA657054SM9IJ']],
    ['DE_TAX_ID', ['11112345678', '02345678901']],
    ['DE_PLZ', ['00000', '01000', '99999', '00999']],
    ['DE_ID_CARD', ['CFGHJKLMN', 'A01X00T47', 'L0IX00T47', 'T220001290']],
    ['IN_AADHAAR', ['123456789012', '234567765432']],
    ['IN_GSTIN', ['00ABCDE1234F1Z5', '38ABCDE1234F1Z5', '27ABCDE1234F1Y5']],
    ['IN_VEHICLE_REGISTRATION', ['XX01AB1234', 'KA01AB0000']],
    ['KR_DRIVER_LICENSE', ['992212345612', '272212345612']],
    ['SE_ORGANISATIONSNUMMER', ['1212121212']],
    ['TH_TNIN', ['1280000000000', '1090000000000']],
    ['TR_LICENSE_PLATE', ['00ABC123', '82ABC123', '34QBC123']],
    ['BR_CPF', ['11111111111', '00000000000']],
    ['ZA_ID_NUMBER', ['7513305044089', '7503305044389']],
    ['CN_RIC', ['11010518491231002X', '110105194913310020']],
    ['IT_FISCAL_CODE', ['RSSMRA85T00A562S', 'RSSMRA85T32A562S', 'RSSMRA85T72A562S', 'RSSMRA85F10A562S']],
  ])('%s', (type, refused) => {
    expect(refused.filter(each => rowOf(type).accepts(each) !== 'no')).toEqual([])
  })
})
