import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditLog } from '../../src/plugins/audit.js'
import { auditHash, auditLine } from '../../src/protocol/audit.js'
import type { JsonObject } from '../../src/protocol/json.js'
import { verifyAudit, virtualClock, type AuditVerdict } from '../../src/testing/index.js'

let folder: string
let lines: readonly string[]
let twin: readonly string[]

async function written(name: string, calls: number): Promise<readonly string[]> {
  const path = join(folder, `${name}.jsonl`)
  const log = auditLog(path)
  log.start({ clock: virtualClock(), defer: fn => void setImmediate(fn), mark: name })
  for (let i = 0; i < calls; i++) log.change({ change: 'key.créate', id: `${name}-${i} 😀`, fields: ['budget'] })
  await log.close()
  return (await readFile(path, 'utf8')).trimEnd().split('\n')
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-verify-'))
  lines = await written('one', 6)
  twin = await written('two', 4)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function* feed(list: readonly string[]): AsyncGenerator<string> {
  yield* list
}
const check = (list: readonly string[]) => verifyAudit(feed(list))
const at = (list: readonly string[], n: number) => list[n - 1] as string
const entryAt = (n: number) => JSON.parse(at(lines, n)) as JsonObject & { readonly hash: string }
const swapped = (list: readonly string[], a: number, b: number) => list.map((line, n) => (n === a ? (list[b] as string) : n === b ? (list[a] as string) : line))
const without = (n: number) => lines.filter((_, index) => index !== n - 1)

/** A line written anew with other data, and the hash that fits. */
function forged(n: number, over: JsonObject): string {
  const { hash: _, ...body } = { ...entryAt(n), ...over }
  return auditLine({ ...body, hash: auditHash(body) })
}

async function file(name: string, bytes: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, bytes)
  return path
}

it('an untouched log is whole, and tells its marks', async () => {
  const verdict = await check(lines)
  const [first, last] = [entryAt(1), entryAt(8)]
  expect(verdict).toEqual({
    ok: true,
    lines: 8,
    chains: [{ chain: 'one', entries: 8, closed: true, lost: 0, first: { seq: 1, at: first['at'], hash: first.hash }, last: { seq: 8, at: last['at'], hash: last.hash } }],
  })
})

