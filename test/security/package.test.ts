import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contentProblems } from '../../scripts/check/pack.mjs'

const root = new URL('../../', import.meta.url)
const text = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const manifest = JSON.parse(text('package.json')) as { scripts: Record<string, string>; dependencies: Record<string, string>; files: string[]; exports: Record<string, unknown>; publishConfig?: { provenance?: boolean }; bin?: unknown; gypfile?: unknown }
const sources = readdirSync(new URL('src', root), { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.ts')).map(path => join('src', path))

/** Text that becomes code, and modules by a name that is not written where they are loaded. */
const MAKES_CODE = /\beval\(|\bFunction\(|\brequire\(|\bimport\((?!\s*['"])\s*\w|['"](?:node:)?(?:vm|child_process|worker_threads|cluster|inspector|repl|module)['"]|\b(?:getBuiltinModule|mainModule|runInThisContext|runInNewContext)\b/g

describe('the package', () => {
  it('runs nothing when it is installed, nor do its dependencies', () => {
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare', 'dependencies']) expect(manifest.scripts[name]).toBeUndefined()
    expect([manifest.bin, manifest.gypfile]).toEqual([undefined, undefined])
    const lock = JSON.parse(text('package-lock.json')) as { packages: Record<string, { hasInstallScript?: boolean; dependencies?: Record<string, string> }> }
    const reach = new Set<string>()
    const walk = (name: string): void => {
      if (reach.has(name)) return
      reach.add(name)
      for (const inner of Object.keys(lock.packages[`node_modules/${name}`]?.dependencies ?? {})) walk(inner)
    }
    for (const name of Object.keys(manifest.dependencies)) walk(name)
    expect([...reach].filter(name => lock.packages[`node_modules/${name}`]?.hasInstallScript === true)).toEqual([])
    expect([...reach].sort()).toEqual(['aws4fetch', 'eventemitter3', 'eventsource-parser', 'is-network-error', 'lru-cache', 'p-queue', 'p-retry', 'p-timeout', 'zod'])
  })

  it('makes no code of text, and imports no name that it did not write itself', () => {
    const found: string[] = []
    for (const path of sources) {
      const code = text(path).replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
      for (const [made] of code.matchAll(MAKES_CODE)) found.push(`${path}: ${made.replace(/\s/g, '')}`)
    }
    expect(found).toEqual(['src/providers/vertex/auth.ts: import(L'])
    // The peer, by a name that bundlers do not see.
    expect(text('src/providers/vertex/auth.ts')).toMatch(/^const LIBRARY = 'google-auth-library'$/m)
  })

  it('holds these files and no other', () => {
    expect(manifest.files).toEqual(['dist', 'README.md', 'LICENSE', 'CHANGELOG.md'])
    expect(Object.keys(manifest.exports).sort()).toMatchSnapshot()
    const entries = Object.keys(manifest.exports).filter(name => !name.endsWith('.json')).map(name => (name === '.' ? 'index' : name.slice(2)))
    const must = ['package.json', 'README.md', 'LICENSE', ...entries.flatMap(name => [`dist/${name}.js`, `dist/${name}.d.ts`]), 'dist/platform-node.js', 'dist/platform-web.js', 'dist/THIRD-PARTY-LICENSES.txt']
    expect(contentProblems(must)).toEqual([])
    expect(must.sort()).toMatchSnapshot()
    const dist = new URL('dist', root)
    if (existsSync(dist)) expect(readdirSync(dist).filter(name => !/^(?:[\w-]+\.(?:js|d\.ts)|metafile-esm\.json|THIRD-PARTY-LICENSES\.txt)$/.test(name))).toEqual([])
  })

  it('is published with its provenance', () => {
    expect(manifest.publishConfig?.provenance).toBe(true)
  })
})
