import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { stopAll } from './lib/children.mjs'
import { DIRECT, file, FLOOR, load, NAMES, needsInstall, OURS, OWN } from './lib/clients.mjs'
import { Run } from './lib/measure.mjs'
import { planOf } from './lib/plan.mjs'
import { problems, summary, text } from './lib/report.mjs'

const HELP = `npm run bench -- [options]

  --quick          under a minute; only ${OWN.join(', ')} unless --clients says more
  --clients LIST   comma-separated, or "all": ${NAMES.join(', ')}
  --soak           also 50,000 calls, with the growth of the heap
  --check          exit 1 where a bar is missed by more than the tolerance
  --tolerance X    share by which a bar may be missed; 0.25 with --quick, else 0
  --json FILE      also write everything measured to FILE
`

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      soak: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      clients: { type: 'string' },
      json: { type: 'string' },
      tolerance: { type: 'string' },
    },
  })
  const asked = values.clients === undefined ? (values.quick ? OWN : NAMES) : values.clients === 'all' ? NAMES : values.clients.split(',')
  const unknown = asked.find(name => !NAMES.includes(name))
  if (unknown !== undefined) throw new Error(`There is no client "${unknown}". Known: ${NAMES.join(', ')}`)
  const tolerance = values.tolerance === undefined ? (values.quick ? 0.25 : 0) : Number(values.tolerance)
  if (!(tolerance >= 0 && tolerance <= 10)) throw new Error('--tolerance must be a share such as 0.25')
  // Without the first two there is nothing to compare with, and a check of nothing must not pass.
  const names = NAMES.filter(name => asked.includes(name) || name === FLOOR || name === DIRECT || (values.check && OURS.includes(name)))
  return { ...values, tolerance, names }
}

function install() {
  console.error('bench: installing the other clients')
  execFileSync('npm', ['ci', '--prefix', file('.'), '--no-fund', '--no-audit'], { stdio: ['ignore', 'ignore', 'inherit'], timeout: 600_000 })
}

async function main() {
  const options = readOptions()
  if (options.help) return void console.log(HELP)
  if (needsInstall(options.names)) install()
  const plan = planOf(options.quick)
  const watchdog = setTimeout(() => {
    console.error(`bench: not done after ${plan.watchdogMs} ms`)
    stopAll()
    process.exit(1)
  }, plan.watchdogMs)
  const clients = options.names.map(load)
  const run = new Run(plan, clients, what => console.error(`bench: ${what}`))
  try {
    await run.open()
    await run.cold()
    await run.rounds()
    await run.memory()
    if (options.soak) await run.soak([DIRECT, 'sallyport'])
  } finally {
    run.close()
    clearTimeout(watchdog)
  }
  const result = summary({ clients, run, options: { quick: options.quick, tolerance: options.tolerance, plan } })
  console.log(text(result))
  if (options.json !== undefined) {
    mkdirSync(dirname(resolve(options.json)), { recursive: true })
    writeFileSync(options.json, `${JSON.stringify(result, undefined, 2)}\n`)
  }
  const wrong = options.check ? problems(result) : []
  for (const problem of wrong) console.error(`bench: ${problem}`)
  if (wrong.length > 0) process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopAll()
    process.exit(1)
  })
}
process.on('exit', stopAll)
main().catch(error => {
  console.error(`bench: ${error instanceof Error ? error.message : error}`)
  stopAll()
  process.exitCode = 1
})
