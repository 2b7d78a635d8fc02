import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const HERE = 'test/providers/edge-cases'
const FRAMING = `${HERE}/framing.test.ts`
const DELTAS = `${HERE}/deltas.test.ts`
const ANTHROPIC = `${HERE}/anthropic.test.ts`

const span = (from: number, to: number, where: string): [number, string][] => Array.from({ length: to - from + 1 }, (_, at) => [from + at, where])

/** Where each known trap of the wires is tested: a file, or the folder of a dialect. A test bears the number, as in "(trap 7)". */
const WHERE: ReadonlyMap<number, string> = new Map([
  ...span(1, 24, FRAMING),
  ...span(25, 36, DELTAS),
  [37, 'test/providers/bedrock'],
  ...span(38, 45, DELTAS),
  ...span(46, 54, ANTHROPIC),
  [55, 'test/providers/bedrock'],
  ...span(56, 57, 'test/providers/gemini'),
  [58, 'test/providers/openai/calls.test.ts'],
  [59, 'test/providers/gemini'],
  [60, DELTAS],
  [61, 'test/providers/gemini'],
  [62, DELTAS],
  [63, FRAMING],
  [64, 'test/providers/gemini'],
  [65, 'test/providers/openai/encode.test.ts'],
  [66, DELTAS],
  [67, 'test/providers/responses'],
  [68, DELTAS],
  ...span(69, 70, 'test/providers/responses'),
  [71, FRAMING],
  [72, DELTAS],
])

function textOf(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path, 'utf8')
  return readdirSync(path).filter(name => name.endsWith('.ts')).map(name => textOf(join(path, name))).join('\n')
}
/** "trap 7" and "trap 7)", "traps 3, 4" and "traps 32 to 34". */
function trapsIn(text: string): Set<number> {
  const found = new Set<number>()
  for (const [, numbers = ''] of text.matchAll(/traps? ([\d, to]+)/g)) {
    for (const [, from, to] of numbers.matchAll(/(\d+)(?: to (\d+))?/g)) for (let at = Number(from); at <= Number(to ?? from); at++) found.add(at)
  }
  return found
}

describe('the known traps of the wires', () => {
  it('are all accounted for', () => {
    expect([...WHERE.keys()]).toEqual(span(1, 72, '').map(([number]) => number))
  })
  // A dialect that is not built has no folder, and its traps wait for it.
  it.each([...WHERE].filter(([, where]) => where.endsWith('.ts') || existsSync(where)))('trap %i is tested in %s', (number, where) => {
    expect([...trapsIn(textOf(where))]).toContain(number)
  })
})
