import { NOTHING, base36, byTable, digit, isDate, number, verhoeff, weighted, yymmdd, type Check } from './checks.js'
import { row, type NationalRow } from './row.js'

const BASE36 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'

const INDIAN_STATES = new Set('AN AP AR AS BR CG CH CT DD DH DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK UL UP WB'.split(' '))

/** UIDAI: a number that reads the same backwards is not given out. */
const palindrome: Check = s => {
  for (let i = 0; i < s.length >> 1; i++) if (s.charCodeAt(i) !== s.charCodeAt(s.length - 1 - i)) return false
  return true
}

/** Weights 1 and 2 in turn, quotient and remainder of 36 of each product added. */
const gst: Check = s => {
  let sum = 0
  for (let i = 0; i < 14; i++) {
    const product = base36(s, i) * (1 + (i % 2))
    sum += Math.floor(product / 36) + (product % 36)
  }
  return s.charCodeAt(14) === BASE36.charCodeAt((36 - (sum % 36)) % 36)
}

/** GSTN: states 01 to 37; Ladakh and what is of no state came later, and are rare enough to ask for the last character. */
const gstState: Check = s => {
  const state = number(s, 0, 2)
  return (state >= 1 && state <= 37) || ((state === 38 || state === 97 || state === 99) && gst(s))
}

/** State, diplomats' countries or the forces' year; no number 0000. */
const indianPlate: Check = s => {
  if (s.charCodeAt(0) > 57) return INDIAN_STATES.has(s.slice(0, 2)) && !s.endsWith('0000')
  return !s.startsWith('00') && !s.endsWith('0000')
}

const INDIA: readonly NationalRow[] = [
  row('IN_AADHAAR', 'IN', {
    shape: '[2-9]d{11}',
    groups: ['4 4 4'],
    also: s => !palindrome(s),
    // UIDAI: Verhoeff.
    check: verhoeff,
    share: 0.08,
    base: 0.15,
    context: ['aadhaar', 'aadhar', 'adhaar', 'uidai', 'uid number', 'आधार'],
  }),
  row('IN_GSTIN', 'IN', {
    shape: 'd{2}l{3}x{2}d{4}l[1-9A-Z]Zx',
    also: gstState,
    check: gst,
    // GSTN does not publish the rule of the last character.
    failed: 'shape',
    share: 0.01,
    base: 0.4,
    context: ['gstin', 'gst', 'gst number', 'gst no', 'goods and services tax'],
  }),
  row('IN_PAN', 'IN', {
    shape: 'l{3}[ABCFGHJLPT]ld{4}l',
    also: s => !s.startsWith('0000', 5),
    base: 0.3,
    context: ['pan', 'pan card', 'pan number', 'permanent account number', 'income tax'],
  }),
  row('IN_PASSPORT', 'IN', {
    shape: 'l[1-9]d{5}[1-9]',
    groups: ['3 5', '1 7'],
    base: 0.2,
    context: ['passport', 'passport number', 'passport no'],
  }),
  row('IN_VEHICLE_REGISTRATION', 'IN', {
    shape: ['l{2}d{1,2}l{1,3}d{4}', '[2-9]dBHd{4}[A-HJ-NP-Z]{1,2}', 'd{1,3}C[CD]d{1,4}', 'd{1,3}UNd{1,4}', 'd{2}[A-FHKPRX]d{6}l'],
    groups: 'classes',
    also: indianPlate,
    base: 0.3,
    context: ['vehicle', 'registration', 'registration number', 'number plate', 'license plate', 'rto'],
  }),
  row('IN_VOTER', 'IN', {
    shape: 'l{3}d{7}',
    base: 0.2,
    context: ['voter', 'voter id', 'epic', 'elector', 'election card'],
  }),
]

/** MOIS: a date, the sex and century digit, and until October 2020 a place and a check digit; then random digits. */
const koreanDate: Check = s => yymmdd(s)
const KOREAN_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]

