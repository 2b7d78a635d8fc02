import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { answerOf, byteChunksOf, chunksOf, everySplit, germanIban, lengths, promptOf, redactCases, restoreCases, restoredOf, sampled, spelled, tokensOf, values, withLuhn } from './stream-cases.js'

const maskedOf = (prompt: string, tokens: readonly string[]) => prompt.split('\n').map((line, index) => `${line.slice(0, line.indexOf(': ') + 2)}${tokens[index]}`).join('\n')

describe('stream cases', () => {
  it('cut a text without losing anything of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), lengths, (text, by) => {
        const chunks = chunksOf(text, by)
        expect(chunks.join('')).toBe(text)
        expect(chunks.every(chunk => chunk !== '')).toBe(true)
        const bytes = byteChunksOf(text, by)
        expect(bytes.every(chunk => chunk.length > 0)).toBe(true)
        expect(new TextDecoder().decode(Uint8Array.from(bytes.flatMap(chunk => [...chunk])))).toBe(text)
      }),
    )
  })

  it('cut a short text in every way', () => {
    const splits = [...everySplit('abcd')]
    expect(splits.every(split => split.join('') === 'abcd' && split.every(chunk => chunk !== ''))).toBe(true)
    expect(new Set(splits.map(split => split.join('|')))).toEqual(new Set(['abcd', 'a|b|c|d', 'a|bcd', 'ab|cd', 'abc|d', 'a|b|cd', 'a|bc|d', 'ab|c|d']))
  })

  it('say what an answer is before and after it is restored', () => {
    fc.assert(
      fc.property(restoreCases, made => {
        const tokens = made.values.map(({ type }, index) => `[${type}_${index + 1}]`)
        expect(tokensOf(made, promptOf(made))).toEqual(made.values.map(({ text }) => text))
        expect(tokensOf(made, maskedOf(promptOf(made), tokens))).toEqual(tokens)
        const answer = answerOf(made, tokens)
        const restored = made.pieces.reduce((text, piece) => (piece.kind === 'token' ? text.replace(spelled(tokens[piece.of] ?? '', piece.as), () => made.values[piece.of]?.text ?? '') : text), answer)
        expect(restored).toBe(restoredOf(made))
      }),
    )
  })

  it('hold values whose check digits are right', () => {
    expect(withLuhn('411111111111111')).toBe('4111111111111111')
    expect(germanIban('370400440532013000')).toBe('DE89370400440532013000')
    fc.assert(fc.property(values, ({ text, label }) => text.length >= 7 && label !== ''))
  })

  it('are the same for the same seed, and have values, placeholders and words', () => {
    const some = sampled(redactCases, 200, 5)
    expect(sampled(redactCases, 200, 5)).toEqual(some)
    expect(new Set(some.flatMap(({ pieces }) => pieces.map(({ kind }) => kind)))).toEqual(new Set(['words', 'value', 'token']))
  })
})
