/** What is looked for on its own. */
export type DefaultType = 'SECRET' | 'EMAIL' | 'PHONE' | 'CREDIT_CARD' | 'IBAN' | 'US_SSN' | 'IP'
/** What is looked for where it is asked for by name. */
export type OptInType = 'URL' | 'PRIVATE_IP' | 'MAC' | 'CRYPTO_ADDRESS' | 'DATE_OF_BIRTH' | 'ADDRESS' | 'VIN' | 'PLATE' | 'IMEI' | 'GPS' | 'CARD_DETAIL'
/** A type: one of ours, a national identifier such as `DE_TAX_ID`, or one of the user's own recognisers. Upper case, letters and `_`, at most 24 characters. */
export type PiiType = DefaultType | OptInType | (string & {})

/** One place in a text. Never holds the value. */
export interface Finding {
  readonly type: PiiType
  /** Offsets in UTF-16 units; `end` is exclusive. */
  readonly start: number
  readonly end: number
  /** From 0 to 1. */
  readonly score: number
  /** What spoke for it, such as `checksum` or `context`. */
  readonly reason: string
}

/** A recogniser of the user's own. */
export interface Recogniser {
  readonly type: string
  /** The longest match in UTF-16 units: how much of a stream has to be held back. */
  readonly maxLength: number
  /** A pattern that takes linear time: checked at construction. */
  readonly pattern: RegExp
  /** Score of a match. Default 0.6. */
  readonly score?: number
  /** Words that raise the score where they stand before a match. */
  readonly context?: readonly string[]
  /** False drops a match. */
  validate?(match: string): boolean
}

/** What is looked for. */
export interface DetectOptions {
  /** Instead of the default types; `'default'` stands for all of them. */
  readonly types?: readonly PiiType[]
  /** ISO 3166 codes whose national identifiers are looked for too, or `'all'`. */
  readonly countries?: 'all' | readonly string[]
  /** Values of the user's own that are found exactly, by type, such as `{ PERSON: ['Ada Lovelace'] }`. */
  readonly known?: { readonly [type: string]: readonly string[] }
  readonly recognisers?: readonly Recogniser[]
  /** Values that are never found. */
  readonly allow?: readonly string[]
  /** Least score, by type. Default 0.5 each. */
  readonly thresholds?: { readonly [type: string]: number }
}

/** A detector with everything checked and compiled. */
export interface Detector {
  /** Findings in order, none over another. Linear in the length of the text. Throws where a recogniser does. */
  detect(text: string): readonly Finding[]
  /** The longest match of any recogniser. */
  readonly maxLength: number
}
