const own = (name, ...args) => ['node', [`scripts/check/${name}.mjs`, ...args]]

/** Where the `tarball` part leaves what `npm publish` would send. */
export const TARBALL = '.cache/pack/package.tgz'

/** The parts of `npm run check`: each is one program; `after` names what has to be there first. */
export const PARTS = [
  { name: 'build', run: ['tsup', ['--silent']] },
  { name: 'lint', run: ['eslint', ['.', '--max-warnings', '0']] },
  { name: 'types', run: ['tsc', ['--noEmit', '-p', 'tsconfig.json']] },
  { name: 'import law', run: ['depcruise', ['--config', '.dependency-cruiser.cjs', 'src']] },
  { name: 'unused exports', run: ['knip', ['--no-config-hints', '--no-progress']] },
  { name: 'docs', run: own('docs') },
  { name: 'declarations', run: own('leaks'), after: ['build'] },
  { name: 'API report', run: own('api'), after: ['build'] },
  { name: 'tarball', run: own('pack'), after: ['build'] },
  { name: 'package', run: ['publint', ['run', TARBALL, '--strict']], after: ['tarball'] },
  { name: 'package types', run: ['attw', [TARBALL, '--profile', 'esm-only', '--no-emoji', '--no-color']], after: ['tarball'] },
  { name: 'size', run: own('size'), after: ['build'], show: true },
]
