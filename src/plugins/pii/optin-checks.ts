import { isDigit } from './chars.js'

const VALUES = new Map([...'ABCDEFGHJKLMNPRSTUVWXYZ'].map((letter, i) => [letter, [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9][i] ?? 0]))
const WEIGHTS = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]

/** The ninth character of a vehicle's number by 49 CFR 565. */
export function isVin(vin: string): boolean {
  let sum = 0
  for (let i = 0; i < 17; i++) {
    const c = vin.charCodeAt(i)
    sum += (isDigit(c) ? c - 48 : (VALUES.get(vin.charAt(i)) ?? 0)) * (WEIGHTS[i] ?? 0)
  }
  return vin.charAt(8) === (sum % 11 === 10 ? 'X' : String(sum % 11))
}

/** Next to `port` and the like, too. */
const SURE = 0.9

/** IEEE 802: all zeros is no address, and all ones that of everybody. Digits alone, in groups of four, are more often another number. */
export function macScore(match: string): number | undefined {
  const octets = match.replace(/[:.-]/g, '').toLowerCase()
  if (/^(?:0+|f+)$/.test(octets)) return undefined
  if (/[:-]..[:-]/.test(match)) return SURE
  if (!/[a-f]/.test(octets)) return 0.3
  return /[0-9]/.test(octets) || match.includes('.') ? SURE : 0.3
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const BASE58_CHECK = 1n << 200n

/** An address holds 25 bytes, of which the first is its version: 0 begins with 1, 5 with 3. */
export function isBitcoin(address: string): boolean {
  let value = 0n
  for (const c of address) value = value * 58n + BigInt(BASE58.indexOf(c))
  const version = value >> 192n
  return value < BASE58_CHECK && (address.startsWith('1') ? version === 0n : version === 5n)
}
