import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the package an input file of the bundle belongs to; `undefined` for our own files. */
export function packageFolder(input) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
  return match?.[1]
}

function licenceText(folder) {
  const file = readdirSync(folder).find(name => /^licen[cs]e/i.test(name))
  if (file === undefined) throw new Error(`${folder} is bundled and has no licence file`)
  return readFileSync(join(folder, file), 'utf8').trim()
}

/**
 * Writes `THIRD-PARTY-LICENSES.txt` beside the build: the licence of every package of which a line was bundled, as the
 * bundler's own list of inputs says.
 */
export function writeLicences(dist) {
  const metafile = join(dist, 'metafile-esm.json')
  if (!existsSync(metafile)) throw new Error(`${metafile} is missing: the build gives no list of what it bundled`)
  const { outputs } = JSON.parse(readFileSync(metafile, 'utf8'))
  const used = Object.values(outputs).flatMap(output => Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])))
  const folders = [...new Set(used.map(packageFolder).filter(folder => folder !== undefined))]
  const entries = folders.map(folder => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return { title: `${name} ${version} (${license})`, text: licenceText(folder) }
  })
  entries.sort((a, b) => (a.title < b.title ? -1 : 1))
  const rule = '-'.repeat(80)
  const head = 'This build contains code of the packages below, each under its own licence.\n'
  writeFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), [head, ...entries.map(({ title, text }) => `${rule}\n${title}\n${rule}\n\n${text}\n`)].join('\n'))
  rmSync(metafile)
  return entries.map(({ title }) => title)
}
