/** One national identifier. */
export interface NationalRow {
  readonly type: string
  /** ISO 3166 code of who gives it out. */
  readonly country: string
  /** Lengths without separators, ascending. */
  readonly lengths: readonly number[]
  /** Most characters with separators. */
  readonly maxLength: number
  /** Score of the bare shape. */
  readonly base: number
  /** What `checksum` adds. */
  readonly raise: number
  /** Lower case; the words of a phrase stand in order, one space between. */
  readonly context: readonly string[]
  /** `compact` is the candidate in upper case without its separators. */
  accepts(compact: string): 'no' | 'shape' | 'checksum'
  /** Whether the separators of the candidate as written stand where the issuer puts them. */
  raw(text: string): boolean
}

/** Every national identifier that is known. */
export const NATIONAL: readonly NationalRow[] = []
