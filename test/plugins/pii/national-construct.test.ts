import { describe, expect, it } from 'vitest'
import { NATIONAL } from '../../../src/plugins/pii/national/index.js'
import { seededRandom } from '../../../src/testing/index.js'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
type Pick = (among: string, times?: number) => string
type Make = (pick: Pick) => string | undefined

const D = '0123456789'
const twoDigits = (value: number) => String(value).padStart(2, '0')
const day = (pick: Pick) => twoDigits(1 + Number(pick(D, 2)) % 28)
const month = (pick: Pick) => twoDigits(1 + Number(pick(D, 2)) % 12)
const yymmdd = (pick: Pick) => pick(D, 2) + month(pick) + day(pick)
const ddmmyy = (pick: Pick) => day(pick) + month(pick) + pick(D, 2)
const values = (text: string) => [...text].map(character => parseInt(character, 36))
const dot = (text: string, weights: readonly number[]) => values(text).reduce((sum, value, at) => sum + value * (weights[at] as number), 0)
const digitsOf = (value: number) => [...String(value)].reduce((sum, each) => sum + Number(each), 0)
/** The digit, if there is one, that makes the sum a multiple. */
const toMultiple = (sum: number, of: number) => {
  const left = (of - (sum % of)) % of
  return left > 9 ? undefined : String(left)
}
const append = (body: string, check: string | undefined) => (check === undefined ? undefined : body + check)
const letterNumber = (letter: string) => twoDigits(LETTERS.indexOf(letter) + 1)
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, at) => from - at)
const luhnDigit = (body: string) => toMultiple([...body].reverse().reduce((sum, each, at) => sum + (at % 2 === 0 ? digitsOf(Number(each) * 2) : Number(each)), 0), 10)
const missing = (sum: number) => String(sum % 11 < 2 ? 0 : 11 - (sum % 11))
const mod11and10 = (body: string) => [...D].find(last => [...(body + last)].reduce((state, each, at, all) => (at === all.length - 1 ? (state + Number(each)) % 10 : (((state + Number(each)) % 10 || 10) * 2) % 11), 10) === 1)
const icao = (body: string) => String(dot(body, Array.from(body, (_, at) => [7, 3, 1][at % 3] as number)) % 10)

const PERMUTED = [...Array(8).keys()].map(power => [...D].map(start => [...Array(power).keys()].reduce(at => Number('1576283094'[at]), Number(start))))
/** Verhoeff by the rotations and reflections of a pentagon, as matrices of places. */
const pentagon = (element: number) => [0, 1, 2, 3, 4].map(at => (element < 5 ? (at + element) % 5 : (element - 5 - at + 10) % 5))
const isVerhoeff = (text: string) => {
  const end = [...text].reverse().reduce((places, each, at) => pentagon(PERMUTED[at % 8]?.[Number(each)] as number).map(to => places[to] as number), [0, 1, 2, 3, 4])
  return end.join('') === '01234'
}

