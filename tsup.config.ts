import { defineConfig } from 'tsup'
import { joinFiles } from './scripts/build/join.mjs'
import { writeLicences } from './scripts/check/licences.mjs'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    testing: 'src/testing/index.ts',
    redis: 'src/state/redis.ts',
    audit: 'src/plugins/audit.ts',
    guard: 'src/plugins/guard/index.ts',
    pii: 'src/plugins/pii/index.ts',
    sqlite: 'src/state/sqlite.ts',
    vertex: 'src/providers/vertex/index.ts',
    bedrock: 'src/providers/bedrock/index.ts',
    'ai-sdk': 'src/providers/ai-sdk/index.ts',
    'platform-node': 'src/platform/node.ts',
    'platform-web': 'src/platform/web.ts',
  },
  format: 'esm',
  platform: 'neutral',
  target: 'es2023',
  splitting: true,
  clean: true,
  // Unminified and without source maps: a stack trace then points at lines a reader can read.
  minify: false,
  sourcemap: false,
  removeNodeProtocol: false,
  // Bundled, the dependencies import in a fraction of the time their own files take.
  noExternal: [/^(?!node:)[a-z@]/],
  external: ['#platform', /^node:/],
  esbuildOptions: options => {
    // The plain build of lru-cache loads a node: module when it is imported; its browser build does the same without.
    options.conditions = ['browser']
  },
  metafile: true,
  dts: { entry: { index: 'src/index.ts', testing: 'src/testing/index.ts', redis: 'src/state/redis.ts', audit: 'src/plugins/audit.ts', guard: 'src/plugins/guard/index.ts', pii: 'src/plugins/pii/index.ts', sqlite: 'src/state/sqlite.ts', vertex: 'src/providers/vertex/index.ts', bedrock: 'src/providers/bedrock/index.ts', 'ai-sdk': 'src/providers/ai-sdk/index.ts' } },
  onSuccess: async () => {
    await joinFiles('dist', 'dist/metafile-esm.json')
    writeLicences('dist')
  },
})
