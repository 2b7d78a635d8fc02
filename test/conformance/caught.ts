import { expect } from 'vitest'
import type { Check } from '../../src/testing/conformance/index.js'

/** Runs the check of that name, which must fail and say in words what it expected. */
export async function expectCaught(checks: readonly Check[], name: string): Promise<void> {
  const named = checks.filter(check => check.name === name)
  expect(named.map(check => check.name)).toEqual([name])
  const error: unknown = await named[0]?.run().then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(Error)
  expect((error as Error).message).toMatch(/expected/)
  expect((error as Error).message.startsWith(`${name}: `)).toBe(true)
}
