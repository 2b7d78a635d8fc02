import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ourType } from '../types.mjs'

const HERE = new URL('../', import.meta.url)
export const OWN = 'sallyport'
export const OTHERS = ['@redactpii/node', 'openredaction']

export function file(path) {
  return fileURLToPath(new URL(path, HERE))
}

export const BUILT = file('../../dist/pii.js')

export function installed() {
  return OTHERS.every(name => existsSync(file(`node_modules/${name}/package.json`)))
}

function versionOf(name) {
  return JSON.parse(readFileSync(file(`node_modules/${name}/package.json`), 'utf8')).version
}

/**
 * A detector under test: `open(options)` gives `{ detect, scan }`. `detect` finds places, `scan` is what a user of it would call
 * and what is timed. `options` are those of `createDetector`; those who know no such thing look for all they know.
 */
const LOADERS = {
  async [OWN](path) {
    const module = await import(path)
    const open = options => {
      const detector = module.createDetector(options)
      const detect = text => detector.detect(text)
      return { detect, scan: detect }
    }
    return { name: OWN, title: OWN, open, selective: true, redactPii: module.redactPii }
  },

  async '@redactpii/node'() {
    const { Redactor } = await import('@redactpii/node')
    const open = () => {
      const redactor = new Redactor()
      // `redact` says no positions: these are the patterns it replaces, in its order.
      const rules = redactor.activeRules
      return { detect: text => matches(rules, text), scan: text => redactor.redact(text) }
    }
    return { name: '@redactpii/node', title: `@redactpii/node ${versionOf('@redactpii/node')}`, open }
  },

  async openredaction() {
    const { OpenRedaction } = await import('openredaction')
    const open = () => {
      const redaction = new OpenRedaction({})
      const scan = text => redaction.detect(text)
      const detect = async text => (await scan(text)).detections.map(({ type, position: [start, end] }) => ({ type: ourType(type), raw: type, start, end }))
      return { detect, scan }
    }
    return { name: 'openredaction', title: `openredaction ${versionOf('openredaction')}`, open }
  },
}

function matches(rules, text) {
  const found = []
  for (const { pattern, name } of rules) {
    for (const match of text.matchAll(new RegExp(pattern.source, pattern.flags))) {
      const start = match.index
      const end = start + match[0].length
      if (found.every(other => end <= other.start || start >= other.end)) found.push({ type: ourType(name), raw: name, start, end })
    }
  }
  return found
}

/** @param path the module with our `createDetector`, or another that exports one. */
export function load(name, path) {
  return LOADERS[name](path)
}
