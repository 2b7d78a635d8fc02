import { plain } from './hits.js'
import { Identifiers } from './identifiers.js'
import { Known } from './known.js'
import { NATIONAL } from './national/index.js'
import { isOfCountries, typesOf, validated } from './detect-options.js'
import { Own } from './own.js'
import { OPT_IN, OptIn } from './optin.js'
import { PhoneShape } from './phone-shape.js'
import type { DetectOptions } from './types.js'

/** Everything that a scan asks for, compiled once. */
export interface Plan {
  readonly secret: boolean
  readonly email: boolean
  readonly phone: boolean
  readonly card: boolean
  readonly iban: boolean
  readonly ssn: boolean
  /** Public or private. */
  readonly ip: boolean
  /** Whether runs of hexadecimal digits and colons are read. */
  readonly colons: boolean
  readonly wants: ReadonlySet<string>
  readonly identifiers: Identifiers | undefined
  readonly known: Known | undefined
  readonly own: Own | undefined
  readonly optIn: OptIn | undefined
  readonly thresholds: ReadonlyMap<string, number>
  readonly allow: ReadonlySet<string>
  readonly maxLength: number
  /** Written anew at each place: one is enough. */
  readonly shape: PhoneShape
}

/** Longest match in characters: of a private key, a token, an address and what is shorter. */
const LENGTHS: { readonly [type: string]: number } = { SECRET: 4096, EMAIL: 318, PHONE: 40, CREDIT_CARD: 24, IBAN: 68, US_SSN: 11, IP: 39 }

export function planOf(options: DetectOptions): Plan {
  validated(options)
  const { wants: asked, named } = typesOf(options)
  const { recognisers = [] } = options
  const rows = NATIONAL.filter(row => asked.has(row.type) || isOfCountries(row, options.countries))
  // A type that has a recogniser of its own is left to it.
  const others = rows.filter(row => LENGTHS[row.type] === undefined)
  const identifiers = others.length > 0 ? new Identifiers(others, named) : undefined
  const values = Object.entries(options.known ?? {}).filter(([, list]) => list.length > 0)
  const known = values.length > 0 ? new Known(new Map(values)) : undefined
  const own = recognisers.length > 0 ? new Own(recognisers) : undefined
  const wants = new Set([...asked, ...rows.map(row => row.type)])
  return {
    ...flags(wants),
    shape: new PhoneShape(),
    wants,
    identifiers,
    known,
    own,
    optIn: OptIn.of(wants),
    thresholds: new Map(Object.entries(options.thresholds ?? {})),
    allow: new Set(options.allow?.map(plain)),
    maxLength: Math.max(0, ...[...wants].map(type => LENGTHS[type] ?? OPT_IN.get(type)?.maxLength ?? 0), ...[identifiers, known, own].map(part => part?.maxLength ?? 0)),
  }
}

function flags(wants: ReadonlySet<string>) {
  const has = (type: string): boolean => wants.has(type)
  return {
    secret: has('SECRET'),
    email: has('EMAIL'),
    phone: has('PHONE'),
    card: has('CREDIT_CARD'),
    iban: has('IBAN'),
    ssn: has('US_SSN'),
    ip: has('IP') || has('PRIVATE_IP'),
    colons: has('IP') || has('PRIVATE_IP') || has('MAC'),
  }
}
