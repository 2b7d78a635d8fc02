import { GatewayError } from '../../protocol/errors.js'
import { nearest, quoted, refuseUnknownKeys } from '../../protocol/suggest.js'
import { NATIONAL, type NationalRow } from './national/index.js'
import { OPT_IN } from './optin.js'
import { refuseDangerous } from './pattern.js'
import type { DetectOptions, Recogniser } from './types.js'

export const DEFAULT_TYPES = ['SECRET', 'EMAIL', 'PHONE', 'CREDIT_CARD', 'IBAN', 'US_SSN', 'IP'] as const

const KEYS = new Set(['types', 'countries', 'known', 'recognisers', 'allow', 'thresholds'])
const RECOGNISER_KEYS = new Set(['type', 'maxLength', 'pattern', 'score', 'context', 'validate'])
const TYPE = /^[A-Z][A-Z_]{1,23}$/
const MOST_VALUES = 10_000
const MOST_VALUE_LENGTH = 256
const MOST_RECOGNISERS = 100
/** Beyond it, a pattern that is tried at every place takes too long. */
const MOST_LENGTH = 1000

const refuse = (message: string): never => {
  throw new GatewayError('invalid_config', message)
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

function checkList(value: unknown, where: string, least: number): void {
  if (value === undefined) return
  if (!isList(value)) return refuse(`${where} must be a list of strings.`)
  if (value.length > MOST_VALUES) refuse(`${where} takes ${MOST_VALUES} values at most: give fewer, or use a recogniser.`)
  for (const one of value) {
    // The value itself may be what has to be kept secret.
    if (typeof one !== 'string' || one.trim().length < least || one.length > MOST_VALUE_LENGTH) refuse(`${where} holds a value that is not a string of ${least} to ${MOST_VALUE_LENGTH} characters: leave it out.`)
  }
}

function checkType(type: unknown, where: string): void {
  if (typeof type !== 'string' || !TYPE.test(type)) refuse(`${where} must be named in capitals and "_", with 2 to 24 characters, such as "EMPLOYEE_ID".`)
}

function checkScore(value: unknown, where: string): void {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) refuse(`${where} must be a number from 0 to 1.`)
}

function checkRecogniser(one: Recogniser, index: number): void {
  const where = `recognisers[${index}]`
  if (typeof one !== 'object' || one === null) return refuse(`${where} must be an object with type, maxLength and pattern.`)
  refuseUnknownKeys(one, RECOGNISER_KEYS, where)
  checkType(one.type, `${where}.type`)
  if (!Number.isInteger(one.maxLength) || one.maxLength < 1 || one.maxLength > MOST_LENGTH) refuse(`${where} needs maxLength, the most characters a match can have, from 1 to ${MOST_LENGTH}: a stream holds that much back.`)
  if (!(one.pattern instanceof RegExp)) return refuse(`${where} needs pattern, a RegExp.`)
  if (one.score !== undefined) checkScore(one.score, `${where}.score`)
  checkList(one.context, `${where}.context`, 1)
  if (one.validate !== undefined && typeof one.validate !== 'function') refuse(`${where}.validate must be a function that says whether a match counts.`)
  refuseDangerous(one.pattern, where)
}

/** ISO says GB, and everyone else UK. */
const codeOf = (country: string): string => (country.toUpperCase() === 'UK' ? 'GB' : country.toUpperCase())

/** Whether an identifier is given out by one of the countries. */
export function isOfCountries({ country }: NationalRow, countries: DetectOptions['countries'] = []): boolean {
  return countries === 'all' || countries.some(one => codeOf(one) === country)
}

function checkCountries(countries: unknown): void {
  if (countries === undefined || countries === 'all') return
  if (!isList(countries)) return refuse('countries must be "all" or a list of ISO 3166 codes, such as ["DE", "US"].')
  const known = new Set(NATIONAL.map(row => row.country))
  for (const country of countries) {
    if (typeof country !== 'string' || !known.has(codeOf(country))) refuse(`countries: no national identifiers are known for ${quoted(String(country))}. Known: ${[...known].sort().join(', ')}.`)
  }
}

/** Throws `invalid_config` for anything that could not be looked for as asked. */
export function validated(options: DetectOptions): void {
  if (typeof options !== 'object' || options === null) return refuse('The options of a detector must be an object.')
  refuseUnknownKeys(options, KEYS, 'A detector')
  checkList(options.allow, 'allow', 1)
  checkCountries(options.countries)
  checkKnown(options)
  if (options.recognisers !== undefined && !isList(options.recognisers)) refuse('recognisers must be a list.')
  if ((options.recognisers ?? []).length > MOST_RECOGNISERS) refuse(`recognisers takes ${MOST_RECOGNISERS} at most: put several into one pattern.`)
  options.recognisers?.forEach(checkRecogniser)
}

function checkKnown(options: DetectOptions): void {
  if (options.known !== undefined && (typeof options.known !== 'object' || options.known === null || isList(options.known))) refuse('known must hold lists of values by type, such as { PERSON: ["Ada Lovelace"] }.')
  for (const [type, values] of Object.entries(options.known ?? {})) {
    checkType(type, 'A type of known')
    if (values === undefined) refuse(`known.${type} must be a list of strings.`)
    checkList(values, `known.${type}`, 2)
  }
  if (Object.values(options.known ?? {}).reduce((sum, list) => sum + list.length, 0) > MOST_VALUES) refuse(`known takes ${MOST_VALUES} values in all: give fewer, or use a recogniser.`)
}

/** The types that are looked for, and those of them that were asked for by name. */
export function typesOf(options: DetectOptions): { wants: ReadonlySet<string>; named: ReadonlySet<string> } {
  const national = new Set(NATIONAL.map(row => row.type))
  const own = new Set([...Object.keys(options.known ?? {}), ...(options.recognisers ?? []).map(one => one.type)])
  const every = new Set<string>([...DEFAULT_TYPES, ...OPT_IN.keys(), ...national, ...own])
  const asked: unknown = options.types ?? DEFAULT_TYPES
  if (!isList(asked)) return refuse('types must be a list, such as ["default", "MAC"].')
  const wants = new Set<string>(own)
  for (const type of asked) {
    if (type === 'default') for (const one of DEFAULT_TYPES) wants.add(one)
    else if (typeof type === 'string' && every.has(type)) wants.add(type)
    else refuseType(type, every)
  }
  for (const type of Object.keys(options.thresholds ?? {})) {
    if (!every.has(type)) refuseType(type, every)
    checkScore(options.thresholds?.[type], `thresholds.${type}`)
  }
  const defaults = new Set<string>(DEFAULT_TYPES)
  return { wants, named: new Set([...wants].filter(type => national.has(type) && !defaults.has(type))) }
}

function refuseType(type: unknown, every: ReadonlySet<string>): never {
  const name = String(type)
  const near = nearest(name, every)
  return refuse(`There is no type ${quoted(name)}. ${near === undefined ? 'Names, places and companies are found as known values or with a recogniser of your own; see docs/privacy.md for the types.' : `Did you mean "${near}"?`}`)
}
