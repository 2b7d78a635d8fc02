import { describe, expect, it } from 'vitest'
import { createDetector } from '../../../src/plugins/pii/index.js'
import { NATIONAL } from '../../../src/plugins/pii/national/index.js'
import { REACH, Redactor } from '../../../src/plugins/pii/redact.js'
import { seededRandom } from '../../../src/testing/index.js'

const found = (type: string, text: string, least?: number) =>
  createDetector({ types: [type], ...(least !== undefined && { thresholds: { [type]: least } }) })
    .detect(text)
    .map(({ start, end }) => text.slice(start, end))
const EVERYTHING = 0.01
const verdict = (type: string, compact: string) => NATIONAL.find(row => row.type === type)?.accepts(compact)

describe('identifiers as people type them', () => {
  it.each([
    ['UK_VEHICLE_REGISTRATION', 'cd17 efg'],
    ['UK_VEHICLE_REGISTRATION', 'k23 rst'],
    ['UK_NINO', 'ce 65 43 21 d'],
    ['DE_HANDELSREGISTER', 'hra 4711'],
    ['DE_VAT_ID', 'de 136 695 976'],
    ['DE_KFZ', 'hh-kl 77'],
    ['DE_KFZ', 'B MW 1234'],
    ['DE_KFZ', 'TÜ-AB 12H'],
    ['NG_VEHICLE_REGISTRATION', 'lsr-204xy'],
    ['TR_LICENSE_PLATE', '35 kn 482'],
    ['TR_LICENSE_PLATE', '06 B 12345'],
    ['IN_VEHICLE_REGISTRATION', 'mh 12 gj 4821'],
    ['IT_IDENTITY_CARD', 'ca 7654321'],
    ['IT_FISCAL_CODE', 'RSS MRA 85T10 A562S'],
    ['UK_DRIVING_LICENCE', 'SMITH 710238 J99AB'],
    ['HK_ID', 'A123456(3)'],
    ['HK_ID', 'AB987654(3)'],
    ['FI_PERSONAL_IDENTITY', '131052+308T'],
    ['SE_PERSONNUMMER', '871220+2384'],
  ])('%s: %s is found whole, alone and in a sentence', (type, value) => {
    for (const text of [value, `we saw ${value} there`, `(${value}),`]) expect([text, found(type, text, EVERYTHING)]).toEqual([text, [value]])
  })

  it.each([
    ['UK_VEHICLE_REGISTRATION', 'number plate cd17 efg'],
    ['TR_LICENSE_PLATE', 'plaka 35 kn 482'],
    ['NG_VEHICLE_REGISTRATION', 'vehicle lsr-204xy'],
    ['DE_KFZ', 'kennzeichen hh-kl 77'],
    ['UK_PASSPORT', 'passport number 501234876'],
  ])('%s: a word beside it is enough: %s', (type, text) => {
    expect(found(type, text)).toHaveLength(1)
  })

  it.each([
    ['UK_VEHICLE_REGISTRATION', 'the 90s and for 24h, or the 100 mm lens'],
    ['UK_VEHICLE_REGISTRATION', 'The 5M run'],
    ['UK_VEHICLE_REGISTRATION', 'CD17 efg'],
    ['UK_VEHICLE_REGISTRATION', 'cd17.efg'],
    ['TR_LICENSE_PLATE', 'between 10 and 200 people, 30 or 400, 10 km 500'],
    ['TR_LICENSE_PLATE', '34 Abc 123'],
    ['NG_VEHICLE_REGISTRATION', 'the 500 ml and the 100 km'],
    ['IN_VEHICLE_REGISTRATION', 'as 10 of 2024 and in 12 to 2023'],
    ['DE_KFZ', 'das ist am 12 und so im 13'],
    ['DE_KFZ', '9-B-MW 1234'],
    ['DE_VAT_ID', 'de 136 695 977'],
    ['HK_ID', 'A123456(4)'],
    ['HK_ID', 'A123456(3)x'],
    ['ES_NIF', '5436231(5)'],
    ['IL_ID', '03933742(3)'],
    ['NL_BSN', '254+475+735'],
    ['FI_PERSONAL_IDENTITY', '131052308T'],
    ['UK_PASSPORT', '501234876'],
  ])('%s: nothing in %s, whatever the threshold', (type, text) => {
    expect(found(type, text, EVERYTHING)).toEqual([])
  })

  it('many short words behind it are no table, which would hide it', () => {
    expect(found('DE_KFZ', 'HH KL 77 ja ok na ja ok na ja ok na ja ok na ja ok na')).toEqual(['HH KL 77'])
  })

  it('a plate in small letters needs a word beside it, because words look like it', () => {
    expect([found('TR_LICENSE_PLATE', '35 kn 482'), found('TR_LICENSE_PLATE', '35 KN 482')]).toEqual([[], ['35 KN 482']])
  })

  it('short words and numbers of prose, drawn at random, are no plates of any country', () => {
    const random = seededRandom(77)
    const words = 'the and for in of at to by on as is or an us we he it be so up um am im zu es la le de en los des bis 12 7 30 100 90s 5th 24h 3d 250 2024 10k mm km kg ml gb pm'.split(' ')
    const detector = createDetector({ types: [], countries: 'all' })
    const flagged: string[] = []
    for (let i = 0; i < 400; i++) {
      const text = Array.from({ length: 12 }, () => words[Math.floor(random() * words.length)]).join(' ')
      if (detector.detect(text).length > 0) flagged.push(text)
    }
    expect(flagged).toEqual([])
  })
})

