const LEAVES = 'transport|providers|routing|resilience|state|plugins'
const ours = (...paths) => `^src/(${paths.join('|')})`

/** One door for each dependency: only `door` may import `name`. */
const door = (name, path) => ({
  name: `door-${name}`,
  comment: `${name} has one door`,
  severity: 'error',
  from: { path: '^src/', pathNot: path },
  to: { path: `(^|/)node_modules/${name}/` },
})

/** The files of `from` may import nothing of `src` but `allowed`. */
const within = (name, from, allowed) => ({ name, severity: 'error', from: { path: from }, to: { path: '^src/', pathNot: allowed } })

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'types of one folder may name each other; nothing that runs may',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'type-import'] } },
    },
    { name: 'resolvable', severity: 'error', from: { path: '^src/' }, to: { couldNotResolve: true, pathNot: '^node:sqlite$' } },
    { name: 'protocol-alone', severity: 'error', from: { path: '^src/protocol/' }, to: { pathNot: '^src/protocol/' } },
    within('leaves-apart', `^src/(${LEAVES})/`, '^src/(protocol|$1)/'),
    within('pipeline-down', '^src/pipeline/', ours('protocol/', 'pipeline/', 'resilience/', 'routing/', 'plugins/', 'state/')),
    within('platform-down', '^src/platform/', ours('platform/', 'protocol/', 'transport/')),
    within('testing-down', '^src/testing/(?!prime\\.ts$)', ours('testing/', 'protocol/', 'state/')),
    { name: 'prime-late', comment: 'a virtual clock waits for what a first call loads; it does not load it itself', severity: 'error', from: { path: '^src/testing/prime\\.ts$' }, to: { path: '^src/', dynamic: false } },
    within('surfaces-public', '^src/surfaces/', ours('surfaces/', 'index\\.ts$', 'gateway\\.ts$')),
    { name: 'gateway-on-top', severity: 'error', from: { path: '^src/', pathNot: ours('index\\.ts$', 'bound\\.ts$', 'surfaces/') }, to: { path: '^src/gateway\\.ts$' } },
    { name: 'index-outermost', severity: 'error', from: { path: '^src/', pathNot: '^src/surfaces/' }, to: { path: '^src/index\\.ts$' } },
    { name: 'testing-outside', severity: 'error', from: { path: '^src/', pathNot: '^src/testing/' }, to: { path: '^src/testing/' } },
    { name: 'surfaces-outside', severity: 'error', from: { path: '^src/', pathNot: ours('surfaces/', 'index\\.ts$') }, to: { path: '^src/surfaces/' } },
    { name: 'inside-src', severity: 'error', from: { path: '^src/' }, to: { path: '^(test|scripts|examples|bench|dist)/' } },
    door('p-retry', '^src/resilience/dispatch[^/]*\\.ts$'),
    door('p-queue', '^src/resilience/line[^/]*\\.ts$'),
    door('eventsource-parser', '^src/transport/frames\\.ts$'),
    door('lru-cache', '^src/state/(memory|cache)\\.ts$'),
    door('aws4fetch', '^src/providers/bedrock/sign\\.ts$'),
    door('zod', '^src/options\\.ts$'),
    {
      name: 'known-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '(^|/)node_modules/', pathNot: '(^|/)node_modules/(p-retry|p-queue|eventsource-parser|lru-cache|zod|aws4fetch|@types/node)/' },
    },
    {
      name: 'node-modules-of-node',
      comment: 'node: is for the transport and platform/node.ts; a plugin may load the file system when it is asked to write a file, the verifier of the audit log to read one, and a store its database',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/transport/', '^src/platform/node\\.ts$', '^src/plugins/', '^src/testing/audit\\.ts$', '^src/state/sqlite-driver\\.ts$'] },
      to: { dependencyTypes: ['core'] },
    },
    { name: 'plugins-load-late', severity: 'error', from: { path: '^src/(plugins/|testing/audit\\.ts$)' }, to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only', 'type-import'], dynamic: false } },
    { name: 'plugins-only-files', severity: 'error', from: { path: '^src/(plugins/|testing/audit\\.ts$)' }, to: { dependencyTypes: ['core'], pathNot: '^(node:)?fs/promises$' } },
    { name: 'state-loads-late', severity: 'error', from: { path: '^src/state/' }, to: { path: '^(node:sqlite|(node:)?fs/promises)$', dynamic: false } },
    { name: 'state-only-files', severity: 'error', from: { path: '^src/state/' }, to: { dependencyTypes: ['core'], pathNot: '^(node:)?(sqlite|fs/promises)$' } },
    { name: 'door-node:sqlite', comment: 'where this Node has no such module, nothing else would see it', severity: 'error', from: { path: '^src/', pathNot: '^src/state/sqlite-driver\\.ts$' }, to: { path: '^node:sqlite$' } },
    {
      name: 'web-without-node',
      comment: 'what platform/web.ts reaches runs where there is no node:',
      severity: 'error',
      from: { path: '^src/platform/web\\.ts$' },
      to: { path: '^(node:)?(http|https|net|tls|zlib|url|fs|stream|buffer|events|dns|util|crypto)(/|$)', reachable: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
    moduleSystems: ['es6'],
  },
}
