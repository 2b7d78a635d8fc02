import { describe, expect, it } from 'vitest'
import { fallback, weighted, type CallRecord, type Deployment, type Group, type Report, type UpstreamRequest } from '../../src/index.js'
import { flatten } from '../../src/routing/flatten.js'
import { prepareAll, traitsOf } from '../../src/routing/traits.js'
import { routeView } from '../../src/testing/index.js'
import { unit } from './units.js'

const request: UpstreamRequest = { messages: [{ role: 'user', content: 'Prove it' }] }
const record = (deployment: string): CallRecord => ({ version: 1, id: 'call', kind: 'chat', startedAt: '2026-01-01T00:00:00.000Z', model: 'm', route: 'r', outcome: 'success', deployment, attempts: [], excluded: [], warnings: [], restarts: 0, totalMs: 1 })

/** The user's own strategy: an embedding tells hard prompts from easy ones, and scores tell who is good at them. */
function learned(easy: Deployment, hard: Deployment, embed: (request: UpstreamRequest) => Promise<number>): Group & { readonly scores: Map<string, number> } {
  const scores = new Map<string, number>()
  return {
    kind: 'group',
    strategy: 'learned',
    targets: [easy, hard],
    scores,
    prepare: embed,
    order: (targets, view) => {
      const difficulty = view.prepared as number | undefined
      const first = (difficulty ?? 0) > 0.5 || (scores.get(easy.id) ?? 1) < 0.5 ? hard : easy
      view.note(first, { difficulty: difficulty ?? null })
      return [first, ...targets.filter(target => target !== first)]
    },
    learn: about => {
      if ('score' in about && about.record.deployment !== undefined) scores.set(about.record.deployment, about.score)
    },
  }
}

describe('a learned strategy', () => {
  const [small, big, other] = [unit('small'), unit('big'), unit('other')]
  const line = async (group: Group, root: Group = group) => {
    const { preparing } = traitsOf(root)
    const view = routeView({ request })
    return flatten(root, view, { notes: view.notes, prepared: await prepareAll(preparing, request) }).map(({ deployment, note }) => [deployment.id, note])
  }

  it('waits for what it prepares, deep in a tree, and says why it chose', async () => {
    const group = learned(small, big, () => Promise.resolve(0.9))
    expect(await line(group, weighted([fallback(group, other), 1]))).toEqual([['big', { difficulty: 0.9 }], ['small', undefined], ['other', undefined]])
  })

  it('orders without it where the work fails', async () => {
    expect(await line(learned(small, big, () => Promise.reject(new Error('no embedding'))))).toEqual([['small', { difficulty: null }], ['big', undefined]])
  })

  it('keeps what each group prepared apart', async () => {
    const [easy, hard] = [learned(small, big, () => Promise.resolve(0.1)), learned(small, big, () => Promise.resolve(0.9))]
    expect((await line(easy, fallback(hard, easy))).map(([id]) => id)).toEqual(['big', 'small'])
    expect((await line(easy, fallback(easy, hard))).map(([id]) => id)).toEqual(['small', 'big'])
  })

  it('learns from scores, and is found wherever it stands', async () => {
    const group = learned(small, big, () => Promise.resolve(0.1))
    const { learning } = traitsOf(fallback(weighted([group, 1]), other))
    expect(learning).toEqual([group])
    const report: Report = { id: 'call', score: 0.2, record: record('small') }
    for (const one of learning) {
      one.learn?.(record('small'))
      one.learn?.(report)
    }
    expect(group.scores).toEqual(new Map([['small', 0.2]]))
    expect((await line(group))[0]?.[0]).toBe('big')
  })
})
