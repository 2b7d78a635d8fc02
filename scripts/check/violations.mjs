const lines = (count, line) => Array.from({ length: count }, (_, i) => line(i)).join('\n')

/** One seeded file per lint rule: `rule` must be reported in `file`, with `says` in its message. */
export const LINT = [
  { rule: 'max-lines', file: 'src/state/long.ts', code: lines(301, i => `export const a${i} = ${i}`) },
  { rule: 'max-lines-per-function', file: 'src/state/tall.ts', code: `export function tall(): number {\n  let n = 0\n${lines(60, () => '  n += 1')}\n  return n\n}` },
  { rule: 'complexity', file: 'src/state/knot.ts', code: `export function knot(n: number): number {\n${lines(15, i => `  if (n === ${i}) return ${i + 1}`)}\n  return 0\n}` },
  { rule: '@typescript-eslint/no-explicit-any', file: 'src/state/loose.ts', code: 'export const loose = (x: unknown): string => (x as any).y' },
  { rule: '@typescript-eslint/ban-ts-comment', file: 'src/state/hush.ts', code: '// @ts-ignore\nexport const hush: string = 1' },
  { rule: 'no-explicit-any', id: 'an eslint-disable does not help', expect: '@typescript-eslint/no-explicit-any', file: 'src/state/disable.ts', code: '// eslint-disable-next-line\nexport const loose = (x: any): unknown => x' },
  { rule: '@typescript-eslint/consistent-type-imports', file: 'src/state/typed.ts', code: "import { Clock } from '../protocol/ports.js'\nexport const typed = (clock: Clock): number => clock.now()" },
  { rule: '@typescript-eslint/no-floating-promises', file: 'src/state/float.ts', code: 'export function float(work: () => Promise<void>): void {\n  work()\n}' },
  { rule: '@typescript-eslint/no-misused-promises', file: 'src/state/misuse.ts', code: 'export const misuse = (work: Promise<boolean>): number => (work ? 1 : 0)' },
  { rule: 'no-restricted-syntax', id: 'a thrown text', says: 'throw an Error', file: 'src/state/throws.ts', code: "export function throws(): never {\n  throw 'text'\n}" },
  { rule: '@typescript-eslint/switch-exhaustiveness-check', file: 'src/state/exhaust.ts', code: "export function exhaust(x: 'a' | 'b'): void {\n  switch (x) {\n    case 'a':\n      return\n  }\n}" },
  { rule: '@typescript-eslint/no-unused-vars', file: 'src/state/unused.ts', code: 'const unused = 1\nexport const used = 2' },
  { rule: 'eqeqeq', file: 'src/state/equal.ts', code: 'export const equal = (a: unknown): boolean => a == null' },
  { rule: 'no-var', file: 'src/state/var.ts', code: 'export function f(): number {\n  var n = 1\n  return n\n}' },
  { rule: 'prefer-const', file: 'src/state/const.ts', code: 'export function f(): number {\n  let n = 1\n  return n\n}' },
  { rule: 'no-warning-comments', file: 'src/state/later.ts', code: `// ${'TO'}${'DO'} later\nexport const later = 1` },
  { rule: 'no-console', file: 'src/state/chatty.ts', code: "export const chatty = (): void => console.log('x')" },
  ...[
    ['===', "x.provider === 'a'"],
    ['!==, optional', "y?.provider !== 'a'"],
    ['on the right', "'a' === x.strategy"],
    ['includes', "['a'].includes(x.provider)"],
    ['startsWith', "x.provider.startsWith('a')"],
  ].map(([id, expression], i) => named(id, `ask${i}`, `(x: { provider: string; strategy: string }, y?: { provider: string }): boolean => ${expression} || y === undefined`)),
  { rule: 'no-restricted-syntax', id: 'name in a switch', says: 'asks a thing its name', file: 'src/routing/ask-switch.ts', code: "export function f(x: { provider: string }): number {\n  switch (x.provider) {\n    case 'a':\n      return 1\n    default:\n      return 2\n  }\n}" },
  { rule: 'no-restricted-syntax', id: 'a provider named', says: 'no provider is named', file: 'src/routing/names.ts', code: "export const favourite = 'openai'" },
  { rule: 'no-restricted-syntax', id: 'a provider in a type', says: 'no provider is named', file: 'src/routing/names-type.ts', code: "export type Favourite = 'groq'" },
  { rule: 'no-restricted-syntax', id: 'module-level let', says: 'no module-level state', file: 'src/state/module.ts', code: 'export let count = 0\nexport const up = (): number => ++count' },
  ...[
    ['Date.now', 'no-restricted-properties', 'Date.now()'],
    ['new Date()', 'no-restricted-syntax', 'new Date().getTime()'],
    ['performance', 'no-restricted-properties', 'performance.now()'],
    ['Math.random', 'no-restricted-properties', 'Math.random()'],
    ['randomUUID', 'no-restricted-properties', 'crypto.randomUUID().length'],
    ['AbortSignal.timeout', 'no-restricted-properties', 'Number(AbortSignal.timeout(1).aborted)'],
    ['globalThis.process', 'no-restricted-properties', 'globalThis.process.pid'],
    ['process', 'no-restricted-globals', 'process.pid'],
    ['setTimeout', 'no-restricted-globals', 'Number(setTimeout(() => undefined, 1))'],
    ['setInterval', 'no-restricted-globals', 'Number(setInterval(() => undefined, 1))'],
    ['setImmediate', 'no-restricted-globals', 'Number(setImmediate(() => undefined))'],
    ['fetch', 'no-restricted-globals', "Number(fetch === undefined)"],
  ].map(([id, rule, expression], i) => ({ rule, id, says: 'no ambient', file: `src/resilience/ambient${i}.ts`, code: `export const ambient = (): number => ${expression}` })),
  ...[
    ['a function assigned to a property', 'src/pipeline/outlive0.ts', 'export class Outlive {\n  run: () => number\n  constructor(n: number) {\n    this.run = () => n\n  }\n}'],
    ['a function assigned to a private field', 'src/providers/outlive1.ts', 'export class Outlive {\n  #run: (() => number) | undefined\n  go(n: number): number | undefined {\n    this.#run = function () {\n      return n\n    }\n    return this.#run?.()\n  }\n}'],
    ['a getter in a literal', 'src/transport/outlive2.ts', 'export function outlive(n: number): { readonly n: number } {\n  return {\n    get n() {\n      return n\n    },\n  }\n}'],
  ].map(([id, file, code]) => ({ rule: 'no-restricted-syntax', id, says: 'in the old space', file, code })),
  { rule: 'no-restricted-imports', id: 'node:timers', says: 'no ambient', file: 'src/transport/timers.ts', code: "import { setTimeout as later } from 'node:timers'\nexport const wait = (): unknown => later(() => undefined, 1)" },
]

