import { ASIA } from './asia.js'
import { BRITAIN } from './britain.js'
import { EASTERN_EUROPE } from './eastern-europe.js'
import { GERMANY } from './germany.js'
import { IBERIA } from './iberia.js'
import { NORDIC } from './nordic.js'
import { NORTH_AMERICA } from './north-america.js'
import { type NationalRow } from './row.js'
import { SOUTH } from './south.js'
import { WESTERN_EUROPE } from './western-europe.js'

export { type Accepted, type NationalRow } from './row.js'

/** Every national identifier that is known. */
export const NATIONAL: readonly NationalRow[] = [...NORTH_AMERICA, ...BRITAIN, ...GERMANY, ...WESTERN_EUROPE, ...IBERIA, ...NORDIC, ...EASTERN_EUROPE, ...ASIA, ...SOUTH]

/** Rows by the length of a candidate without separators: what a scan asks for each one. */
export function byLength(rows: readonly NationalRow[]): readonly (readonly NationalRow[])[] {
  const longest = Math.max(0, ...rows.map(row => row.lengths.at(-1) ?? 0))
  return Array.from({ length: longest + 1 }, (_, length) => rows.filter(row => row.lengths.includes(length)))
}
