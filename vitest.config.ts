import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Files that weigh memory, count what a process holds, change what is global in it, or start programs. */
const ALONE = [
  'test/{bench,fuzz,platform,scripts,security,transport}/**/*.test.ts',
  'test/gateway/collected.test.ts',
  'test/plugins/{audit-disk,jsonl}.test.ts',
  'test/state/{redis,sqlite}*/**/*.test.ts',
]

export default defineConfig({
  resolve: {
    alias: [
      { find: /^#platform$/, replacement: at('./src/platform/node.ts') },
      { find: /^sallyport\/testing$/, replacement: at('./src/testing/index.ts') },
      { find: /^sallyport\/audit$/, replacement: at('./src/plugins/audit.ts') },
      { find: /^sallyport\/guard$/, replacement: at('./src/plugins/guard/index.ts') },
      { find: /^sallyport\/pii$/, replacement: at('./src/plugins/pii/index.ts') },
      { find: /^sallyport\/(redis|sqlite)$/, replacement: at('./src/state/$1.ts') },
      { find: /^sallyport\/vertex$/, replacement: at('./src/providers/vertex/index.ts') },
      { find: /^sallyport\/bedrock$/, replacement: at('./src/providers/bedrock/index.ts') },
      { find: /^sallyport\/ai-sdk$/, replacement: at('./src/providers/ai-sdk/index.ts') },
      { find: /^sallyport$/, replacement: at('./src/index.ts') },
    ],
  },
  test: {
    // To load the library again for each file costs more than most files: those of one worker share what they load.
    projects: [
      { extends: true, test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: ['**/node_modules/**', ...ALONE], isolate: false } },
      { extends: true, test: { name: 'alone', include: ALONE, exclude: ['**/node_modules/**'] } },
    ],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: ['default'],
  },
})