function named(id, file, code) {
  return { rule: 'no-restricted-syntax', id: `name asked with ${id}`, says: 'asks a thing its name', file: `src/routing/${file}.ts`, code: `export const f = ${code}` }
}

/** What the rules must leave alone. */
export const ALLOWED = [
  { id: 'two origins compared', file: 'src/protocol/seed-same.ts', code: 'export const same = (a: { provider: string }, b: { provider: string }): boolean => a.provider === b.provider' },
  { id: 'a field compared with undefined', file: 'src/state/seed-present.ts', code: 'export const present = (a: { provider?: string }): boolean => a.provider !== undefined' },
  { id: 'a field compared with nothing', file: 'src/state/seed-empty.ts', code: "export const empty = (a: { provider: string }): boolean => a.provider === ''" },
  { id: 'a function that has a name first, and one that is a field', file: 'src/pipeline/seed-inlive.ts', code: 'export class Inlive {\n  readonly run: () => number\n  readonly #twice = (): number => 2 * this.run()\n  constructor(n: number) {\n    const run = (): number => n\n    this.run = run\n  }\n  twice(): number {\n    return this.#twice()\n  }\n}' },
  { id: 'a name in an adapter', file: 'src/providers/seed-name.ts', code: "export const name = 'openai'" },
  { id: 'a format in pipeline/response', file: 'src/pipeline/response-seed.ts', code: "export const format = 'openai'" },
  { id: 'a given date', file: 'src/state/seed-date.ts', code: 'export const iso = (ms: number): string => new Date(ms).toISOString()' },
  { id: 'time in the platform', file: 'src/platform/seed.ts', code: 'export const now = (): number => Date.now() + performance.now() + Number(setTimeout(() => undefined, 1))' },
]

