import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { BUILT, file, installed, load, OTHERS, OWN } from './lib/detectors.mjs'
import { measure } from './lib/measure.mjs'
import { planOf } from './lib/plan.mjs'
import { problems, verdicts } from './lib/bars.mjs'
import { text } from './lib/report.mjs'

const HELP = `npm run pii:bench -- [options]

  --data FOLDER     labelled text: synthetic.jsonl, recogniser-cases.jsonl, secret-negatives.jsonl
  --quick           about a minute
  --alone           without the other detectors; installs nothing
  --detector FILE   another module that exports createDetector, and redactPii where streams are measured; default dist/pii.js
  --only LIST       parts, comma-separated: labelled, secrets, source, digits, speed, adversarial, streams
  --check           exit 1 where a bar is missed, or nothing could be measured for it but for want of --data
  --tolerance X     share by which a bar in time may be missed; 0.5 with --quick, else 0
  --json FILE       also write everything measured to FILE
`

const PARTS = ['labelled', 'secrets', 'source', 'digits', 'speed', 'adversarial', 'streams']

function readOptions() {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      quick: { type: 'boolean', default: false },
      alone: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      detector: { type: 'string' },
      only: { type: 'string' },
      tolerance: { type: 'string' },
      json: { type: 'string' },
    },
  })
  const parts = values.only === undefined ? PARTS : values.only.split(',')
  const unknown = parts.find(part => !PARTS.includes(part))
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}". Known: ${PARTS.join(', ')}`)
  if (values.check && values.only !== undefined) throw new Error('--check is for all parts: leave out --only')
  const tolerance = values.tolerance === undefined ? (values.quick ? 0.5 : 0) : Number(values.tolerance)
  if (!(tolerance >= 0 && tolerance <= 10)) throw new Error('--tolerance must be a share such as 0.5')
  const path = resolve(values.detector ?? BUILT)
  if (!existsSync(path)) throw new Error(values.detector === undefined ? 'dist/pii.js is not built: npm run build' : `There is no file ${values.detector}`)
  return { ...values, parts: new Set(parts), tolerance, path: pathToFileURL(path).href }
}

function install() {
  console.error('pii: installing the other detectors')
  execFileSync('npm', ['ci', '--prefix', file('.'), '--ignore-scripts', '--no-fund', '--no-audit'], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 })
}

function machine() {
  const all = cpus()
  return { cpu: all[0]?.model.trim() ?? 'unknown', cores: all.length, platform: `${process.platform} ${process.arch}`, node: process.version, date: new Date().toISOString() }
}

async function main() {
  const options = readOptions()
  if (options.help) return void console.log(HELP)
  if (!options.alone && !installed()) install()
  const plan = planOf(options.quick)
  const watchdog = setTimeout(() => {
    console.error(`pii: not done after ${plan.watchdogMs} ms`)
    process.exit(1)
  }, plan.watchdogMs)
  const detectors = []
  for (const name of options.alone ? [OWN] : [OWN, ...OTHERS]) detectors.push(await load(name, options.path))
  const measured = await measure(detectors, options, plan, what => console.error(`pii: ${what}`))
  clearTimeout(watchdog)
  const bars = verdicts(measured.detectors[0], options.tolerance)
  const result = { machine: machine(), tolerance: options.tolerance, plan, ...measured, bars }
  console.log(text(result))
  if (options.json !== undefined) {
    mkdirSync(dirname(resolve(options.json)), { recursive: true })
    writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)
  }
  const wrong = options.check ? problems(result) : []
  for (const problem of wrong) console.error(`pii: ${problem}`)
  if (wrong.length > 0) process.exitCode = 1
}

main().catch(error => {
  console.error(`pii: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
})