describe('the first broken line is named', () => {
  it.each<[string, () => readonly string[], number, RegExp]>([
    ['a changed letter', () => lines.map((line, n) => (n === 3 ? line.replace('budget', 'bodget') : line)), 4, /changed/],
    ['a changed hash', () => lines.map((line, n) => (n === 3 ? line.replace(/.{4}"}$/, 'dead"}') : line)), 4, /changed/],
    ['a space that says nothing', () => lines.map((line, n) => (n === 3 ? line.replace(':', ': ') : line)), 4, /not as it was written/],
    ['a name that is given twice', () => lines.map((line, n) => (n === 3 ? line.replace('{', '{"id":"mallory",') : line)), 4, /not as it was written/],
    ['a deleted line', () => without(4), 4, /missing/],
    ['a deleted first line', () => without(1), 1, /lost its beginning/],
    ['reordered lines', () => swapped(lines, 3, 4), 4, /missing or elsewhere/],
    ['a duplicated line', () => lines.flatMap((line, n) => (n === 3 ? [line, line] : [line])), 5, /stands here again/],
    ['a repeated earlier line', () => [...lines.slice(0, 5), at(lines, 2), ...lines.slice(5)], 6, /out of order or twice/],
    ['an inserted text', () => [...lines.slice(0, 5), 'hello', ...lines.slice(5)], 6, /not JSON/],
    ['an inserted object', () => [...lines.slice(0, 5), '{"v":2}', ...lines.slice(5)], 6, /not an entry/],
    ['an inserted line with a hash that fits', () => [...lines.slice(0, 5), forged(6, { id: 'mallory' }), ...lines.slice(5)], 7, /out of order or twice/],
    ['a replaced line with a hash that fits', () => lines.map((line, n) => (n === 3 ? forged(4, { id: 'mallory' }) : line)), 5, /"prev" is another hash/],
    ['a wrong prev', () => lines.map((line, n) => (n === 3 ? forged(4, { prev: 'f'.repeat(64) }) : line)), 4, /"prev" is another hash/],
    ['a gap in the numbers', () => lines.map((line, n) => (n === 3 ? forged(4, { seq: 5 }) : line)), 4, /missing/],
    ['an end that is not the end', () => [...lines.slice(0, 8), forged(8, { seq: 9, prev: entryAt(8).hash })], 9, /goes on after its end/],
    ['a second beginning', () => [...lines.slice(0, 3), forged(4, { kind: 'open' })], 4, /begins again/],
    ['a beginning that is none', () => [forged(1, { kind: 'call' })], 1, /does not begin/],
    ['a beginning with something before it', () => [forged(1, { prev: 'f'.repeat(64) })], 1, /does not begin/],
    ['a line cut short', () => lines.map((line, n) => (n === 7 ? line.slice(0, -9) : line)), 8, /cut short/],
    ['a line that is far too long', () => [...lines, 'x'.repeat(2 ** 20 + 1)], 9, /longer/],
    ['nesting that would fell a parser', () => [...lines, '['.repeat(100_000)], 9, /not JSON/],
  ])('%s', async (_, tampered, line, why) => {
    const verdict = await check(tampered())
    expect(verdict).toMatchObject({ ok: false, firstBroken: { line } })
    expect(verdict.firstBroken?.why).toMatch(why)
  })

  it('an empty line, which a process leaves that saw the line of another one half there, breaks no chain and is counted where it stands', async () => {
    expect(await check([...lines.slice(0, 5), '', ...lines.slice(5)])).toMatchObject({ ok: true, lines: 9, chains: [{ entries: 8 }] })
    expect(await check([...lines.slice(0, 3), '', ...lines.slice(4)])).toMatchObject({ ok: false, firstBroken: { line: 5 } })
  })

  it('lines taken from the end leave a chain that is not closed, at another mark', async () => {
    const verdict = await check(lines.slice(0, 6))
    expect(verdict).toMatchObject({ ok: true, chains: [{ closed: false, entries: 6, last: { seq: 6, hash: entryAt(6).hash } }] })
  })
})

describe('files', () => {
  it('a last line without its newline is cut short', async () => {
    const path = await file('cut.jsonl', lines.join('\n'))
    expect(await verifyAudit(path)).toMatchObject({ ok: false, lines: 8, firstBroken: { path, line: 8, why: expect.stringMatching(/cut short/) as string } })
  })

  it('bytes that are no text do not pass as the sign for such bytes', async () => {
    const body = { v: 1, chain: 'x', seq: 1, at: '2026-01-01T00:00:00.000Z', kind: 'open', note: '\ufffd', prev: '0'.repeat(64) }
    const bytes = Buffer.from(`${auditLine({ ...body, hash: auditHash(body) })}\n`)
    expect(await verifyAudit(await file('sign.jsonl', bytes))).toMatchObject({ ok: true })
    bytes[bytes.indexOf(0xef)] = 0xf0
    expect(bytes.toString('utf8')).toContain('\ufffd')
    expect(await verifyAudit(await file('sign.jsonl', bytes))).toMatchObject({ ok: false, firstBroken: { line: 1, why: 'it is not UTF-8' } })
  })

  it('a line without end is passed over, not held, and the lines behind it are read', async () => {
    const path = await file('long.jsonl', `${'x'.repeat(5_000_000)}\n${lines.join('\n')}\n`)
    expect(await verifyAudit(path)).toMatchObject({ ok: false, lines: 9, chains: [{ entries: 8 }], firstBroken: { line: 1 } })
  })

  it('a rotated file that is missing is named by the line that comes after it', async () => {
    const parts = await Promise.all([lines.slice(0, 3), lines.slice(3, 5), lines.slice(5)].map((part, n) => file(`part${n}.jsonl`, `${part.join('\n')}\n`)))
    for (const order of [parts, [...parts].reverse(), [...parts, ...parts]]) expect(await verifyAudit(order)).toMatchObject({ ok: true, lines: 8, chains: [{ entries: 8 }] })
    expect(await verifyAudit([parts[2] as string, parts[0] as string])).toMatchObject({ ok: false, firstBroken: { path: parts[2], line: 1 } })
    expect(await verifyAudit([parts[2] as string, parts[1] as string])).toMatchObject({ ok: false, firstBroken: { path: parts[1], line: 1 } })
    const copy = await file('copy.jsonl', `${lines.slice(3, 5).join('\n')}\n`)
    expect((await verifyAudit([...parts, copy])).ok).toBe(false)
  })

  it('no file at all is not a log that is whole', async () => {
    await expect(verifyAudit([])).rejects.toThrow(/given no file/)
    await expect(verifyAudit(join(folder, 'nowhere.jsonl'))).rejects.toThrow(/ENOENT/)
  })

  it('leaves no file open, also where it fails', async () => {
    const open = async () => (await readdir('/proc/self/fd').catch(() => [])).length
    await verifyAudit(await file('warm.jsonl', `${lines.join('\n')}\n`))
    const before = await open()
    for (let i = 0; i < 20; i++) await verifyAudit(await file('again.jsonl', `${lines.join('\n')}\nx`))
    expect(await open()).toBeLessThanOrEqual(before + 5)
  })
})

describe('for any log', () => {
  it('every single byte that is changed is found: there is no change that counts as harmless', { timeout: 60_000 }, async () => {
    const whole = Buffer.from(`${lines.join('\n')}\n`)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (where, by) => {
        const bytes = Buffer.from(whole)
        bytes[where] = (bytes[where] as number) ^ by
        const verdict = await verifyAudit(await file('byte.jsonl', bytes))
        const line = whole.subarray(0, where).filter(byte => byte === 10).length + 1
        expect(verdict.firstBroken?.line).toBe(line)
      }),
      { numRuns: 400 },
    )
  })

  it('every byte that is taken away or added is found', { timeout: 60_000 }, async () => {
    const whole = Buffer.from(`${lines.join('\n')}\n`)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.option(fc.integer({ min: 0, max: 255 }), { nil: undefined }), async (where, added) => {
        const bytes = added === undefined ? Buffer.concat([whole.subarray(0, where), whole.subarray(where + 1)]) : Buffer.concat([whole.subarray(0, where), Uint8Array.of(added), whole.subarray(where)])
        expect((await verifyAudit(await file('moved.jsonl', bytes))).ok).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  const told = (verdict: AuditVerdict, chains: number) => !verdict.ok || verdict.chains.length < chains || verdict.chains.some(chain => !chain.closed)

  it('any lines that are deleted are found, by a break or by a chain without its end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...lines.keys()], { maxLength: lines.length - 1 }), async kept => {
        expect(told(await check(kept.map(n => lines[n] as string)), 1)).toBe(true)
        if (kept.includes(lines.length - 1)) expect((await check(kept.map(n => lines[n] as string))).ok).toBe(false)
      }),
      { numRuns: 250 },
    )
  })

  it('any two lines that are swapped are found', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(lines.length - 1), { minLength: 2, maxLength: 2 }), async pair => {
        const [a, b] = pair as [number, number]
        expect(await check(swapped(lines, a, b))).toMatchObject({ ok: false, firstBroken: { line: Math.min(a, b) + 1 } })
      }),
    )
  })

  it('two chains that lie in one file in any mixture, cut into any files, are whole', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.boolean()), fc.nat(12), async (turns, cut) => {
        const left: [string[], string[]] = [[...lines], [...twin]]
        const mixed: string[] = []
        while (left[0].length + left[1].length > 0) {
          const [mine, other] = turns.next().value === true ? left : [left[1], left[0]]
          mixed.push((mine.shift() ?? other.shift()) as string)
        }
        const verdict = await check(mixed)
        expect(verdict).toMatchObject({ ok: true, lines: 14 })
        expect(verdict.chains.map(({ chain, entries, closed }) => [chain, entries, closed])).toEqual([['one', 8, true], ['two', 6, true]])
        const halves = await Promise.all([mixed.slice(cut + 1), mixed.slice(0, cut + 1)].map((part, n) => file(`half${n}.jsonl`, `${part.join('\n')}\n`)))
        expect((await verifyAudit(halves)).chains).toEqual(verdict.chains)
      }),
      { numRuns: 60 },
    )
  })
})