const use = (name, path) => `import * as ${name} from '${path}'\nexport const seeded = ${name}`

/** One seeded file per rule of the import law. `append` adds to a file that is there. */
export const LAW = [
  { rule: 'protocol-alone', file: 'src/protocol/law.ts', code: use('x', '../state/memory.js') },
  { rule: 'protocol-alone', id: 'not even a package', file: 'src/protocol/law-package.ts', code: use('x', 'zod') },
  { rule: 'leaves-apart', file: 'src/routing/law.ts', code: use('x', '../state/memory.js') },
  { rule: 'leaves-apart', id: 'nor by a type', file: 'src/resilience/law-type.ts', code: "import type * as x from '../state/memory.js'\nexport type Seeded = typeof x" },
  { rule: 'pipeline-down', file: 'src/pipeline/law.ts', code: use('x', '../transport/frames.js') },
  { rule: 'platform-down', file: 'src/platform/law.ts', code: use('x', '../state/memory.js') },
  { rule: 'testing-down', file: 'src/testing/law.ts', code: use('x', '../transport/frames.js') },
  { rule: 'prime-late', file: 'src/testing/prime.ts', code: use('x', '../engine.js') },
  { rule: 'surfaces-public', file: 'src/surfaces/law.ts', code: use('x', '../state/memory.js') },
  { rule: 'gateway-on-top', file: 'src/state/law-gateway.ts', code: use('x', '../gateway.js') },
  { rule: 'index-outermost', file: 'src/state/law-index.ts', code: use('x', '../index.js') },
  { rule: 'testing-outside', file: 'src/state/law-testing.ts', code: use('x', '../testing/index.js') },
  { rule: 'surfaces-outside', file: 'src/state/law-surfaces.ts', code: use('x', '../surfaces/law.js') },
  { rule: 'inside-src', file: 'src/state/law-outside.ts', code: use('x', '../../scripts/check/run.mjs') },
  { rule: 'no-cycles', file: 'src/state/law-a.ts', code: use('b', './law-b.js'), with: { 'src/state/law-b.ts': use('a', './law-a.js') } },
  { rule: 'resolvable', file: 'src/state/law-nowhere.ts', code: use('x', './nowhere.js') },
  { rule: 'known-dependencies', file: 'src/state/law-unknown.ts', code: use('x', 'esbuild') },
  ...['p-retry', 'p-queue', 'eventsource-parser', 'lru-cache', 'zod', 'aws4fetch'].map(name => ({ rule: `door-${name}`, file: `src/plugins/door-${name}.ts`, code: use('x', name) })),
  { rule: 'door-zod', id: 'nor zod/mini', file: 'src/plugins/door-mini.ts', code: use('x', 'zod/mini') },
  { rule: 'node-modules-of-node', file: 'src/routing/law-node.ts', code: use('x', 'node:fs') },
  { rule: 'plugins-load-late', file: 'src/plugins/law-early.ts', code: use('x', 'node:fs/promises') },
  { rule: 'plugins-only-files', file: 'src/plugins/law-net.ts', code: "export const seeded = async (): Promise<unknown> => import('node:net')" },
  { rule: 'state-loads-late', file: 'src/state/law-early.ts', code: use('x', 'node:fs/promises') },
  { rule: 'state-only-files', file: 'src/state/law-net.ts', code: "export const seeded = async (): Promise<unknown> => import('node:net')" },
  { rule: 'door-node:sqlite', file: 'src/plugins/law-sqlite.ts', code: "export const seeded = async (): Promise<unknown> => import('node:sqlite')" },
  { rule: 'web-without-node', file: 'src/platform/web.ts', append: "\nexport * as seeded from '../transport/law-node.js'\n", with: { 'src/transport/law-node.ts': use('x', 'node:http') } },
]

