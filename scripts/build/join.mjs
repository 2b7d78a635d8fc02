import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { rollup } from 'rollup'

/** Files that belong to the first call and are loaded by `import()`: by their source, as the bundler's list of outputs names it. */
const ENGINE = 'src/engine.ts'
const TRANSPORT = 'src/transport/http.ts'
/** Entries that are used without a gateway: they must not bring more of one than they need. */
const SMALL = new Set(['audit.js', 'guard.js', 'pii.js'])
/** What so many adapters share is loaded with the first of them. */
const COMMON = 4

/**
 * The bundler makes a file of every set of entries that share some lines, which are dozens of small ones, and each costs an import
 * a quarter of a millisecond. Says for each of them into which larger file it goes; a file that is not named stays one.
 *
 * @typedef {{ name: string, source: string | undefined, imports: string[], later: string[], bare?: boolean }} BuiltFile `bare`: it holds no line of its own
 * @param {readonly BuiltFile[]} files
 * @param {readonly string[]} entries names of the files that a user can import
 * @returns {Map<string, string>}
 */
export function groupsOf(files, entries) {
  const byName = new Map(files.map(file => [file.name, file]))
  const reach = (name, seen = new Set()) => {
    if (!seen.has(name)) {
      seen.add(name)
      for (const next of byName.get(name).imports) reach(next, seen)
    }
    return seen
  }
  const bySource = source => files.find(file => file.source === source)?.name
  const doors = entries.map(name => ({ name, set: reach(name) }))
  const later = [...new Set(files.flatMap(file => file.later))]
  const loaded = later.map(name => ({ name, set: reach(name) }))
  const core = reach('index.js')
  const engine = reach(bySource(ENGINE))
  const transport = reach(bySource(TRANSPORT))
  // These bring the rest of the core with them or are of no use without it.
  const whole = new Set(['index.js', ...files.filter(({ source }) => /^src\/providers\/[\w-]+\/index\.ts$/.test(source ?? '')).map(({ name }) => name)])

  const groupOf = name => {
    const through = doors.filter(({ set }) => set.has(name)).map(door => door.name)
    const alone = through.some(door => !whole.has(door))
    if (core.has(name)) return alone ? 'base' : through.length > 1 ? 'factories' : 'core'
    if (through.includes('platform-node.js')) return 'base'
    if (through.some(door => SMALL.has(door))) return undefined
    if (engine.has(name)) return alone ? 'shared' : 'calls'
    if (alone) return undefined
    return transport.has(name) || loaded.filter(({ set }) => set.has(name)).length >= COMMON ? 'wires' : undefined
  }
  const standing = new Set([...entries, ...later])
  const places = new Map(files.flatMap(({ name }) => (standing.has(name) || groupOf(name) === undefined ? [] : [[name, groupOf(name)]])))
  // A file that only hands on what others hold is read for nothing: it goes where they are.
  const wires = new Set([...places].flatMap(([name, place]) => (place === 'wires' ? [...reach(name)] : [])))
  for (const { name, bare, imports } of files) {
    if (bare === true && later.includes(name) && imports.some(next => places.get(next) === 'wires') && imports.every(next => wires.has(next) || places.get(next) === 'base')) places.set(name, 'wires')
  }
  return places
}

/** Joins the files of the build as {@link groupsOf} says and leaves everything else in them as it is. */
export async function joinFiles(dist, metafile) {
  const outputs = Object.entries(JSON.parse(readFileSync(metafile, 'utf8')).outputs).filter(([path]) => path.endsWith('.js'))
  const local = (imports, kind) => imports.filter(one => one.kind === kind && one.external !== true).map(({ path }) => basename(path))
  const files = outputs.map(([path, { entryPoint, imports, inputs }]) => ({ name: basename(path), source: entryPoint, bare: Object.values(inputs).every(({ bytesInOutput }) => bytesInOutput === 0), imports: local(imports, 'import-statement'), later: local(imports, 'dynamic-import') }))
  const later = new Set(files.flatMap(file => file.later))
  const entries = files.filter(({ name, source }) => source !== undefined && !later.has(name)).map(({ name }) => name)
  const groups = groupsOf(files, entries)
  const bundle = await rollup({
    input: Object.fromEntries(entries.map(name => [name.slice(0, -'.js'.length), resolve(dist, name)])),
    external: id => !id.startsWith('.') && !id.startsWith('/'),
    // What is used was decided already.
    treeshake: false,
    onwarn: ({ message }) => {
      throw new Error(`the files of the build cannot be joined: ${message}`)
    },
  })
  const { output } = await bundle.generate({
    format: 'es',
    entryFileNames: '[name].js',
    chunkFileNames: ({ name }) => `${name.replace(/-[A-Z0-9]{8}$/, '')}-[hash].js`,
    manualChunks: id => groups.get(basename(id)),
    onlyExplicitManualChunks: true,
    hoistTransitiveImports: false,
    minifyInternalExports: false,
  })
  await bundle.close()
  for (const { name } of files) rmSync(join(dist, name))
  for (const { fileName, code } of output) writeFileSync(join(dist, fileName), code)
}
