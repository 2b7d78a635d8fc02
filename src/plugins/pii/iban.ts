import { at, cutsAfter, isAlnum, isDigit } from './chars.js'
import type { Hits } from './hits.js'

/** Length by country: the SWIFT IBAN registry. */
const REGISTRY =
  'AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30' +
  'KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30'
const LENGTHS = new Map(Array.from({ length: REGISTRY.length / 4 }, (_, i) => [REGISTRY.slice(i * 4, i * 4 + 2), Number(REGISTRY.slice(i * 4 + 2, i * 4 + 4))]))
const separates = (c: number): boolean => c === 32 || c === 45 || c === 46 || c === 0xa0

const isMixedCase = (compact: string): boolean => compact !== compact.toUpperCase() && compact !== compact.toLowerCase()

/** ISO 7064 MOD 97-10 over the account first, then country and check digits. */
function valid(compact: string): boolean {
  let rest = 0
  for (let k = 4; k < compact.length + 4; k++) {
    const c = compact.charCodeAt(k % compact.length)
    rest = isDigit(c) ? (rest * 10 + c - 48) % 97 : (rest * 100 + c - 55) % 97
  }
  return rest === 1
}

/** An account number that begins with the two letters at `start`; returns where it ends, or `start`. */
export function iban(hits: Hits, start: number): number {
  const { text } = hits
  const length = LENGTHS.get(text.slice(start, start + 2).toUpperCase())
  if (length === undefined) return start
  let compact = ''
  let i = start
  for (; compact.length < length && i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (isAlnum(c)) compact += text.charAt(i)
    else if (!separates(c) || compact.length < 2 || !isAlnum(at(text, i - 1))) break
  }
  hits.steps += i - start
  if (compact.length < length || cutsAfter(text, i) || !valid(compact.toUpperCase()) || isMixedCase(compact)) return start
  hits.add('IBAN', start, i, 0.97, 'checksum')
  return i
}
