import { describe, expect, it } from 'vitest'
import type { Candidate } from '../../src/protocol/ports.js'
import type { Message } from '../../src/protocol/request.js'
import { keepTogether } from '../../src/routing/affinity.js'
import { unit } from './units.js'

const [a, b, c] = [unit('a'), unit('b'), unit('c')]
const line: readonly Candidate[] = [{ deployment: a }, { deployment: b, note: { variant: 'v' } }, { deployment: c }]
const asks = (deployment?: string): Message => ({
  role: 'assistant',
  content: [{ type: 'tool-call', id: '1', name: 'f', input: {} }],
  ...(deployment !== undefined && { origin: { provider: 'p', model: deployment, deployment } }),
})
const hello: Message = { role: 'user', content: 'Hello' }
const result: Message = { role: 'tool', toolCallId: '1', content: '42' }

describe('a tool loop stays where it is', () => {
  it('after one result, and after several', () => {
    expect(keepTogether(line, { messages: [hello, asks('b'), result] })).toEqual([line[1], line[0], line[2]])
    expect(keepTogether(line, { messages: [hello, asks('c'), result, hello, asks('b'), result, result] })[0]).toBeDefined()
    expect(keepTogether(line, { messages: [hello, asks('c'), result, asks('b'), result, result] }).map(({ deployment }) => deployment.id)).toEqual(['b', 'a', 'c'])
  })

  it('also where only a condition brought it there', () => {
    const chain: readonly Candidate[] = [{ deployment: a }, { deployment: b, onlyAfter: ['context_length'] }]
    expect(keepTogether(chain, { messages: [hello, asks('b'), result] })).toEqual([{ deployment: b }, { deployment: a }])
  })

  it.each<[string, readonly Message[]]>([
    ['a new question', [hello, asks('b'), result, hello]],
    ['nobody known wrote it', [hello, asks(), result]],
    ['who wrote it is no candidate', [hello, asks('gone'), result]],
    ['it is first already', [hello, asks('a'), result]],
    ['no tools were asked for', [hello, { role: 'assistant', content: 'Hm', origin: { provider: 'p', model: 'b', deployment: 'b' } }]],
    ['results of nothing', [result]],
    ['no messages', []],
  ])('is left alone: %s', (_title, messages) => {
    expect(keepTogether(line, { messages })).toBe(line)
  })
})