/** NTS: weights 1 3 7 1 3 7 1 3 5, the tens of the last product added. */
const korean: Check = s => (weighted(s, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.floor((digit(s, 8) * 5) / 10) + digit(s, 9)) % 10 === 0

const koreanRegion: Check = s => {
  const region = number(s, 0, 2)
  return (region >= 11 && region <= 26) || region === 28
}

const KOREA: readonly NationalRow[] = [
  row('KR_RRN', 'KR', {
    shape: 'd{6}[1-4]d{6}',
    groups: ['6 7'],
    also: koreanDate,
    check: byTable(KOREAN_WEIGHTS, '10987654321'),
    failed: 'shape',
    share: 0.0028,
    base: 0.3,
    context: ['주민등록번호', '주민번호', 'resident registration number', 'rrn'],
  }),
  row('KR_FRN', 'KR', {
    shape: 'd{6}[5-8]d{6}',
    groups: ['6 7'],
    also: koreanDate,
    check: byTable(KOREAN_WEIGHTS, '32109876543'),
    failed: 'shape',
    share: 0.0028,
    base: 0.3,
    context: ['외국인등록번호', '외국인번호', 'foreigner registration number', 'alien registration number', 'frn'],
  }),
  row('KR_BRN', 'KR', {
    shape: 'd{10}',
    groups: ['3 2 5'],
    also: s => number(s, 0, 3) > 100 && number(s, 3, 5) > 0,
    check: korean,
    share: 0.09,
    base: 0.15,
    context: ['사업자등록번호', '사업자번호', '사업자', 'business registration number', 'brn'],
  }),
  row('KR_DRIVER_LICENSE', 'KR', {
    shape: 'd{12}',
    groups: ['2 2 6 2'],
    also: koreanRegion,
    base: 0.2,
    context: ['운전면허', '운전면허번호', '면허번호', 'driver license', "driver's license"],
  }),
  row('KR_PASSPORT', 'KR', {
    shape: ['[MSROD]d{3}ld{4}', '[MSROD]d{8}'],
    base: 0.2,
    context: ['여권', '여권번호', 'passport', 'passport number'],
  }),
]

/** Weights 2 7 6 5 4 3 2, T and G add 4, M adds 3; the letter by remainder of 11. */
const nric: Check = s => {
  const kind = s.charAt(0)
  const added = kind === 'T' || kind === 'G' ? 4 : kind === 'M' ? 3 : 0
  const letters = kind === 'M' ? 'XWUTRQPNJLK' : kind === 'F' || kind === 'G' ? 'XWUTRQPNMLK' : 'JZIHGFEDCBA'
  return s.charCodeAt(8) === letters.charCodeAt((weighted(s, [2, 7, 6, 5, 4, 3, 2], 1) + added) % 11)
}

const UEN_KINDS = new Set('CC CD CH CL CM CP CS CX DP FB FC FM FN GA GB GS HC HS LL LP MB MC MD MH MM MQ NB NR PA PB PF RF RP SM SS TC TU VH XL'.split(' '))
const UEN_ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWX0123456789'
const UEN_WEIGHTS = [4, 3, 5, 3, 10, 2, 2, 5, 7]

/** ACRA: one rule each for a business, a company and another entity. */
const uen: Check = s => {
  if (s.length === 9) return s.charCodeAt(8) === 'XMKECAWLJDB'.charCodeAt(weighted(s, [10, 4, 9, 3, 8, 2, 7, 1]) % 11)
  if (s.charCodeAt(0) < 65) return s.charCodeAt(9) === 'ZKCMDNERGWH'.charCodeAt(weighted(s, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11)
  let sum = 6
  for (let i = 0; i < 9; i++) sum += UEN_ALPHABET.indexOf(s.charAt(i)) * (UEN_WEIGHTS[i] as number)
  return s.charCodeAt(9) === UEN_ALPHABET.charCodeAt(sum % 11)
}

/** Provinces as of ISO 3166-2:TH. */
const thaiProvince: Check = s => {
  const province = number(s, 1, 3)
  const unit = province % 10
  if (province < 10 || province >= 97 || province === 28 || province === 29 || province === 59) return false
  return province < 60 || province >= 90 || unit < (province < 80 ? 8 : 7)
}

/** NVI: the tenth digit of the odd and even places, the eleventh of the sum of ten. */
const turkish: Check = s => {
  const odd = digit(s, 0) + digit(s, 2) + digit(s, 4) + digit(s, 6) + digit(s, 8)
  const even = digit(s, 1) + digit(s, 3) + digit(s, 5) + digit(s, 7)
  return (odd * 7 - even + 100) % 10 === digit(s, 9) && (odd + even + digit(s, 9)) % 10 === digit(s, 10)
}

/** GB 11643: ISO 7064 MOD 11-2, 10 written X. */
const RIC_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
/** GB/T 2260. */
const RIC_PROVINCES = new Set('11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'.split(' '))
const ricDate: Check = s => RIC_PROVINCES.has(s.slice(0, 2)) && (s.startsWith('19', 6) || s.startsWith('20', 6)) && isDate(number(s, 6, 10), number(s, 10, 12), number(s, 12, 14))

/** Immigration Department: weights 9 to 1, a single leading letter preceded by a blank of 36; modulus 11, 10 written A. */
const hongKong: Check = s => {
  const digits = s.length - 7
  const letters = digits === 1 ? 36 * 9 + base36(s, 0) * 8 : base36(s, 0) * 9 + base36(s, 1) * 8
  return (letters + weighted(s, [7, 6, 5, 4, 3, 2], digits) + base36(s, s.length - 1)) % 11 === 0
}

/** The order in which letters were given to the places. */
const TAIWAN = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'
const taiwan: Check = s => {
  const place = TAIWAN.indexOf(s.charAt(0)) + 10
  return (Math.floor(place / 10) + (place % 10) * 9 + weighted(s, [8, 7, 6, 5, 4, 3, 2, 1, 1], 1)) % 10 === 0
}

export const ASIA: readonly NationalRow[] = [
  ...INDIA,
  ...KOREA,
  row('SG_NRIC_FIN', 'SG', { shape: '[STFGM]d{7}l', check: nric, share: 0.04, base: 0.3, context: ['nric', 'fin', 'nric/fin', 'identity card', 'ic number'] }),
  row('SG_UEN', 'SG', {
    shape: ['d{8}[A-EJ-MWX]', 'd{9}[CDEGHKMNRWZ]', '[RST]d{2}l{2}d{4}l'],
    also: s => s.length === 9 || s.charCodeAt(0) < 65 || UEN_KINDS.has(s.slice(3, 5)),
    check: uen,
    share: 0.04,
    base: 0.3,
    context: ['uen', 'unique entity number', 'acra', 'business registration'],
  }),
  row('TH_TNIN', 'TH', {
    shape: '[1-9]d{12}',
    groups: ['1 4 5 2 1'],
    also: thaiProvince,
    // DOPA: weights 13 to 2, what is missing to the next eleven, its last digit.
    check: byTable([13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], '10987654321'),
    share: 0.075,
    base: 0.15,
    context: ['เลขประจำตัวประชาชน', 'เลขบัตรประชาชน', 'บัตรประชาชน', 'thai id', 'tnin', 'national id'],
  }),
  row('PH_TIN', 'PH', {
    shape: ['d{9}', 'd{12}', 'd{14}'],
    groups: ['3 3 3', '3 3 3 3', '3 3 3 5'],
    also: s => !s.startsWith(NOTHING),
    // BIR: weights 9 to 2, remainder of 11; 10 is not given out.
    check: byTable([9, 8, 7, 6, 5, 4, 3, 2], '0123456789?'),
    share: 1 / 11,
    base: 0.15,
    context: ['tin', 'bir', 'tax id', 'taxpayer identification', 'taxpayer identification number'],
  }),
  row('TR_NATIONAL_ID', 'TR', {
    shape: '[1-9]d{10}',
    check: turkish,
    share: 0.01,
    base: 0.15,
    context: ['tc kimlik', 't.c. kimlik', 'kimlik', 'kimlik no', 'kimlik numarası', 'tckn', 'national id'],
  }),
  row('TR_LICENSE_PLATE', 'TR', {
    // Five digits after a single letter alone.
    shape: ['0[1-9]', '[1-7]d', '8[01]'].flatMap(province => [`${province}[A-PR-VYZ]{1,3}d{2,4}`, `${province}[A-PR-VYZ]d{5}`]),
    groups: 'classes',
    base: 0.2,
    context: ['plaka', 'plakası', 'plakalı', 'plaka no', 'license plate', 'number plate', 'vehicle'],
  }),
  row('CN_RIC', 'CN', {
    shape: '[1-9]d{16}[0-9X]',
    also: ricDate,
    check: byTable(RIC_WEIGHTS, '10X98765432'),
    share: 0.0007,
    base: 0.3,
    context: ['身份证', '身份证号', '身份证号码', '居民身份证', 'resident identity card', 'id number'],
  }),
  row('JP_MY_NUMBER', 'JP', {
    shape: 'd{12}',
    groups: ['4 4 4'],
    // Ordinance 85 of 2014: weights 6 to 2 and 7 to 2, what is missing to the next eleven, 0 for 10 and 11.
    check: byTable([6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], '00987654321'),
    share: 0.1,
    base: 0.15,
    context: ['マイナンバー', '個人番号', 'my number', 'individual number'],
  }),
  row('HK_ID', 'HK', {
    shape: ['ld{6}[0-9A]', 'l{2}d{6}[0-9A]'],
    groups: ['1 6 1', '2 6 1', '7 1', '8 1'],
    brackets: true,
    check: hongKong,
    share: 0.1,
    base: 0.25,
    context: ['hkid', 'hong kong id', 'identity card', '身份證', '身份證號碼'],
  }),
  row('TW_ID', 'TW', {
    shape: 'l[1289]d{8}',
    // MOI: the letter as two digits times 1 and 9, then 8 to 1, modulus 10.
    check: taiwan,
    share: 0.04,
    base: 0.3,
    context: ['身分證', '身分證字號', '統一編號', '國民身分證', 'national id'],
  }),
]
