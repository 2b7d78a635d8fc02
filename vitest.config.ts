import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

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
    include: ['test/**/*.test.ts'],
    pool: 'threads',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    reporters: ['default'],
  },
})
