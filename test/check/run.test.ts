import { expect, test } from 'vitest'
import { PARTS } from '../../scripts/check/parts.mjs'
import { run, schedule } from '../../scripts/check/run.mjs'

type Job = { name: string; after?: string[] }
const passed = { code: 0, output: '' }
const failed = { code: 1, output: '' }
const turn = async () => new Promise<void>(resolve => void setImmediate(resolve))

test('never more than two at a time, and all of them', async () => {
  let running = 0
  let most = 0
  const ended: string[] = []
  const jobs: Job[] = ['a', 'b', 'c', 'd', 'e'].map(name => ({ name }))
  await schedule(
    jobs,
    async () => {
      most = Math.max(most, ++running)
      await turn()
      running -= 1
      return passed
    },
    (job: Job) => ended.push(job.name),
  )
  expect(most).toBe(2)
  expect(ended.sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('a part waits for what it needs, and is a failure when that failed', async () => {
  const started: string[] = []
  const start = async ({ name }: Job) => {
    started.push(name)
    await turn()
    return name === 'build' ? failed : passed
  }
  const results = await schedule([{ name: 'size', after: ['build'] }, { name: 'pack', after: ['size'] }, { name: 'build' }, { name: 'lint' }], start, () => undefined)
  expect(started).toEqual(['build', 'lint'])
  expect([...results].map(([name, { code }]) => [name, code]).sort()).toEqual([['build', 1], ['lint', 0], ['pack', 1], ['size', 1]])
})

test('a part that waits for nobody known is an error, not a part that passed unseen', async () => {
  await expect(schedule([{ name: 'size', after: ['biuld'] }], async () => Promise.resolve(passed), () => undefined)).rejects.toThrow('size')
})

test('every part waits only for parts there are', () => {
  const names = PARTS.map(part => part.name)
  for (const part of PARTS) for (const name of part.after ?? []) expect(names).toContain(name)
  expect(new Set(names).size).toBe(names.length)
})

test('a program that fails, hangs or does not exist is a failure', async () => {
  expect((await run('node', ['-e', 'process.exit(3)'])).code).toBe(3)
  expect((await run('node', ['-e', 'setInterval(() => {}, 1000)'], { timeoutMs: 300 })).code).toBe(124)
  expect((await run('no-such-program-here', [])).code).not.toBe(0)
})
