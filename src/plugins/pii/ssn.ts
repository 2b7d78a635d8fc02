import { at, cutsAfter, isDigit } from './chars.js'
import type { Hits } from './hits.js'

const digits = (text: string, start: number, count: number): boolean => {
  for (let i = start; i < start + count; i++) if (!isDigit(at(text, i))) return false
  return true
}

/** Area, group and serial as the Social Security Administration issues them; two numbers were printed in advertisements. */
function issued(area: string, group: string, serial: string): boolean {
  if (area === '000' || area === '666' || area >= '900' || group === '00' || serial === '0000') return false
  const whole = area + group + serial
  return whole !== '078051120' && whole !== '219099999' && !/^(\d)\1+$/.test(whole)
}

/** The separator after the area, or 0 for none; -1 where it is none that stands there. */
function separatorOf(c: number): number {
  if (isDigit(c)) return 0
  return c === 45 || c === 32 || c === 46 ? c : -1
}

function goesOn(text: string, end: number): boolean {
  const next = at(text, end)
  return cutsAfter(text, end) || (next >= 45 && next <= 47 && isDigit(at(text, end + 1)))
}

/** The dash before the serial is left out now and then; without the first one it would be a postal code (ZIP+4). */
function halfDashed(hits: Hits, start: number): number {
  const { text } = hits
  const end = start + 10
  if (at(text, start + 3) !== 45 || !digits(text, start + 4, 6) || goesOn(text, end)) return start
  if (!issued(text.slice(start, start + 3), text.slice(start + 4, start + 6), text.slice(start + 6, end))) return start
  return hits.weigh('US_SSN', start, end, 0.15, 'shape') ? end : start
}

/** Counted up and in one piece it stands for any number, as in forms and code. */
const isSample = (text: string, start: number): boolean => text.startsWith('123456789', start)

const scoreOf = (separator: number): number => (separator === 0 ? 0.2 : separator === 45 ? 0.6 : 0.5)

/** A social security number that begins at `start`; returns where it ends, or `start`. */
export function ssn(hits: Hits, start: number): number {
  const { text } = hits
  hits.steps += 11
  const separator = separatorOf(at(text, start + 3))
  if (separator < 0 || !digits(text, start, 3)) return start
  if (separator === 45 && isDigit(at(text, start + 6))) return halfDashed(hits, start)
  const wide = separator === 0 ? 0 : 1
  const group = start + 3 + wide
  const serial = group + 2 + wide
  const end = serial + 4
  if (!digits(text, group, 2) || !digits(text, serial, 4) || (wide > 0 && at(text, serial - 1) !== separator) || goesOn(text, end)) return start
  if (!issued(text.slice(start, start + 3), text.slice(group, group + 2), text.slice(serial, end)) || isSample(text, start)) return start
  return hits.weigh('US_SSN', start, end, scoreOf(separator), 'shape') ? end : start
}
