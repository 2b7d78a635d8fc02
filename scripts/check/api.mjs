import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

const update = process.argv.includes('--update')
const root = process.cwd()
const COMPILER = { target: 'ES2023', module: 'ESNext', moduleResolution: 'Bundler', lib: ['ES2023', 'DOM', 'DOM.Iterable', 'ESNext.Disposable'], types: ['node'], strict: true }
const QUIET = { logLevel: 'none' }

/** One report per entry: the whole public surface in one file that a reviewer reads. */
function config(entry, report) {
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve(root, 'package.json'),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: resolve(root, 'dist', `${entry}.d.ts`),
      newlineKind: 'lf',
      compiler: { overrideTsconfig: { compilerOptions: COMPILER, files: [resolve(root, 'dist', `${entry}.d.ts`)] } },
      apiReport: { enabled: true, reportFileName: report, reportFolder: resolve(root, 'etc'), reportTempFolder: resolve(root, '.cache/api') },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: { default: QUIET, 'ae-forgotten-export': { logLevel: 'warning', addToApiReportFile: true } },
        tsdocMessageReporting: { default: QUIET },
      },
    },
  })
}

mkdirSync(resolve(root, 'etc'), { recursive: true })
let failed = false
for (const [entry, report] of [['index', 'sallyport.api.md'], ['testing', 'testing.api.md'], ['redis', 'redis.api.md'], ['audit', 'audit.api.md'], ['guard', 'guard.api.md'], ['pii', 'pii.api.md'], ['sqlite', 'sqlite.api.md'], ['vertex', 'vertex.api.md'], ['bedrock', 'bedrock.api.md'], ['ai-sdk', 'ai-sdk.api.md']]) {
  const problems = []
  const result = Extractor.invoke(config(entry, report), {
    localBuild: update,
    showVerboseMessages: false,
    messageCallback: message => {
      message.handled = true
      if (message.logLevel === 'error') problems.push(message.formatMessageWithLocation(root))
    },
  })
  const changed = result.apiReportChanged && !update
  for (const problem of problems) console.log(problem)
  if (changed) console.log(`etc/${report} is not what ${entry} exports. Look at the change, then run: npm run api:update`)
  if (update) console.log(`etc/${report} ${result.apiReportChanged ? 'rewritten' : 'unchanged'}`)
  failed ||= changed || problems.length > 0
}
process.exitCode = failed ? 1 : 0
