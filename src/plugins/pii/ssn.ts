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

/** A social security number that begins at `start`; returns where it ends, or `start`. */
export function ssn(hits: Hits, start: number): number {
  const { text } = hits
  hits.steps += 11
  if (!digits(text, start, 3)) return start
  const separator = at(text, start + 3)
  const bare = isDigit(separator)
  if (!bare && separator !== 45 && separator !== 32 && separator !== 46) return start
  const wide = bare ? 0 : 1
  const group = start + 3 + wide
  const serial = group + 2 + wide
  const end = serial + 4
  if (!digits(text, group, 2) || !digits(text, serial, 4) || (!bare && at(text, serial - 1) !== separator)) return start
  const next = at(text, end)
  if (cutsAfter(text, end) || ((next === 45 || next === 46 || next === 47) && isDigit(at(text, end + 1)))) return start
  if (!issued(text.slice(start, start + 3), text.slice(group, group + 2), text.slice(serial, end))) return start
  const base = bare ? 0.2 : separator === 45 ? 0.6 : 0.4
  return hits.weigh('US_SSN', start, end, base, 'shape') ? end : start
}