const digits = (length: number, weights: readonly number[], modulus: number, first = D): Make => pick => {
  const body = pick(first) + pick(D, length - 2)
  return append(body, toMultiple(dot(body, weights), modulus))
}
const SERIALS = 'CFGHJKLMNPRTVWXYZ'
const serial = (first: string): Make => pick => {
  const body = pick(first) + pick(SERIALS + D, 5) + pick(D, 3)
  return body + icao(body)
}
const korean = (sexes: string, from: number): Make => pick => {
  const body = yymmdd(pick) + pick(sexes) + pick(D, 5)
  return body + String((from - (dot(body, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10)
}

/** Each from the words of its authority, in another manner than the code under test. */
const MAKERS: { readonly [type: string]: Make } = {
  ABA_ROUTING_NUMBER: pick => {
    const body = pick('0') + pick('123456789') + pick(D, 6)
    return append(body, toMultiple(dot(body, [3, 7, 1, 3, 7, 1, 3, 7]), 10))
  },
  US_NPI: pick => {
    const body = pick('12') + pick('01234') + pick('56789') + pick(D, 6)
    return append(body, luhnDigit(`80840${body}`))
  },
  MEDICAL_LICENSE: pick => {
    const body = pick(D, 6)
    const [a, b, c, d, e, f] = values(body) as [number, number, number, number, number, number]
    return pick('ABFM') + pick(LETTERS) + body + String((a + c + e + 2 * (b + d + f)) % 10)
  },
  CA_SIN: pick => {
    const body = pick('1234567') + pick(D, 7)
    return append(body, luhnDigit(body))
  },
  UK_NHS: pick => {
    const body = pick('123456789') + pick(D, 8)
    return append(body, toMultiple(dot(body, down(10, 2)), 11))
  },
  IE_PPS: pick => {
    const body = pick(D, 7)
    const second = pick('ABH')
    return body + 'WABCDEFGHIJKLMNOPQRSTUV'.charAt((dot(body, down(8, 2)) + (LETTERS.indexOf(second) + 1) * 9) % 23) + second
  },
  DE_TAX_ID: pick => {
    const body = pick('123456789') + pick(D, 9)
    return [...D].some(each => body.split(each).length > 4) ? undefined : append(body, mod11and10(body))
  },
  DE_VAT_ID: pick => {
    const body = pick('123456789') + pick(D, 7)
    return append(`DE${body}`, mod11and10(body))
  },
  DE_ID_CARD: serial('LMNPRTVWXYZ'),
  DE_PASSPORT: serial('CFGHJK'),
  DE_SOCIAL_SECURITY: pick => {
    const [area, date, letter, number] = [pick(D, 2), ddmmyy(pick), pick(LETTERS), pick(D, 2)] as const
    const sum = [...(area + date + letterNumber(letter) + number)].reduce((total, each, at) => total + digitsOf(Number(each) * ([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1][at] as number)), 0)
    return area + date + letter + number + String(sum % 10)
  },
  DE_HEALTH_INSURANCE: pick => {
    const [letter, body] = [pick(LETTERS), pick(D, 8)] as const
    return letter + body + String([...(letterNumber(letter) + body)].reduce((total, each, at) => total + digitsOf(Number(each) * (1 + (at % 2))), 0) % 10)
  },
  DE_LANR: pick => {
    const body = pick(D, 6)
    return body + String(toMultiple(dot(body, [4, 9, 4, 9, 4, 9]), 10)) + pick(D, 2)
  },
  FR_NIR: pick => {
    const body = `${pick('12')}${pick(D, 2)}${month(pick)}${pick('01234567')}${pick('123456789')}${pick(D, 3)}${pick('123456789')}${pick(D, 2)}`
    return body + twoDigits(97 - Number(BigInt(body) % 97n))
  },
  NL_BSN: pick => {
    const body = pick('123456789') + pick(D, 7)
    const last = dot(body, down(9, 2)) % 11
    return last === 10 ? undefined : body + String(last)
  },
  BE_NN: pick => {
    const body = yymmdd(pick) + pick('1234567') + pick(D, 2)
    return body + twoDigits(97 - Number(BigInt(`2${body}`) % 97n))
  },
  CH_AHV: pick => {
    const body = `756${pick(D, 9)}`
    return append(body, toMultiple(dot(body, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]), 10))
  },
  HR_OIB: pick => {
    const body = pick(D, 10)
    return append(body, mod11and10(body))
  },
  ES_NIE: pick => {
    const [kind, body] = [pick('XYZ'), pick(D, 7)] as const
    return kind + body + 'TRWAGMYFPDXBNJZSQVHLCKE'.charAt(Number('XYZ'.indexOf(kind) + body) % 23)
  },
  PT_NIF: pick => {
    const body = pick('123') + pick(D, 7)
    return body + missing(dot(body, down(9, 2)))
  },
  FI_PERSONAL_IDENTITY: pick => {
    const [date, number] = [ddmmyy(pick), pick('12345678') + pick(D, 2)] as const
    return date + pick('ABCDEFUVWXY') + number + '0123456789ABCDEFHJKLMNPRSTUVWXY'.charAt(Number(BigInt(date + number) % 31n))
  },
  SE_PERSONNUMMER: pick => {
    const body = yymmdd(pick) + pick(D, 3)
    return append(`19${body}`, luhnDigit(body))
  },
  NO_FODSELSNUMMER: pick => {
    const body = ddmmyy(pick) + pick(D, 3)
    const first = append(body, toMultiple(dot(body, [3, 7, 6, 1, 8, 9, 4, 5, 2]), 11))
    return first && append(first, toMultiple(dot(first, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]), 11))
  },
  DK_CPR: pick => {
    const body = ddmmyy(pick) + pick(D, 3)
    return append(body, toMultiple(dot(body, [4, 3, 2, 7, 6, 5, 4, 3, 2]), 11))
  },
  PL_PESEL: pick => {
    const body = yymmdd(pick) + pick(D, 4)
    return append(body, toMultiple(dot(body, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]), 10))
  },
  CZ_RC: pick => {
    const body = yymmdd(pick) + pick(D, 3)
    return body + String(Number(BigInt(body) % 11n) % 10)
  },
  HU_TAJ: pick => {
    const body = pick('123456789') + pick(D, 7)
    return body + String(dot(body, [3, 7, 3, 7, 3, 7, 3, 7]) % 10)
  },
  IN_AADHAAR: pick => {
    const body = `2${pick(D, 9)}3`
    return append(body, [...D].find(last => isVerhoeff(body + last)))
  },
  NG_NIN: pick => {
    const body = pick(D, 10)
    return append(body, [...D].find(last => isVerhoeff(body + last)))
  },
  KR_RRN: korean('1234', 11),
  KR_FRN: korean('5678', 13),
  KR_BRN: pick => {
    const body = pick('123456') + pick('123456789', 8)
    return append(body, toMultiple(dot(body, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((Number(body.charAt(8)) * 5) / 10), 10))
  },
  SG_NRIC_FIN: pick => {
    const [kind, body] = [pick('STFGM'), pick(D, 7)] as const
    const place = 10 - ((dot(body, [2, 7, 6, 5, 4, 3, 2]) + { S: 0, F: 0, T: 4, G: 4, M: 3 }[kind as 'S']) % 11)
    return kind + body + { S: 'ABCDEFGHIZJ', F: 'KLMNPQRTUWX', M: 'KLJNPQRTUWX' }[kind === 'T' ? 'S' : kind === 'G' ? 'F' : (kind as 'S')].charAt(place)
  },
  SG_UEN: pick => {
    const body = pick(D, 8)
    const sum = [1, 7, 2, 8, 3, 9, 4, 10].reduce((total, weight, at) => total + weight * Number(body.charAt(7 - at)), 0)
    return body + 'XMKECAWLJDB'.charAt(sum % 11)
  },
  EE_ISIKUKOOD: pick => {
    const body = pick('3456') + yymmdd(pick) + pick(D, 3)
    const rounds = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 1], [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]].map(weights => dot(body, weights) % 11)
    return body + String(rounds.find(each => each < 10) ?? 0)
  },
  RO_CNP: pick => {
    const body = pick('1256') + yymmdd(pick) + pick('0123') + pick('12345678') + pick(D, 3)
    const left = [...'279146358279'].reduce((total, key, at) => total + Number(key) * Number(body.charAt(at)), 0) % 11
    return body + (left === 10 ? '1' : String(left))
  },
  SI_EMSO: pick => {
    const body = `${day(pick)}${month(pick)}9${pick(D, 2)}50${pick(D, 3)}`
    return append(body, toMultiple(dot(body, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]), 11))
  },
  BG_EGN: pick => {
    const body = yymmdd(pick) + pick(D, 3)
    return body + String((dot(body, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10)
  },
  CL_RUT: pick => {
    const body = pick('12') + pick(D, 7)
    const sum = [...body].reverse().reduce((total, each, at) => total + Number(each) * (2 + (at % 6)), 0)
    return body + '0K987654321'.charAt(sum % 11)
  },
  TH_TNIN: pick => {
    const body = `${pick('12345678')}10${pick(D, 9)}`
    return body + String((11 - (dot(body, down(13, 2)) % 11)) % 10)
  },
  PH_TIN: pick => {
    const body = pick('123456789') + pick(D, 7)
    const last = dot(body, down(9, 2)) % 11
    return last === 10 ? undefined : body + String(last)
  },
  TR_NATIONAL_ID: pick => {
    const body = pick('123456789') + pick(D, 8)
    const tenth = (((10 - (dot(body, [3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10) + 10) % 10
    return body + String(tenth) + String((dot(body, Array<number>(9).fill(1)) + tenth) % 10)
  },
  CN_RIC: pick => {
    const body = `11010119${pick(D, 2)}${month(pick)}${day(pick)}${pick(D, 3)}`
    const sum = [...body].reduce((total, each, at) => (total + Number(each) * 2 ** (17 - at)) % 11, 0)
    return body + '0123456789X'.charAt((12 - sum) % 11)
  },
  JP_MY_NUMBER: pick => {
    const body = pick(D, 11)
    return body + missing(dot(body, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]))
  },
  HK_ID: pick => {
    const body = pick(LETTERS) + pick(D, 6)
    return body + [...`${D}A`].find(last => (36 * 9 + dot(body + last, down(8, 1))) % 11 === 0)
  },
  TW_ID: pick => {
    const [letter, body] = [pick(LETTERS), pick('12') + pick(D, 7)] as const
    const place = String(10 + 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(letter))
    return append(letter + body, toMultiple(dot(place + body, [1, 9, 8, 7, 6, 5, 4, 3, 2, 1]), 10))
  },
  BR_CPF: pick => {
    const body = `1${pick(D, 7)}2`
    const first = body + missing(dot(body, down(10, 2)))
    return first + missing(dot(first, down(11, 2)))
  },
  AU_TFN: pick => {
    const body = pick('123456789') + pick(D, 7)
    return [...D].map(last => body + last).find(each => dot(each, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0)
  },
  AU_ABN: pick => {
    const body = pick('123456789') + pick(D, 8)
    const check = 10 + 89 - (dot(body, [3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89)
    return String(check) + body
  },
  AU_ACN: digits(9, [8, 7, 6, 5, 4, 3, 2, 1], 10, '123456789'),
  AU_MEDICARE: pick => {
    const body = pick('23456') + pick(D, 7)
    return body + String(dot(body, [1, 3, 7, 9, 1, 3, 7, 9]) % 10) + pick(D)
  },
  ZA_ID_NUMBER: pick => {
    const body = `${yymmdd(pick)}${pick(D, 4)}${pick('012')}${pick('89')}`
    return append(body, luhnDigit(body))
  },
}

describe('identifiers made by the words of their authority', () => {
  it.each(Object.entries(MAKERS))('%s: every one that can be given out is taken as checked', (type, make) => {
    const row = NATIONAL.find(each => each.type === type)
    const random = seededRandom(type.length)
    const pick: Pick = (among, times = 1) => Array.from({ length: times }, () => among.charAt(Math.floor(random() * among.length))).join('')
    const made = Array.from({ length: 300 }, () => make(pick)).filter(each => each !== undefined)
    expect(made.length).toBeGreaterThan(200)
    expect(made.filter(each => row?.accepts(each) !== 'checksum')).toEqual([])
  })
})
