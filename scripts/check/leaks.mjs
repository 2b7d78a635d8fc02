import { readdirSync, readFileSync } from 'node:fs'

/** Modules a declaration file names, other than its own chunks. */
export function foreignModules(text) {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/\/? .*$/gm, match => (match.includes('<reference') ? match : ''))
  const named = [...code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]|<reference\s+(?:types|path)=['"]([^'"]+)['"]/g)].map(match => match[1] ?? match[2])
  return [...new Set(named.filter(name => !name.startsWith('./')))]
}

if (process.argv[1]?.endsWith('leaks.mjs')) {
  const files = readdirSync('dist').filter(name => name.endsWith('.d.ts'))
  const leaks = files.flatMap(file => foreignModules(readFileSync(`dist/${file}`, 'utf8')).map(name => `dist/${file} needs the types of "${name}", which the user of the package may not have`))
  for (const leak of leaks) console.log(leak)
  process.exitCode = leaks.length > 0 || files.length === 0 ? 1 : 0
}
