import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Fault } from '../../scripts/loopback/index.js'
import { seededRandom } from '../../src/testing/index.js'
import { ORDERS, restarts, TEXT, wired, type Way } from './support.js'

const WAYS: readonly Way[] = ['chat on JSON', 'chat on a stream', 'restart', 'continue']
const FAULTS: readonly Fault[] = [
  'reset', 'silent', 'errorEvent', 'errorAfter:20', 'jsonError200', 'html200', 'jsonForStream', 'sseForJson', 'noDone', 'refusesPrefill',
  { status: 429 }, { status: 429, retryAfter: '1' }, { status: 500 }, { status: 503 }, { status: 401 }, { cutAfter: 40 }, { truncateAfter: 30 }, { stallAfter: 10 }, { garbageAfter: 10 }, { slowFirst: 5_000 },
]
const rejections: unknown[] = []
const note = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

it.each(ORDERS)('%s first, %s behind it: 500 calls at once with faults in three of ten are all answered or typed, and leave nothing', async (...order) => {
  const die = seededRandom(500)
  let resets = 0
  const storm = (): Fault | undefined => {
    const fault = die() < 0.3 ? FAULTS[Math.floor(die() * FAULTS.length)] : undefined
    if (fault === 'reset') resets++
    return fault
  }
  const able = { capabilities: { prefill: true }, apiKey: Array.from({ length: 40 }, (_, at) => `k${at}`) }
  const scene = await wired(order, storm, {
    backup: storm,
    primaryOptions: able,
    backupOptions: able,
    options: { deadlines: { firstEventMs: 3_000, answerMs: 3_000, idleMs: 1_500, totalMs: 25_000 }, retry: { attempts: 3 } },
  })
  const seen = await Promise.all(Array.from({ length: 500 }, (_, at) => scene.go(WAYS[at % WAYS.length] ?? 'restart')))
  const answered = seen.filter(({ error }) => error === undefined)
  expect(seen).toHaveLength(500)
  expect(answered.length).toBeGreaterThanOrEqual(450)
  for (const one of answered) expect(one.text).toBe(TEXT)
  for (const one of seen) {
    const tried = (one.result?.attempts ?? one.error?.attempts ?? []).filter(({ outcome }) => outcome !== 'skipped')
    expect(tried.length).toBeLessThanOrEqual(6)
    expect(one.tookMs).toBeLessThan(26_000)
    if (one.error !== undefined) expect(one.error.attempts?.length).toBeGreaterThan(0)
  }
  expect(seen.some(one => restarts(one) > 0)).toBe(true)
  const made = scene.records.reduce((sum, { attempts }) => sum + attempts.filter(({ outcome }) => outcome !== 'skipped').length, 0)
  // A reset on a connection that was used before is taken for one that the server gave up, and sent once more by the transport.
  const unseen = scene.primary.requests.length + scene.backup.requests.length - made
  expect(unseen).toBeGreaterThanOrEqual(0)
  expect(unseen).toBeLessThanOrEqual(resets)
  expect(scene.records).toHaveLength(500)
  await scene.nothingLeft()
  expect(rejections).toEqual([])
}, 60_000)
