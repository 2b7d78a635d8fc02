import type { Adapter } from '../../protocol/ports.js'
import { encodeChecks } from './adapter-encode.js'
import { faultChecks } from './adapter-fault.js'
import { garbageChecks } from './adapter-garbage.js'
import type { AdapterFixture } from './adapter-run.js'
import { wireChecks } from './adapter-wire.js'
import { check, ensure, type Check } from './check.js'

/**
 * What every {@link Adapter} must do. Give at least one fixture with both wires: an answer with text, one with tool calls.
 * A fixture with `expect.fault` is an answer that must be refused; it takes no part in the checks of whole answers.
 */
export function adapterConformance(adapter: Adapter, fixtures: readonly AdapterFixture[]): Check[] {
  return [
    check('there is something to check', () => {
      ensure(fixtures.length > 0, () => 'expected at least one fixture')
      for (const { name, json, frames } of fixtures) ensure(json !== undefined || frames !== undefined, () => `expected the fixture "${name}" to have json, frames or both`)
    }),
    ...faultChecks.map(([name, body]) => check(name, () => body(adapter))),
    ...fixtures.flatMap(fixture => [...encodeChecks, ...wireChecks(fixture), ...garbageChecks(fixture)].map(([name, body]) => check(`${fixture.name}: ${name}`, () => body(adapter, fixture)))),
  ]
}
