import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Fault } from '../../scripts/loopback/index.js'
import { seededRandom } from '../../src/testing/index.js'
import { isStream, ORDERS, restarts, TEXT, wired, type Way } from './support.js'

const WAYS: readonly Way[] = ['chat on JSON', 'chat on a stream', 'restart', 'continue']
const FAULTS: readonly Fault[] = [
  'reset', 'silent', 'errorEvent', 'errorAfter:20', 'jsonError200', 'html200', 'jsonForStream', 'sseForJson', 'noDone', 'refusesPrefill',
  { status: 429 }, { status: 429, retryAfter: '1' }, { status: 500 }, { status: 503 }, { status: 401 }, { cutAfter: 40 }, { truncateAfter: 30 }, { stallAfter: 10 }, { garbageAfter: 10 }, { slowFirst: 5_000 },
]
const rejections: unknown[] = []
const note = (reason: unknown): void => void rejections.push(reason)
beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

it.each(ORDERS)('500 calls at once under 30 %% random faults are all answered or typed, and leave nothing (%s first)', async (...order) => {
  const die = seededRandom(500)
  const storm = (): Fault | undefined => (die() < 0.3 ? FAULTS[Math.floor(die() * FAULTS.length)] : undefined)
  const able = { capabilities: { prefill: true }, apiKey: ['k1', 'k2', 'k3', 'k4'] }
  const scene = await wired(order, storm, {
    backup: storm,
    primaryOptions: able,
    backupOptions: able,
    options: { deadlines: { firstEventMs: 3_000, answerMs: 3_000, idleMs: 1_500, totalMs: 12_000 }, retry: { attempts: 3 } },
  })
  const seen = await Promise.all(Array.from({ length: 500 }, (_, at) => scene.go(WAYS[at % WAYS.length] ?? 'restart')))
  const answered = seen.filter(({ error }) => error === undefined)
  expect(answered.length).toBeGreaterThanOrEqual(450)
  for (const one of answered) expect(one.text).toBe(TEXT)
  for (const one of seen) {
    const tried = (one.result?.attempts ?? one.error?.attempts ?? []).filter(({ outcome }) => outcome !== 'skipped')
    expect(tried.length).toBeLessThanOrEqual(6)
    expect(one.tookMs).toBeLessThan(13_000)
    if (isStream('restart') && one.error !== undefined) expect(one.error.attempts?.length).toBeGreaterThan(0)
  }
  expect(seen.some(one => restarts(one) > 0)).toBe(true)
  expect(scene.primary.requests.length + scene.backup.requests.length).toBe(scene.records.reduce((sum, { attempts }) => sum + attempts.filter(({ outcome }) => outcome !== 'skipped').length, 0))
  expect(scene.records).toHaveLength(500)
  await scene.nothingLeft()
  expect(rejections).toEqual([])
})
