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

export { type NationalRow } from './row.js'

/** Every national identifier that is known. */
export const NATIONAL: readonly NationalRow[] = [...NORTH_AMERICA, ...BRITAIN, ...GERMANY, ...WESTERN_EUROPE, ...IBERIA, ...NORDIC, ...EASTERN_EUROPE, ...ASIA, ...SOUTH]

/** Which rows a candidate can be of, by what is cheap to know of it: a scan asks no other. */
export interface NationalIndex {
  /** Candidates of digits alone, by their length without separators. */
  readonly digits: readonly (readonly NationalRow[] | undefined)[]
  /** Candidates with a letter, likewise. */
  readonly letters: readonly (readonly NationalRow[] | undefined)[]
}

export function nationalIndex(rows: readonly NationalRow[]): NationalIndex {
  const longest = Math.max(0, ...rows.map(row => row.lengths.at(-1) ?? 0))
  const by = (kind: 'digits' | 'letters') => Array.from({ length: longest + 1 }, (_, length) => rows.filter(row => row[kind].includes(length)))
  return { digits: by('digits'), letters: by('letters') }
}