describe('what the published definitions leave out', () => {
  it.each([
    ['DE_VAT_ID', ['DE123456789', 'DE036695976', 'DE136695975']],
    ['DE_ID_CARD', ['C01X00T478', 'H01X00T47']],
    ['DE_PASSPORT', ['L01X00T471', 'T22000129']],
    ['DE_KFZ', ['ABCDE12345', 'ABCDE1234']],
    ['PT_NIF', ['401964843', '731964843', '931964843']],
    ['IN_PAN', ['ACUPA0000R']],
    ['IN_GSTIN', ['38AAPFU0939F1ZV', '40AAPFU0939F1ZV']],
    ['TR_LICENSE_PLATE', ['34AB12345', '34A123456']],
    ['FI_PERSONAL_IDENTITY', ['131052-001T', '131052G308T', '131052Z308T']],
    ['UK_VEHICLE_REGISTRATION', ['U123BCD', 'Z123BCD']],
    ['BE_NN', ['85073000061', '85073099932']],
    ['FR_NIR', ['295100012611150', '295109912600010']],
    ['CN_RIC', ['16010519491231002X', '99010519491231002X']],
  ])('%s', (type, refused) => {
    expect(refused.filter(each => verdict(type, each.replace('-', '')) !== 'no')).toEqual([])
  })

  it('what came later is taken: Ladakh where the last character holds, kit cars, signs of the century of 2023', () => {
    const ladakh = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'].filter(last => verdict('IN_GSTIN', `38AAPFU0939F1Z${last}`) !== 'no')
    expect(ladakh).toHaveLength(1)
    expect(verdict('UK_VEHICLE_REGISTRATION', 'Q123BCD')).toBe('shape')
    expect([...'ABCDEFUVWXY'].filter(sign => verdict('FI_PERSONAL_IDENTITY', `131052${sign}308T`) !== 'checksum')).toEqual([])
  })
})

