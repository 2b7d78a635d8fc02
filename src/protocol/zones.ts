import { GatewayError } from './errors.js'
import { nearest, quoted } from './suggest.js'

/**
 * What a clock of an IANA time zone shows; nothing for UTC, which shows what it is given. Throws `invalid_config` where there is no such
 * zone, and names the nearest.
 */
export function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  // The first format of a process takes ten milliseconds.
  if (zone === 'UTC') return undefined
  // Some engines take offsets such as "+02:00": the same configuration must mean the same everywhere.
  if (typeof zone !== 'string' || !/^[a-z]/i.test(zone)) throw unknownZone(String(zone))
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
  } catch {
    throw unknownZone(zone)
  }
}

/** Throws as {@link formatOf} does, and makes no clock for a zone by its usual name: the first one takes the process fifteen milliseconds. */
export function checkZone(zone: string): void {
  if (zone !== 'UTC' && !Intl.supportedValuesOf('timeZone').includes(zone)) formatOf(zone)
}

function unknownZone(given: string): GatewayError {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  const city = `/${given.trim().replaceAll(' ', '_').toLowerCase()}`
  const near = zones.find(name => name.toLowerCase().endsWith(city)) ?? nearest(given, zones)
  return new GatewayError('invalid_config', `No time zone is named ${quoted(given)}. ${near === undefined ? '' : `Did you mean "${near}"? `}Give a name of the IANA database, such as "Europe/Berlin" or "UTC".`)
}
