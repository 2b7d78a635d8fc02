import { expect, test } from 'vitest'
import { groupsOf, type BuiltFile } from '../../scripts/build/join.mjs'

const file = (name: string, imports: string[] = [], later: string[] = [], source?: string): BuiltFile => ({ name, source, imports, later })

const FILES: readonly BuiltFile[] = [
  file('index.js', ['errors.js', 'pool.js', 'define.js'], ['engine.js'], 'src/index.ts'),
  file('pii.js', ['errors.js', 'text.js'], [], 'src/plugins/pii/index.ts'),
  file('testing.js', ['errors.js', 'ledger.js', 'text.js'], [], 'src/testing/index.ts'),
  file('vertex.js', ['define.js'], ['one.js'], 'src/providers/vertex/index.ts'),
  file('platform-node.js', ['lazy.js'], ['http.js'], 'src/platform/node.ts'),
  file('engine.js', ['ledger.js', 'walk.js', 'text.js'], ['one.js', 'two.js', 'three.js', 'four.js'], 'src/engine.ts'),
  file('http.js', ['sockets.js', 'lazy.js'], [], 'src/transport/http.ts'),
  ...['one', 'two', 'three', 'four'].map(name => file(`${name}.js`, ['codec.js', ...(name < 'p' ? ['pair.js'] : [])], [], `src/providers/${name}/adapter.ts`)),
  ...['errors', 'pool', 'define', 'ledger', 'walk', 'text', 'lazy', 'sockets', 'codec', 'pair'].map(name => file(`${name}.js`)),
]
const ENTRIES = ['index.js', 'pii.js', 'testing.js', 'vertex.js', 'platform-node.js']

test('what is loaded together is one file, and what a user or an import() names stays one of its own', () => {
  expect(Object.fromEntries(groupsOf(FILES, ENTRIES))).toEqual({
    'errors.js': 'base',
    'lazy.js': 'base',
    'define.js': 'factories',
    'pool.js': 'core',
    'walk.js': 'calls',
    'ledger.js': 'shared',
    'sockets.js': 'wires',
    'codec.js': 'wires',
  })
})

test('a file that only hands on what others hold goes to them, unless it would bring more than they do', () => {
  const files = [...FILES.map(one => (one.name === 'engine.js' ? { ...one, later: [...one.later, 'door.js', 'wide.js'] } : one)), { ...file('door.js', ['codec.js', 'errors.js']), bare: true }, { ...file('wide.js', ['codec.js', 'pair.js']), bare: true }]
  const groups = groupsOf(files, ENTRIES)
  expect([groups.get('door.js'), groups.get('wide.js')]).toEqual(['wires', undefined])
})

test('an entry that is used without a gateway gets nothing of the gateway for a line they share', () => {
  const groups = groupsOf(FILES, ENTRIES)
  expect(groups.get('text.js')).toBeUndefined()
  const with_ = (group: string | undefined) => [...groups].filter(([, other]) => other === group).map(([name]) => name)
  expect(with_(groups.get('errors.js'))).toEqual(['errors.js', 'lazy.js'])
})