describe('MAC addresses (EUI-48)', () => {
  it.each(['02:1b:3c:4d:5e:6f', '02-1B-3C-4D-5E-6F', '021b.3c4d.5e6f', '021b-3c4d-5e6f', '33:33:00:00:00:01'])('%s is one', text => {
    expect([found('MAC', text), found('MAC', `port ${text}, up`)]).toEqual([[text], [text]])
  })

  it.each(['00:00:00:00:00:00', 'FF:FF:FF:FF:FF:FF', 'ff-ff-ff-ff-ff-ff', '0000.0000.0000', 'ffff-ffff-ffff', '02:1b:3c-4d-5e-6f', '02:1b:3c:4d:5e', '02:1b:3c:4d:5e:6f:70:81', '02-1B-3C-4D-5E-6F-70', '021b-3c4d-5e6f-7081'])('%s is none', text => {
    expect(found('MAC', text, EVERYTHING)).toEqual([])
  })

  it('twelve digits in groups of four are another number, unless a word says so', () => {
    expect([found('MAC', '2341-2341-2346'), found('MAC', '1234.5678.9012'), found('MAC', 'mac 1234.5678.9012')]).toEqual([[], [], ['1234.5678.9012']])
  })
})

describe('social security numbers', () => {
  it('the second dash left out needs a word; a postal code, what is not given out, and what goes on are none', () => {
    expect([found('US_SSN', 'SSN: 536-904399'), found('US_SSN', '536-904399')]).toEqual([['536-904399'], []])
    for (const text of ['12345-6789', '000-904399', '536-004399', '536-900000', '536-9043991', '536-904399-1']) expect([text, found('US_SSN', text, EVERYTHING)]).toEqual([text, []])
  })
})

describe('numbers in groups', () => {
  it.each([
    ['IN_AADHAAR', 'paid with 9999 2341 2341 2346'],
    ['IN_AADHAAR', '2341 2341 2346 1234'],
    ['AU_TFN', '123 456 782 999'],
    ['PT_NIF', 'EUR 501.964.843,50'],
    ['PT_NIF', '501 964 843,50 in total'],
  ])('%s: what goes on with a group like its own, or with cents, is another number: %s', (type, text) => {
    expect(found(type, text, EVERYTHING)).toEqual([])
  })

  it.each([
    ['IN_AADHAAR', 'of 2024: 2341 2341 2346, or', '2341 2341 2346'],
    ['IN_AADHAAR', '12 2341 2341 2346 5', '2341 2341 2346'],
    ['AU_TFN', '123 456 782, 999', '123 456 782'],
    ['PT_NIF', '501 964 843,5012', '501 964 843'],
    ['PT_NIF', '501964843,50,x', '501964843'],
    ['ZA_ID_NUMBER', '750330 5044 0 8 9', '750330 5044 0 8 9'],
  ])('%s: what stands beside a list, a row of a table or a small number is one: %s', (type, text, value) => {
    expect(found(type, text, EVERYTHING)).toEqual([value])
  })
})

describe('streams', () => {
  it('a number whose letters came first is taken out as in one piece, so that half a plate is never shown', () => {
    const detector = createDetector({ types: [], countries: 'all', thresholds: { UK_VEHICLE_REGISTRATION: 0.2, TR_LICENSE_PLATE: 0.2, DE_KFZ: 0.2, IN_VEHICLE_REGISTRATION: 0.2, NG_VEHICLE_REGISTRATION: 0.2 } })
    const random = seededRandom(3)
    const words = 'plaka 35 kn 482, cd17 efg B MW 1234 mh 12 gj 4821 lsr-204xy TÜ-AB 12H the car was seen A AB 99 RSS MRA 85T10 A562S in town RA KL 8136E hra 4711 and THEN'.split(' ')
    for (let i = 0; i < 150; i++) {
      const from = Math.floor(random() * words.length)
      const text = [...words.slice(from), ...words.slice(0, from)].filter(() => random() < 0.9).join(' ')
      let whole = text
      for (const { start, end } of [...detector.detect(text)].reverse()) whole = `${whole.slice(0, start)}#${whole.slice(end)}`
      const redactor = new Redactor({ detector, session: undefined, reach: REACH, wary: false, keys: false, replace: () => '#' })
      let out = ''
      for (const character of text) out += redactor.push(character)
      expect(out + redactor.end()).toBe(whole)
    }
  })
})
