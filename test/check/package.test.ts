import { describe, expect, test } from 'vitest'
import { foreignModules } from '../../scripts/check/leaks.mjs'
import { packageFolder } from '../../scripts/check/licences.mjs'
import { contentProblems } from '../../scripts/check/pack.mjs'

describe('declarations', () => {
  test.each([
    ["import { z } from 'zod'", ['zod']],
    ["export type { A } from \"lru-cache\"", ['lru-cache']],
    ["declare const x: import('p-queue').default", ['p-queue']],
    ["import 'side-effect'", ['side-effect']],
    ["export { A } from './chunk-1.js'", []],
    ['/// <reference types="node" />', ['node']],
    ["/** import { z } from 'zod' */\nexport declare const a: 1", []],
    ["// from 'zod'\nexport declare const a: 1", []],
  ])('%s', (text, modules) => {
    expect(foreignModules(text)).toEqual(modules)
  })
})

describe('bundled licences', () => {
  test.each([
    ['node_modules/zod/v4/core/api.js', 'node_modules/zod'],
    ['node_modules/@scope/name/index.js', 'node_modules/@scope/name'],
    ['node_modules/a/node_modules/b/index.js', 'node_modules/a/node_modules/b'],
    ['src/index.ts', undefined],
  ])('%s belongs to %s', (input, folder) => {
    expect(packageFolder(input)).toBe(folder)
  })
})

describe('tarball', () => {
  const whole = ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'dist/testing.js', 'dist/testing.d.ts', 'dist/redis.js', 'dist/redis.d.ts', 'dist/audit.js', 'dist/audit.d.ts', 'dist/guard.js', 'dist/guard.d.ts', 'dist/pii.js', 'dist/pii.d.ts', 'dist/sqlite.js', 'dist/sqlite.d.ts', 'dist/vertex.js', 'dist/vertex.d.ts', 'dist/bedrock.js', 'dist/bedrock.d.ts', 'dist/ai-sdk.js', 'dist/ai-sdk.d.ts', 'dist/platform-node.js', 'dist/platform-web.js', 'dist/THIRD-PARTY-LICENSES.txt']

  test('chunks and the change log are welcome', () => {
    expect(contentProblems([...whole, 'dist/chunk-ABC123.js', 'dist/ports-DhubJuS9.d.ts', 'CHANGELOG.md'])).toEqual([])
  })

  test.each(whole)('%s is missed when it is not there', path => {
    expect(contentProblems(whole.filter(other => other !== path))).toEqual([`${path} is missing in the tarball`])
  })

  test.each(['src/index.ts', 'test/a.test.ts', '.npmrc', 'dist/index.js.map', 'dist/metafile-esm.json', '.env'])('%s does not slip in', path => {
    expect(contentProblems([...whole, path])).toEqual([`${path} does not belong in the tarball`])
  })
})
