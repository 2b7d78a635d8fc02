import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** What is read and when it was published; a newer version is a change of this line. */
export const PACKAGES = {
  'pi-ai': { spec: '@earendil-works/pi-ai@1.5.2', date: '2026-11-10' },
  'genai-prices': { spec: '@pydantic/genai-prices@0.1.8', date: '2026-09-23' },
}

/** Downloads one package into `folder` and gives the folder of its files; nothing of it is run by npm. */
export function unpack(name, folder) {
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, PACKAGES[name].spec], { encoding: 'utf8', timeout: 120_000 }))
  const into = join(folder, name)
  mkdirSync(into, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', into, '--strip-components=1'])
  return into
}
