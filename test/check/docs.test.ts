import { expect, test } from 'vitest'
import { blocksOf, moduleOf } from '../../scripts/check/docs.mjs'

const page = ['# Title', '', '```ts', 'const a = 1', '```', '', '```sh', 'npm install', '```', '', '<!-- with: declare const x: string -->', '<!-- run -->', '  ```ts', '  console.log(x)', '  ```', ''].join('\n')

test('every ts block is found, and no block of another language', () => {
  expect(blocksOf(page).map(({ code }) => code)).toEqual(['const a = 1', 'console.log(x)'])
})

test('notes right above a block count, also two of them, and reach no other block', () => {
  expect(blocksOf(page).map(({ preamble, run }) => ({ preamble, run }))).toEqual([
    { preamble: '', run: false },
    { preamble: 'declare const x: string', run: true },
  ])
})

test('a note with a line between it and the block does not count', () => {
  expect(blocksOf('<!-- run -->\n\n```ts\n1\n```')[0]?.run).toBe(false)
})

test('a block inside a longer fence is text, not a block', () => {
  expect(blocksOf('````md\n```ts\nbroken(\n```\n````')).toEqual([])
})

test('a fence that is never closed is an error, not a document without blocks', () => {
  expect(() => blocksOf('```ts\nconst a = 1\n')).toThrow('line 1')
})

test('a line of the block has the number it has in the document', () => {
  for (const block of blocksOf(page)) {
    const first = moduleOf(block).split('\n').indexOf(block.code)
    expect(page.split('\n')[first]?.trim()).toBe(block.code)
  }
})