const readme = block => ({ append: { 'README.md': `\n${block}\n` } })

/** One broken tree for each of the other parts: the part must fail and say `says`. */
export const PARTS_BROKEN = [
  { part: 'types', id: 'a type error', says: /seeded\.ts\(1,14\): error TS2322/, write: { 'src/seeded.ts': "export const seeded: number = 'x'\n" } },
  { part: 'types', id: 'an unchecked index', says: /TS2322/, write: { 'src/seeded.ts': 'export const f = (x: string[]): string => x[0]\n' } },
  { part: 'types', id: 'an optional given undefined', says: /exactOptionalPropertyTypes/, write: { 'src/seeded.ts': 'export const x: { a?: string } = { a: undefined }\n' } },
  { part: 'unused exports', id: 'an export nobody uses', says: /Unused exports[\s\S]*seededUnused/, append: { 'src/state/memory.ts': '\nexport const seededUnused = 1\n' } },
  { part: 'unused exports', id: 'a file nobody uses', says: /Unused files[\s\S]*src\/state\/orphan\.ts/, write: { 'src/state/orphan.ts': 'export const orphan = 1\n' } },
  { part: 'unused exports', id: 'a dependency nobody uses', says: /Unused dependencies[\s\S]*seeded-package/, json: { 'package.json': json => ({ ...json, dependencies: { ...json.dependencies, 'seeded-package': '^1.0.0' } }) } },
  { part: 'unused exports', id: 'a dependency nobody lists', says: /Unlisted dependencies[\s\S]*seeded-package/, append: { 'src/state/memory.ts': "\nimport 'seeded-package'\n" } },
  { part: 'docs', id: 'a block that does not check', says: /README\.md\(\d+,\d+\): error TS2322/, ...readme("```ts\nconst n: number = 'x'\nconsole.log(n)\n```") },
  { part: 'docs', id: 'a block that fails when run', says: /README\.md:\d+ exits with 3/, ...readme('<!-- run -->\n```ts\nprocess.exit(3)\n```') },
  { part: 'declarations', id: 'a type of a bundled package', says: /needs the types of "zod"/, append: { 'dist/index.d.ts': "\nexport type { ZodType } from 'zod'\n" } },
  { part: 'API report', id: 'a change nobody wrote down', says: /etc\/sallyport\.api\.md is not what index exports/, append: { 'dist/index.d.ts': '\nexport declare const seeded: 1\n' } },
  { part: 'API report', id: 'the same for testing', says: /etc\/testing\.api\.md is not what testing exports/, append: { 'dist/testing.d.ts': '\nexport declare const seeded: 1\n' } },
  { part: 'tarball', id: 'a file that does not belong', says: /tsconfig\.json does not belong/, json: { 'package.json': json => ({ ...json, files: [...json.files, 'tsconfig.json'] }) } },
  { part: 'tarball', id: 'a missing licence list', says: /THIRD-PARTY-LICENSES\.txt is missing/, remove: ['dist/THIRD-PARTY-LICENSES.txt'] },
  { part: 'package', before: 'tarball', id: 'an export without a file', says: /nowhere\.js/, json: { 'package.json': json => ({ ...json, exports: { ...json.exports, './nowhere': './dist/nowhere.js' } }) } },
  { part: 'package types', before: 'tarball', id: 'an entry without types', says: /sallyport\/untyped/, json: { 'package.json': json => ({ ...json, exports: { ...json.exports, './untyped': './dist/platform-web.js' } }) } },
  { part: 'size', id: 'a core that is too heavy', says: /over the limit/, append: { 'dist/index.js': `\nexport const heavy = '${heavy()}'\n` } },
  { part: 'size', id: 'node: in the web build', says: /needs node:http where there is no Node/, append: { 'dist/index.js': "\nexport { request as seeded } from 'node:http'\n" } },
]

/** Text that gzip cannot shrink much. */
function heavy() {
  let seed = 7
  return lines(90_000, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return ((seed >>> 16) % 36).toString(36)
  }).replaceAll('\n', '')
}
