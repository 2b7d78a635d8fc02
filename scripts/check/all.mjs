import { PARTS } from './parts.mjs'
import { run, schedule, seconds } from './run.mjs'

const only = process.argv.slice(2)
const known = PARTS.map(part => part.name)
const unknown = only.find(name => !known.includes(name))
if (unknown !== undefined) {
  console.error(`No part "${unknown}". Parts: ${known.join(', ')}.`)
  process.exit(1)
}
const wanted = only.length === 0 ? PARTS : PARTS.filter(part => only.includes(part.name)).map(part => ({ ...part, after: (part.after ?? []).filter(name => only.includes(name)) }))

let passed = 0
await schedule(
  wanted,
  part => run(...part.run),
  (part, { code, output, ms }) => {
    if (code === 0) passed += 1
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${part.name.padEnd(16)} ${seconds(ms).padStart(7)}`)
    if (code !== 0 || part.show) console.log(output.trimEnd().replace(/^/gm, '         '))
  },
)
console.log(`${passed} passed, ${wanted.length - passed} failed`)
process.exitCode = passed === wanted.length ? 0 : 1
